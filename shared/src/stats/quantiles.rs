//! Quantiles of values, with intervals that hold whatever the distribution.
use super::{
    Interval,
    beta::{binomial_below, binomial_quantile},
    samples::sorted,
    special::{count, normal_beyond, normal_critical},
};

/// A quantile with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// Interpolated linearly between neighbours.
    pub estimate: f64,
    /// Rank of the lower end, from 1; 0 is below every value.
    pub rank_low: u64,
    /// Rank of the upper end; n + 1 is above every value.
    pub rank_high: u64,
    /// The values at those ranks; nothing where a rank is outside: there are too few values.
    pub ci: Option<Interval>,
    /// The chance with which the interval covers the quantile; at least 1 - alpha.
    pub coverage: Option<f64>,
}

/// The q-quantile of ordered values, interpolated linearly: position q (n - 1). Nothing of nothing.
#[must_use]
pub fn quantile_of_sorted(values: &[f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * count(last as u64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the list")]
    let below = (place.floor() as usize).min(last);
    let (low, high) = (values[below], values[(below + 1).min(last)]);
    Some(low + (place - place.floor()) * (high - low))
}

/// The q-quantile with q in (0, 1) and its order-statistic interval: ranks l and u from the binomial distribution of
/// how many values lie below. Nothing of nothing.
#[must_use]
pub fn quantile(values: &[f64], q: f64, alpha: f64) -> Option<Quantile> {
    let (values, n) = (sorted(values), values.len() as u64);
    let estimate = quantile_of_sorted(&values, q)?;
    let rank_low = binomial_quantile(alpha / 2.0, n, q);
    let rank_high = binomial_quantile(1.0 - alpha / 2.0, n, q) + 1;
    let at = |rank: u64| usize::try_from(rank.checked_sub(1)?).ok().and_then(|place| values.get(place).copied());
    let ci = at(rank_low).zip(at(rank_high)).map(|(low, high)| [low, high]);
    let coverage = ci.map(|_| binomial_below(rank_high - 1, n, q) - binomial_below(rank_low - 1, n, q));
    Some(Quantile { estimate, rank_low, rank_high, ci, coverage })
}

/// Quantiles compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileComparison {
    /// Of a.
    pub a: Quantile,
    /// Of b.
    pub b: Quantile,
    /// Standard error of a: the width of its interval over 2 z.
    pub se_a: Option<f64>,
    /// Standard error of b.
    pub se_b: Option<f64>,
    /// b - a.
    pub diff: f64,
    /// diff / se; nothing where an interval is unknown or both are points.
    pub z: Option<f64>,
    /// Two-sided.
    pub p_value: Option<f64>,
}

/// Compares the q-quantiles of two samples. Nothing where one is empty.
#[must_use]
pub fn compare(a: &[f64], b: &[f64], q: f64, alpha: f64) -> Option<QuantileComparison> {
    let (a, b) = (quantile(a, q, alpha)?, quantile(b, q, alpha)?);
    let width = 2.0 * normal_critical(alpha / 2.0);
    let se = |quantile: Quantile| quantile.ci.map(|[low, high]| (high - low) / width);
    let (se_a, se_b, diff) = (se(a), se(b), b.estimate - a.estimate);
    let both = se_a.zip(se_b).map(|(a, b)| a.hypot(b)).filter(|se| *se > 0.0);
    let z = both.map(|se| diff / se);
    Some(QuantileComparison { a, b, se_a, se_b, diff, z, p_value: z.map(normal_beyond) })
}
