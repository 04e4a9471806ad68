//! Where clients stand that wait for what there are few of: connections, processors.
//!
//! A line may be long, as those who come together are all served in a moment. But when more come than can be served, a long
//! line only makes everybody wait; so a line that has overflowed is kept short, until people find places free again. Whoever
//! finds it full is told to come back. Jobs do not stand in it.
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task_local,
    time::timeout,
};

use crate::error::{Error, Result};

/// A client waits no longer in a line, whoever is before it: that is time to come back and be told the same.
const PATIENCE: Duration = Duration::from_millis(4500);
/// So many stand in a line that is kept short.
const SHORT: usize = 8;
/// So many who find a place free make up for those who were refused, however many they were: a lull is not yet calm.
const MADE_UP_BY: usize = 64;

task_local! {
    /// Set while somebody waits for what the task does: may it be refused?
    static CLIENT: Cell<bool>;
}

/// Does what a client waits for: rather refused soon than done late.
pub async fn for_client<T>(work: impl Future<Output = T>) -> T {
    CLIENT.scope(Cell::new(true), work).await
}

fn may_be_refused() -> bool {
    CLIENT.try_with(Cell::get).unwrap_or(false)
}

/// From now on this task is not refused any more: what it has begun to write may have its effect.
pub(crate) fn has_begun_to_write() {
    let _ = CLIENT.try_with(|client| client.set(false));
}

/// A place, until it is given back. Who stands in no line has none.
pub(crate) type Place = Option<OwnedSemaphorePermit>;

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    what: &'static str,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    long: usize,
    /// How many must find a place free before the line may be long again.
    refused: AtomicUsize,
}

impl Line {
    /// Before so many places, in which so many may stand. `what` they wait for: `the database`.
    pub(crate) fn new(what: &'static str, places: usize, long: usize) -> Self {
        let (places, waiting) = (Arc::new(Semaphore::new(places)), AtomicUsize::new(0));
        Self { what, places, waiting, long, refused: AtomicUsize::new(0) }
    }

    /// Waits for a place, and answers how much of a client's patience is left. 503 `overloaded`, if the line is full, or does
    /// not move.
    pub(crate) async fn stand(&self) -> Result<(Place, Duration)> {
        if !may_be_refused() {
            return Ok((None, Duration::MAX));
        }
        let began = Instant::now();
        let place = self.place().await?;
        Ok((Some(place), PATIENCE.saturating_sub(began.elapsed())))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            let one_less = |refused: usize| refused.checked_sub(1);
            let _ = self.refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
            return Ok(place);
        }
        let waiting = Waiting::after(&self.waiting);
        let is_short = self.refused.load(Ordering::Relaxed) > 0;
        if waiting.others >= if is_short { SHORT } else { self.long } {
            self.refused.store(MADE_UP_BY, Ordering::Relaxed);
            return Err(self.refuse(waiting.others));
        }
        let Ok(place) = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await else {
            return Err(self.refuse(waiting.others));
        };
        place.map_err(|error| Error::Internal(error.into()))
    }

    /// Waits until every place is free.
    #[cfg(test)]
    pub(crate) async fn until_empty(&self, places: u32) {
        drop(self.places.acquire_many(places).await);
    }

    fn refuse(&self, others: usize) -> Error {
        let detail = "too many ask at once, and others are before you; try again in a moment";
        Error::Unavailable { code: "overloaded", detail, source: anyhow::anyhow!("{others} wait for {}", self.what) }
    }
}

/// One of those that wait. They are counted also where their client goes away.
struct Waiting<'l> {
    all: &'l AtomicUsize,
    others: usize,
}

impl<'l> Waiting<'l> {
    fn after(all: &'l AtomicUsize) -> Self {
        Self { all, others: all.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands in a line as a client, and stays there.
    async fn stand(line: &Line) -> Result<Place> {
        for_client(line.stand()).await.map(|(place, _)| place)
    }

    /// How many of a hundred who come at once wait, while nobody is served. Then they go away.
    async fn wait_at_once(line: &Line) -> usize {
        let mut coming: Vec<_> = (0..100).map(|_| Box::pin(stand(line))).collect();
        let mut waiting = 0;
        for one in &mut coming {
            waiting += usize::from(futures::poll!(one).is_pending());
        }
        waiting
    }

    #[tokio::test]
    async fn a_line_that_has_overflowed_is_short_until_places_are_free_again() {
        let line = Line::new("a test", 1, 32);
        let held = stand(&line).await.unwrap();
        assert_eq!(wait_at_once(&line).await, 32);
        assert_eq!(wait_at_once(&line).await, SHORT, "whoever goes away leaves the line");
        drop(held);
        for _ in 0..MADE_UP_BY - 1 {
            stand(&line).await.unwrap();
        }
        let held = stand(&line).await.unwrap();
        assert_eq!(wait_at_once(&line).await, 32, "long again");
        drop(held);
        stand(&line).await.unwrap();
        let held = stand(&line).await.unwrap();
        assert_eq!(wait_at_once(&line).await, SHORT, "a lull is not yet calm");
        drop(held);
    }

    #[tokio::test]
    async fn jobs_and_who_has_begun_to_write_stand_in_no_line() {
        let line = Line::new("a test", 1, 0);
        let held = stand(&line).await.unwrap();
        assert!(held.is_some());
        assert!(line.stand().await.unwrap().0.is_none(), "a job");
        let writer = for_client(async {
            assert!(line.stand().await.is_err());
            has_begun_to_write();
            line.stand().await
        });
        assert!(writer.await.unwrap().0.is_none());
    }
}
