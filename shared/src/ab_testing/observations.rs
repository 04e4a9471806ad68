//! What was observed of units: outcomes that are told, and what usage events say of the call.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AbTestStatus,
    choose::{self, check_unit},
    exposures::Exposure,
    metrics::{Metric, MetricKind},
    model::{TestRow, Variant},
    promote, repository, service,
};
use crate::{
    app::{App, begin},
    caller::Caller,
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result, Violation},
    id::{AbTestId, PromptId},
    prompts::{self, Selector},
    versions,
};

/// The most outcomes of one request.
pub const OUTCOMES_MAX: usize = 1000;
/// No metric has larger values.
const VALUE_MAX: f64 = 1e12;

/// Something that became of a unit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// As the selection said it.
    #[schema(max_length = 256)]
    pub unit_id: String,
    /// One of the test's.
    pub metric: String,
    /// 0 or 1 of a binary metric, any number of a continuous one.
    pub value: f64,
}

/// What became of the outcomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeReceipt {
    /// So many were written down.
    pub accepted: usize,
}

/// What is added to what was observed of a unit.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) test_id: AbTestId,
    pub(super) metric: String,
    pub(super) unit_id: String,
    pub(super) n: i64,
    pub(super) total: f64,
}

type Sums = BTreeMap<(AbTestId, String, String), (i64, f64)>;

/// Writes outcomes down. One that comes before its unit's exposure counts once that is known.
pub async fn record_outcomes(
    app: &App,
    caller: &Caller,
    id: AbTestId,
    outcomes: Vec<Outcome>,
    single: bool,
) -> Result<OutcomeReceipt> {
    caller.must_reach_everything(service::OF_ALL)?;
    if outcomes.is_empty() || outcomes.len() > OUTCOMES_MAX {
        return Err(Error::invalid("", "out-of-range", format!("a list must hold 1 to {OUTCOMES_MAX} outcomes")));
    }
    let mut tx = begin!(app, caller);
    let test = repository::find(&mut tx, id).await?.ok_or_else(|| service::missing(id))?;
    match test.status {
        AbTestStatus::Completed => return Err(service::ended(&test)),
        AbTestStatus::Draft => return Err(Error::conflict("not-started", "the test has not begun")),
        AbTestStatus::Running | AbTestStatus::Paused => {}
    }
    let mut violations = Vec::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        let at = if single { String::new() } else { format!("/{index}") };
        check(outcome, &test, &at, &mut violations);
    }
    if !violations.is_empty() {
        return Err(Error::from_violations(violations));
    }
    let mut sums = Sums::new();
    for outcome in &outcomes {
        add(&mut sums, id, &outcome.metric, &outcome.unit_id, outcome.value);
    }
    repository::observe(&mut tx, &as_observations(sums)).await?;
    let receipt = OutcomeReceipt { accepted: outcomes.len() };
    tx.commit_with(&receipt).await?;
    Ok(receipt)
}

fn check(outcome: &Outcome, test: &TestRow, at: &str, violations: &mut Vec<Violation>) {
    violations.extend(check_unit(&outcome.unit_id, &format!("{at}/unit_id")).err());
    let Some(metric) = test.metric(&outcome.metric) else {
        let names: Vec<_> = test.measured().map(|metric| format!("`{}`", metric.name)).collect();
        let detail = format!("the test measures {}", names.join(", "));
        return violations.push(Violation::new(format!("{at}/metric"), "unknown-metric", detail));
    };
    let value = outcome.value;
    let (fits, must) = match metric.kind {
        MetricKind::Binary => ([0.0, 1.0].contains(&value), "must be 0 or 1".to_owned()),
        MetricKind::Continuous => {
            ((-VALUE_MAX..=VALUE_MAX).contains(&value), format!("must be a number from -{VALUE_MAX} to {VALUE_MAX}"))
        }
    };
    if !fits {
        violations.push(Violation::new(format!("{at}/value"), "out-of-range", format!("`value` {must}")));
    }
}

