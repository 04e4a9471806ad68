//! What a test shows so far, and what follows.
use std::collections::BTreeMap;

use super::{
    AbTestResult, AbTestStatus, Allocation,
    analysis::{self, Compared, Rules},
    arms::{self, Arm},
    bandit, choose,
    findings::{Decision, DecisionState, Prior, SampleRatio},
    measured::{self, Measured, Units},
    metrics::Metric,
    model::TestRow,
    report::{
        AbTestResults, ArmDistribution, Evaluation, GuardrailFindings, LookFindings, MetricFindings, Phase, Progress,
    },
    repository::{self, PhaseRow},
    service,
};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::Conn,
    error::{Error, Result},
    id::AbTestId,
    stats::{
        corrections,
        guardrails::{self, Bounds, Verdict},
        means, power,
        power::Design,
        quantiles, samples,
        sequential::{Method, Running, UNITS_MIN},
        special::{count, finite},
        srm::Status,
    },
};

/// The last evaluations that are shown.
const EVALUATIONS_MAX: i64 = 500;
/// Of all units, those that were in two arms.
const IN_TWO_MAX: f64 = 0.01;
const POWER: f64 = 0.8;
/// Below, ranks tell more than means.
const FEW: u64 = 30;

/// What earlier looks have found: for each metric, the treatments in their order.
pub(super) type Looks = BTreeMap<String, Vec<Running>>;

impl From<Running> for LookFindings {
    fn from(running: Running) -> Self {
        Self { p_value: running.p_value, ci: running.ci }
    }
}

/// What a test shows now.
pub async fn results(app: &App, caller: &Caller, id: AbTestId) -> Result<AbTestResults> {
    caller.must_reach_everything(service::OF_ALL)?;
    let mut conn = app.db.read_at_once().await?;
    let test = repository::find(&mut conn, id).await?.ok_or_else(|| service::missing(id))?;
    let now = test.ended_at.unwrap_or_else(|| app.clock.now());
    let (mut looks, evaluations) = evaluations(&mut conn, id, &test).await?;
    let mut results = evaluate(&mut conn, test, &mut looks, now).await?;
    // What ended a test stays what it was decided by, whatever came in before the end was written down.
    if let (Some(last), Some(result)) = (evaluations.first(), results.test.result)
        && result != AbTestResult::StoppedManual
    {
        results.decision = last.decision.clone();
    }
    Ok(AbTestResults { evaluations, ..results })
}

/// What was found before: the last looks, and what is shown of all.
pub(super) async fn evaluations(conn: &mut Conn, id: AbTestId, test: &TestRow) -> Result<(Looks, Vec<Evaluation>)> {
    let broken = |error: serde_json::Error| Error::Internal(error.into());
    let first = test.plan().metrics.first().map(|metric| metric.name.clone()).unwrap_or_default();
    let rows = repository::evaluations(conn, id, EVALUATIONS_MAX).await?;
    let mut shown = Vec::with_capacity(rows.len());
    let mut last = None;
    for row in rows {
        let looks: BTreeMap<String, Vec<LookFindings>> = serde_json::from_value(row.running.0).map_err(broken)?;
        let decision = serde_json::from_value(row.decision.0).map_err(broken)?;
        let of_first = looks.get(&first).cloned().unwrap_or_default();
        shown.push(Evaluation { at: row.at, units: row.units, looks: of_first, decision });
        last.get_or_insert(looks);
    }
    let running = |looks: Vec<LookFindings>| looks.into_iter().map(|it| Running { p_value: it.p_value, ci: it.ci });
    let looks = last.unwrap_or_default().into_iter().map(|(metric, looks)| (metric, running(looks).collect()));
    Ok((looks.collect(), shown))
}

