//! An arm in short, and how it compares with the control.
use super::findings::Fixed;
use crate::stats::{
    Interval,
    bayes::{self, Beta, Standing},
    means::{self, Status},
    normal::{self, Normal},
    proportions::{self, Proportion},
    samples::Sample,
    sequential::{self, Look},
    special::{count, finite, normal_beyond, normal_critical, t_critical},
};

/// What was measured of an arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arm {
    /// How many units succeeded.
    Share(Proportion),
    /// A value for each unit.
    Mean(Sample),
    /// An estimate that brings its own variance: several values for a unit, or several phases.
    Estimate(Estimate),
}

/// An estimate with its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    /// From how many units.
    pub(super) n: u64,
    /// Where it is.
    pub(super) value: f64,
    /// Of the estimate itself.
    pub(super) variance: f64,
}

impl Arm {
    /// How many units were measured.
    pub(super) fn n(&self) -> u64 {
        match self {
            Self::Share(share) => share.trials,
            Self::Mean(sample) => sample.n,
            Self::Estimate(estimate) => estimate.n,
        }
    }

    /// Where it is; nothing without units.
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Self::Share(share) => share.estimate(),
            Self::Mean(sample) => (sample.n > 0).then_some(sample.mean),
            Self::Estimate(estimate) => (estimate.n > 0).then_some(estimate.value),
        }
    }

    /// The variance of [`value`](Self::value); nothing for fewer than two units.
    pub(super) fn variance(&self) -> Option<f64> {
        let variance = match self {
            Self::Share(share) => share.variance_of_estimate()?,
            Self::Mean(sample) if sample.n > 1 => sample.variance / count(sample.n),
            Self::Estimate(estimate) if estimate.n > 1 => estimate.variance,
            Self::Mean(_) | Self::Estimate(_) => return None,
        };
        finite(variance)
    }

    /// Around [`value`](Self::value).
    pub(super) fn ci(&self, alpha: f64) -> Option<Interval> {
        let critical = match self {
            Self::Share(share) => return share.wilson(alpha),
            Self::Mean(sample) if sample.n > 1 => t_critical(alpha / 2.0, count(sample.n) - 1.0),
            Self::Mean(_) => return None,
            Self::Estimate(_) => normal_critical(alpha / 2.0),
        };
        let half = finite(critical * self.variance()?.sqrt())?;
        self.value().map(|value| [value - half, value + half])
    }

    fn is_enough(&self) -> bool {
        self.n() >= sequential::UNITS_MIN
    }
}

/// How an arm compares with the control.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    /// Estimate less that of the control.
    pub(super) diff: Option<f64>,
    /// Its standard error.
    pub(super) se: Option<f64>,
    pub(super) diff_ci: Option<Interval>,
    pub(super) relative_lift: Option<f64>,
    pub(super) relative_ci: Option<Interval>,
    /// Not yet adjusted.
    pub(super) fixed: Fixed,
    /// Nothing where nothing varies.
    pub(super) look: Option<Look>,
    /// Valid at every look: that of `look`, or 1 where nothing differs at all.
    pub(super) p_value: Option<f64>,
    /// Are there enough units to decide anything?
    pub(super) ready: bool,
}

/// Compares an arm with the control.
pub(super) fn compare(control: &Arm, arm: &Arm, n_star: f64, alpha: f64) -> Effect {
    let mut effect = match (control, arm) {
        (Arm::Share(a), Arm::Share(b)) => of_shares(*a, *b, n_star, alpha),
        (Arm::Mean(a), Arm::Mean(b)) => of_means(*a, *b, alpha),
        _ => of_estimates(control, arm, alpha),
    };
    if effect.look.is_none()
        && let Some((diff, se)) = effect.diff.zip(effect.se)
    {
        effect.look = sequential::look(diff, se, control.n().saturating_add(arm.n()), n_star, alpha);
    }
    let nothing_differs = effect.diff == Some(0.0) && effect.se.is_some();
    effect.p_value = effect.look.map(|look| look.p_value).or(nothing_differs.then_some(1.0));
    effect.ready = match (control, arm) {
        (Arm::Share(a), Arm::Share(b)) => sequential::is_ready(*a, *b, sequential::UNITS_MIN, sequential::OUTCOMES_MIN),
        _ => control.is_enough() && arm.is_enough(),
    } && effect.p_value.is_some();
    effect
}

fn unknown(method: &str, status: Status) -> Effect {
    Effect {
        diff: None,
        se: None,
        diff_ci: None,
        relative_lift: None,
        relative_ci: None,
        fixed: Fixed {
            method: method.to_owned(),
            statistic: None,
            df: None,
            p_value: None,
            p_adjusted: None,
            status: status.as_str().to_owned(),
        },
        look: None,
        p_value: None,
        ready: false,
    }
}

