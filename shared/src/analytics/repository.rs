//! The tables `usage_events`, `usage_batches`, `usage_pulses`, `prompt_uses`, `prompt_reads` and `variable_uses`.
use std::collections::BTreeMap;

use futures::TryStreamExt;

use super::{model::Event, pulse::Pulse, variables::VariableUse};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Query, params, portions},
    error::Result,
    id::{PromptId, UsageBatchId},
};

const VERSION_EXISTS: &str = "SELECT count(*) FROM versions WHERE prompt_id = $1 AND version = $2";

pub(super) async fn version_exists(conn: &mut Conn, (prompt_id, version): (PromptId, i64)) -> Result<bool> {
    let (versions,): (i64,) = conn.fetch_one(VERSION_EXISTS, params![prompt_id, version]).await?;
    Ok(versions > 0)
}

/// Writes events at their places in a batch, but for those that were there before. Answers which places were written.
/// Those are known by who reports them, their prompt and their name.
pub(super) async fn insert(conn: &mut Conn, batch: UsageBatchId, events: &[(i64, (&str, &Event))]) -> Result<Vec<i64>> {
    let start =
        "INSERT INTO usage_events (batch_id, position, actor, event_id, prompt_id, version, occurred_at, success,
                     response_time_us, input_tokens, output_tokens, cost_nanos, score, model, service_name, user_id,
                     session_id, ab_test_id, variant, failure_kind) VALUES";
    let mut written = Vec::with_capacity(events.len());
    for rows in portions(events) {
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows, |(position, (actor, event))| {
                vec![
                    &batch,
                    position,
                    actor,
                    &event.event_id,
                    &event.prompt_id,
                    &event.version,
                    &event.occurred_at,
                    &event.success,
                    &event.response_time_us,
                    &event.input_tokens,
                    &event.output_tokens,
                    &event.cost_nanos,
                    &event.score,
                    &event.model,
                    &event.service_name,
                    &event.user_id,
                    &event.session_id,
                    &event.ab_test_id,
                    &event.variant,
                    &event.failure_kind,
                ]
            })
            .then("ON CONFLICT DO NOTHING RETURNING position", params![]);
        let places: Vec<(i64,)> = conn.fetch_all(&query, query.params()).await?;
        written.extend(places.into_iter().map(|(place,)| place));
    }
    Ok(written)
}

const INSERT_BATCH: &str = "INSERT INTO usage_batches (id, events) VALUES ($1, $2)";

pub(super) async fn insert_batch(conn: &mut Conn, batch: UsageBatchId, events: usize) -> Result<()> {
    let events = i64::try_from(events).unwrap_or(i64::MAX);
    conn.execute(INSERT_BATCH, params![batch, events]).await.map(drop)
}

const BATCHES: &str = "SELECT id, events FROM usage_batches ORDER BY id LIMIT $1";

/// The first batches that are not rolled up, with the numbers of their events.
pub(super) async fn batches(conn: &mut Conn, most: i64) -> Result<Vec<(UsageBatchId, i64)>> {
    conn.fetch_all(BATCHES, params![most]).await
}

const WAITING: &str = "SELECT CAST(COALESCE(sum(events), 0) AS BIGINT) FROM usage_batches";

/// How many events are not rolled up.
pub(super) async fn waiting(conn: &mut Conn) -> Result<i64> {
    let (events,): (i64,) = conn.fetch_one(WAITING, params![]).await?;
    Ok(events)
}

const DELETE_BATCH: &str = "DELETE FROM usage_batches WHERE id = $1";

pub(super) async fn delete_batch(conn: &mut Conn, batch: UsageBatchId) -> Result<u64> {
    conn.execute(DELETE_BATCH, params![batch]).await
}

const EVENTS: &str = "SELECT event_id, prompt_id, version, occurred_at, success, response_time_us, input_tokens,
                             output_tokens, cost_nanos, score, model, service_name, user_id, session_id, ab_test_id,
                             variant, failure_kind
                      FROM usage_events WHERE batch_id = $1 ORDER BY position";