/// Looks at a test; what earlier looks have found takes this one in. Without the evaluations so far.
pub(super) async fn evaluate(
    conn: &mut Conn,
    test: TestRow,
    looks: &mut Looks,
    now: Timestamp,
) -> Result<AbTestResults> {
    let phases = repository::phases(conn, test.id).await?;
    let names: Vec<String> = test.variants().iter().map(|variant| variant.name.clone()).collect();
    let units = Units::read(conn, test.id, &phases, names.len()).await?;
    let srm = sample_ratio(&units, &phases);
    let (mut metrics, mut harms, mut warnings) = (Vec::new(), BTreeMap::new(), Vec::new());
    if test.status != AbTestStatus::Completed {
        warnings.extend(choose::gone(conn, &test).await?.iter().map(|arm| format!("arm_unavailable:{arm}")));
    }
    for metric in test.measured() {
        let measured = measured::measure(conn, test.id, metric, &phases, &units).await?;
        if measured.clipped > 0 {
            warnings.push(format!("values_clipped:{}:{}", metric.name, measured.clipped));
        }
        let running = looks.entry(metric.name.clone()).or_default();
        running.resize(names.len().saturating_sub(1), Running::default());
        metrics.push(of_metric(metric, &names, &measured, &test, running));
        if running.iter().any(Running::is_nonstationary) {
            warnings.push(format!("nonstationary:{}", metric.name));
        }
        harms.insert(metric.name.clone(), measured);
    }
    adjust_secondary(&mut metrics, test.plan().metrics.len());
    let guardrails = guard(&test, &names, &harms);
    let total = units.total();
    if count(units.in_two) > IN_TWO_MAX * count(total + units.in_two) {
        warnings.push(format!("units_in_two_arms:{}", units.in_two));
    }
    let power = progress(&test, &harms, &units);
    let is_bandit = test.plan().allocation == Allocation::Bandit;
    if is_bandit {
        for metric in &mut metrics {
            bandit::without_tests(&mut metric.arms);
        }
    }
    let first = metrics.first().filter(|_| is_bandit);
    let regret = first.and_then(|first| bandit::regret(&first.arms, first.metric.lower_is_better));
    let decision = decide(&test, &metrics, &srm, &guardrails, total, now);
    let winner = test.winner.clone().or_else(|| match decision.state {
        DecisionState::Winner => decision.arm.clone(),
        _ => None,
    });
    // Guardrails that are no metrics of the test have their own list.
    metrics.truncate(test.plan().metrics.len());
    let by_name = |counts: &[u64]| names.iter().cloned().zip(counts.iter().copied()).collect();
    Ok(AbTestResults {
        evaluated_at: now,
        units: by_name(&units.of_arms()),
        metrics,
        srm,
        guardrails,
        phases: phases.iter().zip(&units.by_phase).map(|(row, units)| row.show(&names, by_name(units))).collect(),
        power,
        regret,
        warnings,
        winner,
        decision,
        evaluations: Vec::new(),
        test: test.show(),
    })
}

impl PhaseRow {
    fn show(&self, names: &[String], units: BTreeMap<String, u64>) -> Phase {
        let share = |bp: u16| f64::from(bp) / 10_000.0;
        Phase {
            phase: self.phase,
            began_at: self.began_at,
            coverage: share(u16::try_from(self.coverage_bp).unwrap_or(0)),
            weights: names.iter().cloned().zip(self.weights_bp.0.iter().map(|bp| share(*bp))).collect(),
            units,
        }
    }
}

/// What was asked for is what every phase asked for of the units it got.
fn sample_ratio(units: &Units, phases: &[PhaseRow]) -> SampleRatio {
    let arms = units.by_phase.first().map_or(0, Vec::len);
    let mut expected = vec![0.0; arms];
    for (row, counted) in phases.iter().zip(&units.by_phase) {
        let in_phase = count(counted.iter().sum());
        for (expected, bp) in expected.iter_mut().zip(&row.weights_bp.0) {
            *expected += in_phase.max(f64::MIN_POSITIVE) * f64::from(*bp) / 10_000.0;
        }
    }
    analysis::sample_ratio(&units.of_arms(), &expected)
}

fn rules(test: &TestRow, metric: &Metric) -> Rules {
    let plan = test.plan();
    Rules {
        lower_is_better: metric.lower_is_better,
        alpha: plan.alpha,
        n_star: plan.n_star,
        prior: Prior::default(),
        mde: plan.mde,
    }
}

fn of_metric(
    metric: &Metric,
    names: &[String],
    measured: &Measured,
    test: &TestRow,
    running: &mut [Running],
) -> MetricFindings {
    let arms: Vec<(&str, Arm)> = names.iter().map(String::as_str).zip(measured.arms.iter().copied()).collect();
    let compared = Compared { arms: &arms, controls: &measured.controls };
    let arms = analysis::compare(&compared, &rules(test, metric), Some(running));
    let wants = metric.has_tail() || arms.iter().any(|arm| arm.n < FEW && metric.kind == super::MetricKind::Continuous);
    let distributions = if wants { distributions(names, &measured.values, test.plan().alpha) } else { Vec::new() };
    MetricFindings { metric: metric.clone(), arms, distributions }
}

