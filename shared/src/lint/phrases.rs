//! Phrases of one or more words, found among the words of a text in one pass.
use std::collections::HashMap;
use std::ops::Range;

use super::reading::Reading;

/// How far apart two words of a phrase may stand, in bytes.
const GAP_MAX: usize = 6;

/// Phrases, by their first word and the longest first.
pub(super) struct Phrases {
    by_first: HashMap<&'static str, Vec<Vec<&'static str>>>,
    /// By its first byte, how long a first word can be, as bits: most words are known here not to be one.
    lengths: [u32; 256],
}

impl Phrases {
    /// Phrases in small letters, whose words are divided by blanks.
    pub(super) fn new(phrases: &[&'static str]) -> Self {
        let mut by_first: HashMap<&'static str, Vec<Vec<&'static str>>> = HashMap::new();
        for phrase in phrases {
            let words: Vec<&'static str> = phrase.split_whitespace().collect();
            if let Some(first) = words.first() {
                by_first.entry(first).or_default().push(words);
            }
        }
        for same in by_first.values_mut() {
            same.sort_by_key(|words| std::cmp::Reverse(words.len()));
        }
        let mut lengths = [0; 256];
        for first in by_first.keys() {
            lengths[usize::from(first.as_bytes()[0])] |= length_bit(first);
        }
        Self { by_first, lengths }
    }

    fn by_first(&self, word: &str) -> Option<&Vec<Vec<&'static str>>> {
        let first = word.bytes().next()?;
        if self.lengths[usize::from(first)] & length_bit(word) == 0 { None } else { self.by_first.get(word) }
    }

    /// How many words at this place of a text are a phrase; 0 if none.
    pub(super) fn len_at(&self, reading: &Reading, at: usize) -> usize {
        let Some(same) = reading.words.get(at).and_then(|word| self.by_first(&word.lower)) else { return 0 };
        let matches = |phrase: &&Vec<&str>| {
            reading.words[at..].len() >= phrase.len()
                && (1..phrase.len())
                    .all(|next| reading.words[at + next].lower == phrase[next] && is_close(reading, at + next))
        };
        same.iter().find(matches).map_or(0, Vec::len)
    }

    /// Does one start here?
    pub(super) fn starts_at(&self, reading: &Reading, at: usize) -> bool {
        self.len_at(reading, at) > 0
    }

    /// Every phrase among some words, as ranges of words that do not overlap.
    pub(super) fn within(&self, reading: &Reading, words: &Range<usize>) -> Vec<Range<usize>> {
        let (mut found, mut at) = (Vec::new(), words.start);
        while at < words.end {
            let len = self.len_at(reading, at);
            if len > 0 && at + len <= words.end {
                found.push(at..at + len);
            }
            at += len.max(1);
        }
        found
    }

    /// Is any of them among these words?
    pub(super) fn stand_in(&self, reading: &Reading, words: &Range<usize>) -> bool {
        words.clone().any(|at| (1..=words.end - at).contains(&self.len_at(reading, at)))
    }
}

fn length_bit(word: &str) -> u32 {
    1 << word.len().min(31)
}

/// Does nothing but blanks and marks of emphasis stand before a word?
fn is_close(reading: &Reading, word: usize) -> bool {
    let gap = &reading.text[reading.words[word - 1].range.end..reading.words[word].range.start];
    gap.len() <= GAP_MAX && gap.chars().all(|char| char.is_whitespace() || "-*_,\"“”".contains(char))
}
