//! The ledger: the table of jobs and its state machine, the only place either is changed.
//!
//! ```text
//! available ──claim──▶ running ──▶ done
//!     ▲                  │  └────▶ dead   refused, tried too often, or lost by three workers in a row
//!     └── again, later ──┘
//! ```
//!
//! `run_at` says when the next claim may come: for an available job when it is due, for a running one when
//! its lease ends. So one condition finds retries and the jobs of lost workers alike. Every claim raises the
//! `fence`; whatever a worker writes is bound to the fence it was given, so a worker that comes back late
//! writes nothing.
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Depth, Job, JobFilter, JobRow, Queue, postgres, sqlite};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::{Conn, Dialect, FromRow, Query, Tx, params},
    error::{Error, Result},
    id::JobId,
    page::PageRequest,
};

/// So many workers may lose a job in a row before it is called poison.
const LOST_MAX: i64 = 3;

/// Between the second loss and the third claim: long enough for a person or a supervisor to see it.
const QUARANTINE: Duration = Duration::from_mins(1);

/// What is ordered by itself, again and again, rests so long after it was given up.
const REST: Duration = Duration::from_mins(5);

/// A ring that nobody answered is repeated after this.
const RING_AGAIN: Duration = Duration::from_secs(10);

/// A job that is ours, until its lease runs out and another claims it.
#[derive(Clone, Debug, FromRow)]
pub struct Claim {
    /// Which job.
    pub id: JobId,
    /// What kind of work it is.
    pub queue: Queue,
    /// The request it was ordered by.
    pub request_id: String,
    payload: String,
    fence: i64,
    attempts: i64,
    claims: i64,
}

/// How a piece of work ended, where it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// There is more, and others shall have their turn first.
    Again,
    /// There is more, after so long.
    Later(Duration),
}

impl Claim {
    /// What the job is to do.
    pub fn order<J: Job + DeserializeOwned>(&self) -> Result<J> {
        serde_json::from_str(&self.payload).map_err(|error| Error::Internal(error.into()))
    }

    /// Have three workers in a row been lost over it?
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.claims > LOST_MAX
    }

    /// May it be tried again after a transient error?
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.attempts + 1 < Queue::ATTEMPTS
    }

    /// When a retry would be due.
    #[must_use]
    pub fn retry_at(&self, now: Timestamp) -> Timestamp {
        now + self.queue.retry_delay(self.attempts + 1)
    }

    /// Progress: the lease begins anew, and losses are counted from here. Part of the transaction that holds
    /// the effects, which fails as a whole if the job is no longer ours.
    pub async fn hold(&self, tx: &mut Tx, lease: Duration) -> Result<()> {
        let lease_end = tx.now() + lease;
        owned(tx.execute(HOLD, params![self.id, self.fence, lease_end]).await?)
    }

    /// Its worker still lives: the lease begins anew, without counting as progress. It fails like [`hold`](Self::hold).
    pub async fn keep(&self, tx: &mut Tx, lease: Duration) -> Result<()> {
        let lease_end = tx.now() + lease;
        owned(tx.execute(KEEP, params![self.id, self.fence, lease_end, quarantine()]).await?)
    }
}

fn owned(rows: u64) -> Result<()> {
    if rows == 1 || cfg!(feature = "unfenced") {
        return Ok(());
    }
    Err(Error::conflict("lease-lost", "another worker has this job now"))
}

const INSERT: &str = "INSERT INTO jobs (id, queue, payload, unique_key, run_at, created_at, request_id)
                      VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT DO NOTHING";

/// Answers whether the job is new: a waiting or running one with its key is not doubled.
pub(crate) async fn insert<J: Job>(tx: &mut Tx, id: JobId, job: &J) -> Result<bool> {
    let payload = serde_json::to_string(job).map_err(|error| Error::Internal(error.into()))?;
    let (now, request_id) = (tx.now(), tx.caller().request_id.clone());
    Ok(tx.execute(INSERT, params![id, J::QUEUE, payload, job.unique_key(), now, &*request_id]).await? == 1)
}

