//! What happens, told as it happens to whoever listens: read in batches, and no faster than it is taken.
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, StatusCode, header},
    response::sse::{Event, KeepAlive, KeepAliveStream, Sse},
};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use shared::{
    App, Caller,
    bulk::{self, BulkOperation},
    caller::Scope,
    notifications,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{Door, access::Watched, problem::Problem};

/// So many may listen at once.
pub(crate) const FOLLOWERS_MAX: usize = 64;
/// The most events in memory for one of them.
const BATCH: i64 = 100;
/// Often enough for whatever stands between to believe that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stream of events, as an answer: no proxy may hold it back (nginx collects answers unless this header forbids it) and
/// no cache may keep it.
pub(crate) type Told =
    ([(HeaderName, &'static str); 2], Sse<KeepAliveStream<BoxStream<'static, Result<Event, Infallible>>>>);

const UNBUFFERED: [(HeaderName, &str); 2] =
    [(HeaderName::from_static("x-accel-buffering"), "no"), (header::CACHE_CONTROL, "no-store")];

/// Every event after number `after`, in order. It ends when the store does, when the database does not answer, and when the
/// listener's key is taken back: whoever listens comes back, and says what it has seen.
pub(crate) fn events(door: &Door, caller: &Caller, after: i64) -> Result<Told, Problem> {
    let follower = EventFollower { app: door.app.clone(), after, waiting: VecDeque::new(), looks: looks(&door.app) };
    let events = stream::unfold(follower, async |mut follower| Some((follower.next().await?, follower)));
    tell(door, Watched::begin(&door.app, caller, Scope::Webhooks), events)
}

/// How far an operation is: `progress` whenever something is done, and `done` at its end.
pub(crate) fn operation(door: &Door, caller: &Caller, first: BulkOperation) -> Result<Told, Problem> {
    let follower = OperationFollower { app: door.app.clone(), now: first, told: None, looks: looks(&door.app) };
    let events = stream::unfold(follower, async |mut follower| Some((follower.next().await?, follower)));
    tell(door, Watched::begin(&door.app, caller, Scope::Bulk), events)
}

fn looks(app: &App) -> Interval {
    let mut looks = interval(app.settings.tick);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// 503, if too many listen already.
fn tell(door: &Door, watched: Watched, events: impl Stream<Item = Event> + Send + 'static) -> Result<Told, Problem> {
    let place: OwnedSemaphorePermit = Arc::clone(&door.followers).try_acquire_owned().map_err(|_| {
        let detail = "too many follow what happens in this process; try again later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
    })?;
    let events = events.take_until(door.shutdown.clone().cancelled_owned());
    let events = events.take_until(watched.ended().cancelled_owned()).map(move |event| {
        // Given back with the stream.
        let _ = (&place, &watched);
        Ok(event)
    });
    Ok((UNBUFFERED, Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

struct EventFollower {
    app: App,
    after: i64,
    waiting: VecDeque<notifications::Event>,
    looks: Interval,
}

impl EventFollower {
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            match notifications::after(&self.app, self.after, BATCH).await {
                Ok(events) if events.is_empty() => drop(self.looks.tick().await),
                Ok(events) => self.waiting.extend(events),
                Err(error) => {
                    tracing::warn!(error = error.for_log(), "whoever followed events must come back");
                    return None;
                }
            }
        }
        let event = self.waiting.pop_front()?;
        self.after = event.sequence;
        let told = Event::default().id(event.sequence.to_string()).event(event.event_type.to_string());
        told.json_data(&event).ok()
    }
}

struct OperationFollower {
    app: App,
    now: BulkOperation,
    /// What was told last: where it stood, and how many items were worked.
    told: Option<(bulk::OperationStatus, i64)>,
    looks: Interval,
}

impl OperationFollower {
    async fn next(&mut self) -> Option<Event> {
        if self.told.is_some() && self.now.finished_at.is_some() {
            return None;
        }
        while self.told == Some((self.now.status, self.now.processed_items)) {
            self.looks.tick().await;
            // Whoever is cut off comes back and asks again.
            self.now = bulk::get(&self.app, self.now.id).await.ok()?;
        }
        self.told = Some((self.now.status, self.now.processed_items));
        let name = if self.now.finished_at.is_some() { "done" } else { "progress" };
        Event::default().event(name).json_data(&self.now).ok()
    }
}
