//! The job door: hears the bell, claims the job, runs it, writes down how it went.
mod dispatch;
mod runner;
mod scheduler;
pub mod server;
mod slots;

use std::time::{Duration, Instant};

use shared::{
    App, Caller, Error, Result,
    id::JobId,
    jobs::{self, Claim, Outcome, Queue},
    refinement, retry,
    telemetry::{JOB_SECONDS, JOBS_RUN},
    webhooks,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;

use slots::Slots;

/// After the signal to stop, so long may running jobs take. Whoever is cut off is run again by another.
const GRACE: Duration = Duration::from_secs(25);

/// The actor that the audit log keeps for what workers do by themselves.
const ACTOR: &str = "worker";

/// For what nobody ordered.
fn caller() -> Caller {
    Caller::system(ACTOR)
}

/// For what a request ordered.
fn caller_of(claim: &Claim) -> Caller {
    Caller::new(ACTOR, &claim.request_id, None)
}

/// Works jobs until `shutdown`, then finishes those that run. `instance` is this process's own name.
pub async fn run(app: App, instance: String, shutdown: CancellationToken) -> anyhow::Result<()> {
    count_from_zero(&app);
    let slots = Slots::new(app.clone());
    let scheduler = tokio::spawn(scheduler::run(slots.clone(), instance.clone(), shutdown.clone()));
    let working = async {
        runner::run(&slots, &instance, &shutdown).await;
        slots.finish().await;
    };
    let grace = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = working => {}
        () = grace => tracing::warn!("jobs still ran after {GRACE:?}; they are left to another worker"),
    }
    scheduler.await?;
    jobs::worker_gone(&app, &caller(), &instance).await?;
    Ok(())
}

/// Works one job to its end, or to the end of its turn. Does nothing if the job cannot be claimed.
pub async fn work(app: &App, id: JobId) -> Result<()> {
    let Some(claim) = jobs::claim(app, &caller(), id).await? else { return Ok(()) };
    let span = tracing::info_span!("job", request_id = claim.request_id, job.id = %id, queue = %claim.queue);
    work_claimed(app, claim).instrument(span).await
}

async fn work_claimed(app: &App, claim: Claim) -> Result<()> {
    let caller = caller_of(&claim);
    if claim.is_poison() {
        let error = Error::conflict("poison", "three workers in a row were lost over this job");
        return give_up(app, &claim, &error).await;
    }
    let started = Instant::now();
    let outcome = retry::races(|| hold_and_run(app, &claim)).await;
    metrics::histogram!(JOB_SECONDS, "queue" => claim.queue.name()).record(started.elapsed());
    match outcome {
        Ok(Outcome::Done) => {
            count(&claim, "done");
            jobs::settle_done(app, &caller, &claim).await
        }
        Ok(Outcome::Again) => {
            count(&claim, "again");
            jobs::settle_again(app, &caller, &claim).await
        }
        Ok(Outcome::Later(wait)) => {
            count(&claim, "later");
            jobs::settle_after(app, &caller, &claim, wait).await
        }
        Err(error) if error.code() == "lease-lost" => {
            count(&claim, "lost");
            tracing::warn!("another worker went on with this job");
            Ok(())
        }
        Err(error) if error.is_transient() && claim.may_retry() => {
            count(&claim, "later");
            tracing::warn!(error = error.for_log(), "the job is tried again later");
            jobs::settle_later(app, &caller, &claim, &error).await
        }
        Err(error) => give_up(app, &claim, &error).await,
    }
}

/// Runs a job in a task of its own, and keeps its lease alive meanwhile. A panic ends the job, not the worker.
async fn hold_and_run(app: &App, claim: &Claim) -> Result<Outcome> {
    let (its_app, its_claim) = (app.clone(), claim.clone());
    let mut task = AbortOnDropHandle::new(tokio::spawn(
        async move { dispatch::dispatch(&its_app, &caller_of(&its_claim), &its_claim).await }.in_current_span(),
    ));
    // A tick that is due at once takes a millisecond, which is longer than many jobs.
    let pause = app.settings.lease / 3;
    let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + pause, pause);
    loop {
        tokio::select! {
            ended = &mut task => {
                return ended.unwrap_or_else(|error| Err(Error::internal(format!("the job did not end: {error}"))));
            }
            _ = renewal.tick() => match jobs::renew(app, &caller_of(claim), claim).await {
                Err(error) if error.code() == "lease-lost" => return Err(error),
                Err(error) => tracing::warn!(error = error.for_log(), "could not renew a lease"),
                Ok(()) => {}
            }
        }
    }
}

/// The job is dead, and its domain knows it, in one transaction.
async fn give_up(app: &App, claim: &Claim, error: &Error) -> Result<()> {
    count(claim, "dead");
    tracing::error!(error = error.for_log(), "the job is given up");
    let mut tx = app.begin(&caller_of(claim)).await?;
    jobs::bury(&mut tx, claim, error).await?;
    dispatch::gave_up(&mut tx, claim).await?;
    tx.commit().await
}

/// How a run of a job can end.
const OUTCOMES: [&str; 5] = ["done", "again", "later", "lost", "dead"];

/// Every counter of what workers do, at 0: a series that begins with its first event has not risen, as Prometheus sees it.
fn count_from_zero(app: &App) {
    for queue in Queue::ALL {
        for outcome in OUTCOMES {
            metrics::counter!(JOBS_RUN, "queue" => queue.name(), "outcome" => outcome).increment(0);
        }
    }
    webhooks::count_from_zero();
    refinement::count_from_zero(app);
}

fn count(claim: &Claim, outcome: &'static str) {
    debug_assert!(OUTCOMES.contains(&outcome), "`{outcome}` is not counted from 0");
    metrics::counter!(JOBS_RUN, "queue" => claim.queue.name(), "outcome" => outcome).increment(1);
}
