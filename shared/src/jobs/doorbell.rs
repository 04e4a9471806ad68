//! The doorbell: tells a worker that a job is waiting. Losing a ring costs a moment, never a job.
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use apalis::prelude::TaskSink;
use apalis_core::{
    backend::{Vacuum, dequeue::VecDequeBackend},
    task::Task,
};
use apalis_redis::RedisStorage;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use super::{
    Queue,
    prefixed::Prefixed,
    standing::{self, Standing, Trouble},
};
use crate::{id::JobId, redis_client::CannotConnect};

/// So many ids may be outstanding in a queue: the backlog stays in the ledger.
pub const WINDOW: usize = 500;

/// Many who ring at the same moment all see that there is room. What was rung for is handed over to those who listen by a
/// script, all of it at once; beyond some 8000 ids that fails, and nobody would hear anything any more.
const HANDED_OVER_MOST: usize = 4000;

/// For all the rings of one commit. Whoever waits for an answer does not wait longer for a bell.
const RING_TIMEOUT: Duration = Duration::from_millis(250);
/// A person, or what asks for numbers, waits so long to hear how Redis stands.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);
/// How Redis stood so long ago is how it stands.
const FRESH: Duration = Duration::from_secs(2);
/// While Redis is of no use, listeners look so often whether it is again.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);
/// A stall of Redis shorter than this is waited out.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// What workers of this process hear: one bell a queue, whose clones are the same bell.
pub type LocalBell = VecDequeBackend<JobId>;
/// What workers of other processes hear.
pub type RedisBell = RedisStorage<JobId, Prefixed>;

/// Who is told.
#[derive(Clone)]
pub enum Doorbell {
    /// The worker in this process.
    Local(Arc<[LocalQueue; Queue::ALL.len()]>),
    /// Workers in other processes.
    Redis {
        /// Reconnects by itself.
        connection: Prefixed,
        /// Keeps deployments that share a Redis apart.
        prefix: Arc<str>,
        /// Whether it is of use.
        standing: Arc<Standing>,
    },
    /// Nobody: tests look at the ledger.
    Silent,
}

/// A queue within this process.
#[derive(Debug, Default)]
pub struct LocalQueue {
    bell: LocalBell,
    outstanding: AtomicUsize,
}

impl Doorbell {
    /// For a process that works its jobs itself.
    #[must_use]
    pub fn local() -> Self {
        Self::Local(Arc::default())
    }

