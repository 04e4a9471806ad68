//! What a test is to be, and what is wrong with that.
use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    assign::BUCKETS,
    metrics::{Guardrail, Metric, MetricKind},
    model::{Allocation, Audience, Behind, Plan, Planned, Variant},
};
use crate::{error::Result, id::PromptId, stats::bandit, text, violations::Violations};

const VARIANTS_MAX: usize = 20;
const METRICS_MAX: usize = 20;
const AUDIENCE_MAX: usize = 20;
const AUDIENCE_VALUES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 64;
const WEIGHT_SLACK: f64 = 1e-9;
const ALPHA: f64 = 0.05;
const N_STAR: f64 = 1000.0;
const MIN_HOURS: f64 = 24.0;
/// A test decides something else than the traffic of a week ever will.
const UNITS_MAX: i64 = 1_000_000_000_000;

/// A test to be made: of two prompts, or in the general form of some variants.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAbTest {
    /// For people.
    #[schema(max_length = 255)]
    pub name: String,
    /// The control, `A`.
    #[serde(default)]
    pub prompt_a_id: Option<PromptId>,
    /// The other, `B`.
    #[serde(default)]
    pub prompt_b_id: Option<PromptId>,
    /// The share of `A`; a half, unless said.
    #[serde(default)]
    pub traffic_split: Option<f64>,
    /// What decides; `response_quality`, unless said.
    #[serde(default)]
    pub test_metric: Option<String>,
    /// The general form, in the place of the prompts: 2 to 20 arms, the first of which is the control.
    #[serde(default)]
    pub variants: Option<Vec<NewVariant>>,
    /// The general form, in the place of `test_metric`: what is measured, the first of which decides.
    #[serde(default)]
    pub metrics: Option<Vec<NewMetric>>,
    /// What must not get worse.
    #[serde(default)]
    pub guardrails: Vec<NewGuardrail>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// How units are dealt to the arms; by fixed weights, unless said.
    #[serde(default)]
    pub allocation: Allocation,
    /// Who takes part: every parameter named here must have one of its values. Everybody, unless said.
    #[serde(default)]
    #[schema(inline)]
    pub target_audience: Option<Audience>,
    /// The share of units that take part; all, unless said.
    #[serde(default)]
    pub coverage: Option<f64>,
    /// The chance of a false winner that is accepted; 0.05, unless said.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// The number of units at which the sequential intervals are tightest; 1000, unless said.
    #[serde(default)]
    pub n_star: Option<f64>,
    /// The effect that would matter, in units of the first metric: with it a test can end without a difference.
    #[serde(default)]
    pub mde: Option<f64>,
    /// Ends undecided at so many units.
    #[serde(default)]
    pub planned_units: Option<i64>,
    /// Not decided before; 24, unless said.
    #[serde(default)]
    pub min_hours: Option<f64>,
    /// Ends undecided after.
    #[serde(default)]
    pub max_days: Option<f64>,
    /// The label whose readers are shown the arms.
    #[serde(default)]
    pub behind: Option<Behind>,
    /// Does the label move to the winner by itself?
    #[serde(default)]
    pub promote: bool,
    /// `draft`, to start it later.
    #[serde(default)]
    pub status: Option<InitialStatus>,
}

/// How a test begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InitialStatus {
    /// Later.
    Draft,
    /// At once.
    Running,
}

/// An arm to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariant {
    /// 1 to 64 characters.
    pub name: String,
    /// The prompt it shows.
    pub prompt_id: PromptId,
    /// At this version.
    #[serde(default)]
    pub version: Option<i64>,
    /// Or at the version this label points at; neither: as it is served by name.
    #[serde(default)]
    pub label: Option<String>,
    /// Its share. All together are 1.
    pub weight: f64,
}

/// A metric to be measured: one of those that usage events carry, or one of your own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMetric {
    /// `success_rate`, or any name, 1 to 64 characters.
    pub name: String,
    /// Of a name of your own.
    #[serde(default)]
    pub kind: Option<MetricKind>,
    /// Is less better?
    #[serde(default)]
    pub lower_is_better: Option<bool>,
    /// Does a unit that took part, and of which nothing was heard, count as 0?
    #[serde(default)]
    pub missing_is_zero: bool,
}

/// A guardrail to be kept.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGuardrail {
    /// What is measured.
    pub metric: String,
    /// The harm that is not accepted any more, above 0.
    pub margin: f64,
    /// Is the margin a share of the control's mean?
    #[serde(default)]
    pub relative: bool,
}

/// What is to be changed of a test; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbTestPatch {
    /// For people.
    pub name: Option<String>,
    /// The share of units that take part.
    pub coverage: Option<f64>,
    /// The shares of the arms, in their order. All together are 1.
    pub weights: Option<Vec<f64>>,
}

/// A test that may be made.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) planned: Planned,
    pub(super) weights_bp: Vec<u16>,
    pub(super) coverage_bp: i64,
    pub(super) behind: Option<Behind>,
    pub(super) is_draft: bool,
}

