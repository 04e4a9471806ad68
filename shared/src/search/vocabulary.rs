//! The words there are, how many documents have each, and which one was meant.
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{folding::fold, mirror::Stamp, words};
use crate::{
    db::{Conn, Db},
    error::Result,
};

/// Shorter words have too many neighbours.
const CORRECTED_FROM: usize = 4;
/// Longer words may have two mistakes.
const TWO_FROM: usize = 9;
/// So many corrections of one word are tried.
const CORRECTIONS: usize = 3;
/// So many words that begin alike are looked for by their stems.
const COMPLETIONS: usize = 64;
/// Words are read again when this many times the reading itself took have gone by: it costs 5 % of one processor.
const PAUSE: u32 = 20;
/// What a search may wait for. A longer reading goes on beside the searches.
const CHEAP: Duration = Duration::from_millis(50);
/// So few words are read again after every change.
const FEW: usize = 5_000;

/// A word of the vocabulary.
#[derive(Debug)]
pub(super) struct Known {
    /// Folded.
    word: String,
    /// As it is written most often, in lower case.
    pub(super) written: String,
    pub(super) documents: u32,
    letters: u32,
}

/// Every word of every document.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// By the alphabet.
    words: Vec<Known>,
    /// By how many characters they have.
    by_length: HashMap<usize, Vec<usize>>,
    /// How many documents have a word of this stem, at the most.
    stems: HashMap<String, u32>,
}

impl Vocabulary {
    /// Of `word documents` pairs, separated by commas.
    fn new(list: &str) -> Self {
        let mut vocabulary = Self::default();
        let pairs = list.split(',').filter_map(|pair| pair.split_once(' '));
        let mut spellings: Vec<(String, u32, &str)> =
            pairs.map(|(written, documents)| (fold(written), documents.parse().unwrap_or(0), written)).collect();
        // Of several spellings the most frequent one comes first.
        spellings.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)).then(one.2.cmp(other.2)));
        for (word, documents, written) in spellings {
            let its = vocabulary.stems.entry(words::stem(&word)).or_default();
            *its = its.saturating_add(documents);
            match vocabulary.words.last_mut() {
                Some(last) if last.word == word => last.documents = last.documents.saturating_add(documents),
                _ => {
                    let letters = letters(&word);
                    vocabulary.words.push(Known { word, written: written.to_owned(), documents, letters });
                }
            }
        }
        for (place, known) in vocabulary.words.iter().enumerate() {
            vocabulary.by_length.entry(known.word.chars().count()).or_default().push(place);
        }
        vocabulary
    }

    fn beginning_with(&self, start: &str) -> &[Known] {
        let from = self.words.partition_point(|known| known.word.as_str() < start);
        let length = self.words[from..].partition_point(|known| known.word.starts_with(start));
        &self.words[from..from + length]
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.words.binary_search_by(|known| known.word.as_str().cmp(word)).is_ok()
    }

    pub(super) fn knows_beginning(&self, start: &str) -> bool {
        !self.beginning_with(start).is_empty()
    }

    /// How many documents have a word of this stem, at the most.
    pub(super) fn documents(&self, stem: &str) -> u32 {
        self.stems.get(stem).copied().unwrap_or(0)
    }

    /// The most frequent words that begin so.
    pub(super) fn completions(&self, start: &str, most: usize) -> Vec<&Known> {
        let mut found: Vec<&Known> = self.beginning_with(start).iter().collect();
        found.sort_by(|one, other| other.documents.cmp(&one.documents).then_with(|| one.word.cmp(&other.word)));
        found.truncate(most);
        found
    }

    /// The stems of words that begin so, and do not begin so themselves: `running` is found by `run`.
    pub(super) fn stems_of_completions(&self, start: &str) -> Vec<String> {
        let mut stems: Vec<String> = self
            .completions(start, COMPLETIONS)
            .into_iter()
            .map(|known| words::stem(&known.word))
            .filter(|stem| !stem.starts_with(start))
            .collect();
        stems.sort_unstable();
        stems.dedup();
        stems
    }

    /// Which words were meant by one that is not known: those with the fewest mistakes, frequent ones first. A wrong
    /// first letter counts twice.
    pub(super) fn corrections(&self, word: &str) -> Vec<&str> {
        let length = word.chars().count();
        if length < CORRECTED_FROM || word.contains(|char: char| char.is_numeric()) {
            return Vec::new();
        }
        let most = if length >= TWO_FROM { 2 } else { 1 };
        let letters = letters(word);
        let near = (length.saturating_sub(most)..=length + most).filter_map(|length| self.by_length.get(&length));
        let mut found: Vec<(usize, &Known)> = near
            .flatten()
            .map(|place| &self.words[*place])
            // Each mistake adds or takes one letter at most, or swaps one for another.
            .filter(|known| (known.letters ^ letters).count_ones() as usize <= 2 * most)
            .filter_map(|known| {
                let elsewhere = usize::from(known.word.chars().next() != word.chars().next());
                let mistakes = strsim::osa_distance(&known.word, word) + elsewhere;
                (mistakes <= most && mistakes > 0).then_some((mistakes, known))
            })
            .filter(|(_, known)| !known.word.contains(|char: char| char.is_numeric()))
            .collect();
        let rank = |found: &(usize, &Known)| (found.0, std::cmp::Reverse(found.1.documents));
        found.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.1.word.cmp(&other.1.word)));
        found.into_iter().take(CORRECTIONS).map(|(_, known)| known.written.as_str()).collect()
    }

    /// Two known words that were written as one, the most frequent pair.
    pub(super) fn parts<'w>(&self, word: &'w str) -> Option<(&'w str, &'w str)> {
        const SHORTEST: usize = 3;
        let frequent = |word: &str| {
            let place = self.words.binary_search_by(|known| known.word.as_str().cmp(word)).ok()?;
            Some(self.words[place].documents)
        };
        let cuts = word.char_indices().map(|(cut, _)| word.split_at(cut));
        cuts.filter(|(one, other)| one.chars().count() >= SHORTEST && other.chars().count() >= SHORTEST)
            .filter_map(|(one, other)| Some((frequent(one)?.min(frequent(other)?), (one, other))))
            .max_by_key(|(documents, _)| *documents)
            .map(|(_, parts)| parts)
    }
}

