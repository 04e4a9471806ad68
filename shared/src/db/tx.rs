//! A unit of work: everything in it commits together, the jobs it enqueued included.
use std::ops::{Deref, DerefMut};

use serde::Serialize;

use super::Conn;
use crate::{
    caller::Caller,
    clock::Timestamp,
    error::Result,
    id::JobId,
    idempotency,
    jobs::{self, Doorbell, Job, Queue},
};

/// An open write transaction, whose it is, and what must be rung for once it is committed. Dropped
/// uncommitted, it rolls back.
///
/// Whoever takes `&App` opens and commits one ([`App::begin`](crate::App::begin)); whoever takes `&mut Tx` does
/// a part of it.
pub struct Tx {
    conn: Conn,
    caller: Caller,
    now: Timestamp,
    doorbell: Doorbell,
    rings: Vec<(Queue, JobId)>,
}

impl Tx {
    pub(crate) fn new(conn: Conn, caller: Caller, now: Timestamp, doorbell: Doorbell) -> Self {
        Self { conn, caller, now, doorbell, rings: Vec::new() }
    }

    /// Who asked for this.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When this transaction began: the one time that everything in it is written with.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes a job into the ledger, in this transaction. The same order twice, while the first waits or
    /// runs, is one job.
    pub async fn enqueue<J: Job>(&mut self, job: &J) -> Result<()> {
        let id = JobId::generate(self.now);
        if jobs::insert(&mut self.conn, id, job, self.now).await? {
            self.rings.push((J::QUEUE, id));
        }
        Ok(())
    }

    /// Commits, then rings for what was enqueued.
    pub async fn commit(self) -> Result<()> {
        let Self { conn, doorbell, rings, .. } = self;
        conn.commit().await?;
        for queue in Queue::ALL {
            let jobs: Vec<JobId> = rings.iter().filter(|(its, _)| *its == queue).map(|(_, job)| *job).collect();
            doorbell.ring(queue, &jobs).await;
        }
        Ok(())
    }

    /// Commits together with the answer, which whoever repeats the request gets again.
    pub async fn commit_with(mut self, answer: &impl Serialize) -> Result<()> {
        idempotency::answer(&mut self, answer).await?;
        self.commit().await
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
