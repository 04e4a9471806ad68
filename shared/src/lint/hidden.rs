//! Characters that nobody sees (X03): where they are, which of them belong, and the text without the others.
//!
//! The other rules read the text without them. So a word cannot hide from a rule behind a character that a model does
//! not see either, and what is right after the removal is already known before it.
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::found::{Found, Message, Place};
use super::rules::Rule;

const HIDDEN: Message = Message {
    rule: Rule::HiddenCharacters,
    code: "hidden-characters",
    fix: "Remove the characters that cannot be seen: a model reads them, and people do not.",
};

/// How many places are listed one by one; the rest of a text is one more.
const PLACES_MAX: usize = 19;

/// The way back from a text without hidden characters to the text as it came.
pub(super) struct Clean {
    /// Where in the clean text something was taken out, and how many bytes by then.
    cuts: Vec<(usize, usize)>,
    /// What was taken out, in the text as it came.
    removed: Vec<Range<usize>>,
}

impl Clean {
    /// Takes out what cannot be seen and has no business where it stands.
    pub(super) fn read(text: &str) -> (Cow<'_, str>, Self) {
        let removed = hidden_runs(text);
        if removed.is_empty() {
            return (Cow::Borrowed(text), Self { cuts: Vec::new(), removed });
        }
        let (mut clean, mut cuts, mut kept, mut taken) = (String::with_capacity(text.len()), Vec::new(), 0, 0);
        for run in &removed {
            clean.push_str(&text[kept..run.start]);
            taken += run.len();
            cuts.push((clean.len(), taken));
            kept = run.end;
        }
        clean.push_str(&text[kept..]);
        (Cow::Owned(clean), Self { cuts, removed })
    }

    /// A range of the clean text in the text as it came. What was taken out beside it is not in it.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let taken = |cuts: usize| if cuts == 0 { 0 } else { self.cuts[cuts - 1].1 };
        let start = range.start + taken(self.cuts.partition_point(|(at, _)| *at <= range.start));
        if range.is_empty() {
            return start..start;
        }
        start..range.end + taken(self.cuts.partition_point(|(at, _)| *at < range.end))
    }

    /// A range of the text as it came in the clean text.
    pub(super) fn clean(&self, range: &Range<usize>) -> Range<usize> {
        let clean = |at: usize| {
            let before = self.removed.partition_point(|run| run.start < at);
            let taken = before.checked_sub(1).map_or(0, |last| {
                let whole = self.cuts[last].1;
                // Within what was taken out, only what stands before counts.
                whole - self.removed[last].end.saturating_sub(at).min(self.removed[last].len())
            });
            at - taken
        };
        clean(range.start)..clean(range.end)
    }

    /// What was taken out, a finding for each place.
    pub(super) fn findings(&self, part: usize, text: &str) -> Vec<Found> {
        let listed = self.removed.len().min(PLACES_MAX);
        let found = |range: Range<usize>, without: String| {
            let evidence = names(&text[range.clone()]);
            Found::new(&HIDDEN).at_original(Place { part, range }).evidence(evidence).replacement(without)
        };
        let mut findings: Vec<Found> =
            self.removed[..listed].iter().map(|run| found(run.clone(), String::new())).collect();
        if let (Some(first), Some(last)) = (self.removed.get(listed), self.removed.last()) {
            let (mut without, mut kept) = (String::new(), first.start);
            for run in &self.removed[listed..] {
                without.push_str(&text[kept..run.start]);
                kept = run.end;
            }
            findings.push(found(first.start..last.end, without));
        }
        findings
    }
}