/// Takes a job that is due, or that its last worker did not finish in time. `None`: someone else has it, or
/// it is over.
pub async fn claim(app: &App, caller: &Caller, id: JobId) -> Result<Option<Claim>> {
    let mut conn = app.db.read().await?;
    // Many rings come twice. Where there is but one writer, only a job that can be claimed is worth it.
    if matches!(conn.dialect(), Dialect::Sqlite) {
        let (claimable,): (i64,) = conn.fetch_one(CLAIMABLE, params![id, app.clock.now()]).await?;
        if claimable == 0 {
            return Ok(None);
        }
    }
    drop(conn);
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    let statement = tx.dialect().choose(sqlite::CLAIM, postgres::CLAIM);
    let claim = tx.fetch_optional(statement, params![id, now, now + app.settings.lease, quarantine()]).await?;
    tx.commit().await?;
    Ok(claim)
}

/// What the lease of a second claim has on top, so that the third comes so much later.
fn quarantine() -> i64 {
    i64::try_from(QUARANTINE.as_millis()).unwrap_or(i64::MAX)
}

const COUNT_ORDERED: &str = "SELECT (SELECT count(*) FROM jobs
                                     WHERE queue = $1 AND unique_key = $2 AND state IN ('available', 'running'))
                                  + (SELECT count(*) FROM jobs
                                     WHERE queue = $1 AND unique_key = $2 AND state = 'dead' AND finished_at > $3)";

/// Is a job that is ordered again and again not to be ordered now? One like it waits or runs, or was given up less than
/// five minutes ago: the next would end as it did.
pub(crate) async fn is_ordered<J: Job>(conn: &mut Conn, job: &J, now: Timestamp) -> Result<bool> {
    let (key, since) = (job.unique_key(), now - REST);
    let (ordered,): (i64,) = conn.fetch_one(COUNT_ORDERED, params![J::QUEUE, key, since]).await?;
    Ok(ordered > 0)
}

const CLAIMABLE: &str = "SELECT count(*) FROM jobs
                         WHERE id = $1 AND state IN ('available', 'running') AND run_at <= $2";

const HOLD: &str = "UPDATE jobs SET run_at = $3, claims = 0 WHERE id = $1 AND state = 'running' AND fence = $2";

const KEEP: &str = "UPDATE jobs SET run_at = $3 + CASE claims WHEN 2 THEN $4 ELSE 0 END
                    WHERE id = $1 AND state = 'running' AND fence = $2";

/// Keeps a job while it runs.
pub async fn renew(app: &App, caller: &Caller, claim: &Claim) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    claim.keep(&mut tx, app.settings.lease).await?;
    tx.commit().await
}

const SETTLE: &str = "UPDATE jobs SET state = $3, run_at = $4, attempts = $5, claims = 0, last_error = $6,
                             finished_at = $7
                      WHERE id = $1 AND state = 'running' AND fence = $2";

async fn settle(
    tx: &mut Tx,
    claim: &Claim,
    state: &str,
    run_at: Timestamp,
    attempts: i64,
    error: Option<String>,
) -> Result<()> {
    let finished_at = matches!(state, "done" | "dead").then_some(tx.now());
    owned(tx.execute(SETTLE, params![claim.id, claim.fence, state, run_at, attempts, error, finished_at]).await?)
}

/// It is over, and went well.
pub async fn settle_done(app: &App, caller: &Caller, claim: &Claim) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    settle(&mut tx, claim, "done", now, claim.attempts, None).await?;
    tx.commit().await
}

/// It waits for its next turn, which may come at once. Answers after the bell has rung.
pub async fn settle_again(app: &App, caller: &Caller, claim: &Claim) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    settle(&mut tx, claim, "available", now, claim.attempts, None).await?;
    tx.commit().await?;
    app.doorbell.ring(claim.queue, &[claim.id]).await;
    Ok(())
}

/// It waits for so long.
pub async fn settle_after(app: &App, caller: &Caller, claim: &Claim, wait: Duration) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let run_at = tx.now() + wait;
    settle(&mut tx, claim, "available", run_at, claim.attempts, None).await?;
    tx.commit().await
}

/// It met a transient error, and is tried again at [`Claim::retry_at`].
pub async fn settle_later(app: &App, caller: &Caller, claim: &Claim, error: &Error) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let run_at = claim.retry_at(tx.now());
    settle(&mut tx, claim, "available", run_at, claim.attempts + 1, Some(error.for_log())).await?;
    tx.commit().await
}

