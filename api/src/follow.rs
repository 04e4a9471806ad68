//! Events as they come, for as long as somebody listens: read in batches, and no faster than they are taken.
use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use shared::{App, notifications};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// So many may listen at once.
pub(crate) const FOLLOWERS_MAX: usize = 64;
/// The most events in memory for one of them.
const BATCH: i64 = 100;
/// Often enough for whatever stands between to believe that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Follower {
    app: App,
    after: i64,
    waiting: VecDeque<notifications::Event>,
    looks: Interval,
    _place: OwnedSemaphorePermit,
}

/// Every event after number `after`, in order. It ends when the store does, and when the database does not answer:
/// whoever listens comes back, and says what it has seen.
pub(crate) fn follow(
    app: App,
    after: i64,
    place: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut looks = interval(app.settings.tick);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower { app, after, waiting: VecDeque::new(), looks, _place: place };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Sse::new(events.take_until(shutdown.cancelled_owned())).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Follower {
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
