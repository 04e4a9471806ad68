//! Shares: how many of how many succeeded.
use super::{
    Interval,
    fisher::fisher_exact,
    special::{chi_square_above, count, finite, normal_beyond, normal_critical},
};

/// Below this expected count of a cell the normal approximation is not trusted.
const EXPECTED_MIN: f64 = 5.0;

/// Successes among trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    /// How many succeeded; at most `trials`.
    pub successes: u64,
    /// How many there were.
    pub trials: u64,
}

impl Proportion {
    /// The share that succeeded; nothing without trials.
    #[must_use]
    pub fn estimate(self) -> Option<f64> {
        Share::from(self).estimate()
    }

    /// The variance p (1 - p) / (n - 1) of the estimate; nothing for less than two trials.
    #[must_use]
    pub fn variance_of_estimate(self) -> Option<f64> {
        Share::from(self).variance_of_estimate()
    }

    /// Wilson's score interval, within [0, 1]. Nothing without trials.
    #[must_use]
    pub fn wilson(self, alpha: f64) -> Option<Interval> {
        Share::from(self).wilson(alpha)
    }
}

/// Successes among trials, where trials need not be whole: units of which each was counted several times, or under
/// different weights, are worth as many independent trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many succeeded; at most `trials`.
    pub successes: f64,
    /// How many there were.
    pub trials: f64,
}

impl From<Proportion> for Share {
    fn from(it: Proportion) -> Self {
        Self { successes: count(it.successes), trials: count(it.trials) }
    }
}

impl Share {
    /// A rate in [0, 1] that is known as well as from so many independent trials.
    #[must_use]
    pub fn of_rate(rate: f64, trials: f64) -> Self {
        Self { successes: (rate * trials).min(trials), trials }
    }

    /// How many failed.
    #[must_use]
    pub fn failures(self) -> f64 {
        (self.trials - self.successes).max(0.0)
    }

    /// The share that succeeded; nothing without trials.
    #[must_use]
    pub fn estimate(self) -> Option<f64> {
        (self.trials > 0.0).then(|| self.successes / self.trials)
    }

    /// The variance p (1 - p) / (n - 1) of the estimate; nothing for less than two trials.
    #[must_use]
    pub fn variance_of_estimate(self) -> Option<f64> {
        let p = self.estimate().filter(|_| self.trials > 1.0)?;
        Some(p * (self.failures() / self.trials) / (self.trials - 1.0))
    }

    /// Wilson's score interval, within [0, 1]. Nothing without trials.
    #[must_use]
    pub fn wilson(self, alpha: f64) -> Option<Interval> {
        let p = self.estimate()?;
        let (n, z) = (self.trials, normal_critical(alpha / 2.0));
        let q = self.failures() / n;
        let scale = 1.0 + z * z / n;
        let middle = (p + z * z / (2.0 * n)) / scale;
        let half = z / scale * (p * q / n + z * z / (4.0 * n * n)).sqrt();
        let low = if self.successes > 0.0 { (middle - half).max(0.0) } else { 0.0 };
        let high = if self.failures() > 0.0 { (middle + half).min(1.0) } else { 1.0 };
        Some([low, high])
    }

    /// As whole numbers, for what counts tables.
    fn rounded(self) -> Proportion {
        let trials = whole(self.trials);
        Proportion { successes: whole(self.successes).min(trials), trials }
    }
}

/// The nearest count. Exact up to 2^53.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0, and a cast saturates")]
fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

/// Two shares compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// b - a.
    pub diff: f64,
    /// The share of both together.
    pub pooled: f64,
    /// The pooled z statistic; 0 where nothing or everything succeeded.
    pub z: f64,
    /// Its two-sided p-value.
    pub p_value: f64,
    /// Newcombe's hybrid score interval of the difference.
    pub diff_ci: Interval,
    /// b / a - 1; nothing where a count is 0.
    pub relative_lift: Option<f64>,
    /// Katz's log interval of it, which at the edge, where an arm has no failure, leaves room for some.
    pub relative_ci: Option<Interval>,
}

