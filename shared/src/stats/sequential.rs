//! Tests that may be looked at as often as one likes: the asymptotic confidence sequence of Robbins' normal mixture
//! (Waudby-Smith et al.), which is the mixture likelihood ratio test (mSPRT) under another name.
use super::{
    Interval, exact,
    proportions::Share,
    special::{count, finite},
};

/// Nothing is decided before so many units of each arm.
pub const UNITS_MIN: u64 = 100;
/// Of a binary metric, with fewer successes or failures of an arm no normal distribution is trusted.
pub const OUTCOMES_MIN: u64 = 10;

/// rho^2 = (-2 ln a + ln(1 - 2 ln a)) / n*: how the mixture is tuned to be tightest at `n_star` units of both arms.
/// Nothing unless `n_star` > 0 and alpha is in (0, 1).
#[must_use]
pub fn rho_squared(n_star: f64, alpha: f64) -> Option<f64> {
    let twice = -2.0 * alpha.ln();
    finite((twice + twice.ln_1p()) / n_star).filter(|rho| *rho > 0.0)
}

/// One look at a running comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The tuning.
    pub rho_squared: f64,
    /// Half width over standard error.
    pub multiplier: f64,
    /// Of the interval.
    pub half_width: f64,
    /// Holds at every look at once, with probability 1 - alpha.
    pub ci: Interval,
    /// Natural logarithm of the evidence against no effect.
    pub log_e_value: f64,
    /// min(1, 1 / e): valid at every look.
    pub p_value: f64,
}

/// half / se = sqrt((k / (n rho^2)) (2 ln(1/a) + ln k)) with k = n rho^2 + 1. For n > 0.
#[must_use]
pub fn multiplier(n: f64, rho_squared: f64, alpha: f64) -> f64 {
    let scaled = n * rho_squared;
    ((scaled + 1.0) / scaled * (-2.0 * alpha.ln() + scaled.ln_1p())).sqrt()
}

/// Looks at an effect with its standard error after `n` units of both arms. `n_star` must have been chosen before the
/// first of them. Nothing unless se > 0 and n > 0.
#[must_use]
pub fn look(diff: f64, se: f64, n: u64, n_star: f64, alpha: f64) -> Option<Look> {
    look_after(diff, se, count(n), n_star, alpha)
}

fn look_after(diff: f64, se: f64, n: f64, n_star: f64, alpha: f64) -> Option<Look> {
    let rho_squared = rho_squared(n_star, alpha)?;
    let scaled = n * rho_squared;
    if se <= 0.0 || scaled <= 0.0 {
        return None;
    }
    let multiplier = multiplier(n, rho_squared, alpha);
    let half_width = finite(se * multiplier)?;
    let ratio = diff / se;
    let log_e_value = finite(ratio * ratio * (scaled / (2.0 * (scaled + 1.0))) - scaled.ln_1p() / 2.0)?;
    let ci = [diff - half_width, diff + half_width];
    Some(Look { rho_squared, multiplier, half_width, ci, log_e_value, p_value: (-log_e_value).exp().min(1.0) })
}

/// The half width of the one-sided sequence: a bound on the effect from one side that holds at every look. Tuned with
/// twice alpha. Nothing unless se > 0, n > 0 and alpha < 1/2.
#[must_use]
pub fn one_sided_half_width(se: f64, n: u64, n_star: f64, alpha: f64) -> Option<f64> {
    let rho_squared = rho_squared(n_star, 2.0 * alpha)?;
    if n == 0 || se <= 0.0 {
        return None;
    }
    let n = count(n);
    let k = n * rho_squared + 1.0;
    finite(se * (2.0 * k / (n * rho_squared) * (k.sqrt() / (2.0 * alpha)).ln_1p()).sqrt())
}

/// The mixture likelihood ratio test, by the variance of the effect and that of the mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Msprt {
    /// Natural logarithm of the likelihood ratio.
    pub log_lambda: f64,
    /// min(1, 1 / ratio).
    pub p_value: f64,
    /// Of the interval around the effect.
    pub half_width: f64,
}