/// The events of a batch.
pub(super) async fn events(conn: &mut Conn, batch: UsageBatchId) -> Result<Vec<Event>> {
    conn.fetch_all(EVENTS, params![batch]).await
}

/// The events that are rolled up, of a prompt or of all of them where the id is empty.
const BETWEEN: &str = "FROM usage_events e
                       WHERE e.occurred_at >= ? AND e.occurred_at < ?
                         AND NOT EXISTS (SELECT 1 FROM usage_batches b WHERE b.id = e.batch_id)";
const OF_PROMPT: &str = "e.prompt_id = ?";

fn between<'a>(select: &'static str, span: &'a (Timestamp, Timestamp)) -> Query<'a> {
    Query::new(select).then(BETWEEN, params![span.0, span.1])
}

/// Looks at each event that is rolled up and was in a time, of which the last moment is no part.
pub(super) async fn each_between(
    conn: &mut Conn,
    prompt_id: &str,
    span: (Timestamp, Timestamp),
    mut see: impl FnMut(&Event),
) -> Result<()> {
    let only = Some(prompt_id.to_owned()).filter(|id| !id.is_empty());
    let select =
        "SELECT e.event_id, e.prompt_id, e.version, e.occurred_at, e.success, e.response_time_us, e.input_tokens,
                         e.output_tokens, e.cost_nanos, e.score, e.model, e.service_name, e.user_id, e.session_id,
                         e.ab_test_id, e.variant, e.failure_kind";
    let query = between(select, &span).and(OF_PROMPT, &only);
    let mut rows = conn.fetch::<Event>(&query, query.params())?;
    while let Some(event) = rows.try_next().await? {
        see(&event);
    }
    Ok(())
}

/// How many there are.
pub(super) async fn count_between(conn: &mut Conn, prompt_id: &str, span: (Timestamp, Timestamp)) -> Result<i64> {
    let only = Some(prompt_id.to_owned()).filter(|id| !id.is_empty());
    let query = between("SELECT count(*)", &span).and(OF_PROMPT, &only);
    let (events,) = conn.fetch_one(&query, query.params()).await?;
    Ok(events)
}

const ADD_USES: &str = "INSERT INTO prompt_uses (prompt_id, version, uses, last_used_at) VALUES ($1, $2, $3, $4)
                        ON CONFLICT (prompt_id, version) DO UPDATE SET
                            uses = prompt_uses.uses + excluded.uses, last_used_at = excluded.last_used_at";

pub(super) async fn add_uses(conn: &mut Conn, id: PromptId, version: i64, uses: i64, now: Timestamp) -> Result<()> {
    conn.execute(ADD_USES, params![id, version, uses, now]).await.map(drop)
}

const ADD_READS: &str = "INSERT INTO prompt_reads (prompt_id, day, version, reads) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (prompt_id, day, version) DO UPDATE SET
                             reads = prompt_reads.reads + excluded.reads";

/// Counts reads of a version; of all prompts together where the id is empty, at version 0.
pub(super) async fn add_reads(conn: &mut Conn, day: Timestamp, id: &str, version: i64, reads: i64) -> Result<()> {
    conn.execute(ADD_READS, params![id, day, version, reads]).await.map(drop)
}

const PURGE_EVENTS: &str = "DELETE FROM usage_events WHERE (batch_id, position) IN
                                (SELECT batch_id, position FROM usage_events
                                 WHERE batch_id < $1
                                   AND NOT EXISTS (SELECT 1 FROM usage_batches b WHERE b.id = usage_events.batch_id)
                                 ORDER BY batch_id, position LIMIT $2)";

/// Deletes events of earlier batches, unless they are not rolled up.
pub(super) async fn purge_events(conn: &mut Conn, before: UsageBatchId, most: i64) -> Result<u64> {
    conn.execute(PURGE_EVENTS, params![before, most]).await
}

const PURGE_READS: &str = "DELETE FROM prompt_reads WHERE (prompt_id, day, version) IN
                               (SELECT prompt_id, day, version FROM prompt_reads WHERE day < $1 LIMIT $2)";