/// Compares two shares: pooled z, Newcombe (1998, method 10), Katz (1978). Nothing where an arm has no trials.
#[must_use]
pub fn compare(a: impl Into<Share>, b: impl Into<Share>, alpha: f64) -> Option<Comparison> {
    let (a, b) = (a.into(), b.into());
    let (p_a, p_b) = (a.estimate()?, b.estimate()?);
    let (n_a, n_b) = (a.trials, b.trials);
    let pooled = (a.successes + b.successes) / (n_a + n_b);
    let failed = (a.failures() + b.failures()) / (n_a + n_b);
    let se = (pooled * failed * (1.0 / n_a + 1.0 / n_b)).sqrt();
    let diff = p_b - p_a;
    let z = if se > 0.0 { diff / se } else { 0.0 };
    let (wilson_a, wilson_b) = (a.wilson(alpha)?, b.wilson(alpha)?);
    let ([low_a, high_a], [low_b, high_b]) = (wilson_a, wilson_b);
    let diff_ci = [diff - (p_b - low_b).hypot(high_a - p_a), diff + (high_b - p_b).hypot(p_a - low_a)];
    let ratio = (a.successes > 0.0 && b.successes > 0.0).then(|| p_b / p_a);
    let critical = normal_critical(alpha / 2.0);
    // An arm without a failure is not certain: both are given as many as Agresti and Coull add.
    let is_at_edge = a.failures() <= 0.0 || b.failures() <= 0.0;
    let added = if is_at_edge { critical * critical / 2.0 } else { 0.0 };
    let part = |arm: Share| (arm.failures() + added) / (arm.trials * arm.successes);
    let relative_ci = ratio.map(|ratio| {
        let half = critical * (part(a) + part(b)).sqrt();
        [ratio * (-half).exp() - 1.0, ratio * half.exp() - 1.0]
    });
    let relative_lift = ratio.and_then(|_| finite(diff / p_a));
    Some(Comparison { diff, pooled, z, p_value: normal_beyond(z), diff_ci, relative_lift, relative_ci })
}

/// Is an expected cell of the 2 x 2 table below 5, so that Fisher's test is to be asked?
#[must_use]
pub fn is_sparse(a: impl Into<Share>, b: impl Into<Share>) -> bool {
    let (a, b) = (a.into(), b.into());
    let (won, lost) = (a.successes + b.successes, a.failures() + b.failures());
    won.min(lost) * a.trials.min(b.trials) < EXPECTED_MIN * (a.trials + b.trials)
}

/// Fisher's exact two-sided p-value: the chance of every table with the same margins that is no likelier than this.
/// Nothing where that is too much to sum up, which is far from sparse.
#[must_use]
pub fn fisher(a: impl Into<Share>, b: impl Into<Share>) -> Option<f64> {
    fisher_exact(a.into().rounded(), b.into().rounded())
}

/// A chi-square test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// Pearson's sum.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: u64,
    /// P(X > statistic).
    pub p_value: f64,
}

/// Do the rows of a table of counts have the same distribution? Pearson's chi-square without correction. Empty rows and
/// columns are left out; nothing where fewer than two of either are left.
#[must_use]
pub fn homogeneity(table: &[Vec<u64>]) -> Option<ChiSquare> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[u64], column: usize| row.get(column).copied().map_or(0.0, count);
    let rows: Vec<f64> = table.iter().map(|row| row.iter().copied().map(count).sum()).collect();
    let sums: Vec<f64> = (0..columns).map(|column| table.iter().map(|row| cell(row, column)).sum()).collect();
    let total: f64 = rows.iter().sum();
    let filled = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count() as u64;
    let df = filled(&rows).checked_sub(1)? * filled(&sums).checked_sub(1)?;
    let mut statistic = 0.0;
    for (row, row_sum) in table.iter().zip(&rows) {
        for (column, sum) in sums.iter().enumerate() {
            let expected = row_sum * (sum / total);
            if expected > 0.0 {
                statistic += (cell(row, column) - expected).powi(2) / expected;
            }
        }
    }
    (df > 0).then(|| ChiSquare { statistic, df, p_value: chi_square_above(statistic, count(df)) })
}