/// mSPRT for a normal effect. Nothing unless both variances are above 0.
#[must_use]
pub fn msprt(diff: f64, variance: f64, tau_squared: f64, alpha: f64) -> Option<Msprt> {
    if variance <= 0.0 || tau_squared <= 0.0 {
        return None;
    }
    let gain = (tau_squared / variance).ln_1p();
    let share = tau_squared / (variance + tau_squared);
    let log_lambda = finite(diff * diff / variance * share / 2.0 - gain / 2.0)?;
    let half_width = finite((variance / share * (-2.0 * alpha.ln() + gain)).sqrt())?;
    Some(Msprt { log_lambda, p_value: (-log_lambda).exp().min(1.0), half_width })
}

/// Have both arms enough outcomes for a normal distribution? `outcomes_min` is of successes and of failures each.
#[must_use]
pub fn is_ready(a: impl Into<Share>, b: impl Into<Share>, units_min: u64, outcomes_min: u64) -> bool {
    [a.into(), b.into()]
        .iter()
        .all(|arm: &Share| arm.trials >= count(units_min) && arm.successes.min(arm.failures()) >= count(outcomes_min))
}

/// Looks at two shares, with se^2 = sum of p (1 - p) / (n - 1). Nothing where no arm varies or one has too few trials.
#[must_use]
pub fn look_at_proportions(a: impl Into<Share>, b: impl Into<Share>, n_star: f64, alpha: f64) -> Option<Look> {
    let (a, b) = (a.into(), b.into());
    let se = (a.variance_of_estimate()? + b.variance_of_estimate()?).sqrt();
    look_after(b.estimate()? - a.estimate()?, se, a.trials + b.trials, n_star, alpha)
}

/// How two shares are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By the asymptotic confidence sequence, once both arms have enough outcomes.
    Asymptotic,
    /// By the [exact] test, where an arm hardly ever fails, or hardly ever succeeds.
    Exact,
}

impl Method {
    /// For two shares.
    #[must_use]
    pub fn of(a: Share, b: Share) -> Self {
        if is_ready(a, b, UNITS_MIN, OUTCOMES_MIN) { Self::Asymptotic } else { Self::Exact }
    }

    /// As the contract calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asymptotic => "asymptotic_confidence_sequence",
            Self::Exact => "exact_mixture_likelihood_ratio",
        }
    }
}

/// The logarithm of the evidence against equal shares, by the method that fits them. Nothing where an arm has no trials.
#[must_use]
pub fn log_evidence(a: Share, b: Share, n_star: f64, alpha: f64) -> Option<f64> {
    match Method::of(a, b) {
        Method::Asymptotic => Some(look_at_proportions(a, b, n_star, alpha)?.log_e_value),
        Method::Exact => exact::log_evidence(a, b),
    }
}

/// What a look says about an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Holds at every look at once, with probability 1 - alpha.
    pub ci: Interval,
    /// Natural logarithm of the evidence against no effect.
    pub log_e_value: f64,
    /// min(1, 1 / e): valid at every look.
    pub p_value: f64,
}

impl Evidence {
    /// Of two shares, by the method that fits them. Nothing where an arm has no trials.
    #[must_use]
    pub fn of_shares(a: Share, b: Share, n_star: f64, alpha: f64) -> Option<Self> {
        let log_e_value = finite(log_evidence(a, b, n_star, alpha)?)?;
        let ci = match Method::of(a, b) {
            Method::Asymptotic => look_at_proportions(a, b, n_star, alpha)?.ci,
            Method::Exact => exact::interval(a, b, alpha)?,
        };
        Some(Self { ci, log_e_value, p_value: (-log_e_value).exp().min(1.0) })
    }
}

impl From<Look> for Evidence {
    fn from(look: Look) -> Self {
        Self { ci: look.ci, log_e_value: look.log_e_value, p_value: look.p_value }
    }
}

/// What all looks together say: the smallest p-value and what all intervals have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    /// The smallest so far; nothing before the first look.
    pub p_value: Option<f64>,
    /// The common part so far. Its ends are crossed where there is none.
    pub ci: Option<Interval>,
}

impl Running {
    /// Takes a look.
    pub fn push(&mut self, look: &Evidence) {
        self.p_value = Some(self.p_value.map_or(look.p_value, |before| before.min(look.p_value)));
        self.ci = Some(self.ci.map_or(look.ci, |[low, high]| [low.max(look.ci[0]), high.min(look.ci[1])]));
    }

    /// Has the effect moved, so that no value is in all intervals?
    #[must_use]
    pub fn is_nonstationary(&self) -> bool {
        self.ci.is_some_and(|[low, high]| low > high)
    }
}
