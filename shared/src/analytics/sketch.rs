//! Percentiles that can be merged: a `DDSketch`, whose every percentile is within 1 % of the value at its rank, whatever the
//! range of the values and however often it was merged.
//!
//! Masson, Rim, Lee: `DDSketch`, a fast and fully mergeable quantile sketch with relative-error guarantees, VLDB 2019.
use sketches_ddsketch::{Config, DDSketch};

use crate::{
    error::{Error, Result},
    stats::special::count,
};

/// The relative error of a percentile.
const ACCURACY: f64 = 0.01;
const BINS_MAX: u32 = 2048;
/// What is smaller counts as nothing.
const LEAST: f64 = 1e-9;
/// How a sketch is written: this byte, then its bins. Another accuracy would be another format.
const FORMAT: u8 = 1;

/// A distribution of values, none of them negative.
#[derive(Clone)]
pub(super) struct Sketch(DDSketch);

impl Default for Sketch {
    fn default() -> Self {
        Self(DDSketch::new(Config::new(ACCURACY, BINS_MAX, LEAST)))
    }
}

impl Sketch {
    pub(super) fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0).expect("all sketches have one accuracy");
    }

    /// The value at rank ⌊q (n − 1)⌋, within 1 %; nothing, if there is none.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        self.0.quantile(q).expect("a quantile is a share")
    }

    /// How many values are up to `edge`, which is what a quantile of some sketch has answered.
    pub(super) fn count_up_to(&self, edge: f64) -> u64 {
        let n = self.0.count() as u64;
        // Ranks rise with values: the first rank above the edge.
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_rank(middle, n).is_some_and(|value| value <= edge * (1.0 + ACCURACY / 10.0)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The value at a rank from 0.
    fn at_rank(&self, rank: u64, n: u64) -> Option<f64> {
        // In the middle of a rank, so that rounding leads to no other.
        let place = (count(rank) + 0.5) / count(n.max(2) - 1);
        self.quantile(place.min(1.0))
    }

    /// Nothing at all, where it holds no value.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.0.count() == 0 {
            return Vec::new();
        }
        let mut bytes = vec![FORMAT];
        bytes.extend(self.0.to_java_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes.split_first() {
            None => Ok(Self::default()),
            Some((&FORMAT, bins)) => DDSketch::from_java_bytes(bins)
                .map(Self)
                .map_err(|error| Error::internal(format!("a sketch cannot be read: {error}"))),
            Some((format, _)) => Err(Error::internal(format!("a sketch has the unknown format {format}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that are spread over six powers of ten.
    fn value(n: u32) -> f64 {
        (f64::from(n.wrapping_mul(2_654_435_761) % 1_000_003) / 1_000_003.0 * 14.0).exp()
    }

    #[test]
    fn a_percentile_is_within_one_percent_however_often_it_was_merged_and_written() {
        let mut values: Vec<f64> = (0..20_000).map(value).collect();
        let mut whole = Sketch::default();
        for part in values.chunks(173) {
            let mut sketch = Sketch::default();
            for value in part {
                sketch.add(*value);
            }
            let read = Sketch::from_bytes(&sketch.to_bytes()).unwrap();
            whole.merge(&read);
            whole = Sketch::from_bytes(&whole.to_bytes()).unwrap();
        }
        values.sort_by(f64::total_cmp);
        for (q, rank) in [(0.5, 9_999), (0.95, 18_999), (0.99, 19_799), (0.999, 19_979)] {
            let (exact, told) = (values[rank], whole.quantile(q).unwrap());
            assert!((told / exact - 1.0).abs() <= ACCURACY * 1.000_001, "{q}: {told} instead of {exact}");
        }
    }

    #[test]
    fn what_is_up_to_an_edge_is_counted() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.count_up_to(1.0), 0);
        (1..=1000).for_each(|n| sketch.add(f64::from(n)));
        for (q, about) in [(0.2, 200), (0.5, 500), (0.8, 800)] {
            let edge = sketch.quantile(q).unwrap();
            let found = sketch.count_up_to(edge);
            assert!(found.abs_diff(about) <= 20, "{found} up to {edge}");
        }
        assert_eq!((sketch.count_up_to(0.5), sketch.count_up_to(2000.0)), (0, 1000));
    }

    #[test]
    fn nothing_and_zeros_have_their_percentiles_too() {
        assert!(Sketch::default().quantile(0.5).is_none() && Sketch::default().to_bytes().is_empty());
        let mut zeros = Sketch::default();
        (0..3).for_each(|_| zeros.add(0.0));
        assert_eq!(Sketch::from_bytes(&zeros.to_bytes()).unwrap().quantile(0.99), Some(0.0));
        assert!(Sketch::from_bytes(&[9, 1, 2]).is_err() && Sketch::from_bytes(&[FORMAT, 255]).is_err());
    }
}