    /// For processes that share a Redis. An error, if it does not answer; one that refuses what workers need may do it later.
    pub async fn redis(client: &redis::Client, prefix: &str) -> Result<Self, CannotConnect> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECTION_TIMEOUT))
            .set_number_of_retries(1);
        let connecting = client.get_connection_manager_with_config(config);
        let connecting = tokio::time::timeout(CONNECTION_TIMEOUT * 2, connecting).await;
        let connection = connecting.map_err(|_| CannotConnect::Away("it takes too long".to_owned()))??;
        let (connection, prefix) = (Prefixed::new(connection, prefix), prefix.into());
        let bell = Self::Redis { connection, prefix, standing: Arc::default() };
        match bell.attempt().await {
            Err(Trouble::Away(why)) => Err(CannotConnect::Away(why)),
            _ => Ok(bell),
        }
    }

    /// Rings for jobs of one queue, while its window has room, and answers for how many it rang. The rest is
    /// left to the scheduler.
    pub async fn ring(&self, queue: Queue, jobs: &[JobId]) -> usize {
        if matches!(self, Self::Silent) || jobs.is_empty() || !self.may_ring().await {
            return 0;
        }
        let ring = async {
            let room = self.room(queue).await?;
            let jobs = &jobs[..jobs.len().min(room)];
            match self {
                Self::Local(queues) => {
                    let local = &queues[queue as usize];
                    local.outstanding.fetch_add(jobs.len(), Ordering::Relaxed);
                    for job in jobs {
                        local.bell.clone().push(*job).await?;
                    }
                }
                Self::Redis { connection, prefix, .. } => {
                    let rings: Vec<Task<JobId>> = jobs.iter().copied().map(Task::new).collect();
                    redis_bell(connection, prefix, queue).push_all(futures::stream::iter(rings)).await?;
                }
                Self::Silent => {}
            }
            anyhow::Ok(jobs.len())
        };
        let failure = match tokio::time::timeout(RING_TIMEOUT, ring).await {
            Ok(Ok(rung)) => return rung,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "it takes too long".to_owned(),
        };
        tracing::debug!(%queue, failure, "could not ring, left to the scheduler");
        // Whether it is the bell that is of no use is found out at once, so that the next who rings need not wait for it.
        let _ = self.attempt_within(RING_TIMEOUT).await;
        0
    }

    /// Is the bell of use, as far as is known? After trouble, one finds out in a while.
    async fn may_ring(&self) -> bool {
        let Self::Redis { standing, .. } = self else { return true };
        match standing.trouble() {
            None => true,
            Some(_) if standing.rests() => false,
            Some(_) => self.attempt_within(RING_TIMEOUT).await.is_ok(),
        }
    }

    /// How many more ids the window of a queue takes.
    pub async fn room(&self, queue: Queue) -> anyhow::Result<usize> {
        let outstanding = match self {
            Self::Local(queues) => queues[queue as usize].outstanding.load(Ordering::Relaxed),
            Self::Redis { connection, prefix, .. } => {
                let config = redis_config(prefix, queue);
                let mut pipe = redis::pipe();
                pipe.llen(config.active_jobs_list()).zcard(config.scheduled_jobs_set());
                let mut connection = connection.plain();
                let lengths = tokio::time::timeout(RING_TIMEOUT, pipe.query_async(&mut connection));
                let (active, scheduled): (usize, usize) = lengths.await.context("it does not answer")??;
                if scheduled > HANDED_OVER_MOST {
                    hand_over(&mut connection, &config, scheduled).await?;
                }
                active + scheduled
            }
            Self::Silent => WINDOW,
        };
        Ok(WINDOW.saturating_sub(outstanding))
    }

    /// A ring was heard, so the window has room for another.
    pub fn heard(&self, queue: Queue) {
        if let Self::Local(queues) = self {
            let _ = queues[queue as usize]
                .outstanding
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        }
    }

    /// The bell of one queue in this process, to listen to.
    #[must_use]
    pub fn local_bell(queues: &[LocalQueue; Queue::ALL.len()], queue: Queue) -> LocalBell {
        queues[queue as usize].bell.clone()
    }

    /// Does Redis do what ringing and listening need? How long that took; nothing, where there is no Redis.
    pub async fn attempt(&self) -> Result<Option<Duration>, Trouble> {
        self.attempt_within(TRY_TIMEOUT).await
    }

    /// The same, for the scheduler, which has other things to do.
    pub async fn attempt_soon(&self) -> Result<(), Trouble> {
        self.attempt_within(RING_TIMEOUT).await.map(drop)
    }

    async fn attempt_within(&self, patience: Duration) -> Result<Option<Duration>, Trouble> {
        let Self::Redis { connection, prefix, standing } = self else { return Ok(None) };
        let (started, mut connection, attempt) = (Instant::now(), connection.plain(), standing::attempt(prefix));
        let answer = tokio::time::timeout(patience, attempt.query_async::<()>(&mut connection)).await;
        let outcome = match answer {
            Ok(answer) => answer.map_err(Trouble::from),
            Err(_) => Err(Trouble::Away(format!("not within {patience:?}"))),
        };
        standing.note(outcome.as_ref().err().cloned());
        outcome.map(|()| Some(started.elapsed()))
    }

    /// Is Redis of use to workers, as far as is known or can be found out at once? Nothing, where there is no Redis.
    pub async fn is_of_use(&self) -> Option<bool> {
        let Self::Redis { standing, .. } = self else { return None };
        if standing.is_younger_than(FRESH) {
            return Some(standing.trouble().is_none());
        }
        Some(self.attempt_within(RING_TIMEOUT).await.is_ok())
    }

    /// Answers once there is a bell to listen to, as far as the scheduler of this process knows.
    pub async fn until_of_use(&self) {
        let Self::Redis { standing, .. } = self else { return };
        while standing.trouble().is_some() {
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    /// Removes the traces of rings that were heard, which Redis would otherwise keep for ever.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        if let Self::Redis { connection, prefix, .. } = self {
            for queue in Queue::ALL {
                redis_bell(connection, prefix, queue).vacuum().await?;
                let done = redis_config(prefix, queue).done_jobs_set();
                redis::cmd("DEL").arg(done).query_async::<()>(&mut connection.plain()).await?;
            }
        }
        Ok(())
    }
}

/// The bell of one queue in Redis, to ring or to listen to.
#[must_use]
pub fn redis_bell(connection: &Prefixed, prefix: &str, queue: Queue) -> RedisBell {
    RedisStorage::new(connection.clone()).with_config(redis_config(prefix, queue))
}

fn redis_config(prefix: &str, queue: Queue) -> apalis_redis::Config {
    apalis_redis::Config::default()
        .queue(format!("{prefix}:{}", queue.name()))
        // With locks each job searches the whole backlog; the ledger's claim is the lock.
        .lock_tasks(false)
        // What was heard is crossed off. Otherwise Redis keeps it for ever, and rings for all of it when its worker is lost.
        .persist_results(true)
        .emit_events(false)
        .batch_size(queue.concurrency())
        .heartbeat_interval(Duration::from_secs(10))
        .missed_heartbeats(3)
}

/// Hands over what was rung for, without the script. What is lost on the way is rung for again.
async fn hand_over(
    connection: &mut ConnectionManager,
    config: &apalis_redis::Config,
    scheduled: usize,
) -> anyhow::Result<()> {
    let rung: Vec<(String, f64)> =
        redis::cmd("ZPOPMIN").arg(config.scheduled_jobs_set()).arg(scheduled).query_async(connection).await?;
    let ids: Vec<String> = rung.into_iter().map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    redis::cmd("RPUSH").arg(config.active_jobs_list()).arg(ids).query_async::<()>(connection).await?;
    Ok(())
}
