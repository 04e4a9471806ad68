//! What is said of a test that is kept here.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AbTest,
    findings::{ArmFindings, Decision, SampleRatio},
    metrics::Metric,
};
use crate::{clock::Timestamp, stats::Interval};

/// What a test shows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AbTestResults {
    /// The test.
    pub test: AbTest,
    /// When this was found.
    pub evaluated_at: Timestamp,
    /// How many units were shown an arm, by arm.
    pub units: BTreeMap<String, u64>,
    /// Every metric; the first decides.
    pub metrics: Vec<MetricFindings>,
    /// Did units get to the arms as they should have?
    pub srm: SampleRatio,
    /// What must not get worse.
    pub guardrails: Vec<GuardrailFindings>,
    /// How traffic was dealt.
    pub phases: Vec<Phase>,
    /// How far the test is.
    pub power: Progress,
    /// Of a bandit: what units in arms other than the best have cost so far, in the unit of the first metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regret: Option<f64>,
    /// What to be careful about. `arm_unavailable:B`: what the arm shows was deleted or archived, or its label is gone; nobody
    /// new takes part, and whoever has that arm gets what others get, until it is back. `units_in_two_arms`, `nonstationary`,
    /// `values_clipped`.
    pub warnings: Vec<String>,
    /// The arm that won, or is ahead for sure.
    pub winner: Option<String>,
    /// What follows.
    pub decision: Decision,
    /// What every evaluation found, the newest first.
    pub evaluations: Vec<Evaluation>,
}

/// A metric of all arms.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MetricFindings {
    /// The metric.
    #[serde(flatten)]
    pub metric: Metric,
    /// The arms; the first is the control.
    pub arms: Vec<ArmFindings>,
    /// Of times, tokens and money: what a typical call does, and a slow one. Empty for other metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<ArmDistribution>,
}

/// How the values of an arm lie, one for each unit, as they were.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmDistribution {
    /// The arm.
    pub name: String,
    /// Half of the units are below.
    pub p50: Option<f64>,
    /// Around it.
    #[schema(value_type = Option<Vec<f64>>)]
    pub p50_ci: Option<Interval>,
    /// Of twenty units, one is above.
    pub p95: Option<f64>,
    /// Around it.
    #[schema(value_type = Option<Vec<f64>>)]
    pub p95_ci: Option<Interval>,
    /// The p95 less that of the control, as p-value of no difference; null for the control.
    pub p95_p_value: Option<f64>,
    /// Geometric mean over that of the control; null for the control, and with values that are not above 0.
    pub geometric_ratio: Option<f64>,
    /// Around it.
    #[schema(value_type = Option<Vec<f64>>)]
    pub geometric_ratio_ci: Option<Interval>,
    /// By ranks, where an arm has fewer than 30 units: p-value, and the share of pairs in which this arm is larger.
    pub mann_whitney: Option<[f64; 2]>,
}

/// A guardrail of an arm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GuardrailFindings {
    /// The arm.
    pub arm: String,
    /// What must not get worse.
    pub metric: String,
    /// The harm that is not accepted, in the metric's unit; null without a control to hold it against.
    pub margin: Option<f64>,
    /// The effect, turned so that more is worse.
    pub harm: Option<f64>,
    /// The harm is at least that.
    pub lower: Option<f64>,
    /// The harm is at most that.
    pub upper: Option<f64>,
    /// `pass`, `warn`, `breach` or `inconclusive`.
    pub status: String,
}

/// How traffic was dealt.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Phase {
    /// From 1.
    pub phase: i64,
    /// Since when.
    pub began_at: Timestamp,
    /// The share of units that took part.
    pub coverage: f64,
    /// The share of each arm, by name.
    pub weights: BTreeMap<String, f64>,
    /// How many units were first shown an arm then, by name.
    pub units: BTreeMap<String, u64>,
}

/// How far a test is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// How many units were planned, or are needed for the effect that would matter; null where neither was said.
    pub planned_n: Option<f64>,
    /// The smallest effect that so many units find with a probability of 0.8, in the metric's unit.
    pub mde: Option<f64>,
    /// Units over those that were planned.
    pub progress: Option<f64>,
}

/// What an evaluation found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// When.
    pub at: Timestamp,
    /// How many units had been shown an arm.
    pub units: i64,
    /// Of the metric that decides, for each treatment in its order: the smallest p-value so far, and what all intervals so
    /// far have in common.
    pub looks: Vec<LookFindings>,
    /// What followed.
    pub decision: Decision,
}

/// What all looks at a treatment have found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LookFindings {
    /// The smallest so far.
    pub p_value: Option<f64>,
    /// What all intervals so far have in common.
    #[schema(value_type = Option<Vec<f64>>)]
    pub ci: Option<Interval>,
}
