//! Writing events down, giving them their order, and reading them in it.
use std::{fmt::Display, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{Event, EventCount, EventKind, EventType, repository};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result},
    id::EventId,
};

/// Events, and what became of their deliveries, are kept this long.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// An object larger than this is not kept with its event; whoever wants it reads it.
const OBJECT_BYTES_MAX: usize = 256 * 1024;

/// What is told of an object that something happens to.
pub struct News {
    pub(super) subject_id: String,
    pub(super) data: Value,
    pub(super) object: Option<String>,
}

impl News {
    /// `object` is the whole of it, for those who want that.
    pub fn new(subject_id: impl Display, data: Value, object: &(impl Serialize + Sync)) -> Result<Self> {
        let object = serde_json::to_string(object).map_err(|error| Error::Internal(error.into()))?;
        let object = Some(object).filter(|object| object.len() <= OBJECT_BYTES_MAX);
        Ok(Self { subject_id: subject_id.to_string(), data, object })
    }
}

/// Writes down that something happens to the object with this id, in the transaction in which it happens. `object` is the
/// whole of it, for those who want that.
pub async fn announce(
    tx: &mut Tx,
    event_type: EventType,
    subject_id: impl Display,
    data: Value,
    object: &(impl Serialize + Sync),
) -> Result<()> {
    announce_many(tx, event_type, &[News::new(subject_id, data, object)?]).await
}

/// The same of many objects.
pub async fn announce_many(tx: &mut Tx, event_type: EventType, news: &[News]) -> Result<()> {
    repository::insert(tx, event_type, news).await
}

/// Says whether objects are to be kept with the events that are written from now on.
pub async fn keep_objects(tx: &mut Tx, keep: bool) -> Result<()> {
    repository::set_keeps_object(tx, keep).await
}

/// Gives their sequence to the first `most` events that have none, and answers those.
///
/// Two transactions may commit in another order than they wrote, so an event that is seen first may have been written
/// last. What has a sequence was committed before, and those who give one take turns: nothing ever appears before
/// what a reader has read. Of two events of which one follows from the other, the first was committed when the second
/// was written, so `ordinal` has them in order.
pub async fn seal(tx: &mut Tx, most: i64) -> Result<Vec<Event>> {
    let last = repository::lock(tx).await?;
    match repository::seal(tx, last, most).await? {
        0 => Ok(Vec::new()),
        sealed => repository::after(tx, last, sealed).await,
    }
}

/// The last sequence that was given. Nobody else gives one until the transaction ends.
pub async fn last(tx: &mut Tx) -> Result<i64> {
    repository::lock(tx).await
}

/// Has anything happened that has no sequence yet?
pub async fn announced(app: &App) -> Result<bool> {
    repository::is_unsealed(&mut app.db.read().await?).await
}

/// The first events after a sequence, at most `most`.
pub async fn after(app: &App, sequence: i64, most: i64) -> Result<Vec<Event>> {
    repository::after(&mut app.db.read().await?, sequence, most).await
}

/// Where a reader begins who has seen everything up to `last`: there; at the end, if it says nothing; at the
/// beginning of what is kept, if it says 0.
pub async fn position(app: &App, last: Option<i64>) -> Result<i64> {
    let (first, end) = repository::extent(&mut app.db.read().await?).await?;
    match last {
        None => Ok(end),
        Some(0) => Ok(first - 1),
        Some(last) if last < first - 1 => Err(Error::conflict(
            "events-gone",
            format!(
                "the events up to {} are no longer kept; go on from 0, and read anew what you may have missed",
                first - 1
            ),
        )),
        Some(last) if last > end => Err(Error::Invalid {
            code: "bad-cursor",
            detail: format!("no event has the number {last}; the last one is {end}"),
            violations: Vec::new(),
        }),
        Some(last) => Ok(last),
    }
}

/// One event, and the whole of its object where that is kept.
pub async fn event(conn: &mut Conn, id: EventId) -> Result<Option<(Event, Option<String>)>> {
    let Some(event) = repository::find(conn, id).await? else { return Ok(None) };
    Ok(Some((event, repository::object(conn, id).await?)))
}

/// The events of a time, at most `most`.
pub async fn between(conn: &mut Conn, since: Timestamp, until: Timestamp, most: i64) -> Result<Vec<Event>> {
    repository::between(conn, since, until, most).await
}

/// The last events, the newest first.
pub async fn recent(conn: &mut Conn, most: i64) -> Result<Vec<Event>> {
    repository::recent(conn, most).await
}

/// How many events of which type are kept.
pub async fn counts(conn: &mut Conn) -> Result<Vec<EventCount>> {
    repository::counts(conn).await
}

/// Every type of events, and what it tells of.
#[must_use]
pub fn catalogue() -> Vec<EventKind> {
    EventType::ALL.iter().map(|&event_type| EventKind { event_type, description: event_type.tells() }).collect()
}

/// Throws away at most `most` events that are old enough, and what became of them.
pub async fn purge(app: &App, caller: &Caller, most: i64) -> Result<u64> {
    let mut tx = app.begin(caller).await?;
    let before = tx.now() - KEPT;
    let purged = repository::purge(&mut tx, before, most).await?;
    tx.commit().await?;
    Ok(purged)
}
