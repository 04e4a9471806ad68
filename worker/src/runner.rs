//! How the bell is heard: the only file, besides the doorbell itself, that knows apalis.
use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis::prelude::{BackendExt, BoxDynError, Monitor, PollSnapshot, PollStrategy, WorkerBuilder, WorkerBuilderExt};
use shared::{
    id::JobId,
    jobs::{Doorbell, Queue, redis_bell},
    retry,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::slots::Slots;

/// Between two looks into Redis.
const POLL_REDIS: Duration = Duration::from_millis(200);
/// In one process the bell wakes its listener itself.
const POLL_LOCAL: Duration = Duration::from_secs(5);
/// A bell that is lost again and again is not asked for more often, nor told of.
const LISTEN_AGAIN_MAX: Duration = Duration::from_mins(1);
/// A bell that could be heard for so long had been all right.
const STEADY: Duration = Duration::from_secs(30);

/// Listens to every queue until `shutdown`, and answers when the jobs that were heard of are over.
pub(crate) async fn run(slots: &Slots, instance: &str, shutdown: &CancellationToken) {
    futures::future::join_all(Queue::ALL.map(|queue| listen(slots, queue, instance, shutdown))).await;
}

/// Listens to one queue, and after each loss of the bell again, under another name: two workers of one name
/// would hide each other's lost rings.
async fn listen(slots: &Slots, queue: Queue, instance: &str, shutdown: &CancellationToken) {
    let (mut losses, mut restarts) = (0, 0);
    while !shutdown.is_cancelled() {
        if shutdown.run_until_cancelled(slots.app.doorbell.until_of_use()).await.is_none() {
            return;
        }
        let started = Instant::now();
        let monitor = register(Monitor::new(), slots, queue, format!("{instance}-{}-{restarts}", queue.name()));
        let context = monitor.context();
        let stop = shutdown.clone();
        let _stopping = AbortOnDropHandle::new(tokio::spawn(async move {
            stop.cancelled().await;
            let _ = context.shutdown();
        }));
        let ended = monitor.run().await;
        if shutdown.is_cancelled() {
            return;
        }
        (losses, restarts) = (if started.elapsed() > STEADY { 1 } else { losses + 1 }, restarts + 1);
        let wait = retry::delay(losses, Duration::from_millis(200), LISTEN_AGAIN_MAX);
        let why = ended.err().map_or("it ended".to_owned(), |error| error.to_string().trim().replace('\n', ""));
        // Where Redis itself is of no use, that is said once for all queues.
        if slots.app.doorbell.attempt_soon().await.is_ok() {
            tracing::warn!(%queue, why, ?wait, "the bell was lost; listening again");
        } else {
            tracing::debug!(%queue, why, ?wait, "the bell was lost; listening again");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}

fn register(monitor: Monitor, slots: &Slots, queue: Queue, name: String) -> Monitor {
    // Two bells of two types, one way to hear them.
    macro_rules! hear {
        ($bell:expr, $every:expr) => {{
            let (slots, bell) = (slots.clone(), $bell);
            monitor.register(move |_| {
                let slots = slots.clone();
                WorkerBuilder::new(name.clone())
                    .backend(bell.clone().poll_with_strategy(Tick::every($every)))
                    .concurrency(queue.concurrency())
                    .catch_panic()
                    .build(move |id: JobId| heard(slots.clone(), queue, id))
            })
        }};
    }
    match &slots.app.doorbell {
        Doorbell::Redis { connection, prefix, .. } => hear!(redis_bell(connection, prefix, queue), POLL_REDIS),
        Doorbell::Local(queues) => hear!(Doorbell::local_bell(queues, queue), POLL_LOCAL),
        Doorbell::Silent => monitor,
    }
}

/// Always answers Ok: the ledger knows how it went, and when to try again.
async fn heard(slots: Slots, queue: Queue, id: JobId) -> Result<(), BoxDynError> {
    slots.app.doorbell.heard(queue);
    slots.work(queue, id).await;
    Ok(())
}

/// Polls at a steady interval, and always leaves a waker behind.
struct Tick(tokio::time::Interval);

impl Tick {
    fn every(interval: Duration) -> Self {
        Self(tokio::time::interval(interval))
    }
}

impl PollStrategy for Tick {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut due = false;
        while self.0.poll_tick(cx).is_ready() {
            due = true;
        }
        if due { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
