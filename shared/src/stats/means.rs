//! Means compared: Welch's t, on the values or on their logarithms, and CUPED.
use super::{
    Interval,
    samples::{Sample, covariance, mean, sample},
    special::{count, finite, normal_critical, t_beyond, t_critical},
};

/// Can a test be made, and if not, why?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Ok,
    /// An arm has fewer than two units.
    InsufficientData,
    /// No unit differs from another: nothing happened.
    ZeroVarianceEqual,
    /// The units of each arm are all alike, the arms are not: no test can tell how sure that is.
    ZeroVarianceDifferent,
    /// The numbers are too large or too far apart to be computed with.
    OutOfRange,
}

impl Status {
    /// As the contract calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InsufficientData => "insufficient_data",
            Self::ZeroVarianceEqual => "zero_variance_equal",
            Self::ZeroVarianceDifferent => "zero_variance_different",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// Two means compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Is the rest known?
    pub status: Status,
    /// b - a.
    pub diff: f64,
    /// The standard error of `diff`.
    pub se: Option<f64>,
    /// diff / se.
    pub t: Option<f64>,
    /// Degrees of freedom after Welch and Satterthwaite.
    pub df: Option<f64>,
    /// Two-sided.
    pub p_value: Option<f64>,
    /// Of `diff`, by t.
    pub ci: Option<Interval>,
    /// diff / mean of a; nothing unless that is above 0.
    pub relative_lift: Option<f64>,
    /// Its standard error by the delta method.
    pub relative_se: Option<f64>,
    /// Of `relative_lift`, by the normal distribution.
    pub relative_ci: Option<Interval>,
}

impl Welch {
    fn unknown(status: Status, diff: f64) -> Self {
        Self {
            status,
            diff,
            se: None,
            t: None,
            df: None,
            p_value: None,
            ci: None,
            relative_lift: None,
            relative_se: None,
            relative_ci: None,
        }
    }
}

/// Welch's t test of two samples given by size, mean and variance.
#[must_use]
pub fn welch(a: Sample, b: Sample, alpha: f64) -> Welch {
    let diff = b.mean - a.mean;
    if a.n < 2 || b.n < 2 {
        return Welch::unknown(Status::InsufficientData, diff);
    }
    let (part_a, part_b) = (a.variance / count(a.n), b.variance / count(b.n));
    let square = part_a + part_b;
    let relative_lift = (a.mean > 0.0).then(|| diff / a.mean).and_then(finite);
    if square <= 0.0 {
        if diff == 0.0 {
            return Welch {
                se: Some(0.0),
                p_value: Some(1.0),
                ci: Some([0.0, 0.0]),
                relative_lift,
                ..Welch::unknown(Status::ZeroVarianceEqual, diff)
            };
        }
        return Welch { se: Some(0.0), relative_lift, ..Welch::unknown(Status::ZeroVarianceDifferent, diff) };
    }
    let se = square.sqrt();
    let t = diff / se;
    // Divided first, so that no square overflows.
    let (share_a, share_b) = (part_a / square, part_b / square);
    let df = 1.0 / (share_a * share_a / (count(a.n) - 1.0) + share_b * share_b / (count(b.n) - 1.0));
    if !(se.is_finite() && diff.is_finite() && t.is_finite()) {
        return Welch::unknown(Status::OutOfRange, diff);
    }
    let half = t_critical(alpha / 2.0, df) * se;
    let relative_se = relative_lift
        .map(|_| (part_b.sqrt() / a.mean).hypot(b.mean / a.mean * (part_a.sqrt() / a.mean)))
        .and_then(finite);
    let relative_ci = relative_lift.zip(relative_se).map(|(lift, se)| {
        let half = normal_critical(alpha / 2.0) * se;
        [lift - half, lift + half]
    });
    Welch {
        status: Status::Ok,
        diff,
        se: Some(se),
        t: Some(t),
        df: Some(df),
        p_value: Some(t_beyond(t, df)),
        ci: Some([diff - half, diff + half]),
        relative_lift,
        relative_se,
        relative_ci,
    }
}

