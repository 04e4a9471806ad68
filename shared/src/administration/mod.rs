//! What an administrator does: looks at jobs, and has dead ones tried again or forgotten.
use crate::{
    app::{App, begin},
    audit,
    bulk::{self, RunSmallBulkOperation},
    caller::Caller,
    db::Tx,
    error::{Error, Result},
    id::JobId,
    jobs::{self, Claim, JobFilter, JobRow, Queue},
    page::{Page, PageRequest, Position, SortKey},
    refinement,
    webhooks::{self, DeliverWebhooks},
};

/// Jobs, the newest first. Those that ended well are kept for a day; dead ones until they are tried again or forgotten, or
/// for as long as the settings say.
pub async fn list_jobs(app: &App, filter: &JobFilter, request: &PageRequest) -> Result<Page<JobRow>> {
    let name = format!("jobs {filter:?}");
    let before = match request.after(&app.secret, &name)? {
        Some(Position { key: SortKey::Text(id), .. }) => Some(id),
        _ => None,
    };
    let (rows, total) = jobs::list(&mut app.db.read().await?, filter, before, request).await?;
    let position = |row: &JobRow| Position { key: SortKey::Text(row.id.to_string()), id: String::new() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// Has a dead job tried again at once, and tells its domain. 409, if it is not dead, or if another has been ordered in
/// its place.
pub async fn retry_job(app: &App, caller: &Caller, id: JobId) -> Result<JobRow> {
    let mut tx = begin!(app, caller);
    let Some(claim) = jobs::revive(&mut tx, id).await? else {
        let job = jobs::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("job", id))?;
        return Err(match job.state {
            jobs::JobState::Dead => Error::conflict(
                "job-superseded",
                "another job has been ordered in the place of this one, and is not over",
            ),
            state => Error::conflict("job-not-dead", format!("only a dead job is tried again; this one is {state}")),
        });
    };
    revive(&mut tx, &claim).await?;
    audit::record(&mut tx, "job.retried", id, None).await?;
    let job = jobs::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("job", id))?;
    tx.commit_with(&job).await?;
    Ok(job)
}

/// Throws a dead job away: whoever looked at it does not want it tried again. 409, if it is not dead.
pub async fn forget_job(app: &App, caller: &Caller, id: JobId) -> Result<()> {
    let mut tx = begin!(app, caller);
    if !jobs::forget(&mut tx, id).await? {
        let job = jobs::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("job", id))?;
        let detail = format!("only a dead job is forgotten; this one is {}", job.state);
        return Err(Error::conflict("job-not-dead", detail));
    }
    audit::record(&mut tx, "job.forgotten", id, None).await?;
    tx.commit_with(&()).await
}

/// Whoever was told that nobody will finish it learns that somebody will.
async fn revive(tx: &mut Tx, claim: &Claim) -> Result<()> {
    match claim.queue {
        Queue::BulkOperations => bulk::revive(tx, &claim.order()?).await,
        Queue::SmallBulkOperations => {
            let RunSmallBulkOperation(job) = claim.order()?;
            bulk::revive(tx, &job).await
        }
        Queue::RefinementSessions => refinement::revive(tx, &claim.order()?).await,
        // Nobody was told: it says for itself what is missing.
        Queue::SearchIndex
        | Queue::UsageRollups
        | Queue::Experiments
        | Queue::Drift
        | Queue::DocumentDeliveries
        | Queue::CacheWarmups => Ok(()),
        Queue::WebhookDeliveries => webhooks::revive(tx, &claim.order::<DeliverWebhooks>()?).await,
    }
}
