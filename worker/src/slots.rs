//! Places to work at: so many for each queue, whoever heard of the job.
//!
//! A job runs in a task of its own, not in the future that heard of it: when apalis loses Redis it drops
//! that future, and the job goes on.
use std::sync::Arc;

use shared::{App, id::JobId, jobs::Queue};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

#[derive(Clone)]
pub(crate) struct Slots {
    pub(crate) app: App,
    places: [Arc<Semaphore>; Queue::ALL.len()],
    running: TaskTracker,
}

impl Slots {
    pub(crate) fn new(app: App) -> Self {
        let places = Queue::ALL.map(|queue| Arc::new(Semaphore::new(queue.concurrency())));
        Self { app, places, running: TaskTracker::new() }
    }

    /// How many more jobs of a queue can run now.
    pub(crate) fn free(&self, queue: Queue) -> usize {
        self.places[queue as usize].available_permits()
    }

    /// Waits for a place, works the job there, and answers when it is over.
    pub(crate) async fn work(&self, queue: Queue, id: JobId) {
        let Ok(place) = Arc::clone(&self.places[queue as usize]).acquire_owned().await else { return };
        let app = self.app.clone();
        let task = self.running.spawn(async move {
            if let Err(error) = crate::work(&app, id).await {
                tracing::error!(job.id = %id, error = error.for_log(), "could not claim or settle; left to the scheduler");
            }
            drop(place);
        });
        // A panic was already the end of the job; there is nothing to add.
        let _ = task.await;
    }

    /// Answers when no job runs any more.
    pub(crate) async fn finish(&self) {
        self.running.close();
        self.running.wait().await;
    }
}
