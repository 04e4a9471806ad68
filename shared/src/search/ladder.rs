//! How a query is asked: first as it is, then with other words, at last for any of its words.
use std::collections::HashMap;

use super::{
    expression::{AnyOf, Expression, Phrase},
    query::{Clause, Query},
    synonyms,
    vocabulary::Vocabulary,
    words::{self, Word, sought_pairs},
};

/// Words that nearly every text has. They tell nothing where any word will do.
const STOP_WORDS: [&str; 78] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "do", "does",
    "for", "from", "get", "give", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "just",
    "like", "make", "me", "my", "need", "no", "not", "of", "on", "one", "or", "our", "out", "please", "s", "should",
    "so", "some", "t", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "up", "us",
    "use", "using", "want", "was", "we", "what", "when", "which", "who", "will", "with", "would", "you", "your",
    "yours",
];

/// A word that was taken for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Correction {
    pub(super) from: String,
    pub(super) to: String,
}

/// The questions a query becomes, the strictest first.
pub(super) struct Ladder<'q> {
    query: &'q Query,
    vocabulary: &'q Vocabulary,
    documents: usize,
    /// What a word that nobody has written was meant to be; one that may go on was meant to be more.
    meant: HashMap<(&'q str, bool), Vec<String>>,
}

impl<'q> Ladder<'q> {
    pub(super) fn new(query: &'q Query, vocabulary: &'q Vocabulary, documents: usize) -> Self {
        let words = query.clauses.iter().filter(|clause| !clause.quoted).flat_map(words_of);
        let meant = |(word, open): (&'q Word, bool)| ((word.folded.as_str(), open), meant(vocabulary, word, open));
        Self { query, vocabulary, documents, meant: words.map(meant).collect() }
    }

    /// All words, the last one also as the beginning of one.
    pub(super) fn exact(&self) -> Expression {
        let all = self.query.clauses.iter().map(|clause| self.any_of(self.as_written(clause)));
        Expression { all: all.collect(), any: Vec::new() }
    }

    /// All words, or others in their place.
    pub(super) fn wide(&self) -> Expression {
        let mut all = self.quoted_parts();
        for (place, clause) in self.loose_clauses().enumerate() {
            // Whatever stands for several words at once stands for each of them.
            let whole = self.in_place_of_all(place, clause);
            for (word, open) in words_of(clause) {
                let mut phrases = self.alternatives(word, open);
                phrases.extend(whole.iter().cloned());
                all.push(self.any_of(phrases));
            }
        }
        Expression { all, any: Vec::new() }
    }

    /// Any word, or another in its place; but all that stands in quotes. What signs hold together stays together.
    pub(super) fn loose(&self) -> Expression {
        let all = self.quoted_parts();
        let telling: Vec<&Clause> = self.loose_clauses().filter(|clause| !is_stop_clause(clause)).collect();
        let asked = if telling.is_empty() { self.loose_clauses().collect() } else { telling };
        let mut any = Vec::new();
        for clause in asked {
            match clause.words.as_slice() {
                // Nobody knows where its words begin, so any pair of its characters will do.
                [word] if word.unspaced => {
                    let pair = |term| self.any_of(vec![Phrase { terms: vec![term], open: false }]);
                    any.extend(sought_pairs(&word.folded).into_iter().map(pair));
                }
                [word] => any.push(self.any_of(self.alternatives(word, clause.open || clause.star))),
                _ => any.push(self.any_of(self.as_written(clause))),
            }
        }
        Expression { all, any }
    }

    /// Only what stands in quotes.
    pub(super) fn quoted(&self) -> Expression {
        Expression { all: self.quoted_parts(), any: Vec::new() }
    }

    /// Anything that must not be found.
    pub(super) fn excluded(&self) -> Expression {
        let any = self.query.excluded.iter().map(|clause| self.any_of(self.as_written(clause)));
        Expression { all: Vec::new(), any: any.collect() }
    }

    /// The words that nobody has written, and what was meant.
    pub(super) fn corrections(&self) -> Vec<Correction> {
        let corrected = |(word, open): (&Word, bool)| {
            let to = self.meant(word, open).first()?.clone();
            let from = self.query.as_typed(&word.folded);
            Some(Correction { from, to })
        };
        self.loose_clauses().flat_map(words_of).filter_map(corrected).collect()
    }

    fn loose_clauses(&self) -> impl Iterator<Item = &'q Clause> + Clone + use<'q> {
        self.query.clauses.iter().filter(|clause| !clause.quoted)
    }

    fn quoted_parts(&self) -> Vec<AnyOf> {
        let quoted = self.query.clauses.iter().filter(|clause| clause.quoted);
        quoted.map(|clause| self.any_of(self.as_written(clause))).collect()
    }

    /// What stands for all words of a clause: the two as one, a synonym. And of a word, what it is in one with the word
    /// before or after it, if somebody writes it so: `e mail`.
    fn in_place_of_all(&self, place: usize, clause: &Clause) -> Vec<Phrase> {
        let open = clause.open || clause.star;
        let mut phrases: Vec<Phrase> = Phrase::joined(&clause.words, open).into_iter().collect();
        let [word] = clause.words.as_slice() else {
            let terms: Vec<String> = clause.words.iter().flat_map(Word::terms).collect();
            phrases.extend(synonyms::of(&terms.join(" ")).iter().cloned());
            return phrases;
        };
        let beside = |place: Option<usize>| match self.loose_clauses().nth(place?)?.words.as_slice() {
            [word] => Some(word),
            _ => None,
        };
        let before = beside(place.checked_sub(1)).map(|before| format!("{}{}", before.folded, word.folded));
        let after = beside(place.checked_add(1)).map(|after| format!("{}{}", word.folded, after.folded));
        let known = before.into_iter().chain(after).filter(|joined| self.vocabulary.knows(joined));
        phrases.extend(known.map(|joined| Phrase::one(&joined, false)));
        phrases
    }

    fn as_written(&self, clause: &Clause) -> Vec<Phrase> {
        // With a star only beginnings are meant. Who is still typing may be done.
        let mut phrases = if clause.star { Vec::new() } else { vec![Phrase::of(&clause.words)] };
        phrases.extend(Phrase::joined(&clause.words, false).filter(|_| !clause.star));
        if clause.open || clause.star {
            phrases.push(Phrase::beginning(&clause.words));
            phrases.extend(Phrase::joined(&clause.words, true));
            if let [word] = clause.words.as_slice() {
                phrases.extend(self.completions(word));
            }
        }
        phrases
    }

    fn completions(&self, word: &Word) -> impl Iterator<Item = Phrase> {
        let stems = if word.unspaced { Vec::new() } else { self.vocabulary.stems_of_completions(&word.folded) };
        stems.into_iter().map(|stem| Phrase { terms: vec![stem], open: false })
    }

    fn alternatives(&self, word: &'q Word, open: bool) -> Vec<Phrase> {
        let words = std::slice::from_ref(word);
        let mut phrases = vec![Phrase::of(words)];
        if open {
            phrases.push(Phrase::beginning(words));
            phrases.extend(self.completions(word));
        }
        phrases.extend(synonyms::of(&words::stem(&word.folded)).iter().cloned());
        for meant in self.meant(word, open) {
            let meant: Vec<Word> = words::words(meant).collect();
            phrases.push(Phrase::of(&meant));
            phrases.extend(Phrase::joined(&meant, false));
        }
        phrases
    }

    fn meant(&self, word: &'q Word, open: bool) -> &[String] {
        self.meant.get(&(word.folded.as_str(), open)).map_or(&[], Vec::as_slice)
    }

    /// Rare words tell more: the logarithm of how many documents there are for each that has one.
    #[expect(clippy::cast_precision_loss, reason = "a weight needs few digits")]
    fn any_of(&self, phrases: Vec<Phrase>) -> AnyOf {
        let having = |phrase: &Phrase| {
            let least = phrase.terms.iter().map(|term| self.vocabulary.documents(term)).min();
            least.unwrap_or(0) as usize
        };
        let having: usize = phrases.iter().map(having).sum::<usize>().min(self.documents);
        let weight = (1.0 + (self.documents as f64 + 1.0) / (having as f64 + 1.0)).ln();
        AnyOf { phrases, weight }
    }
}

/// The words of a clause, and whether each may go on: the last one may, if somebody is still typing it.
fn words_of(clause: &Clause) -> impl Iterator<Item = (&Word, bool)> {
    let (open, last) = (clause.open || clause.star, clause.words.len() - 1);
    clause.words.iter().enumerate().map(move |(place, word)| (word, open && place == last))
}

/// What a word was meant to be, if nobody has written it.
fn meant(vocabulary: &Vocabulary, word: &Word, open: bool) -> Vec<String> {
    let known = vocabulary.knows(&word.folded)
        || vocabulary.documents(&words::stem(&word.folded)) > 0
        || open && vocabulary.knows_beginning(&word.folded);
    if known || word.unspaced {
        return Vec::new();
    }
    let corrections = vocabulary.corrections(&word.folded);
    if !corrections.is_empty() {
        return corrections.into_iter().map(str::to_owned).collect();
    }
    vocabulary.parts(&word.folded).map(|(one, other)| format!("{one} {other}")).into_iter().collect()
}

fn is_stop_clause(clause: &Clause) -> bool {
    matches!(clause.words.as_slice(), [word] if is_stop_word(&word.folded))
}

/// Is it one of the words that nearly every text has?
pub(super) fn is_stop_word(folded: &str) -> bool {
    STOP_WORDS.binary_search(&folded).is_ok()
}

/// The query, with the words that were meant.
pub(super) fn corrected(text: &str, corrections: &[Correction]) -> String {
    let (mut corrected, mut from) = (String::new(), 0);
    for word in words::words(text) {
        let typed = &text[word.span.clone()];
        if let Some(correction) = corrections.iter().find(|correction| correction.from == typed) {
            corrected.push_str(&text[from..word.span.start]);
            corrected.push_str(&correction.to);
            from = word.span.end;
        }
    }
    corrected.push_str(&text[from..]);
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_in_order() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn a_correction_leaves_the_rest_of_a_query_alone() {
        let corrections = [Correction { from: "Terminl".into(), to: "terminal".into() }];
        assert_eq!(corrected("the \"Linux\" Terminl, tag:x", &corrections), "the \"Linux\" terminal, tag:x");
    }
}