impl TestRow {
    /// Everything it measures.
    pub(super) fn measured(&self) -> impl Iterator<Item = &Metric> {
        let plan = self.plan();
        let of_guardrails = plan.guardrails.iter().map(|guardrail| &guardrail.metric);
        plan.metrics.iter().chain(of_guardrails.filter(|metric| !plan.metrics.contains(metric)))
    }

    fn metric(&self, name: &str) -> Option<&Metric> {
        self.measured().find(|metric| metric.name == name)
    }
}

fn add(sums: &mut Sums, test_id: AbTestId, metric: &str, unit_id: &str, value: f64) {
    let (n, total) = sums.entry((test_id, metric.to_owned(), unit_id.to_owned())).or_default();
    *n += 1;
    *total += value;
}

/// In one order, so that transactions that meet at the same units do not wait for each other in a circle.
fn as_observations(sums: Sums) -> Vec<Observation> {
    let observation = |((test_id, metric, unit_id), (n, total))| Observation { test_id, metric, unit_id, n, total };
    sums.into_iter().map(observation).collect()
}

/// What a usage event says that names a test.
#[derive(Clone, Debug)]
pub struct TestUsage<'e> {
    /// The test it names.
    pub test_id: &'e str,
    /// The arm it names.
    pub variant: Option<&'e str>,
    /// The prompt that was used.
    pub prompt_id: PromptId,
    /// At this version.
    pub version: i64,
    /// A name of the event itself: without user and session it is a unit of its own.
    pub own_id: String,
    /// For whom the call was.
    pub user_id: Option<&'e str>,
    /// In which session.
    pub session_id: Option<&'e str>,
    /// When.
    pub at: Timestamp,
    /// `success_rate`
    pub success: Option<bool>,
    /// `response_quality`
    pub score: Option<f64>,
    /// `response_time`
    pub response_time_ms: Option<f64>,
    /// `token_usage`
    pub tokens: Option<f64>,
    /// `cost_usd`
    pub cost_usd: Option<f64>,
}

impl TestUsage<'_> {
    fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let values = [
            ("success_rate", self.success.map(|success| f64::from(u8::from(success)))),
            ("response_quality", self.score),
            ("response_time", self.response_time_ms),
            ("token_usage", self.tokens),
            ("cost_usd", self.cost_usd),
        ];
        values.into_iter().filter_map(|(metric, value)| Some((metric, value?)))
    }
}

/// What usage events add to tests; see [`observed`].
#[derive(Clone, Debug, Default)]
pub struct Observed {
    exposures: Vec<Exposure>,
    /// Of the same units, with another arm.
    others: Vec<Exposure>,
    observations: Vec<Observation>,
}