/// What is hidden in a text, by code point: `U+200B ×2`.
fn names(text: &str) -> String {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for char in text.chars().filter(|char| kind(*char) != Kind::Seen) {
        *counts.entry(char).or_default() += 1;
    }
    let names = counts.iter().take(8).map(|(char, count)| match count {
        1 => format!("U+{:04X}", u32::from(*char)),
        _ => format!("U+{:04X} ×{count}", u32::from(*char)),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Hidden characters that stand side by side, as ranges.
fn hidden_runs(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    // Most texts have nothing but ASCII, where nothing is hidden.
    if text.is_ascii() {
        return runs;
    }
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let right_to_left = chars.iter().any(|(_, char)| is_right_to_left(*char));
    let mut index = 0;
    while let Some(&(at, char)) = chars.get(index) {
        let flag = flag_len(&chars[index..]);
        if flag > 0 {
            index += flag;
            continue;
        }
        let belongs = match kind(char) {
            Kind::Seen => true,
            Kind::Never => false,
            Kind::Mark => right_to_left,
            Kind::Joiner => joins(&chars, index, char),
            Kind::Variation => index > 0 && takes_variation(chars[index - 1].1, char),
        };
        index += 1;
        if belongs {
            continue;
        }
        let end = at + char.len_utf8();
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = end,
            _ => runs.push(at..end),
        }
    }
    runs
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It has a shape, or moves what follows.
    Seen,
    /// It has no business in a prompt.
    Never,
    /// It sets the direction next to it: right where text runs from right to left.
    Mark,
    /// It joins or separates its neighbours.
    Joiner,
    /// It picks a shape of the character before it.
    Variation,
}

fn kind(char: char) -> Kind {
    match char {
        '\u{200C}' | '\u{200D}' => Kind::Joiner,
        '\u{200E}' | '\u{200F}' | '\u{061C}' => Kind::Mark,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => Kind::Variation,
        '\u{200B}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}' => Kind::Never,
        _ => Kind::Seen,
    }
}

/// How many characters at the start are a flag spelt in tag characters, as that of Scotland is.
fn flag_len(chars: &[(usize, char)]) -> usize {
    if chars.first().is_none_or(|(_, char)| *char != '\u{1F3F4}') {
        return 0;
    }
    let letters = chars[1..].iter().take_while(|(_, char)| matches!(char, '\u{E0030}'..='\u{E007A}')).count();
    let is_ended = chars.get(1 + letters).is_some_and(|(_, char)| *char == '\u{E007F}');
    if (3..=6).contains(&letters) && is_ended { letters + 2 } else { 0 }
}

/// Does a joiner stand between two that it can join?
fn joins(chars: &[(usize, char)], index: usize, joiner: char) -> bool {
    let Some(&(_, next)) = chars.get(index + 1) else { return false };
    // Between an emoji and its joiner there may be a colour of skin and the sign that it is an emoji.
    let mut before = chars[..index].iter().rev().map(|(_, char)| *char).take(3);
    let Some(previous) = before.next() else { return false };
    let joined_script = |char| is_indic(char) || is_arabic(char);
    if joined_script(previous) && (joined_script(next) || is_indic(previous) && kind(next) == Kind::Seen) {
        return true;
    }
    let is_modifier = |char| matches!(char, '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}');
    let base = std::iter::once(previous).chain(before).find(|char| !is_modifier(*char));
    joiner == '\u{200D}' && is_emoji(next) && base.is_some_and(is_emoji)
}

fn takes_variation(previous: char, selector: char) -> bool {
    if selector >= '\u{E0100}' {
        return matches!(previous, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    }
    kind(previous) == Kind::Seen && !previous.is_whitespace()
}

fn is_emoji(char: char) -> bool {
    matches!(char,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}'
        | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}')
}

fn is_arabic(char: char) -> bool {
    matches!(char,
        '\u{0600}'..='\u{061B}' | '\u{061D}'..='\u{08FF}' | '\u{FB50}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFC}' | '\u{1800}'..='\u{18AF}')
}

/// The scripts from Devanagari to Sinhala, and those of the mainland of South-East Asia.
fn is_indic(char: char) -> bool {
    matches!(char,
        '\u{0900}'..='\u{0DFF}' | '\u{0F00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{A8E0}'..='\u{A8FF}')
}

fn is_right_to_left(char: char) -> bool {
    matches!(char,
        '\u{0590}'..='\u{061B}' | '\u{061D}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}
