//! A/B tests: which arm a unit gets, what became of it, and what that shows.
mod analysis;
mod arms;
pub mod assign;
mod bandit;
mod choose;
mod evaluate;
mod exposures;
mod findings;
mod input;
mod measured;
mod metrics;
mod model;
mod observations;
mod planning;
mod promote;
mod report;
mod repository;
mod results;
mod service;
mod summary;

pub use choose::{
    Context, Experiment, Offer, Selection, Subject, TestBehind, UNIT_CHARS_MAX, accept, behind, offer, select,
};
pub use evaluate::{EvaluateAbTest, evaluate, gave_up, order_evaluations};
pub use findings::{Analysis, ArmFindings, Bayes, Decision, DecisionState, Fixed, Prior, SampleRatio, Sequential};
pub use input::{AbTestPatch, InitialStatus, NewAbTest, NewGuardrail, NewMetric, NewVariant};
pub use metrics::{Guardrail, Metric, MetricKind};
pub use model::{AbTest, AbTestResult, AbTestStatus, Allocation, Audience, Behind, Plan, Variant, WeightedVariant};
pub use observations::{
    OUTCOMES_MAX, Observed, Outcome, OutcomeReceipt, TestUsage, may_observe, observed, record_outcomes, write_observed,
};
pub use planning::{PowerPlan, PowerRequest, power};
pub use report::{
    AbTestResults, ArmDistribution, Evaluation, GuardrailFindings, LookFindings, MetricFindings, Phase, Progress,
};
pub use results::results;
pub use service::{complete, create, get, list, pause, start, update};
pub use summary::{AnalyzeRequest, ArmSummary, MeasuredMetric, analyze};