/// Reads what usage events mean for the tests they name. Tests that are not there, have not begun or are over take no
/// notice, and no test does of an event about another version than its arm shows. An arm that an event names counts as shown.
pub async fn observed(conn: &mut Conn, usages: &[TestUsage<'_>]) -> Result<Observed> {
    let mut tests: BTreeMap<&str, Option<TestRow>> = BTreeMap::new();
    let (mut exposures, mut others, mut sums) = (BTreeMap::new(), BTreeMap::new(), Sums::new());
    for usage in usages {
        if !tests.contains_key(usage.test_id) {
            let found = match usage.test_id.parse() {
                Ok(id) => repository::find(conn, id).await?,
                Err(_) => None,
            };
            tests.insert(usage.test_id, found.filter(TestRow::takes_observations));
        }
        let Some(Some(test)) = tests.get(usage.test_id) else { continue };
        let Some((arm, unit_id)) = shown(conn, test, usage).await? else { continue };
        if let Some(variant) = arm {
            let exposure =
                Exposure { test_id: test.id, unit_id: unit_id.clone(), variant, phase: test.phase, at: usage.at };
            let unit = (test.id, unit_id.clone());
            let first = exposures.entry(unit.clone()).or_insert_with(|| exposure.clone());
            if first.variant != variant {
                others.insert(unit, exposure);
            }
        }
        for (metric, value) in usage.values().filter(|(name, _)| test.metric(name).is_some()) {
            add(&mut sums, test.id, metric, &unit_id, value);
        }
    }
    Ok(Observed {
        exposures: exposures.into_values().collect(),
        others: others.into_values().collect(),
        observations: as_observations(sums),
    })
}

/// Writes down what [`observed`] has read, as part of the caller's transaction.
pub async fn write_observed(tx: &mut Tx, observed: &Observed) -> Result<()> {
    repository::expose(tx, &observed.exposures).await?;
    repository::expose(tx, &observed.others).await?;
    repository::observe(tx, &observed.observations).await
}

impl TestRow {
    fn takes_observations(&self) -> bool {
        matches!(self.status, AbTestStatus::Running | AbTestStatus::Paused)
    }
}

/// The arm that an event names, if it names one, and its unit: that of user and session which was exposed, or the first of
/// them that is given. An event with neither is a unit of its own, if it names an arm. Nothing, if the event is about what
/// its arm does not show: the arm it names, or else the one of its unit, or else any.
async fn shown(conn: &mut Conn, test: &TestRow, usage: &TestUsage<'_>) -> Result<Option<(Option<i64>, String)>> {
    let named = match usage.variant {
        None => None,
        Some(name) => match test.arm(name) {
            Some(arm) => Some(i64::try_from(arm).unwrap_or(0)),
            None => return Ok(None),
        },
    };
    let mut dealt = None;
    for id in [usage.user_id, usage.session_id].into_iter().flatten() {
        if let Some(arm) = repository::assigned(conn, test.id, id).await? {
            dealt = Some((arm, id));
            break;
        }
    }
    let own_id = named.map(|_| usage.own_id.as_str());
    let Some(unit) = dealt.map(|(_, id)| id).or(usage.user_id).or(usage.session_id).or(own_id) else {
        return Ok(None);
    };
    let arm = named.or(dealt.map(|(arm, _)| arm)).and_then(|arm| usize::try_from(arm).ok());
    for (place, variant) in test.variants().iter().enumerate() {
        if arm.is_none_or(|arm| arm == place) && shows(conn, variant, usage).await? {
            return Ok(Some((named, unit.to_owned())));
        }
    }
    Ok(None)
}

/// Does an arm show the version that an event is about? Of a label: does it, or did it at another time.
async fn shows(conn: &mut Conn, variant: &Variant, usage: &TestUsage<'_>) -> Result<bool> {
    let (id, version) = (usage.prompt_id, usage.version);
    if variant.prompt_id != id {
        return Ok(false);
    }
    match choose::selector(variant)? {
        Selector::Version(shown) => Ok(shown == version),
        Selector::Label(label) => versions::was_behind(conn, id, &label, version).await,
        Selector::Latest => Ok(true),
        // Where nothing is in production the newest is shown, which each version was.
        Selector::Production => Ok(versions::was_behind(conn, id, prompts::PRODUCTION, version).await?
            || !versions::is_set(conn, id, prompts::PRODUCTION).await?),
    }
}

/// May this caller's events count for a test? Every prompt of it, and the label that it is about, must be within their reach:
/// what they report may decide what readers of that label are served.
pub async fn may_observe(conn: &mut Conn, caller: &Caller, test_id: &str) -> Result<bool> {
    let Ok(id) = test_id.parse() else { return Ok(false) };
    let Some(test) = repository::find(conn, id).await? else { return Ok(false) };
    let (target, label) = promote::target(&test);
    if !caller.grant.knows(&label) {
        return Ok(false);
    }
    for id in test.variants().iter().map(|variant| variant.prompt_id).chain([target]) {
        if !prompts::is_in_reach(conn, &caller.grant.folders, id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