impl NewAbTest {
    /// Everything about it that can be known without the database.
    pub(super) fn check(self) -> Result<Checked> {
        let mut wrong = Violations::default();
        let name = wrong.take(text::identifier(&self.name, "/name", text::NAME_CHARS_MAX)).unwrap_or_default();
        if let Some(description) = &self.description {
            wrong.take(text::sentence(description, "/description"));
        }
        let (variants, weights) = self.variants(&mut wrong);
        let weights_bp =
            deal(&weights, if self.variants.is_some() { "/variants" } else { "/traffic_split" }, &mut wrong);
        let metrics = self.metrics(&mut wrong);
        let guardrails = self.guardrails(&metrics, &mut wrong);
        let audience = self.target_audience.unwrap_or_default();
        check_audience(&audience, &mut wrong);
        let plan = Plan {
            description: self.description,
            allocation: self.allocation,
            target_audience: audience,
            metrics,
            guardrails,
            alpha: self.alpha.unwrap_or(ALPHA),
            n_star: self.n_star.unwrap_or(N_STAR),
            mde: self.mde,
            planned_units: self.planned_units,
            min_hours: self.min_hours.unwrap_or(MIN_HOURS),
            max_days: self.max_days,
            promote: self.promote,
        };
        wrong.within(plan.alpha, (1e-6, 0.5), "/alpha");
        wrong.within(plan.n_star, (1.0, 1e12), "/n_star");
        wrong.within(plan.mde.unwrap_or(1.0), (f64::MIN_POSITIVE, 1e12), "/mde");
        wrong.within(plan.min_hours, (0.0, 24.0 * 400.0), "/min_hours");
        wrong.within(plan.max_days.unwrap_or(1.0), (f64::MIN_POSITIVE, 400.0), "/max_days");
        wrong.unless(
            plan.planned_units.is_none_or(|units| (2..=UNITS_MAX).contains(&units)),
            "/planned_units",
            "out-of-range",
            "must be a whole number from 2 to 10^12",
        );
        let coverage_bp = check_coverage(self.coverage.unwrap_or(1.0), &mut wrong);
        wrong.end()?;
        Ok(Checked {
            name,
            planned: Planned { variants, plan },
            weights_bp,
            coverage_bp,
            behind: self.behind,
            is_draft: self.status == Some(InitialStatus::Draft),
        })
    }

    fn variants(&self, wrong: &mut Violations) -> (Vec<Variant>, Vec<f64>) {
        let Some(given) = &self.variants else { return self.two_prompts(wrong) };
        if self.prompt_a_id.or(self.prompt_b_id).is_some() || self.traffic_split.is_some() {
            wrong.push("/variants", "not-together", "give `variants`, or `prompt_a_id` and `prompt_b_id`, not both");
        }
        if !(2..=VARIANTS_MAX).contains(&given.len()) {
            wrong.push("/variants", "out-of-range", format!("a test has 2 to {VARIANTS_MAX} variants"));
        }
        let (mut names, mut shown) = (BTreeSet::new(), BTreeSet::new());
        let variants = given.iter().enumerate().map(|(index, new)| {
            let at = |field: &str| format!("/variants/{index}/{field}");
            let name = wrong.take(text::identifier(&new.name, &at("name"), NAME_CHARS_MAX)).unwrap_or_default();
            if !names.insert(name.clone()) {
                wrong.push(at("name"), "duplicate", "two variants have this name");
            }
            if new.version.is_some() && new.label.is_some() {
                wrong.push(at("version"), "not-together", "give `version` or `label`, not both");
            }
            if !shown.insert((new.prompt_id, new.version, new.label.clone())) {
                wrong.push(at("prompt_id"), "same-arm", "two variants show the same");
            }
            let label = new.label.clone().map(text::sought);
            Variant { name, prompt_id: new.prompt_id, version: new.version, label }
        });
        (variants.collect(), given.iter().map(|new| new.weight).collect())
    }

    fn two_prompts(&self, wrong: &mut Violations) -> (Vec<Variant>, Vec<f64>) {
        let (Some(a), Some(b)) = (self.prompt_a_id, self.prompt_b_id) else {
            for (id, pointer) in [(self.prompt_a_id, "/prompt_a_id"), (self.prompt_b_id, "/prompt_b_id")] {
                if id.is_none() {
                    wrong.push(pointer, "required", "give `prompt_a_id` and `prompt_b_id`, or `variants`");
                }
            }
            return (Vec::new(), vec![1.0]);
        };
        if a == b {
            wrong.push("/prompt_b_id", "same-arm", "both arms show the same prompt; its versions go into `variants`");
        }
        let split = self.traffic_split.unwrap_or(0.5);
        if !(split > 0.0 && split < 1.0) {
            wrong.push("/traffic_split", "out-of-range", "`traffic_split` must be a number between 0 and 1");
            return (Vec::new(), vec![1.0]);
        }
        let variant = |name: &str, prompt_id| Variant { name: name.to_owned(), prompt_id, version: None, label: None };
        (vec![variant("A", a), variant("B", b)], vec![split, 1.0 - split])
    }