const FORGET_EARLIER: &str = "DELETE FROM jobs WHERE state = 'dead' AND id <> $1
                                AND (queue, unique_key) = (SELECT queue, unique_key FROM jobs WHERE id = $1)";

/// It is over, and went wrong. Part of the transaction in which its domain gives it up. Of jobs that were to do the same,
/// only the last is kept.
pub async fn bury(tx: &mut Tx, claim: &Claim, error: &Error) -> Result<()> {
    tx.execute(FORGET_EARLIER, params![claim.id]).await?;
    settle(tx, claim, "dead", tx.now(), claim.attempts + 1, Some(error.for_log())).await
}

const DUE: &str = "SELECT id, queue FROM jobs
                   WHERE queue = $1 AND state IN ('available', 'running') AND run_at <= $2
                   ORDER BY run_at, id LIMIT $3";

/// The first `most` jobs of a queue that can be claimed now.
pub async fn due(app: &App, queue: Queue, most: i64) -> Result<Vec<JobId>> {
    let mut conn = app.db.read().await?;
    let rows: Vec<(JobId, Queue)> = conn.fetch_all(DUE, params![queue, app.clock.now(), most]).await?;
    Ok(rows.into_iter().map(|(id, _)| id).collect())
}

const WAITING: &str = "SELECT DISTINCT queue FROM jobs
                       WHERE state IN ('available', 'running') AND run_at <= $1
                         AND (rung_at IS NULL OR rung_at < run_at OR rung_at <= $2)
                       ORDER BY queue";

/// The queues that have a job to ring for now.
pub async fn waiting(app: &App) -> Result<Vec<Queue>> {
    let now = app.clock.now();
    let rows: Vec<(Queue,)> = app.db.read().await?.fetch_all(WAITING, params![now, now - RING_AGAIN]).await?;
    Ok(rows.into_iter().map(|(queue,)| queue).collect())
}

/// The jobs to ring for now, at most `most`: due, and not rung for a moment ago by another scheduler.
pub async fn take_due(app: &App, caller: &Caller, queue: Queue, most: i64) -> Result<Vec<JobId>> {
    if most <= 0 {
        return Ok(Vec::new());
    }
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    let statement = tx.dialect().choose(sqlite::TAKE_DUE, postgres::TAKE_DUE);
    let rows: Vec<(JobId,)> = tx.fetch_all(statement, params![queue, now, now - RING_AGAIN, most]).await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const DEPTHS: &str = "SELECT queue, state, count(*) AS jobs, min(run_at) AS oldest_run_at FROM jobs
                      GROUP BY queue, state ORDER BY queue, state";

/// How full every queue is.
pub async fn depths(app: &App) -> Result<Vec<Depth>> {
    app.db.read().await?.fetch_all(DEPTHS, params![]).await
}

const COUNT: &str = "SELECT count(*) FROM jobs WHERE 1 = 1";
const SELECT: &str = "SELECT id, queue, state, attempts, last_error AS error, created_at, run_at, finished_at FROM jobs
                      WHERE 1 = 1";

/// Jobs before one, the newest first, and how many there are in all.
pub(crate) async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    before: Option<String>,
    request: &PageRequest,
) -> Result<(Vec<JobRow>, i64)> {
    fn matching<'a>(query: Query<'a>, filter: &'a JobFilter) -> Query<'a> {
        query.and("state = ?", &filter.state).and("queue = ?", &filter.queue)
    }
    let counted = matching(Query::new(COUNT), filter);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let query = matching(Query::new(SELECT), filter).and("id < ?", &before);
    let query = query.then("ORDER BY id DESC LIMIT ? OFFSET ?", &[&limit, &offset]);
    let rows: Vec<JobRow> = conn.fetch_all(&query, query.params()).await?;
    Ok((rows.into_iter().map(JobRow::brief).collect(), total))
}

const FIND: &str = "SELECT id, queue, state, attempts, last_error AS error, created_at, run_at, finished_at FROM jobs
                    WHERE id = $1";

/// One job.
pub(crate) async fn find(conn: &mut Conn, id: JobId) -> Result<Option<JobRow>> {
    let row: Option<JobRow> = conn.fetch_optional(FIND, params![id]).await?;
    Ok(row.map(JobRow::brief))
}