fn distributions(names: &[String], values: &[Vec<f64>], alpha: f64) -> Vec<ArmDistribution> {
    let Some(control) = values.first() else { return Vec::new() };
    let of_arm = |(place, (name, values)): (usize, (&String, &Vec<f64>))| {
        let (p50, p95) = (quantiles::quantile(values, 0.5, alpha), quantiles::quantile(values, 0.95, alpha));
        let is_treatment = place > 0;
        let geometric = is_treatment.then(|| means::welch_on_logs(control, values, alpha)).flatten();
        let is_few = (control.len().min(values.len()) as u64) < FEW;
        let ranks = (is_treatment && is_few).then(|| samples::mann_whitney(control, values)).flatten();
        ArmDistribution {
            name: name.clone(),
            p50: p50.map(|it| it.estimate),
            p50_ci: p50.and_then(|it| it.ci),
            p95: p95.map(|it| it.estimate),
            p95_ci: p95.and_then(|it| it.ci),
            p95_p_value: is_treatment
                .then(|| quantiles::compare(control, values, 0.95, alpha))
                .flatten()
                .and_then(|it| it.p_value),
            geometric_ratio: geometric.map(|it| it.ratio),
            geometric_ratio_ci: geometric.and_then(|it| it.ratio_ci),
            mann_whitney: ranks.map(|it| [it.p_value, it.common_language_effect]),
        }
    };
    names.iter().zip(values).enumerate().map(of_arm).collect()
}

/// The first metric decides; of the others, those of one arm are adjusted together.
fn adjust_secondary(metrics: &mut [MetricFindings], of_test: usize) {
    let secondary = metrics.get_mut(1..of_test).unwrap_or_default();
    let treatments = secondary.first().map_or(0, |metric| metric.arms.len());
    for arm in 1..treatments {
        let known: Vec<_> = secondary
            .iter()
            .filter_map(|metric| {
                let sequential = metric.arms[arm].sequential.as_ref()?;
                sequential.p_value_running.or(sequential.p_value)
            })
            .collect();
        let fixed: Vec<_> =
            secondary.iter().filter_map(|metric| metric.arms[arm].fixed.as_ref().and_then(|it| it.p_value)).collect();
        let mut always = corrections::benjamini_hochberg(&known).into_iter();
        let mut once = corrections::benjamini_hochberg(&fixed).into_iter();
        for metric in secondary.iter_mut() {
            if let Some(it) = metric.arms[arm].sequential.as_mut() {
                it.p_adjusted = it.p_value_running.or(it.p_value).and_then(|_| always.next());
            }
            if let Some(it) = metric.arms[arm].fixed.as_mut() {
                it.p_adjusted = it.p_value.and_then(|_| once.next());
            }
        }
    }
}

fn guard(test: &TestRow, names: &[String], measured: &BTreeMap<String, Measured>) -> Vec<GuardrailFindings> {
    let (alpha, n_star) = (test.plan().alpha, test.plan().n_star);
    let mut found = Vec::new();
    for guardrail in &test.plan().guardrails {
        let Some(measured) = measured.get(&guardrail.metric.name) else { continue };
        for (place, name) in names.iter().enumerate().skip(1) {
            let (control, arm) = (&measured.controls[place - 1], &measured.arms[place]);
            let effect = arms::compare(control, arm, n_star, alpha);
            let scale = if guardrail.relative { control.value().map(f64::abs) } else { Some(1.0) };
            let margin = scale.map(|scale| guardrail.margin * scale).filter(|margin| *margin > 0.0);
            let n = control.n().saturating_add(arm.n());
            let lower_is_better = guardrail.metric.lower_is_better;
            let bounds = margin.zip(effect.diff).and_then(|(margin, diff)| match effect.method {
                Method::Asymptotic => {
                    guardrails::while_running((diff, effect.se?), margin, lower_is_better, (n, n_star), alpha)
                }
                Method::Exact => Some(guardrails::by_interval(diff, effect.look?.ci, margin, lower_is_better)),
            });
            let status = match bounds {
                Some(Bounds { verdict, .. }) if effect.ready => verdict,
                _ => Verdict::Inconclusive,
            };
            found.push(GuardrailFindings {
                arm: name.clone(),
                metric: guardrail.metric.name.clone(),
                margin,
                harm: bounds.map(|it| it.harm),
                lower: bounds.map(|it| it.lower),
                upper: bounds.map(|it| it.upper),
                status: status.as_str().to_owned(),
            });
        }
    }
    found
}

