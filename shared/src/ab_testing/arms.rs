//! An arm in short, and how it compares with the control.
use super::findings::Fixed;
use crate::stats::{
    Interval,
    bayes::{self, Beta, Standing},
    means::{self, Status},
    normal::{self, Normal},
    proportions::{self, Share},
    samples::Sample,
    sequential::{self, Evidence, Method},
    special::{count, finite, t_critical},
};

/// What was measured of an arm. A binary metric is a share whatever was reported how often, and in how many phases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arm {
    /// The share of successes, worth as many independent trials as `share` has.
    Share {
        /// Successes among independent trials.
        share: Share,
        /// From how many units.
        units: u64,
    },
    /// A mean of units: n of them, where it is, and n times the variance of that.
    Mean(Sample),
}

impl Arm {
    /// How many units were measured.
    pub(super) fn n(&self) -> u64 {
        match self {
            Self::Share { units, .. } => *units,
            Self::Mean(sample) => sample.n,
        }
    }

    /// Where it is; nothing without units.
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Self::Share { share, .. } => share.estimate(),
            Self::Mean(sample) => (sample.n > 0).then_some(sample.mean),
        }
    }

    /// The variance of [`value`](Self::value); nothing for fewer than two units.
    pub(super) fn variance(&self) -> Option<f64> {
        finite(match self {
            Self::Share { share, .. } => share.variance_of_estimate()?,
            Self::Mean(sample) if sample.n > 1 => sample.variance / count(sample.n),
            Self::Mean(_) => return None,
        })
    }

    /// Around [`value`](Self::value). Nothing where units are all alike: how far others may be from them is not known.
    pub(super) fn ci(&self, alpha: f64) -> Option<Interval> {
        match self {
            Self::Share { share, .. } => share.wilson(alpha),
            Self::Mean(sample) if sample.n > 1 => {
                let critical = t_critical(alpha / 2.0, count(sample.n) - 1.0);
                let half = finite(critical * self.variance()?.sqrt()).filter(|half| *half > 0.0)?;
                Some([sample.mean - half, sample.mean + half])
            }
            Self::Mean(_) => None,
        }
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
    /// How it is looked at while the test runs.
    pub(super) method: Method,
    /// Nothing where nothing varies.
    pub(super) look: Option<Evidence>,
    /// Valid at every look: that of `look`, or 1 where nothing differs at all.
    pub(super) p_value: Option<f64>,
    /// Are there enough units to decide anything?
    pub(super) ready: bool,
}

/// Compares an arm with the control.
pub(super) fn compare(control: &Arm, arm: &Arm, n_star: f64, alpha: f64) -> Effect {
    let mut effect = match (control, arm) {
        (Arm::Share { share: a, .. }, Arm::Share { share: b, .. }) => of_shares(*a, *b, n_star, alpha),
        (Arm::Mean(a), Arm::Mean(b)) => of_means(*a, *b, n_star, alpha),
        // A metric is of one kind.
        (Arm::Share { .. }, Arm::Mean(_)) | (Arm::Mean(_), Arm::Share { .. }) => {
            unknown("none", Status::InsufficientData)
        }
    };
    let nothing_differs = effect.diff == Some(0.0) && effect.se.is_some();
    effect.p_value = effect.look.map(|look| look.p_value).or(nothing_differs.then_some(1.0));
    effect.ready = control.n().min(arm.n()) >= sequential::UNITS_MIN && effect.p_value.is_some();
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
        method: Method::Asymptotic,
        look: None,
        p_value: None,
        ready: false,
    }
}

fn of_shares(a: Share, b: Share, n_star: f64, alpha: f64) -> Effect {
    const METHOD: &str = "two_proportion_z";
    let Some(found) = proportions::compare(a, b, alpha) else { return unknown(METHOD, Status::InsufficientData) };
    let exact = proportions::is_sparse(a, b).then(|| proportions::fisher(a, b)).flatten();
    let of = unknown(METHOD, Status::Ok);
    let fixed = match exact {
        Some(p_value) => Fixed { method: "fisher_exact".to_owned(), p_value: Some(p_value), ..of.fixed },
        None => Fixed { statistic: Some(found.z), p_value: Some(found.p_value), ..of.fixed },
    };
    Effect {
        diff: Some(found.diff),
        se: a.variance_of_estimate().zip(b.variance_of_estimate()).map(|(a, b)| (a + b).sqrt()),
        diff_ci: Some(found.diff_ci),
        relative_lift: found.relative_lift,
        relative_ci: found.relative_ci,
        fixed,
        method: Method::of(a, b),
        look: Evidence::of_shares(a, b, n_star, alpha),
        ..unknown(METHOD, Status::Ok)
    }
}

fn of_means(a: Sample, b: Sample, n_star: f64, alpha: f64) -> Effect {
    const METHOD: &str = "welch_t";
    let found = means::welch(a, b, alpha);
    let nothing = unknown(METHOD, found.status);
    let diff = finite(found.diff).filter(|_| a.n > 0 && b.n > 0);
    let n = a.n.saturating_add(b.n);
    Effect {
        diff,
        se: found.se,
        diff_ci: found.ci.filter(|[low, high]| low < high),
        relative_lift: found.relative_lift,
        relative_ci: found.relative_ci,
        fixed: Fixed { statistic: found.t, df: found.df, p_value: found.p_value, ..nothing.fixed },
        look: diff
            .zip(found.se)
            .and_then(|(diff, se)| sequential::look(diff, se, n, n_star, alpha))
            .map(Evidence::from),
        ..unknown(METHOD, found.status)
    }
}

/// How each arm stands by what is believed of it, with the interval of 95 %. Nothing of an arm that needs more data: of
/// means, one with fewer than two units, or whose units are all alike. It does not stand in the way of others.
pub(super) fn believed(arms: &[Arm], prior: Beta, lower_is_better: bool) -> Vec<Option<(Standing, Interval)>> {
    let mut found = vec![None; arms.len()];
    let (mut shares, mut means, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, arm) in arms.iter().enumerate() {
        match arm {
            Arm::Share { share, .. } => shares.push(Beta::after(prior, *share)),
            Arm::Mean(sample) => {
                let Some(sd) = arm.variance().map(f64::sqrt).filter(|sd| *sd > 0.0) else { continue };
                means.push(Normal { mean: sample.mean, sd });
            }
        }
        places.push(place);
    }
    let standings = match means.is_empty() {
        true => bayes::standings_of_shares(&shares, lower_is_better),
        false => normal::standings_of_means(&means, lower_is_better).unwrap_or_default(),
    };
    let credible = shares.iter().map(|share| share.credible(0.05)).chain(means.iter().map(|mean| mean.credible(0.05)));
    for (place, standing) in places.into_iter().zip(standings.into_iter().zip(credible)) {
        found[place] = Some(standing);
    }
    found
}
