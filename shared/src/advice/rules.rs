//! The rules of use, each a function of what was counted. None speaks below its least number.
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    analytics::{Profile, Quantity, VariableUse},
    drift::{DriftStatus, Performance},
    lint::Severity,
    prices::Prices,
    stats::{
        proportions::Proportion,
        sequential::{self, Look},
        special::count,
    },
};

/// So many renders tell what a variable is filled with.
const RENDERS_MIN: i64 = 200;
const CONSTANT: f64 = 0.95;
const EMPTY: f64 = 0.20;
/// So many calls tell how large they are, and how many cannot be read.
const CALLS_MIN: u64 = 100;
const CONTEXT: f64 = 0.80;
const UNREADABLE: f64 = 0.05;
const ALPHA: f64 = 0.05;
const N_STAR: f64 = 1000.0;

/// The numbers that a finding rests on, by name.
pub type Numbers = BTreeMap<&'static str, f64>;

/// What the use of a prompt says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageFinding {
    /// `D04`
    pub rule: &'static str,
    /// `worse-than-before`
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// What to do about it.
    pub fix: &'static str,
    /// How many renders or calls it rests on; days without any, of D07.
    pub n: u64,
    /// The days that were looked at; null: all there are of the version.
    pub window_days: Option<i64>,
    /// The numbers it rests on.
    #[schema(value_type = Object)]
    pub numbers: Numbers,
}

impl UsageFinding {
    pub(super) fn new(
        (rule, name): (&'static str, &'static str),
        severity: Severity,
        message: String,
        fix: &'static str,
        n: u64,
    ) -> Self {
        Self { rule, name, severity, message, fix, n, window_days: None, numbers: Numbers::new() }
    }

    pub(super) fn with<const N: usize>(self, numbers: [(&'static str, f64); N]) -> Self {
        Self { numbers: Numbers::from(numbers), ..self }
    }
}

/// D01 and D02: a variable that is always the same, or mostly nothing.
pub(super) fn variables(uses: &[VariableUse]) -> Vec<UsageFinding> {
    let mut findings = Vec::new();
    for it in uses.iter().filter(|it| it.renders >= RENDERS_MIN) {
        let n = u64::try_from(it.renders).unwrap_or(0);
        let empty = count(u64::try_from(it.empty).unwrap_or(0)) / count(n);
        let (name, constant) = (&it.variable, it.constant_share());
        if empty > EMPTY {
            let message = format!("`{name}` is empty in {:.0} % of {n} renders", 100.0 * empty);
            let fix = "make the variable optional, or drop it";
            let finding = UsageFinding::new(("D02", "mostly-empty-variable"), Severity::Info, message, fix, n);
            findings.push(finding.with([("empty_share", empty)]));
        } else if constant >= CONSTANT {
            let message = format!("`{name}` has the same value in {:.0} % of {n} renders", 100.0 * constant);
            let fix = "write the value into the text";
            let finding = UsageFinding::new(("D01", "constant-variable"), Severity::Info, message, fix, n);
            findings.push(finding.with([("constant_share", constant)]));
        }
    }
    findings
}

/// D03: calls nearly fill what the model can read.
pub(super) fn size(profile: &Profile, prices: &Prices) -> Option<UsageFinding> {
    let (model, context) =
        profile.models().keys().filter_map(|model| Some((model, prices.context(model)?))).min_by_key(|it| it.1)?;
    let n = profile.count(Quantity::Tokens);
    let p95 = profile.quantile(Quantity::Tokens, 0.95)?;
    let share = p95 / count(context);
    (n >= CALLS_MIN && share > CONTEXT).then(|| {
        let message = format!(
            "of twenty calls one has {p95:.0} tokens or more, {:.0} % of what `{model}` can read",
            100.0 * share
        );
        let fix = "shorten the prompt or what is put into it, or use a model that reads more";
        UsageFinding::new(("D03", "near-context-limit"), Severity::Warning, message, fix, n)
            .with([("p95_tokens", p95), ("context_tokens", count(context))])
    })
}

/// D04: a version does worse than the one before it, by a test that holds however often one looks.
pub(super) fn worse(before: &Profile, now: &Profile) -> Option<UsageFinding> {
    let (a, b) = (before.success(), now.success());
    let by_success = sequential::look_at_proportions(a, b, N_STAR, ALPHA)
        .filter(|_| sequential::is_ready(a, b, sequential::UNITS_MIN, sequential::OUTCOMES_MIN))
        .map(|look| ("success rate", look, a.estimate(), b.estimate(), a.trials + b.trials));
    let (a, b) = (before.score(), now.score());
    let se = (a.variance / count(a.n.max(1)) + b.variance / count(b.n.max(1))).sqrt();
    let by_score = sequential::look(b.mean - a.mean, se, a.n + b.n, N_STAR, ALPHA)
        .filter(|_| a.n.min(b.n) >= sequential::UNITS_MIN)
        .map(|look| ("score", look, Some(a.mean), Some(b.mean), a.n + b.n));
    let is_worse = |look: &Look| look.p_value < ALPHA && look.ci[1] < 0.0;
    let (what, look, before, now, n) = [by_success, by_score].into_iter().flatten().find(|found| is_worse(&found.1))?;
    let (before, now) = (before?, now?);
    let message = format!("the {what} fell from {before:.3} to {now:.3} with this version");
    let fix = "roll back to the version before, or test both against each other";
    let finding = UsageFinding::new(("D04", "worse-than-before"), Severity::Warning, message, fix, n);
    Some(finding.with([("before", before), ("now", now), ("p_value", look.p_value)]))
}

/// D05: it does not do as it did.
pub(super) fn drifted(performance: &Performance) -> Option<UsageFinding> {
    let severity = match performance.status {
        DriftStatus::Drift => Severity::Warning,
        DriftStatus::Warning => Severity::Info,
        DriftStatus::Stable | DriftStatus::InsufficientData => return None,
    };
    let moved: Vec<_> = performance.metrics.iter().filter(|metric| metric.status > DriftStatus::Stable).collect();
    let names: Vec<_> = moved.iter().map(|metric| format!("`{}`", metric.metric)).collect();
    let message = format!("{} moved since the reference", names.join(", "));
    let fix = "look at the drift of the prompt, and at what changed about the model or the input";
    let n = performance.current.map_or(0, |current| current.n);
    let mut finding = UsageFinding::new(("D05", "performance-drift"), severity, message, fix, n);
    finding.window_days =
        performance.current.map(|it| i64::try_from(it.to.since(it.from).as_secs() / 86_400).unwrap_or(i64::MAX));
    let strongest = moved.iter().map(|metric| metric.effect.abs()).fold(0.0, f64::max);
    Some(finding.with([("largest_effect", strongest)]))
}

/// D06: too many answers cannot be read.
pub(super) fn unreadable(profile: &Profile) -> Option<UsageFinding> {
    let Proportion { successes: failures, trials: n } = profile.parse_failures();
    let share = count(failures) / count(n.max(1));
    (n >= CALLS_MIN && share > UNREADABLE).then(|| {
        let message = format!("{:.0} % of {n} answers could not be read as what was asked for", 100.0 * share);
        let fix = "give a schema, or an example of the answer";
        UsageFinding::new(("D06", "unreadable-answers"), Severity::Warning, message, fix, n)
            .with([("parse_failure_share", share)])
    })
}