fn progress(test: &TestRow, measured: &BTreeMap<String, Measured>, units: &Units) -> Progress {
    let plan = test.plan();
    let treatments = count(test.variants().len().saturating_sub(1) as u64).max(1.0);
    let design = Design { alpha: plan.alpha / treatments, power: POWER, ratio: 1.0 };
    let control = plan.metrics.first().and_then(|metric| measured.get(&metric.name)?.arms.first().copied());
    let arms = treatments + 1.0;
    let (needed, mde) = match control {
        Some(Arm::Share { share, .. }) => {
            let baseline = share.estimate();
            let needed = baseline
                .zip(plan.mde)
                .map(|(baseline, mde)| (baseline, if baseline + mde <= 1.0 { baseline + mde } else { baseline - mde }))
                .and_then(|(baseline, target)| power::units_for_proportions(baseline, target.max(0.0), design));
            let found = baseline.and_then(|baseline| power::effect_for_proportions(baseline, share.trials, design));
            (needed, found)
        }
        Some(Arm::Mean(sample)) => {
            let sd = finite(sample.variance.sqrt()).filter(|sd| *sd > 0.0);
            let needed = sd.zip(plan.mde).and_then(|(sd, mde)| Some(power::units_for_means(sd, mde, design)?.guenther));
            (needed, sd.and_then(|sd| power::effect_for_means(sd, count(sample.n), design)))
        }
        None => (None, None),
    };
    // Nothing is decided before the burn-in is over.
    let needed = needed.map(|of_control| of_control.ceil().max(count(UNITS_MIN)));
    let planned_n = plan.planned_units.map(|units| count(u64::try_from(units).unwrap_or(0)));
    let planned_n = planned_n.or(needed.map(|of_control| of_control * arms));
    Progress { planned_n, mde, progress: planned_n.map(|planned| count(units.total()) / planned) }
}

/// What follows: the metric decides, unless something speaks against it.
fn decide(
    test: &TestRow,
    metrics: &[MetricFindings],
    srm: &SampleRatio,
    guardrails: &[GuardrailFindings],
    units: u64,
    now: Timestamp,
) -> Decision {
    let Some(first) = metrics.first() else { return Decision::new(DecisionState::Collecting, "no_metric", None) };
    let found = match test.plan().allocation {
        Allocation::Bandit => bandit::decide(&first.arms, test.plan()),
        Allocation::Fixed => analysis::decide(&first.arms, srm, &rules(test, &first.metric)),
    };
    if srm.status == Status::Mismatch.as_str() {
        return Decision::new(DecisionState::Invalid, "sample_ratio_mismatch", None);
    }
    let is_harmful = |arm: &str, status: &str| guardrails.iter().any(|it| it.arm == arm && it.status == status);
    let treatments = first.arms.iter().skip(1);
    if treatments.clone().count() > 0 && treatments.clone().all(|arm| is_harmful(&arm.name, "breach")) {
        let arm = treatments.clone().next().map(|arm| arm.name.as_str());
        return Decision::new(DecisionState::StoppedGuardrail, "guardrail_breach", arm);
    }
    let age = test.started_at.map_or(0.0, |started| now.since(started).as_secs_f64());
    match (found.state, found.arm.as_deref()) {
        (DecisionState::Winner, Some(arm)) if is_harmful(arm, "breach") || is_harmful(arm, "warn") => {
            Decision::new(DecisionState::Undecided, "guardrail", Some(arm))
        }
        (DecisionState::Winner | DecisionState::NoDifference, arm) if age < test.plan().min_hours * 3600.0 => {
            Decision::new(DecisionState::Undecided, "minimum_run_time", arm)
        }
        (DecisionState::Collecting | DecisionState::Undecided, _) if is_used_up(test, units, age) => {
            Decision::new(DecisionState::Inconclusive, "planned_end", None)
        }
        _ => found,
    }
}

fn is_used_up(test: &TestRow, units: u64, age: f64) -> bool {
    let plan = test.plan();
    test.status != AbTestStatus::Draft
        && (plan.max_days.is_some_and(|days| age >= days * 86_400.0)
            || plan.planned_units.is_some_and(|planned| units >= u64::try_from(planned).unwrap_or(u64::MAX)))
}
