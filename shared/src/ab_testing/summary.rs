//! Statistics of a test that is kept elsewhere: summary numbers in, the whole result out, nothing stored.
use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    analysis::{self, Rules},
    arms::Arm,
    findings::{Analysis, Prior},
    metrics::MetricKind,
};
use crate::{
    error::Result,
    stats::{proportions::Proportion, samples::Sample},
    violations::Violations,
};

const ARMS_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 64;
/// Counts above lose their last digits on the way.
const N_MAX: u64 = 1 << 53;
const VALUE_MAX: f64 = 1e150;
const PRIOR_MAX: f64 = 1e9;

/// What was measured.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredMetric {
    /// Shares or means?
    pub kind: MetricKind,
    /// Is less better?
    #[serde(default)]
    pub lower_is_better: bool,
}

/// An arm in summary numbers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmSummary {
    /// 1 to 64 characters.
    pub name: String,
    /// Its share of units, in any scale; 1, unless said. 0: it should have none.
    #[serde(default = "one")]
    pub weight: f64,
    /// How many units were measured.
    pub n: u64,
    /// Of a binary metric: how many of them succeeded.
    #[serde(default)]
    pub successes: Option<u64>,
    /// Of a continuous metric: the arithmetic mean.
    #[serde(default)]
    pub mean: Option<f64>,
    /// Of a continuous metric: the variance with the divisor n - 1.
    #[serde(default)]
    pub variance: Option<f64>,
}

fn one() -> f64 {
    1.0
}

/// What is to be analysed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalyzeRequest {
    /// What was measured.
    pub metric: MeasuredMetric,
    /// The chance of a false winner that is accepted; 0.05, unless said.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// Units of both arms at which sequential intervals are tightest; 1000, unless said.
    #[serde(default)]
    pub n_star: Option<f64>,
    /// What was believed of shares before the data; Beta(1, 1), unless said.
    #[serde(default)]
    pub prior: Option<Prior>,
    /// 2 to 100; the first is the control.
    pub arms: Vec<ArmSummary>,
}

/// Analyses summary numbers.
pub fn analyze(request: &AnalyzeRequest) -> Result<Analysis> {
    check(request)?;
    let arm = |arm: &ArmSummary| match request.metric.kind {
        MetricKind::Binary => {
            let share = Proportion { successes: arm.successes.unwrap_or(0), trials: arm.n }.into();
            Arm::Share { share, units: arm.n }
        }
        MetricKind::Continuous => {
            Arm::Mean(Sample { n: arm.n, mean: arm.mean.unwrap_or(0.0), variance: arm.variance.unwrap_or(0.0) })
        }
    };
    let arms: Vec<_> = request.arms.iter().map(|it| (it.name.as_str(), arm(it))).collect();
    let weights: Vec<f64> = request.arms.iter().map(|it| it.weight).collect();
    let rules = Rules {
        lower_is_better: request.metric.lower_is_better,
        alpha: request.alpha.unwrap_or(0.05),
        n_star: request.n_star.unwrap_or(1000.0),
        prior: request.prior.unwrap_or_default(),
        mde: None,
    };
    Ok(analysis::analyze(&arms, &weights, &rules))
}

fn check(request: &AnalyzeRequest) -> Result<()> {
    let mut wrong = Violations::default();
    let mut unless = |fits: bool, pointer: String, must: &str| wrong.unless(fits, pointer, "out-of-range", must);
    let level = request.alpha.unwrap_or(0.05);
    unless((1e-12..=0.5).contains(&level), "/alpha".to_owned(), "must be a number above 0 and at most 0.5");
    let n_star = request.n_star.unwrap_or(1000.0);
    unless((1.0..=1e15).contains(&n_star), "/n_star".to_owned(), "must be a number from 1 to 10^15");
    let prior = request.prior.unwrap_or_default();
    for (value, field) in [(prior.alpha, "alpha"), (prior.beta, "beta")] {
        unless((1e-3..=PRIOR_MAX).contains(&value), format!("/prior/{field}"), "must be a number from 0.001 to 10^9");
    }
    unless((2..=ARMS_MAX).contains(&request.arms.len()), "/arms".to_owned(), "must be 2 to 100");
    let weights: f64 = request.arms.iter().map(|arm| arm.weight).sum();
    unless(weights > 0.0 && weights.is_finite(), "/arms".to_owned(), "must have weights that sum up to more than 0");
    let mut names = BTreeSet::new();
    for (index, arm) in request.arms.iter().enumerate() {
        let at = |field: &str| format!("/arms/{index}/{field}");
        let named = (1..=NAME_CHARS_MAX).contains(&arm.name.chars().count());
        unless(named && names.insert(&arm.name), at("name"), "must be 1 to 64 characters that no other arm has");
        unless((0.0..=1e9).contains(&arm.weight), at("weight"), "must be a number from 0 to 10^9");
        unless(arm.n <= N_MAX, at("n"), "must be at most 2^53");
        match request.metric.kind {
            MetricKind::Binary => {
                let fits = arm.successes.is_some_and(|successes| successes <= arm.n);
                unless(fits, at("successes"), "must be given, and at most `n`");
                unless(arm.mean.is_none(), at("mean"), "belongs to a continuous metric");
                unless(arm.variance.is_none(), at("variance"), "belongs to a continuous metric");
            }
            MetricKind::Continuous => {
                let bounded = |value: Option<f64>| value.is_some_and(|value| value.abs() <= VALUE_MAX);
                unless(arm.n == 0 || bounded(arm.mean), at("mean"), "must be given, and a number within 10^150 of 0");
                let fits = arm.n < 2 || arm.variance.is_some_and(|variance| (0.0..=VALUE_MAX).contains(&variance));
                unless(fits, at("variance"), "must be given, and a number from 0 to 10^150");
                unless(arm.successes.is_none(), at("successes"), "belongs to a binary metric");
            }
        }
    }
    wrong.end()
}
