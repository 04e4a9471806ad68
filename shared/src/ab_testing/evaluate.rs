//! Running tests are looked at every five minutes: what is found is written down, and what follows is done.
use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    AbTestResult, AbTestResults, AbTestStatus, bandit, choose,
    findings::DecisionState,
    model::TestRow,
    promote,
    report::LookFindings,
    repository::{self, EvaluationRow},
    results::{self, Looks},
    service,
};
use crate::{
    access,
    app::App,
    caller::Caller,
    db::{Json, Tx},
    error::{Error, Result},
    id::AbTestId,
    jobs::{Claim, Job, Outcome, Queue},
    stats::sequential::Running,
};

/// So often a running test is looked at.
const EVERY: Duration = Duration::from_mins(5);
/// The most jobs of one turn.
const ORDERS_MAX: i64 = 100;

/// Look at a running test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateAbTest {
    /// Which.
    pub test_id: AbTestId,
}

impl Job for EvaluateAbTest {
    const QUEUE: Queue = Queue::Experiments;

    fn unique_key(&self) -> Option<String> {
        Some(self.test_id.to_string())
    }
}

/// Orders the jobs of the tests that nobody has looked at for five minutes.
pub async fn order_evaluations(app: &App, caller: &Caller) -> Result<()> {
    let before = app.clock.now() - EVERY;
    let due = repository::to_evaluate(&mut app.db.read().await?, before, ORDERS_MAX).await?;
    for test_id in due {
        let job = EvaluateAbTest { test_id };
        if crate::jobs::is_ordered(&mut app.db.read().await?, &job, app.clock.now()).await? {
            continue;
        }
        let mut tx = app.begin(caller).await?;
        tx.enqueue(&job).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Looks at a test, and does what follows: an arm that does harm gets no more units, and a test that is decided ends.
pub async fn evaluate(app: &App, claim: &Claim, caller: &Caller, id: AbTestId) -> Result<Outcome> {
    let now = app.clock.now();
    let (test, found, looks) = {
        let mut conn = app.db.read_at_once().await?;
        let Some(test) = repository::find(&mut conn, id).await? else { return Ok(Outcome::Done) };
        if test.status != AbTestStatus::Running {
            return Ok(Outcome::Done);
        }
        let (mut looks, _) = results::evaluations(&mut conn, id, &test).await?;
        let found = results::evaluate(&mut conn, test.clone(), &mut looks, now).await?;
        (test, found, looks)
    };
    // What follows may do what whoever made the test may do now.
    let grant = Arc::new(access::grant_of(app, &test.created_by).await?);
    let caller = Caller::with(grant, caller.actor.clone(), &caller.request_id, None);
    let mut refusal = None;
    loop {
        let mut tx = app.begin(&caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        let row = service::hold(&mut tx, id).await?;
        // Somebody has changed it meanwhile: the next look is at what it has become.
        if row.updated_at != test.updated_at || row.status != test.status {
            return Ok(Outcome::Again);
        }
        match write(&mut tx, row, &found, &looks, refusal.take()).await {
            Ok(Refused::No) => {
                tx.commit().await?;
                return Ok(Outcome::Done);
            }
            // What was written of the promotion goes with the transaction; the test ends in the next, without it.
            Ok(Refused::Promotion(why)) => refusal = Some(why),
            Err(error) => return Err(error),
        }
    }
}

/// Nobody will finish the look at a test: its turn comes again with the next, and it says so. Part of the transaction that
/// buries the job.
pub async fn gave_up(tx: &mut Tx, job: &EvaluateAbTest) -> Result<()> {
    let note = "the last look at it failed; its job is among the dead ones";
    let now = tx.now();
    repository::put_off(tx, job.test_id, now, note).await
}

/// Was what follows refused, so that nothing of the transaction may stay?
enum Refused {
    No,
    /// Of the label's move to the winner, with the reason.
    Promotion(String),
}

/// Writes a look down, and what follows. `refusal` is why its winner is not promoted.
async fn write(
    tx: &mut Tx,
    mut row: TestRow,
    found: &AbTestResults,
    looks: &Looks,
    refusal: Option<String>,
) -> Result<Refused> {
    let json = |value: serde_json::Result<serde_json::Value>| value.map_err(|error| Error::Internal(error.into()));
    let shown = |looks: &Vec<Running>| looks.iter().copied().map(LookFindings::from).collect::<Vec<_>>();
    let looks: std::collections::BTreeMap<_, _> = looks.iter().map(|(name, it)| (name, shown(it))).collect();
    let units: u64 = found.units.values().sum();
    let evaluation = EvaluationRow {
        at: tx.now(),
        units: i64::try_from(units).unwrap_or(i64::MAX),
        running: Json(json(serde_json::to_value(&looks))?),
        decision: Json(json(serde_json::to_value(&found.decision))?),
    };
    repository::insert_evaluation(tx, row.id, &evaluation).await?;
    row.evaluated_at = tx.now();
    row.note = None;
    let end = match found.decision.state {
        DecisionState::Winner => Some(AbTestResult::Winner),
        DecisionState::NoDifference => Some(AbTestResult::NoDifference),
        DecisionState::Inconclusive => Some(AbTestResult::Inconclusive),
        DecisionState::StoppedGuardrail => Some(AbTestResult::StoppedGuardrail),
        // Readable, with a banner, until somebody has looked at why.
        DecisionState::Invalid | DecisionState::Collecting | DecisionState::Undecided => None,
    };
    if let Some(end) = end {
        row.winner.clone_from(&found.winner);
        let forbidden = || promote::check_promotion(tx, &row).err().map(|error| error.to_string());
        let refusal = if row.plan().promote { refusal.or_else(forbidden) } else { None };
        if row.plan().promote && refusal.is_none() {
            match promote::promote(tx, &row).await {
                Ok(()) => {}
                Err(error) if choose::is_gone(&error) => {
                    return Ok(Refused::Promotion(error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        row.note = refusal.map(|refusal| format!("not promoted: {refusal}"));
        service::end(tx, row, end).await?;
        return Ok(Refused::No);
    }
    let dealt = bandit::weights(&row, found, tx.now()).unwrap_or_else(|| row.weights_bp.0.clone());
    let weights = without_harm(&row, found, dealt);
    if weights.as_ref().is_some_and(|weights| *weights != row.weights_bp.0) {
        let coverage = row.coverage_bp;
        service::deal(tx, &mut row, coverage, weights.unwrap_or_default()).await?;
        service::save(tx, row, "ab_test.dealt_anew").await?;
        return Ok(Refused::No);
    }
    repository::update(tx, &row).await?;
    Ok(Refused::No)
}

/// The weights where an arm that does more harm than it may gives its share to the control.
fn without_harm(row: &TestRow, found: &AbTestResults, mut weights: Vec<u16>) -> Option<Vec<u16>> {
    for harm in found.guardrails.iter().filter(|it| it.status == "breach") {
        let arm = row.arm(&harm.arm)?;
        let freed = std::mem::take(weights.get_mut(arm)?);
        *weights.first_mut()? += freed;
    }
    Some(weights)
}
