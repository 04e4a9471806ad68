//! The tables `events` and `event_log`.
use super::{Event, EventCount, EventType, News};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Query, Tx, params, portions},
    error::Result,
    id::EventId,
};

pub(super) async fn insert(tx: &mut Tx, event_type: EventType, news: &[News]) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let (actor, request_id) = (&*caller.actor, &*caller.request_id);
    let rows: Vec<_> = news.iter().map(|it| (EventId::generate(now), it, Json(&it.data))).collect();
    for rows in portions(&rows) {
        let start = "INSERT INTO events (id, event_type, subject_id, data, object, actor, request_id, at) VALUES";
        // Objects are kept only while somebody wants them whole.
        let row = "(?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM event_log WHERE keeps_object) THEN CAST(? AS TEXT) END,
                    ?, ?, ?)";
        let query = Query::new(start).rows(row, rows, |(id, it, data)| {
            vec![id, &event_type, &it.subject_id, data, &it.object, &actor, &request_id, &now]
        });
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

const COUNT_UNSEALED: &str = "SELECT count(*) FROM (SELECT 1 FROM events WHERE sequence IS NULL LIMIT 1) AS waiting";

/// Has anything happened that has no sequence yet?
pub(super) async fn is_unsealed(conn: &mut Conn) -> Result<bool> {
    let (waiting,): (i64,) = conn.fetch_one(COUNT_UNSEALED, params![]).await?;
    Ok(waiting > 0)
}

const LOCK: &str = "INSERT INTO event_log (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET sealed = event_log.sealed
                    RETURNING sealed";

/// The last sequence that was given. Nobody else gives one until the transaction ends.
pub(super) async fn lock(tx: &mut Tx) -> Result<i64> {
    let (sealed,) = tx.fetch_one(LOCK, params![]).await?;
    Ok(sealed)
}

const SEAL: &str = "UPDATE events SET sequence = $1 + sealed.place
                    FROM (SELECT id, row_number() OVER (ORDER BY ordinal) AS place
                          FROM events WHERE sequence IS NULL ORDER BY ordinal LIMIT $2) AS sealed
                    WHERE events.id = sealed.id";
const ADVANCE: &str = "UPDATE event_log SET sealed = sealed + $1 WHERE id = 1";

/// Gives a sequence to the first `most` events that have none, and answers how many they were.
pub(super) async fn seal(tx: &mut Tx, last: i64, most: i64) -> Result<i64> {
    let sealed = i64::try_from(tx.execute(SEAL, params![last, most]).await?).unwrap_or(i64::MAX);
    tx.execute(ADVANCE, params![sealed]).await?;
    Ok(sealed)
}

const SET_KEEPS: &str = "INSERT INTO event_log (id, keeps_object) VALUES (1, $1)
                         ON CONFLICT (id) DO UPDATE SET keeps_object = excluded.keeps_object";

pub(super) async fn set_keeps_object(tx: &mut Tx, keeps: bool) -> Result<()> {
    tx.execute(SET_KEEPS, params![keeps]).await.map(drop)
}

const AFTER: &str =
    "SELECT id, event_type, at, sequence, data FROM events WHERE sequence > $1 ORDER BY sequence LIMIT $2";

pub(super) async fn after(conn: &mut Conn, sequence: i64, most: i64) -> Result<Vec<Event>> {
    conn.fetch_all(AFTER, params![sequence, most]).await
}

const BETWEEN: &str = "SELECT id, event_type, at, sequence, data FROM events
                       WHERE sequence IS NOT NULL AND at >= $1 AND at < $2 ORDER BY sequence LIMIT $3";

pub(super) async fn between(conn: &mut Conn, since: Timestamp, until: Timestamp, most: i64) -> Result<Vec<Event>> {
    conn.fetch_all(BETWEEN, params![since, until, most]).await
}

const RECENT: &str = "SELECT id, event_type, at, sequence, data FROM events WHERE sequence IS NOT NULL
                      ORDER BY sequence DESC LIMIT $1";

pub(super) async fn recent(conn: &mut Conn, most: i64) -> Result<Vec<Event>> {
    conn.fetch_all(RECENT, params![most]).await
}

const FIND: &str = "SELECT id, event_type, at, sequence, data FROM events WHERE id = $1 AND sequence IS NOT NULL";
const FIND_OBJECT: &str = "SELECT object FROM events WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: EventId) -> Result<Option<Event>> {
    conn.fetch_optional(FIND, params![id]).await
}

pub(super) async fn object(conn: &mut Conn, id: EventId) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = conn.fetch_optional(FIND_OBJECT, params![id]).await?;
    Ok(row.and_then(|(object,)| object))
}

const EXTENT: &str = "SELECT COALESCE((SELECT min(sequence) FROM events), (SELECT max(sealed) FROM event_log) + 1, 1),
                             COALESCE((SELECT max(sealed) FROM event_log), 0)";

/// The first sequence that is kept, and the last that was given.
pub(super) async fn extent(conn: &mut Conn) -> Result<(i64, i64)> {
    conn.fetch_one(EXTENT, params![]).await
}

const COUNTS: &str = "SELECT event_type, count(*) AS count FROM events GROUP BY event_type ORDER BY event_type";

pub(super) async fn counts(conn: &mut Conn) -> Result<Vec<EventCount>> {
    conn.fetch_all(COUNTS, params![]).await
}

const PURGE: &str = "DELETE FROM events WHERE id IN
                     (SELECT id FROM events WHERE at <= $1 AND sequence IS NOT NULL ORDER BY at, sequence LIMIT $2)";

pub(super) async fn purge(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PURGE, params![before, most]).await
}
