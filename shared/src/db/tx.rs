//! A unit of work: everything in it commits together, the jobs it enqueued included.
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use serde::Serialize;

use super::Conn;
use crate::{
    app::App,
    cache::{Cache, Mark},
    caller::{Caller, Scope},
    clock::Timestamp,
    config::Settings,
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
    cache: Cache,
    rings: Vec<(Queue, JobId)>,
    changed: Vec<Mark>,
    settings: Arc<Settings>,
    claimed: Option<Arc<str>>,
}

impl Tx {
    pub(crate) fn new(conn: Conn, caller: Caller, app: &App) -> Self {
        let (doorbell, cache, settings) = (app.doorbell.clone(), app.cache.clone(), Arc::clone(&app.settings));
        let (now, rings, changed, claimed) = (app.clock.now(), Vec::new(), Vec::new(), None);
        Self { conn, caller, now, doorbell, cache, rings, changed, settings, claimed }
    }

    /// It has claimed this idempotency key.
    pub(crate) fn keeps_answer_to(&mut self, key: Arc<str>) {
        self.claimed = Some(key);
    }

    /// Who asked for this.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// 403 `forbidden`, if its caller may not move this label.
    pub fn must_be_free_to_move(&self, label: &str) -> Result<()> {
        self.caller.must_know(label)?;
        self.must_be_free_to(label, "moving")
    }

    /// 403 `forbidden`, if its caller may not take away what one of these labels points at.
    pub fn must_be_free_to_withdraw<'l>(&self, labels: impl IntoIterator<Item = &'l String>) -> Result<()> {
        labels.into_iter().try_for_each(|label| self.must_be_free_to(label, "deleting or renaming what is behind"))
    }

    /// 403 `forbidden`, if its caller may not bring back what one of these labels points at: its readers would be served it.
    pub fn must_be_free_to_restore<'l>(&self, labels: impl IntoIterator<Item = &'l String>) -> Result<()> {
        labels.into_iter().try_for_each(|label| self.must_be_free_to(label, "restoring what is behind"))
    }

    /// 403 `forbidden`, if its caller may not have readers of this label served something else.
    pub fn must_be_free_to_divert(&self, label: &str) -> Result<()> {
        self.must_be_free_to(label, "a test behind")
    }

    fn must_be_free_to(&self, label: &str, doing: &str) -> Result<()> {
        if !self.settings.protected_labels.iter().any(|protected| protected == label) {
            return Ok(());
        }
        self.caller.must_be_allowed(Scope::PromptsPublish, &format!("{doing} the protected label `{label}`"))
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
        if jobs::insert(self, id, job).await? {
            self.rings.push((J::QUEUE, id));
        }
        Ok(())
    }

    /// What is kept of a thing is not to be used once this is committed.
    pub fn changes(&mut self, mark: Mark) {
        self.changed.push(mark);
    }

    /// Commits, then tells what has changed, and rings for what was enqueued.
    pub async fn commit(self) -> Result<()> {
        let Self { conn, doorbell, cache, rings, changed, .. } = self;
        let committed = conn.commit().await;
        // Also of a commit that failed: it may have arrived, and only its answer was lost.
        cache.changed(changed).await;
        committed?;
        for queue in Queue::ALL {
            let jobs: Vec<JobId> = rings.iter().filter(|(its, _)| *its == queue).map(|(_, job)| *job).collect();
            doorbell.ring(queue, &jobs).await;
        }
        Ok(())
    }

    /// Commits together with the answer, which whoever repeats the request gets again.
    pub async fn commit_with(mut self, answer: &impl Serialize) -> Result<()> {
        if let Some(key) = self.claimed.take() {
            idempotency::answer(&mut self, &key, answer).await?;
        }
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
