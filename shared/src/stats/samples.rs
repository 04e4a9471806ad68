//! Lists of values: their moments, and the rank test that needs nothing else.
use super::special::{count, length, normal_beyond};

/// A sample in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many values.
    pub n: u64,
    /// Their arithmetic mean, in the metric's unit.
    pub mean: f64,
    /// Their variance with the divisor n - 1, in the square of the unit; 0 for a single value.
    pub variance: f64,
}

/// The arithmetic mean; nothing of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / length(values))
}

/// The covariance of pairs with the divisor n - 1; 0 for fewer than two.
#[must_use]
pub fn covariance(left: &[f64], right: &[f64]) -> f64 {
    let (Some(mean_left), Some(mean_right)) = (mean(left), mean(right)) else { return 0.0 };
    if left.len() < 2 {
        return 0.0;
    }
    let sum: f64 = left.iter().zip(right).map(|(one, other)| (one - mean_left) * (other - mean_right)).sum();
    sum / (length(left) - 1.0)
}

/// A list in short; nothing of nothing.
#[must_use]
pub fn sample(values: &[f64]) -> Option<Sample> {
    Some(Sample { n: values.len() as u64, mean: mean(values)?, variance: covariance(values, values) })
}

/// Values in order. What is no number comes last.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Values with the largest share cut down, and how many were cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Winsorised {
    /// The bound that was put on them.
    pub cap: f64,
    /// How many were above it.
    pub clipped: u64,
}

/// The cap at a quantile of both arms together, such as 0.999. Nothing without values.
#[must_use]
pub fn winsorise(a: &mut [f64], b: &mut [f64], quantile: f64) -> Option<Winsorised> {
    let together = sorted(&[&*a, &*b].concat());
    let cap = super::quantiles::quantile_of_sorted(&together, quantile)?;
    let mut clipped = 0;
    for value in a.iter_mut().chain(b).filter(|value| **value > cap) {
        (*value, clipped) = (cap, clipped + 1);
    }
    Some(Winsorised { cap, clipped })
}

/// The rank test of Mann and Whitney.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// In how many pairs b is larger; ties count half.
    pub u_b: f64,
    /// Two-sided, by the normal approximation with corrections for ties and continuity.
    pub p_value: f64,
    /// The share of pairs in which b is larger.
    pub common_language_effect: f64,
}

/// Compares two samples by ranks. Nothing where one is empty.
#[must_use]
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|value| (*value, false)).chain(b.iter().map(|value| (*value, true))).collect();
    all.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0_u64);
    for group in all.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let (size, of_b) = (length(group), count(group.iter().filter(|(_, is_b)| *is_b).count() as u64));
        rank_sum += of_b * (count(before) + f64::midpoint(size, 1.0));
        ties += size * size * size - size;
        before += group.len() as u64;
    }
    let (n_a, n_b, n) = (length(a), length(b), length(&all));
    let u_b = rank_sum - n_b * (n_b + 1.0) / 2.0;
    let variance = n_a * n_b / 12.0 * (n + 1.0 - if n > 1.0 { ties / (n * (n - 1.0)) } else { 0.0 });
    let distance = ((u_b - n_a * n_b / 2.0).abs() - 0.5).max(0.0);
    let p_value = if variance > 0.0 { normal_beyond(distance / variance.sqrt()) } else { 1.0 };
    Some(MannWhitney { u_b, p_value, common_language_effect: u_b / (n_a * n_b) })
}
