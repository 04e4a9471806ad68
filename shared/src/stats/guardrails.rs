//! What must not get worse: one-sided bounds on the harm of a change, against a margin.
use super::{
    Interval,
    sequential::one_sided_half_width,
    special::{normal_above, normal_below, normal_critical},
};

/// What a guardrail says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The harm is surely below the margin.
    Pass,
    /// There surely is harm; how much is open.
    Warn,
    /// The harm is surely above the margin.
    Breach,
    /// Too early to tell.
    Inconclusive,
}

impl Verdict {
    /// As the contract calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Breach => "breach",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Harm bounded from both sides, each bound at level alpha by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The effect, turned so that more is worse.
    pub harm: f64,
    /// Lower bound of it.
    pub lower: f64,
    /// Upper bound of it.
    pub upper: f64,
    /// What they say about the margin.
    pub verdict: Verdict,
}

impl Bounds {
    fn new(harm: f64, half: f64, margin: f64) -> Self {
        Self::between(harm, [harm - half, harm + half], margin)
    }

    fn between(harm: f64, [lower, upper]: Interval, margin: f64) -> Self {
        let verdict = if upper < margin {
            Verdict::Pass
        } else if lower > margin {
            Verdict::Breach
        } else if lower > 0.0 {
            Verdict::Warn
        } else {
            Verdict::Inconclusive
        };
        Self { harm, lower, upper, verdict }
    }
}

/// The tests of a guardrail at the planned end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NonInferiority {
    /// The bounds and the verdict.
    pub bounds: Bounds,
    /// (harm - margin) / se.
    pub z_margin: f64,
    /// That the harm reaches the margin: small means it does not.
    pub p_non_inferior: f64,
    /// That there is no harm: small means there is.
    pub p_harm: f64,
    /// That the harm stays below the margin: small means it does not.
    pub p_breach: f64,
}

fn harm(diff: f64, lower_is_better: bool) -> f64 {
    if lower_is_better { diff } else { -diff }
}

/// One-sided z tests against no harm and against a margin > 0, in the metric's unit. Nothing unless se > 0.
#[must_use]
pub fn non_inferiority(diff: f64, se: f64, margin: f64, lower_is_better: bool, alpha: f64) -> Option<NonInferiority> {
    let harm = harm(diff, lower_is_better);
    (se > 0.0 && se.is_finite() && diff.is_finite()).then(|| NonInferiority {
        bounds: Bounds::new(harm, normal_critical(alpha) * se, margin),
        z_margin: (harm - margin) / se,
        p_non_inferior: normal_below((harm - margin) / se),
        p_harm: normal_above(harm / se),
        p_breach: normal_above((harm - margin) / se),
    })
}

/// The same while the test runs: bounds that hold at every look, from the one-sided confidence sequence with `n` units
/// of both arms and the planned `n_star`. Nothing unless se > 0 and n > 0.
#[must_use]
pub fn while_running(
    (diff, se): (f64, f64),
    margin: f64,
    lower_is_better: bool,
    (n, n_star): (u64, f64),
    alpha: f64,
) -> Option<Bounds> {
    let half = one_sided_half_width(se, n, n_star, alpha)?;
    Some(Bounds::new(harm(diff, lower_is_better), half, margin))
}

/// The same from an interval of the effect that holds at every look.
#[must_use]
pub fn by_interval(diff: f64, [low, high]: Interval, margin: f64, lower_is_better: bool) -> Bounds {
    let turned = if lower_is_better { [low, high] } else { [-high, -low] };
    Bounds::between(harm(diff, lower_is_better), turned, margin)
}