fn of_shares(a: Proportion, b: Proportion, n_star: f64, alpha: f64) -> Effect {
    const METHOD: &str = "two_proportion_z";
    let Some(found) = proportions::compare(a, b, alpha) else { return unknown(METHOD, Status::InsufficientData) };
    let se = a.variance_of_estimate().zip(b.variance_of_estimate()).map(|(a, b)| (a + b).sqrt());
    let exact = proportions::is_sparse(a, b).then(|| proportions::fisher(a, b)).flatten();
    let of = unknown(METHOD, Status::Ok);
    let fixed = match exact {
        Some(p_value) => Fixed { method: "fisher_exact".to_owned(), p_value: Some(p_value), ..of.fixed },
        None => Fixed { statistic: Some(found.z), p_value: Some(found.p_value), ..of.fixed },
    };
    Effect {
        diff: Some(found.diff),
        se,
        diff_ci: Some(found.diff_ci),
        relative_lift: found.relative_lift,
        relative_ci: found.relative_ci,
        fixed,
        look: sequential::look_at_proportions(a, b, n_star, alpha),
        ..unknown(METHOD, Status::Ok)
    }
}

fn of_means(a: Sample, b: Sample, alpha: f64) -> Effect {
    const METHOD: &str = "welch_t";
    let found = means::welch(a, b, alpha);
    let nothing = unknown(METHOD, found.status);
    Effect {
        diff: finite(found.diff).filter(|_| a.n > 0 && b.n > 0),
        se: found.se,
        diff_ci: found.ci,
        relative_lift: found.relative_lift,
        relative_ci: found.relative_ci,
        fixed: Fixed { statistic: found.t, df: found.df, p_value: found.p_value, ..nothing.fixed },
        ..unknown(METHOD, found.status)
    }
}

/// By z, with the variances that the estimates bring; the lift by the delta method.
fn of_estimates(a: &Arm, b: &Arm, alpha: f64) -> Effect {
    const METHOD: &str = "z";
    let Some((value_a, value_b)) = a.value().zip(b.value()) else { return unknown(METHOD, Status::InsufficientData) };
    let diff = value_b - value_a;
    let Some((var_a, var_b)) = a.variance().zip(b.variance()) else {
        return Effect { diff: finite(diff), ..unknown(METHOD, Status::InsufficientData) };
    };
    let se = (var_a + var_b).sqrt();
    if se <= 0.0 {
        let status = if diff == 0.0 { Status::ZeroVarianceEqual } else { Status::ZeroVarianceDifferent };
        let mut effect = unknown(METHOD, status);
        (effect.diff, effect.se) = (finite(diff), Some(0.0));
        effect.fixed.p_value = (diff == 0.0).then_some(1.0);
        return effect;
    }
    let critical = normal_critical(alpha / 2.0);
    let relative_lift = (value_a > 0.0).then(|| diff / value_a).and_then(finite);
    let relative_se = relative_lift
        .map(|_| (var_b.sqrt() / value_a).hypot(value_b / value_a * (var_a.sqrt() / value_a)))
        .and_then(finite);
    let around = |middle: f64, se: f64| [middle - critical * se, middle + critical * se];
    let mut effect = unknown(METHOD, Status::Ok);
    effect.fixed.statistic = finite(diff / se);
    effect.fixed.p_value = effect.fixed.statistic.map(normal_beyond);
    Effect {
        diff: finite(diff),
        se: finite(se),
        diff_ci: Some(around(diff, se)),
        relative_lift,
        relative_ci: relative_lift.zip(relative_se).map(|(lift, se)| around(lift, se)),
        ..effect
    }
}

/// How arms stand by what is believed of them, each with the interval of 95 %. Nothing where that needs more data.
pub(super) fn believed(arms: &[Arm], prior: Beta, lower_is_better: bool) -> Option<Vec<(Standing, Interval)>> {
    let shares: Option<Vec<Beta>> = arms
        .iter()
        .map(|arm| match arm {
            Arm::Share(share) => Some(Beta::after(prior, *share)),
            Arm::Mean(_) | Arm::Estimate(_) => None,
        })
        .collect();
    if let Some(shares) = shares {
        let credible = shares.iter().map(|share| share.credible(0.05));
        return Some(bayes::standings_of_shares(&shares, lower_is_better).into_iter().zip(credible).collect());
    }
    let means: Option<Vec<Normal>> =
        arms.iter().map(|arm| Some(Normal { mean: arm.value()?, sd: arm.variance()?.sqrt() })).collect();
    let means = means?;
    let standings = normal::standings_of_means(&means, lower_is_better)?;
    Some(standings.into_iter().zip(means.iter().map(|mean| mean.credible(0.05))).collect())
}
