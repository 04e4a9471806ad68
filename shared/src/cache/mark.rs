//! What tells a fresh answer from an old one: a count of changes, which a reader takes before it reads.
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::Xxh3Default;

/// So many counts there are. Things that share one cost each other a read, never a wrong answer.
const PLACES: u16 = 16_384;

/// Where the changes of a thing are counted, the same in every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u16);

impl Mark {
    /// The mark of whatever these words name together.
    #[must_use]
    pub fn of(words: &[&str]) -> Self {
        let mut hash = Xxh3Default::new();
        for word in words {
            hash.update(word.as_bytes());
            hash.update(&[0]);
        }
        Self(u16::try_from(hash.digest() % u64::from(PLACES)).expect("a remainder is less than 16,384"))
    }

    /// The number of its place, as other processes are told of it.
    pub(super) fn place(self) -> u16 {
        self.0
    }

    /// The mark of a place; none, if there is no such place.
    pub(super) fn at(place: u16) -> Option<Self> {
        (place < PLACES).then_some(Self(place))
    }
}

/// The counts, as they were when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    own: u64,
    all: u64,
}

/// The counts of this process.
#[derive(Debug)]
pub(super) struct Marks {
    own: Box<[AtomicU64]>,
    all: AtomicU64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { own: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), all: AtomicU64::new(0) }
    }
}

impl Marks {
    /// How often a thing has changed so far. What is read after this is at least as new.
    pub(super) fn see(&self, mark: Mark) -> Seen {
        let own = self.own[usize::from(mark.0)].load(Ordering::Acquire);
        Seen { own, all: self.all.load(Ordering::Acquire) }
    }

    /// A thing has changed: what was read before counts no more.
    pub(super) fn change(&self, mark: Mark) {
        self.own[usize::from(mark.0)].fetch_add(1, Ordering::AcqRel);
    }

    /// Everything may have changed.
    pub(super) fn change_all(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_counts_until_it_changes() {
        let (marks, a, b) = (Marks::default(), Mark::of(&["a", "b"]), Mark::of(&["ab"]));
        assert_ne!(a, b, "words do not run together");
        let (of_a, of_b) = (marks.see(a), marks.see(b));
        marks.change(a);
        assert_ne!(marks.see(a), of_a);
        assert_eq!(marks.see(b), of_b);
        marks.change_all();
        assert_ne!(marks.see(b), of_b);
    }

    #[test]
    fn a_mark_is_the_same_everywhere() {
        // Processes of two versions share these numbers.
        assert_eq!(Mark::of(&["name", "writing", "summary"]).place(), 12047);
        assert_eq!(Mark::at(12047), Some(Mark(12047)));
        assert_eq!(Mark::at(PLACES), None);
    }
}
