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
        (self.trials > 0).then(|| count(self.successes) / count(self.trials))
    }

    /// The variance p (1 - p) / (n - 1) of the estimate; nothing for less than two trials.
    #[must_use]
    pub fn variance_of_estimate(self) -> Option<f64> {
        let p = self.estimate().filter(|_| self.trials > 1)?;
        Some(p * (count(self.trials - self.successes) / count(self.trials)) / (count(self.trials) - 1.0))
    }

    /// Wilson's score interval, within [0, 1]. Nothing without trials.
    #[must_use]
    pub fn wilson(self, alpha: f64) -> Option<Interval> {
        let p = self.estimate()?;
        let (n, z) = (count(self.trials), normal_critical(alpha / 2.0));
        let q = count(self.trials - self.successes) / n;
        let scale = 1.0 + z * z / n;
        let middle = (p + z * z / (2.0 * n)) / scale;
        let half = z / scale * (p * q / n + z * z / (4.0 * n * n)).sqrt();
        let low = if self.successes == 0 { 0.0 } else { (middle - half).max(0.0) };
        let high = if self.successes == self.trials { 1.0 } else { (middle + half).min(1.0) };
        Some([low, high])
    }
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
    /// Katz's log interval of it.
    pub relative_ci: Option<Interval>,
}

/// Compares two shares: pooled z, Newcombe (1998, method 10), Katz (1978). Nothing where an arm has no trials.
#[must_use]
pub fn compare(a: Proportion, b: Proportion, alpha: f64) -> Option<Comparison> {
    let (p_a, p_b) = (a.estimate()?, b.estimate()?);
    let (n_a, n_b) = (count(a.trials), count(b.trials));
    let pooled = (count(a.successes) + count(b.successes)) / (n_a + n_b);
    let failed = (count(a.trials - a.successes) + count(b.trials - b.successes)) / (n_a + n_b);
    let se = (pooled * failed * (1.0 / n_a + 1.0 / n_b)).sqrt();
    let diff = p_b - p_a;
    let z = if se > 0.0 { diff / se } else { 0.0 };
    let ([low_a, high_a], [low_b, high_b]) = (a.wilson(alpha)?, b.wilson(alpha)?);
    let diff_ci = [diff - (p_b - low_b).hypot(high_a - p_a), diff + (high_b - p_b).hypot(p_a - low_a)];
    let ratio = (a.successes > 0 && b.successes > 0).then(|| p_b / p_a);
    let relative_ci = ratio.map(|ratio| {
        let se = ((1.0 - p_a) / count(a.successes) + (1.0 - p_b) / count(b.successes)).sqrt();
        let half = normal_critical(alpha / 2.0) * se;
        [ratio * (-half).exp() - 1.0, ratio * half.exp() - 1.0]
    });
    let relative_lift = ratio.and_then(|_| finite(diff / p_a));
    Some(Comparison { diff, pooled, z, p_value: normal_beyond(z), diff_ci, relative_lift, relative_ci })
}

/// Is an expected cell of the 2 x 2 table below 5, so that Fisher's test is to be asked?
#[must_use]
pub fn is_sparse(a: Proportion, b: Proportion) -> bool {
    let total = count(a.trials) + count(b.trials);
    let (won, lost) =
        (count(a.successes) + count(b.successes), count(a.trials - a.successes) + count(b.trials - b.successes));
    won.min(lost) * count(a.trials.min(b.trials)) < EXPECTED_MIN * total
}

/// Fisher's exact two-sided p-value: the chance of every table with the same margins that is no likelier than this.
/// Nothing where that is too much to sum up, which is far from sparse.
#[must_use]
pub fn fisher(a: Proportion, b: Proportion) -> Option<f64> {
    fisher_exact(a, b)
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