/// Geometric means compared: what a typical call does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeometricComparison {
    /// Of a.
    pub geometric_mean_a: f64,
    /// Of b.
    pub geometric_mean_b: f64,
    /// b / a.
    pub ratio: f64,
    /// Of `ratio`.
    pub ratio_ci: Option<Interval>,
    /// Welch's test of the logarithms.
    pub logs: Welch,
}

/// Welch's t on natural logarithms. Nothing unless there are values and every one is above 0.
#[must_use]
pub fn welch_on_logs(a: &[f64], b: &[f64], alpha: f64) -> Option<GeometricComparison> {
    let logs = |values: &[f64]| -> Option<Sample> {
        let all: Option<Vec<f64>> = values.iter().map(|value| (*value > 0.0).then(|| value.ln())).collect();
        sample(&all?)
    };
    let (log_a, log_b) = (logs(a)?, logs(b)?);
    let logs = welch(log_a, log_b, alpha);
    Some(GeometricComparison {
        geometric_mean_a: log_a.mean.exp(),
        geometric_mean_b: log_b.mean.exp(),
        ratio: logs.diff.exp(),
        ratio_ci: logs.ci.map(|ci| ci.map(f64::exp)),
        logs,
    })
}

/// The metric of each unit of an arm, and what the same unit did before the test.
#[derive(Clone, Copy, Debug)]
pub struct Covariate<'v> {
    /// The metric.
    pub y: &'v [f64],
    /// The same unit's metric before its first exposure; as many as `y`.
    pub x: &'v [f64],
}

/// Means compared after taking out what was known before (CUPED).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cuped {
    /// How much of x is taken out of y: the pooled within-arm covariance over the variance; 0 where x does not vary.
    pub theta: f64,
    /// Arm a, adjusted.
    pub a: Sample,
    /// Arm b, adjusted.
    pub b: Sample,
    /// The test without adjustment.
    pub raw: Welch,
    /// And with it.
    pub adjusted: Welch,
    /// 1 - adjusted / raw variance of the difference; nothing without variance.
    pub variance_reduction: Option<f64>,
}

/// CUPED (Deng et al. 2013) with y - theta (x - mean of x). Nothing where an arm is empty or the lists differ in length.
#[must_use]
pub fn cuped(a: Covariate<'_>, b: Covariate<'_>, alpha: f64) -> Option<Cuped> {
    if a.x.len() != a.y.len() || b.x.len() != b.y.len() {
        return None;
    }
    let (mean_a, mean_b) = (mean(a.x)?, mean(b.x)?);
    let (size_a, size_b) = (count(a.x.len() as u64), count(b.x.len() as u64));
    let together = (mean_a * size_a + mean_b * size_b) / (size_a + size_b);
    let pooled = |left: [&[f64]; 2], right: [&[f64]; 2]| {
        covariance(left[0], right[0]) * (size_a - 1.0) + covariance(left[1], right[1]) * (size_b - 1.0)
    };
    let spread = pooled([a.x, b.x], [a.x, b.x]);
    let theta = if spread > 0.0 { pooled([a.y, b.y], [a.x, b.x]) / spread } else { 0.0 };
    let adjusted = |arm: Covariate<'_>| {
        let values: Vec<f64> = arm.y.iter().zip(arm.x).map(|(y, x)| y - theta * (x - together)).collect();
        sample(&values)
    };
    let (raw_a, raw_b, a, b) = (sample(a.y)?, sample(b.y)?, adjusted(a)?, adjusted(b)?);
    let (raw, adjusted) = (welch(raw_a, raw_b, alpha), welch(a, b, alpha));
    let variance_reduction =
        raw.se.zip(adjusted.se).filter(|(raw, _)| *raw > 0.0).map(|(raw, adjusted)| 1.0 - (adjusted / raw).powi(2));
    Some(Cuped { theta, a, b, raw, adjusted, variance_reduction })
}
