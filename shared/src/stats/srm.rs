//! Sample ratio mismatch: did units get to the arms as they were meant to? If not, no number of the test is worth
//! anything.
use super::{
    proportions::ChiSquare,
    special::{chi_square_above, count, deviance, finite, stirling_error},
};

/// The p-value below which the split is wrong.
pub const THRESHOLD: f64 = 0.001;
/// The weight of the prior of the sequential check, in units.
pub const CONCENTRATION: f64 = 100.0;
/// Evidence above which the sequential check calls the split wrong.
const E_VALUE_ALARM: f64 = 1000.0;
/// Below this expected count the chi-square is not trusted.
const EXPECTED_MIN: f64 = 5.0;

/// What is said about the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing speaks against it.
    Ok,
    /// It is not what was asked for.
    Mismatch,
    /// Too few units to tell.
    InsufficientData,
    /// No unit at all.
    NoData,
}

impl Status {
    /// As the contract calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mismatch => "mismatch",
            Self::InsufficientData => "insufficient_data",
            Self::NoData => "no_data",
        }
    }
}

/// The check of a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Pearson's test over the arms with a weight; nothing without units or with fewer than two such arms.
    pub test: Option<ChiSquare>,
    /// What follows.
    pub status: Status,
}

/// Checks observed counts against weights, one per arm, at least 0 and in any scale. Units in an arm of weight 0 are a
/// mismatch by themselves; every other arm must expect 5.
#[must_use]
pub fn chi_square(observed: &[u64], weights: &[f64], threshold: f64) -> Split {
    let stray = observed.iter().zip(weights).any(|(units, weight)| *units > 0 && *weight <= 0.0);
    let arms: Vec<(f64, f64)> = observed
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(units, weight)| (count(*units), *weight))
        .collect();
    let total: f64 = arms.iter().map(|(units, _)| units).sum();
    let weight_sum: f64 = arms.iter().map(|(_, weight)| weight).sum();
    let expected = |weight: f64| total * (weight / weight_sum);
    let test = (total > 0.0 && arms.len() > 1).then(|| {
        let statistic =
            arms.iter().map(|(units, weight)| (units - expected(*weight)).powi(2) / expected(*weight)).sum();
        let df = arms.len() as u64 - 1;
        ChiSquare { statistic, df, p_value: chi_square_above(statistic, count(df)) }
    });
    let is_small = arms.iter().any(|(_, weight)| expected(*weight) < EXPECTED_MIN);
    let status = match test {
        _ if stray => Status::Mismatch,
        _ if total == 0.0 => Status::NoData,
        Some(_) if is_small => Status::InsufficientData,
        Some(test) if test.p_value < threshold => Status::Mismatch,
        _ => Status::Ok,
    };
    Split { test, status }
}

/// The check that may be repeated after every unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SequentialSplit {
    /// Natural logarithm of the evidence against the split; nothing where an arm of weight 0 has units, which is beyond
    /// evidence.
    pub log_e_value: Option<f64>,
    /// min(1, 1 / e).
    pub p_value: f64,
    /// Is the evidence above 1000?
    pub is_mismatch: bool,
}

/// The multinomial against a Dirichlet prior around the weights (Lindon and Malek). `concentration` > 0 is the prior's
/// weight in units. Written as a divergence plus Stirling's errors, so that billions of units cancel nothing.
#[must_use]
pub fn sequential(observed: &[u64], weights: &[f64], concentration: f64) -> SequentialSplit {
    if observed.iter().zip(weights).any(|(units, weight)| *units > 0 && *weight <= 0.0) {
        return SequentialSplit { log_e_value: None, p_value: 0.0, is_mismatch: true };
    }
    let weight_sum: f64 = weights.iter().sum();
    let total = concentration + observed.iter().copied().map(count).sum::<f64>();
    let mut log_e = stirling_error(concentration) - stirling_error(total) - (concentration / total).ln() / 2.0;
    for (units, weight) in observed.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        let share = weight / weight_sum;
        let (before, after) = (concentration * share, concentration * share + count(*units));
        log_e += deviance(after, total * share) - (after / before).ln() / 2.0;
        log_e += stirling_error(after) - stirling_error(before);
    }
    let Some(log_e) = finite(log_e) else {
        return SequentialSplit { log_e_value: None, p_value: 1.0, is_mismatch: false };
    };
    let p_value = (-log_e).exp().min(1.0);
    SequentialSplit { log_e_value: Some(log_e), p_value, is_mismatch: log_e > E_VALUE_ALARM.ln() }
}
