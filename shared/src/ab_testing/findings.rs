//! What an analysis says.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{names::names, stats::Interval};

/// One arm, by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ArmFindings {
    /// The arm.
    pub name: String,
    /// How many units were measured.
    pub n: u64,
    /// The share that succeeded, or the mean; null without units.
    pub estimate: Option<f64>,
    /// Around the estimate, at 1 - alpha: Wilson's score interval of a share, by t of a mean.
    #[schema(value_type = Option<Vec<f64>>)]
    pub ci: Option<Interval>,
    /// Estimate less that of the control.
    pub diff: Option<f64>,
    /// Around `diff`, for a single planned look.
    #[schema(value_type = Option<Vec<f64>>)]
    pub diff_ci: Option<Interval>,
    /// `diff` over the control's estimate.
    pub relative_lift: Option<f64>,
    /// Around `relative_lift`.
    #[schema(value_type = Option<Vec<f64>>)]
    pub relative_ci: Option<Interval>,
    /// Against the control, for a single planned look; null for the control.
    pub fixed: Option<Fixed>,
    /// Against the control, however often one looks; null for the control.
    pub sequential: Option<Sequential>,
    /// What is believed after the data; null where that needs more of them, which keeps no other arm from it.
    pub bayes: Option<Bayes>,
}

/// A test that holds for a single look, planned beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fixed {
    /// Of a binary metric `two_proportion_z`, or `fisher_exact` of small counts; of a continuous one `welch_t`. Units that were
    /// reported several times, or in several phases, count as the independent units that they are worth.
    pub method: String,
    /// z or t; null of Fisher's test.
    pub statistic: Option<f64>,
    /// Degrees of freedom of t.
    pub df: Option<f64>,
    /// Two-sided; null where no test can tell.
    pub p_value: Option<f64>,
    /// By Holm over the arms; of secondary metrics by Benjamini and Hochberg over the metrics.
    pub p_adjusted: Option<f64>,
    /// `ok`, or why not: `insufficient_data`, `zero_variance_equal`, `zero_variance_different`, `out_of_range`.
    pub status: String,
}

/// A test that holds at every look at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sequential {
    /// `asymptotic_confidence_sequence`, or `exact_mixture_likelihood_ratio` of a binary metric where an arm has fewer than
    /// ten successes or ten failures: exact whatever the shares are, so that an arm that never fails can win.
    pub method: String,
    /// Units of both arms at which the intervals are tightest.
    pub n_star: f64,
    /// Are there 100 units of each arm, before which nothing is decided?
    pub ready: bool,
    /// At this look; null where nothing varies.
    pub p_value: Option<f64>,
    /// The smallest of all looks so far, where looks are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value_running: Option<f64>,
    /// Of the smallest so far, by Holm over the arms; of secondary metrics by Benjamini and Hochberg over the metrics.
    pub p_adjusted: Option<f64>,
    /// Around `diff`, at this look.
    #[schema(value_type = Option<Vec<f64>>)]
    pub ci: Option<Interval>,
    /// What all looks so far have in common, where looks are kept. Crossed ends: the effect has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>)]
    pub ci_running: Option<Interval>,
    /// Natural logarithm of the evidence against no effect.
    pub e_value_log: Option<f64>,
}

/// What is believed of an arm after the data. For reading, and for choosing among arms that a test has found; not for
/// stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bayes {
    /// The probability that it is the best.
    pub prob_best: f64,
    /// How far it is expected to be behind the best.
    pub expected_loss: f64,
    /// The estimate is in here with 95 % probability.
    #[schema(value_type = Vec<f64>)]
    pub credible_95: Interval,
    /// Of a share; null of a mean, where every value was believed as likely.
    pub prior: Option<Prior>,
}

/// What was believed of a share before the data: Beta(alpha, beta).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// As if so many had succeeded, and one more.
    pub alpha: f64,
    /// As if so many had failed, and one more.
    pub beta: f64,
}

impl Default for Prior {
    fn default() -> Self {
        Self { alpha: 1.0, beta: 1.0 }
    }
}

/// Did units get to the arms as they should have?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SampleRatio {
    /// Pearson's.
    pub statistic: Option<f64>,
    /// Degrees of freedom: the arms with a weight, less one.
    pub df: Option<u64>,
    /// Below 0.001 the split is wrong.
    pub p_value: Option<f64>,
    /// Natural logarithm of the evidence against the split, which may be looked at after every unit; the split is wrong
    /// where it is above that of 1000.
    pub e_value_log: Option<f64>,
    /// `ok`, `mismatch`, `insufficient_data` or `no_data`.
    pub status: String,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Nothing yet: there are too few units.
    Collecting,
    /// Nothing yet: no arm is surely better or worse.
    Undecided,
    /// An arm is better than the control, or the control than every other.
    Winner,
    /// No arm differs from the control by as much as would matter.
    NoDifference,
    /// Its time or its units are used up.
    Inconclusive,
    /// An arm does more harm than it may.
    StoppedGuardrail,
    /// The numbers mean nothing.
    Invalid,
}

names!(DecisionState {
    Collecting = "collecting",
    Undecided = "undecided",
    Winner = "winner",
    NoDifference = "no_difference",
    Inconclusive = "inconclusive",
    StoppedGuardrail = "stopped_guardrail",
    Invalid = "invalid",
});

/// What follows from an analysis, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// What follows.
    pub state: DecisionState,
    /// Why, for programs: `treatment_better`, `burn_in`, `sample_ratio_mismatch`.
    pub reason_code: String,
    /// The arm it is about.
    pub arm: Option<String>,
}

impl Decision {
    pub(super) fn new(state: DecisionState, reason_code: &str, arm: Option<&str>) -> Self {
        Self { state, reason_code: reason_code.to_owned(), arm: arm.map(str::to_owned) }
    }
}

/// What summary statistics say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// The arms, in the order given; the first is the control.
    pub arms: Vec<ArmFindings>,
    /// Did units get to the arms as they should have?
    pub srm: SampleRatio,
    /// What follows.
    pub decision: Decision,
}