    fn metrics(&self, wrong: &mut Violations) -> Vec<Metric> {
        let Some(given) = &self.metrics else {
            let name = self.test_metric.as_deref().unwrap_or("response_quality");
            let metric = Metric::known(name);
            if metric.is_none() {
                let detail =
                    format!("`test_metric` is one of {}; a metric of your own goes into `metrics`", Metric::names());
                wrong.push("/test_metric", "unknown-metric", detail);
            }
            return metric.into_iter().collect();
        };
        if self.test_metric.is_some() {
            wrong.push("/metrics", "not-together", "give `metrics` or `test_metric`, not both");
        }
        if !(1..=METRICS_MAX).contains(&given.len()) {
            wrong.push("/metrics", "out-of-range", format!("a test has 1 to {METRICS_MAX} metrics"));
        }
        let mut names = BTreeSet::new();
        let metrics = given.iter().enumerate().map(|(index, new)| {
            let at = |field: &str| format!("/metrics/{index}/{field}");
            let name = wrong.take(text::identifier(&new.name, &at("name"), NAME_CHARS_MAX)).unwrap_or_default();
            if !names.insert(name.clone()) {
                wrong.push(at("name"), "duplicate", "two metrics have this name");
            }
            let known = Metric::known(&name);
            let kind = new.kind.or(known.as_ref().map(|metric| metric.kind));
            if kind.is_none() {
                let detail = format!("say whether it is `binary` or `continuous`; known are {}", Metric::names());
                wrong.push(at("kind"), "required", detail);
            }
            Metric {
                name,
                kind: kind.unwrap_or(MetricKind::Continuous),
                lower_is_better: new.lower_is_better.unwrap_or(known.is_some_and(|metric| metric.lower_is_better)),
                missing_is_zero: new.missing_is_zero,
            }
        });
        metrics.collect()
    }

    fn guardrails(&self, metrics: &[Metric], wrong: &mut Violations) -> Vec<Guardrail> {
        if self.guardrails.len() > METRICS_MAX {
            wrong.push("/guardrails", "out-of-range", format!("a test has at most {METRICS_MAX} guardrails"));
        }
        let mut guardrails = Vec::new();
        for (index, new) in self.guardrails.iter().enumerate() {
            let among = metrics.iter().find(|metric| metric.name == new.metric).cloned();
            match among.or_else(|| Metric::known(&new.metric)) {
                Some(metric) => {
                    guardrails.push(Guardrail { metric, margin: new.margin, relative: new.relative });
                }
                None => wrong.push(
                    format!("/guardrails/{index}/metric"),
                    "unknown-metric",
                    format!("name one of the test's metrics, or of {}", Metric::names()),
                ),
            }
            let fits = new.margin > 0.0 && new.margin.is_finite();
            wrong.unless(fits, format!("/guardrails/{index}/margin"), "out-of-range", "must be a number above 0");
        }
        guardrails
    }
}

impl AbTestPatch {
    /// How traffic is dealt after it: coverage and weights in basis points, where they are said.
    pub(super) fn dealt(&self, arms: usize) -> Result<(Option<i64>, Option<Vec<u16>>)> {
        let mut wrong = Violations::default();
        let coverage = self.coverage.map(|coverage| check_coverage(coverage, &mut wrong));
        let weights = self.weights.as_ref().map(|weights| {
            if weights.len() != arms {
                wrong.push("/weights", "out-of-range", format!("the test has {arms} variants; give a weight for each"));
            }
            deal(weights, "/weights", &mut wrong)
        });
        wrong.end()?;
        Ok((coverage, weights))
    }
}

/// Shares as basis points, by largest remainder.
fn deal(weights: &[f64], pointer: &str, wrong: &mut Violations) -> Vec<u16> {
    if weights.iter().any(|weight| !(0.0..=1.0).contains(weight)) {
        wrong.push(pointer, "out-of-range", "every weight must be a number from 0 to 1");
        return Vec::new();
    }
    let sum: f64 = weights.iter().sum();
    if (sum - 1.0).abs() > WEIGHT_SLACK {
        wrong.push(pointer, "weights-sum", format!("the weights must sum up to 1; these sum up to {sum}"));
        return Vec::new();
    }
    bandit::basis_points(weights).unwrap_or_default()
}

fn check_coverage(coverage: f64, wrong: &mut Violations) -> i64 {
    wrong.within(coverage, (0.0, 1.0), "/coverage");
    i64::from(basis_points(coverage))
}

fn check_audience(audience: &Audience, wrong: &mut Violations) {
    let fits = audience.len() <= AUDIENCE_MAX
        && audience.values().all(|values| (1..=AUDIENCE_VALUES_MAX).contains(&values.len()));
    let must = format!("must name at most {AUDIENCE_MAX} parameters with 1 to {AUDIENCE_VALUES_MAX} values each");
    wrong.unless(fits, "/target_audience", "out-of-range", &must);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10,000")]
fn basis_points(share: f64) -> u16 {
    (share * f64::from(BUCKETS)).round().clamp(0.0, f64::from(BUCKETS)) as u16
}
