//! An A/B test as it is kept and shown.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metrics::{Guardrail, Metric};
use crate::{
    clock::Timestamp,
    db::{FromRow, Json},
    id::{AbTestId, PromptId},
    names::names,
};

/// Where a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbTestStatus {
    /// Not begun: it shows nobody anything.
    Draft,
    /// It deals arms out.
    Running,
    /// Who has an arm keeps it; everybody else gets the control and does not take part.
    Paused,
    /// It is over.
    Completed,
}

names!(AbTestStatus { Draft = "draft", Running = "running", Paused = "paused", Completed = "completed" });

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbTestResult {
    /// An arm is better than the control.
    Winner,
    /// No arm differs from the control by as much as would matter.
    NoDifference,
    /// Its time or its units were used up before anything was sure.
    Inconclusive,
    /// An arm did more harm than it may.
    StoppedGuardrail,
    /// Units did not get to the arms as they should have: its numbers mean nothing.
    InvalidSrm,
    /// Somebody ended it.
    StoppedManual,
}

names!(AbTestResult {
    Winner = "winner",
    NoDifference = "no_difference",
    Inconclusive = "inconclusive",
    StoppedGuardrail = "stopped_guardrail",
    InvalidSrm = "invalid_srm",
    StoppedManual = "stopped_manual",
});

/// An arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Variant {
    /// `A`, `control`, `shorter`.
    pub name: String,
    /// The prompt it shows.
    pub prompt_id: PromptId,
    /// At this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Or at the version that this label points at, which may move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A label whose readers are shown the arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// The prompt.
    pub prompt_id: PromptId,
    /// `production`
    pub label: String,
}

/// How units are dealt to the arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// By the weights, which only people change.
    #[default]
    Fixed,
    /// By how likely each arm is the best, dealt anew every quarter of an hour (Thompson's probability matching). Means that
    /// were collected so are biased: there are no p-values and no intervals of differences.
    Bandit,
}

/// A context parameter and the values that let a unit take part.
pub type Audience = std::collections::BTreeMap<String, Vec<String>>;

/// What was fixed when the test was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// For people.
    pub description: Option<String>,
    /// How units are dealt to the arms.
    #[serde(default)]
    pub allocation: Allocation,
    /// Who takes part: every parameter named here must have one of its values. Empty: everybody.
    #[schema(inline)]
    pub target_audience: Audience,
    /// What is measured; the first decides.
    pub metrics: Vec<Metric>,
    /// What must not get worse.
    pub guardrails: Vec<Guardrail>,
    /// The chance of a false winner that is accepted.
    pub alpha: f64,
    /// The number of units at which the sequential intervals are tightest.
    pub n_star: f64,
    /// The effect that would matter, in units of the first metric.
    pub mde: Option<f64>,
    /// Ends undecided at so many units.
    pub planned_units: Option<i64>,
    /// Not decided before.
    pub min_hours: f64,
    /// Ends undecided after.
    pub max_days: Option<f64>,
    /// Does the label move to the winner by itself?
    pub promote: bool,
}

/// A test as its table holds it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct TestRow {
    pub(super) id: AbTestId,
    pub(super) name: String,
    pub(super) status: AbTestStatus,
    pub(super) plan: Json<Planned>,
    pub(super) salt: String,
    pub(super) behind_prompt_id: Option<PromptId>,
    pub(super) behind_label: Option<String>,
    pub(super) phase: i64,
    pub(super) coverage_bp: i64,
    pub(super) weights_bp: Json<Vec<u16>>,
    pub(super) result: Option<AbTestResult>,
    pub(super) winner: Option<String>,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) evaluated_at: Timestamp,
    pub(super) note: Option<String>,
}

/// The arms and the plan, as they are kept together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Planned {
    pub(super) variants: Vec<Variant>,
    #[serde(flatten)]
    pub(super) plan: Plan,
}

/// An arm and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WeightedVariant {
    /// The arm.
    #[serde(flatten)]
    pub variant: Variant,
    /// Its share of those who take part, 0 to 1.
    pub weight: f64,
}

/// An A/B test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AbTest {
    /// `abt_…`
    pub id: AbTestId,
    /// For people.
    pub name: String,
    /// Where it stands.
    pub status: AbTestStatus,
    /// The arms; the first is the control.
    pub variants: Vec<WeightedVariant>,
    /// The prompt of the control.
    pub prompt_a_id: PromptId,
    /// The prompt of the second arm.
    pub prompt_b_id: PromptId,
    /// The share of the control.
    pub traffic_split: f64,
    /// What decides.
    pub test_metric: String,
    /// The share of units that take part, 0 to 1.
    pub coverage: f64,
    /// Counts the changes of how traffic is dealt, from 1.
    pub phase: i64,
    /// The label whose readers are shown the arms.
    pub behind: Option<Behind>,
    /// What was fixed when it was made.
    #[serde(flatten)]
    pub plan: Plan,
    /// How it ended.
    pub result: Option<AbTestResult>,
    /// The arm that won.
    pub winner: Option<String>,
    /// What went wrong: why its winner was not promoted, or that the last look at it failed. Null where nothing did.
    pub note: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl TestRow {
    /// The arms; the first is the control.
    pub(super) fn variants(&self) -> &[Variant] {
        &self.plan.0.variants
    }

    /// What was fixed when it was made.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan.0.plan
    }

    /// The place of an arm.
    pub(super) fn arm(&self, name: &str) -> Option<usize> {
        self.variants().iter().position(|variant| variant.name == name)
    }

    /// The label whose readers are shown the arms.
    pub(super) fn behind(&self) -> Option<Behind> {
        self.behind_prompt_id.zip(self.behind_label.clone()).map(|(prompt_id, label)| Behind { prompt_id, label })
    }

    /// As it is seen from outside.
    pub(super) fn show(self) -> AbTest {
        let behind = self.behind();
        let Planned { variants, plan } = self.plan.0;
        let share = |bp: u16| f64::from(bp) / 10_000.0;
        let prompt = |arm: usize| variants.get(arm).or(variants.first()).map(|variant| variant.prompt_id);
        let of_test = prompt(0).zip(prompt(1)).expect("a test has two arms at least");
        AbTest {
            id: self.id,
            name: self.name,
            status: self.status,
            prompt_a_id: of_test.0,
            prompt_b_id: of_test.1,
            traffic_split: self.weights_bp.0.first().map_or(0.0, |bp| share(*bp)),
            test_metric: plan.metrics.first().map(|metric| metric.name.clone()).unwrap_or_default(),
            variants: variants
                .into_iter()
                .zip(&self.weights_bp.0)
                .map(|(variant, bp)| WeightedVariant { variant, weight: share(*bp) })
                .collect(),
            coverage: share(u16::try_from(self.coverage_bp).unwrap_or(0)),
            phase: self.phase,
            behind,
            plan,
            result: self.result,
            winner: self.winner,
            note: self.note,
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
        }
    }
}