/// Which letters a word has, a bit for each.
fn letters(word: &str) -> u32 {
    word.chars().fold(0, |letters, char| letters | 1 << (u32::from(char) % 32))
}

/// The vocabulary of one process, and when it was read.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) words: Arc<Vocabulary>,
    pub(super) being_read: bool,
    stamp: Stamp,
    read_at: Option<Instant>,
    cost: Duration,
}

impl Kept {
    pub(super) fn is_due(&self, stamp: &Stamp) -> bool {
        let rested = |at: Instant| self.words.words.len() < FEW || at.elapsed() >= self.cost * PAUSE;
        self.stamp != *stamp && self.read_at.is_none_or(rested)
    }

    pub(super) fn is_cheap(&self) -> bool {
        self.read_at.is_none() || self.cost <= CHEAP || self.words.words.len() < FEW
    }

    pub(super) async fn read(&mut self, conn: &mut Conn, stamp: Stamp) -> Result<()> {
        let started = Instant::now();
        let list = super::vocabulary(conn).await?;
        self.take(Vocabulary::new(&list), stamp, started);
        Ok(())
    }

    /// Reads the words while searches go on with the old ones.
    pub(super) async fn refresh(kept: Arc<Mutex<Self>>, db: Db, stamp: Stamp) {
        let started = Instant::now();
        let read = async {
            let list = super::vocabulary(&mut db.read().await?).await?;
            tokio::task::spawn_blocking(move || Vocabulary::new(&list))
                .await
                .map_err(|error| crate::Error::Internal(error.into()))
        };
        let outcome = read.await;
        let mut kept = kept.lock().await;
        kept.being_read = false;
        match outcome {
            Ok(words) => kept.take(words, stamp, started),
            Err(error) => tracing::warn!(error = error.for_log(), "the vocabulary of searches cannot be read"),
        }
    }

    fn take(&mut self, words: Vocabulary, stamp: Stamp, started: Instant) {
        (self.words, self.stamp) = (Arc::new(words), stamp);
        (self.read_at, self.cost) = (Some(Instant::now()), started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary::new(
            "summary 5,summarize 9,summarizing 2,terminal 3,translate 7,poem 4,poet 8,port 1,gpt4 9,data 6,base 2",
        )
    }

    #[test]
    fn a_mistake_is_corrected_and_frequent_words_come_first() {
        let words = vocabulary();
        assert_eq!(words.corrections("terminl"), ["terminal"]);
        assert_eq!(words.corrections("tremial"), [""; 0], "two mistakes in a short word");
        assert_eq!(words.corrections("sumarizign"), ["summarizing"], "a swap and a missing letter");
        assert_eq!(words.corrections("poes"), ["poet", "poem"]);
        assert_eq!(words.corrections("poem"), ["poet"], "whoever asks knows whether the word is known");
    }

    #[test]
    fn short_words_numbers_and_first_letters_are_left_alone() {
        let words = vocabulary();
        assert_eq!(words.corrections("poe"), [""; 0]);
        assert_eq!(words.corrections("gpt5"), [""; 0]);
        assert_eq!(words.corrections("qoem"), [""; 0]);
        assert_eq!(words.corrections("dranslate"), ["translate"]);
    }

    #[test]
    fn words_are_completed() {
        let words = vocabulary();
        let completions: Vec<(&str, u32)> =
            words.completions("summ", 2).iter().map(|known| (known.written.as_str(), known.documents)).collect();
        assert_eq!(completions, [("summarize", 9), ("summary", 5)]);
        assert_eq!(words.stems_of_completions("summarizi"), ["summar"]);
        assert_eq!(words.stems_of_completions("summ"), [""; 0]);
        assert!(words.knows("poem") && !words.knows("poe") && words.knows_beginning("poe"));
        assert_eq!(words.documents("summar"), 11);
    }

    #[test]
    fn a_word_is_shown_as_it_is_written_most_often() {
        let words = Vocabulary::new("kundigung 1,kündigung 4,café 2");
        assert_eq!(words.corrections("kundigugn"), ["kündigung"]);
        assert!(words.knows("kundigung") && words.knows("cafe"));
        assert_eq!(words.documents(&words::stem("kundigung")), 5);
    }

    #[test]
    fn two_words_in_one_are_parted() {
        assert_eq!(vocabulary().parts("database"), Some(("data", "base")));
        assert_eq!(vocabulary().parts("poembase!"), None);
    }
}
