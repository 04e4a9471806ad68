//! What an engine is asked for.
use super::words::{Word, compounds, sought_pairs, stem};

/// Terms that stand next to each other. The last may be the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Phrase {
    pub(super) terms: Vec<String>,
    pub(super) open: bool,
}

impl Phrase {
    /// What words in a row are found by.
    pub(super) fn of(words: &[Word]) -> Self {
        let Some((last, before)) = words.split_last() else { return Self { terms: Vec::new(), open: false } };
        let mut terms: Vec<String> = before.iter().flat_map(Word::terms).collect();
        if last.unspaced {
            let pairs = sought_pairs(&last.folded);
            let open = pairs.len() == 1 && last.folded.chars().count() == 1;
            terms.extend(pairs);
            return Self { terms, open };
        }
        terms.push(stem(&last.folded));
        Self { terms, open: false }
    }

    /// A term alone, or the beginning of one.
    pub(super) fn one(folded: &str, open: bool) -> Self {
        Self { terms: vec![if open { folded.to_owned() } else { stem(folded) }], open }
    }

    /// What two words are found by that a hyphen or an apostrophe makes one.
    pub(super) fn joined(words: &[Word], open: bool) -> Option<Self> {
        let compound = compounds(words).next().filter(|_| words.len() == 2)?;
        Some(Self::one(&compound.folded, open))
    }

    /// What words in a row are found by, the last of which may go on.
    pub(super) fn beginning(words: &[Word]) -> Self {
        match words.split_last() {
            Some((last, _)) if !last.unspaced => {
                let mut phrase = Self::of(words);
                phrase.terms.pop();
                phrase.terms.push(last.folded.clone());
                Self { open: true, ..phrase }
            }
            _ => Self::of(words),
        }
    }
}

/// Any of these will do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AnyOf {
    pub(super) phrases: Vec<Phrase>,
    /// How much it tells: rare words tell more. For engines that do not count that themselves.
    pub(super) weight: f64,
}

/// All of some things, and one of others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expression {
    pub(super) all: Vec<AnyOf>,
    pub(super) any: Vec<AnyOf>,
}

impl Expression {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }

    /// Everything it looks for.
    pub(super) fn parts(&self) -> impl Iterator<Item = &AnyOf> {
        self.all.iter().chain(&self.any)
    }

    /// The expression as an engine writes it, with its signs for *and* and *or*.
    pub(super) fn render(&self, and: &str, or: &str, phrase: impl Fn(&Phrase) -> String) -> String {
        let join = |any: &AnyOf| any.phrases.iter().map(&phrase).collect::<Vec<_>>().join(or);
        let mut parts: Vec<String> = self.all.iter().map(|any| format!("({})", join(any))).collect();
        if !self.any.is_empty() {
            parts.push(format!("({})", self.any.iter().map(join).collect::<Vec<_>>().join(or)));
        }
        parts.join(and)
    }
}