pub(super) async fn purge_reads(conn: &mut Conn, before: Timestamp, most: i64) -> Result<u64> {
    conn.execute(PURGE_READS, params![before, most]).await
}

const PULSE: &str = "SELECT pulse FROM usage_pulses WHERE prompt_id = $1 AND version = $2";

/// What is remembered of a version's stream.
pub(super) async fn pulse(conn: &mut Conn, (prompt_id, version): (&str, i64)) -> Result<Option<Pulse>> {
    let found: Option<(Json<Pulse>,)> = conn.fetch_optional(PULSE, params![prompt_id, version]).await?;
    Ok(found.map(|(pulse,)| pulse.0))
}

const PUT_PULSE: &str = "INSERT INTO usage_pulses (prompt_id, version, pulse) VALUES ($1, $2, $3)
                         ON CONFLICT (prompt_id, version) DO UPDATE SET pulse = excluded.pulse";

pub(super) async fn put_pulse(conn: &mut Conn, (prompt_id, version): (&str, i64), pulse: &Pulse) -> Result<()> {
    conn.execute(PUT_PULSE, params![prompt_id, version, Json(pulse)]).await.map(drop)
}

const READS: &str = "SELECT day, CAST(sum(reads) AS BIGINT) FROM prompt_reads
                     WHERE day BETWEEN $1 AND $2 AND prompt_id = $3 GROUP BY 1";

/// How often a prompt, or all of them, were served by name on each day.
pub(super) async fn reads_by_day(
    conn: &mut Conn,
    prompt_id: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<Timestamp, i64>> {
    let days: Vec<(Timestamp, i64)> = conn.fetch_all(READS, params![from, to, prompt_id]).await?;
    Ok(days.into_iter().collect())
}

const VARIABLE: &str = "SELECT variable, renders, empty, value_hash, lead FROM variable_uses
                        WHERE prompt_id = $1 AND version = $2 AND variable = $3";

/// What a variable was filled with.
pub(super) async fn variable(
    conn: &mut Conn,
    id: PromptId,
    version: i64,
    variable: &str,
) -> Result<Option<VariableUse>> {
    conn.fetch_optional(VARIABLE, params![id, version, variable]).await
}

const PUT_VARIABLE: &str = "INSERT INTO variable_uses (prompt_id, version, variable, renders, empty, value_hash, lead)
                            VALUES ($1, $2, $3, $4, $5, $6, $7)
                            ON CONFLICT (prompt_id, version, variable) DO UPDATE SET
                                renders = excluded.renders, empty = excluded.empty, value_hash = excluded.value_hash,
                                lead = excluded.lead";

pub(super) async fn put_variable(conn: &mut Conn, id: PromptId, version: i64, it: &VariableUse) -> Result<()> {
    let row = params![id, version, it.variable, it.renders, it.empty, it.value_hash, it.lead];
    conn.execute(PUT_VARIABLE, row).await.map(drop)
}

const VARIABLES: &str = "SELECT variable, renders, empty, value_hash, lead FROM variable_uses
                         WHERE prompt_id = $1 AND version = $2 ORDER BY variable";

/// What the variables of a version were filled with.
pub(super) async fn variables(conn: &mut Conn, id: PromptId, version: i64) -> Result<Vec<VariableUse>> {
    conn.fetch_all(VARIABLES, params![id, version]).await
}

const LAST_USED: &str = "SELECT max(last_used_at) FROM prompt_uses WHERE prompt_id = $1";
const LAST_REPORTED: &str = "SELECT max(bucket) FROM usage_rollups
                             WHERE grain = 'day' AND prompt_id = $1 AND version = 0 AND model = '' AND service_name = ''";

/// When a prompt was last read by name or reported of, to the day.
pub(super) async fn last_used(conn: &mut Conn, id: PromptId) -> Result<Option<Timestamp>> {
    let (read,): (Option<Timestamp>,) = conn.fetch_one(LAST_USED, params![id]).await?;
    let (reported,): (Option<Timestamp>,) = conn.fetch_one(LAST_REPORTED, params![id]).await?;
    Ok(read.max(reported))
}
