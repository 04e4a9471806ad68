//! Ratio metrics, with several events per unit: sum of numerators over sum of denominators, by the delta method.
use super::{
    samples::{covariance, mean},
    special::{count, length, normal_beyond},
};

/// What is kept of an arm: running sums over units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RatioSums {
    /// How many units.
    pub units: u64,
    /// Sum of numerators.
    pub y: f64,
    /// Sum of denominators.
    pub n: f64,
    /// Sum of squared numerators.
    pub yy: f64,
    /// Sum of squared denominators.
    pub nn: f64,
    /// Sum of products.
    pub yn: f64,
}

/// A ratio, and the variance of its estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Sum of numerators over sum of denominators.
    pub ratio: f64,
    /// (`s_Y`^2 - 2 R `s_YN` + R^2 `s_N`^2) / (k `mean_N`^2).
    pub variance: f64,
}

impl RatioSums {
    /// The ratio; nothing for fewer than two units or where denominators sum up to 0.
    #[must_use]
    pub fn ratio(&self) -> Option<Ratio> {
        let k = count(self.units);
        if self.units < 2 || self.n <= 0.0 {
            return None;
        }
        let central = |sum: f64, left: f64, right: f64| (sum - left * right / k) / (k - 1.0);
        let (yy, nn) = (central(self.yy, self.y, self.y).max(0.0), central(self.nn, self.n, self.n).max(0.0));
        Some(of_moments(k, self.y / self.n, self.n / k, [yy, central(self.yn, self.y, self.n), nn]))
    }
}

/// The ratio of a list of units; nothing for fewer than two or where denominators sum up to 0.
#[must_use]
pub fn ratio(numerators: &[f64], denominators: &[f64]) -> Option<Ratio> {
    let (mean_y, mean_n) = (mean(numerators)?, mean(denominators)?);
    if numerators.len() != denominators.len() || numerators.len() < 2 || mean_n <= 0.0 {
        return None;
    }
    let moments = [
        covariance(numerators, numerators),
        covariance(numerators, denominators),
        covariance(denominators, denominators),
    ];
    Some(of_moments(length(numerators), mean_y / mean_n, mean_n, moments))
}

fn of_moments(k: f64, ratio: f64, mean_n: f64, [yy, yn, nn]: [f64; 3]) -> Ratio {
    let variance = (yy - 2.0 * ratio * yn + ratio * ratio * nn).max(0.0) / (k * mean_n * mean_n);
    Ratio { ratio, variance }
}

/// Two ratios compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioComparison {
    /// b - a.
    pub diff: f64,
    /// Its standard error.
    pub se: f64,
    /// diff / se; nothing without variance.
    pub z: Option<f64>,
    /// Two-sided; 1 where nothing differs at all, nothing where it cannot be told.
    pub p_value: Option<f64>,
}

/// Compares two ratios by z.
#[must_use]
pub fn compare(a: Ratio, b: Ratio) -> RatioComparison {
    let (diff, se) = (b.ratio - a.ratio, (a.variance + b.variance).sqrt());
    let z = (se > 0.0).then(|| diff / se);
    let p_value = z.map(normal_beyond).or((diff == 0.0).then_some(1.0));
    RatioComparison { diff, se, z, p_value }
}
