//! How far apart two distributions are: binned (PSI, Jensen and Shannon, Hellinger) or value by value (Kolmogorov and
//! Smirnov, Wasserstein).
use super::{
    samples::{mean, sorted},
    special::{chi_square_above, chi_square_critical, count, kolmogorov_above, length},
};

/// Up to so many pairs of values the exact law of the test of Kolmogorov and Smirnov is counted out.
const EXACT_PAIRS_MAX: usize = 1_000_000;

/// Two binned samples compared.
#[derive(Clone, Debug, PartialEq)]
pub struct BinnedDistance {
    /// Shares of the reference, with the pseudo-count.
    pub p: Vec<f64>,
    /// Shares of the current sample.
    pub q: Vec<f64>,
    /// Population stability index, in nats: the sum of (q - p) ln(q / p).
    pub psi: f64,
    /// Its mean without any drift: (bins - 1) (1/n + 1/m).
    pub expected_psi: f64,
    /// What it exceeds without drift once in a thousand times.
    pub psi_critical_001: f64,
    /// Of psi / (1/n + 1/m) as a chi-square with bins - 1 degrees of freedom.
    pub p_value: f64,
    /// Jensen-Shannon divergence to the base 2, in [0, 1].
    pub jensen_shannon_divergence: f64,
    /// Its square root.
    pub jensen_shannon_distance: f64,
    /// Hellinger distance, in [0, 1].
    pub hellinger: f64,
}

/// Compares counts in the same bins; `pseudo_count` is added to every bin, so that an empty one does not decide alone.
/// Nothing unless both have a count, the bins are as many, and at least two.
#[must_use]
pub fn binned(reference: &[u64], current: &[u64], pseudo_count: f64) -> Option<BinnedDistance> {
    let total = |counts: &[u64]| counts.iter().copied().map(count).sum::<f64>();
    let (n, m, bins) = (total(reference), total(current), length(reference));
    if reference.len() != current.len() || reference.len() < 2 || n <= 0.0 || m <= 0.0 {
        return None;
    }
    let shares = |counts: &[u64], all: f64| -> Vec<f64> {
        counts.iter().map(|bin| (count(*bin) + pseudo_count) / (all + pseudo_count * bins)).collect()
    };
    let (p, q) = (shares(reference, n), shares(current, m));
    let (mut psi, mut divergence, mut hellinger) = (0.0, 0.0, 0.0);
    // p ln(p / m) without what cancels between both: with equal shares exactly 0.
    let entropy = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).log2() } else { 0.0 };
    for (p, q) in p.iter().zip(&q).filter(|(p, q)| **p > 0.0 || **q > 0.0) {
        let middle = f64::midpoint(*p, *q);
        psi += if p.to_bits() == q.to_bits() { 0.0 } else { (q - p) * (q / p).ln() };
        divergence += f64::midpoint(entropy(*p, middle), entropy(*q, middle));
        hellinger += (p.sqrt() - q.sqrt()).powi(2);
    }
    let (noise, df, divergence) = (1.0 / n + 1.0 / m, bins - 1.0, divergence.clamp(0.0, 1.0));
    Some(BinnedDistance {
        psi,
        expected_psi: df * noise,
        psi_critical_001: chi_square_critical(0.001, df) * noise,
        p_value: chi_square_above(psi / noise, df),
        jensen_shannon_divergence: divergence,
        jensen_shannon_distance: divergence.sqrt(),
        hellinger: (hellinger / 2.0).sqrt(),
        p,
        q,
    })
}

/// The test of Kolmogorov and Smirnov of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest distance of both distribution functions.
    pub d: f64,
    /// n m / (n + m).
    pub effective_n: f64,
    /// By the limit distribution at sqrt(ne) D.
    pub p_value_limit: f64,
    /// With Stephens' correction, which is what is used: at (sqrt(ne) + 0.12 + 0.11 / sqrt(ne)) D.
    pub p_value: f64,
    /// By counting every order of the values; nothing for samples of more than a million pairs.
    pub p_value_exact: Option<f64>,
}

/// Compares two samples value by value. Nothing where one is empty.
#[must_use]
pub fn kolmogorov_smirnov(reference: &[f64], current: &[f64]) -> Option<KolmogorovSmirnov> {
    let (left, right) = (sorted(reference), sorted(current));
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let (n, m) = (length(&left), length(&right));
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < left.len() && j < right.len() {
        let value = if left[i].total_cmp(&right[j]).is_lt() { left[i] } else { right[j] };
        while i < left.len() && left[i] <= value {
            i += 1;
        }
        while j < right.len() && right[j] <= value {
            j += 1;
        }
        largest = largest.max((count(i as u64) / n - count(j as u64) / m).abs());
        if value.is_nan() {
            break;
        }
    }
    let effective_n = n * m / (n + m);
    let root = effective_n.sqrt();
    Some(KolmogorovSmirnov {
        d: largest,
        effective_n,
        p_value_limit: kolmogorov_above(root * largest),
        p_value: kolmogorov_above((root + 0.12 + 0.11 / root) * largest),
        p_value_exact: exact(left.len(), right.len(), largest),
    })
}

/// The chance that an order of n and m values, all equally likely, reaches a distance of d: paths over a grid.
fn exact(n: usize, m: usize, distance: f64) -> Option<f64> {
    if n.saturating_mul(m) > EXACT_PAIRS_MAX {
        return None;
    }
    if distance <= 0.0 {
        return Some(1.0);
    }
    let (size_n, size_m) = (count(n as u64), count(m as u64));
    // The share of paths to each point of a column that stay inside.
    let mut column = vec![0.0; m + 1];
    for i in 0..=n {
        for j in 0..=m {
            let (left, right) = (count(i as u64), count(j as u64));
            let before = if i > 0 { column[j] * left / (left + right) } else { 0.0 };
            let below = if j > 0 { column[j - 1] * right / (left + right) } else { 0.0 };
            let inside = (left / size_n - right / size_m).abs() < distance - 1e-12;
            column[j] = match (i + j, inside) {
                (0, _) => 1.0,
                (_, true) => before + below,
                (_, false) => 0.0,
            };
        }
    }
    Some((1.0 - column[m]).clamp(0.0, 1.0))
}

/// The distance of Wasserstein: how far values must be moved on average, in their unit. Nothing where a sample is empty.
#[must_use]
pub fn wasserstein(reference: &[f64], current: &[f64]) -> Option<f64> {
    let (left, right) = (sorted(reference), sorted(current));
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let mut all: Vec<f64> = left.iter().chain(&right).copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    let (n, m) = (length(&left), length(&right));
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    for pair in all.windows(2) {
        while i < left.len() && left[i] <= pair[0] {
            i += 1;
        }
        while j < right.len() && right[j] <= pair[0] {
            j += 1;
        }
        sum += (count(i as u64) / n - count(j as u64) / m).abs() * (pair[1] - pair[0]);
    }
    Some(sum)
}

/// The same in standard deviations (divisor n) of the reference. Nothing where that does not vary.
#[must_use]
pub fn wasserstein_normalised(reference: &[f64], current: &[f64]) -> Option<f64> {
    let middle = mean(reference)?;
    let variance = reference.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / length(reference);
    (variance > 0.0).then(|| wasserstein(reference, current)).flatten().map(|moved| moved / variance.sqrt())
}