const REVIVE: &str = "UPDATE jobs SET state = 'available', run_at = $2, attempts = 0, claims = 0, rung_at = NULL,
                             finished_at = NULL
                      WHERE id = $1 AND state = 'dead'
                        AND NOT EXISTS (SELECT 1 FROM jobs AS other
                                        WHERE other.queue = jobs.queue AND other.unique_key = jobs.unique_key
                                          AND other.state IN ('available', 'running'))
                      RETURNING id, queue, request_id, payload, fence, attempts, claims";

/// Has a dead job tried again, unless it is not dead, or another waits or runs in its place.
pub(crate) async fn revive(tx: &mut Tx, id: JobId) -> Result<Option<Claim>> {
    let now = tx.now();
    tx.fetch_optional(REVIVE, params![id, now]).await
}

const PURGE_DONE: &str = "DELETE FROM jobs WHERE id IN
                          (SELECT id FROM jobs WHERE state = 'done' AND finished_at <= $1 ORDER BY finished_at LIMIT $2)";
const PURGE_DEAD: &str = "DELETE FROM jobs WHERE id IN
                          (SELECT id FROM jobs WHERE state = 'dead' AND finished_at <= $1 ORDER BY finished_at LIMIT $2)";

/// Throws away at most `most` jobs each, that ended well before `done`, or were given up before `dead`.
pub async fn purge(app: &App, caller: &Caller, (done, dead): (Timestamp, Timestamp), most: i64) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    tx.execute(PURGE_DONE, params![done, most]).await?;
    tx.execute(PURGE_DEAD, params![dead, most]).await?;
    tx.commit().await
}

const FORGET: &str = "DELETE FROM jobs WHERE id = $1 AND state = 'dead'";

/// Throws a dead job away. Answers whether it was one.
pub(crate) async fn forget(tx: &mut Tx, id: JobId) -> Result<bool> {
    Ok(tx.execute(FORGET, params![id]).await? == 1)
}

const SEEN: &str = "INSERT INTO workers (instance, started_at, seen_at) VALUES ($1, $2, $2)
                    ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at";
const FORGET_SILENT: &str = "DELETE FROM workers WHERE seen_at < $1";

/// A worker says that it lives. Those that have been silent for an hour are forgotten.
pub async fn worker_seen(app: &App, caller: &Caller, instance: &str) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    tx.execute(FORGET_SILENT, params![now - Duration::from_hours(1)]).await?;
    tx.execute(SEEN, params![instance, now]).await?;
    tx.commit().await
}

const NOBODY_FROM_THE_FUTURE: &str = "UPDATE workers SET seen_at = $1 WHERE seen_at > $1";
const BRING_FORWARD: &str = "UPDATE jobs SET run_at = run_at - $2, rung_at = NULL
                             WHERE state IN ('available', 'running') AND run_at > $1";

/// The clock was set back by so much: what waits, and every lease, ends as much sooner by it. Part of the transaction that
/// does the same for what others wait for. Answers whether this is the first to do so: of the workers of one machine each
/// sees it.
pub async fn bring_forward(tx: &mut Tx, by: Duration) -> Result<bool> {
    let now = tx.now();
    if tx.execute(NOBODY_FROM_THE_FUTURE, params![now]).await? == 0 {
        return Ok(false);
    }
    let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    tx.execute(BRING_FORWARD, params![now, millis]).await?;
    Ok(true)
}

const GONE: &str = "DELETE FROM workers WHERE instance = $1";

/// A worker says that it ends.
pub async fn worker_gone(app: &App, caller: &Caller, instance: &str) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    tx.execute(GONE, params![instance]).await?;
    tx.commit().await
}

const COUNT_WORKERS: &str = "SELECT count(*) FROM workers WHERE seen_at >= $1";

/// How many workers said a moment ago that they live.
pub async fn live_workers(app: &App) -> Result<i64> {
    let since = app.clock.now() - WORKER_SILENCE;
    let (count,) = app.db.read().await?.fetch_one(COUNT_WORKERS, params![since]).await?;
    Ok(count)
}

/// A worker silent for this long is taken for dead.
const WORKER_SILENCE: Duration = Duration::from_secs(15);
