//! The tables `webhooks`, `webhook_deliveries` and `webhook_attempts`.
use super::{Attempt, Delivery, DeliveryFilter, DeliveryState, Payload, WebhookStats, model::WebhookRow};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Query, Tx, params},
    error::Result,
    id::{DeliveryId, EventId, WebhookId},
    page::{PageRequest, Position},
};

/// So many attempts of a delivery are kept.
const ATTEMPTS_KEPT: i64 = 100;

const INSERT: &str = "INSERT INTO webhooks (id, name, url, events, payload, is_active, active_after, retry_count,
                                            timeout_seconds, secret, created_by, created_at, updated_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";

pub(super) async fn insert(tx: &mut Tx, row: &WebhookRow) -> Result<()> {
    let row = params![
        row.id,
        row.name,
        row.url,
        row.events,
        row.payload,
        row.is_active,
        row.active_after,
        row.retry_count,
        row.timeout_seconds,
        row.secret,
        row.created_by,
        row.created_at
    ];
    tx.execute(INSERT, row).await.map(drop)
}

const UPDATE: &str = "UPDATE webhooks SET name = $2, url = $3, events = $4, payload = $5, is_active = $6,
                             active_after = $7, retry_count = $8, timeout_seconds = $9, secret = $10,
                             previous_secret = $11, previous_secret_until = $12, failures = $13, failing_since = $14,
                             paused_until = $15, disabled_reason = $16, updated_at = $17
                      WHERE id = $1";

/// Makes a webhook that the transaction holds be as it is given.
pub(super) async fn update(tx: &mut Tx, row: &WebhookRow) -> Result<()> {
    let row = params![
        row.id,
        row.name,
        row.url,
        row.events,
        row.payload,
        row.is_active,
        row.active_after,
        row.retry_count,
        row.timeout_seconds,
        row.secret,
        row.previous_secret,
        row.previous_secret_until,
        row.failures,
        row.failing_since,
        row.paused_until,
        row.disabled_reason,
        row.updated_at
    ];
    tx.execute(UPDATE, row).await.map(drop)
}

const LOCK: &str = "UPDATE webhooks SET failures = failures WHERE id = $1";
const FIND: &str = "SELECT * FROM webhooks WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: WebhookId) -> Result<Option<WebhookRow>> {
    conn.fetch_optional(FIND, params![id]).await
}

/// A webhook that nobody else writes to until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: WebhookId) -> Result<Option<WebhookRow>> {
    match tx.execute(LOCK, params![id]).await? {
        0 => Ok(None),
        _ => find(tx, id).await,
    }
}

const DELETE: &str = "DELETE FROM webhooks WHERE id = $1";

/// With everything it was sent.
pub(super) async fn delete(tx: &mut Tx, id: WebhookId) -> Result<bool> {
    Ok(tx.execute(DELETE, params![id]).await? == 1)
}

const COUNT: &str = "SELECT count(*) FROM webhooks";

pub(super) async fn count(conn: &mut Conn) -> Result<i64> {
    let (count,) = conn.fetch_one(COUNT, params![]).await?;
    Ok(count)
}

const LIST: &str = "SELECT * FROM webhooks WHERE (created_at, id) < ($1, $2)
                    ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4";

pub(super) async fn list(
    conn: &mut Conn,
    before: (i64, &str),
    request: &PageRequest,
) -> Result<(Vec<WebhookRow>, i64)> {
    let total = count(conn).await?;
    let rows = conn.fetch_all(LIST, params![before.0, before.1, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const ACTIVE: &str = "SELECT * FROM webhooks WHERE is_active ORDER BY id";

/// Everybody who is told of anything; no more than there may be.
pub(super) async fn active(conn: &mut Conn) -> Result<Vec<WebhookRow>> {
    conn.fetch_all(ACTIVE, params![]).await
}

const OTHERS_WANT_OBJECTS: &str = "SELECT count(*) FROM webhooks WHERE is_active AND payload = $2 AND id <> $1";

/// Does anybody besides this one want objects whole?
pub(super) async fn others_want_objects(conn: &mut Conn, id: WebhookId) -> Result<bool> {
    let (others,): (i64,) = conn.fetch_one(OTHERS_WANT_OBJECTS, params![id, Payload::Full]).await?;
    Ok(others > 0)
}

const STATS: &str = "SELECT count(*) AS total, count(*) FILTER (WHERE is_active) AS active,
                            count(*) FILTER (WHERE is_active AND paused_until IS NOT NULL) AS failing,
                            count(*) FILTER (WHERE disabled_reason IS NOT NULL) AS disabled FROM webhooks";
const COUNT_BY_STATE: &str = "SELECT state, count(*) FROM webhook_deliveries GROUP BY state ORDER BY state";

pub(super) async fn stats(conn: &mut Conn) -> Result<(WebhookStats, Vec<(DeliveryState, i64)>)> {
    Ok((conn.fetch_one(STATS, params![]).await?, conn.fetch_all(COUNT_BY_STATE, params![]).await?))
}

const BACKLOG: &str = "SELECT count(*), min(next_attempt_at) FROM webhook_deliveries WHERE state = 'pending'";

/// How many deliveries are not made yet, and when the first of them was to be made.
pub(super) async fn backlog(conn: &mut Conn) -> Result<(i64, Option<Timestamp>)> {
    conn.fetch_one(BACKLOG, params![]).await
}

const BRING_FORWARD: &str = "UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - $2
                             WHERE state = 'pending' AND next_attempt_at > $1";
const PAUSE_LESS: &str = "UPDATE webhooks SET paused_until = paused_until - $2 WHERE paused_until > $1";

/// Every delivery that waits is due so much sooner, and every pause ends so much sooner.
pub(super) async fn bring_forward(tx: &mut Tx, millis: i64) -> Result<()> {
    let now = tx.now();
    tx.execute(BRING_FORWARD, params![now, millis]).await?;
    tx.execute(PAUSE_LESS, params![now, millis]).await.map(drop)
}

const WITH_DUE: &str = "SELECT w.id FROM webhooks w
                        WHERE w.is_active AND (w.paused_until IS NULL OR w.paused_until <= $1)
                          AND EXISTS (SELECT 1 FROM webhook_deliveries d
                                      WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_at <= $1)
                        ORDER BY w.id";

/// Those to whom something can be sent now.
pub(super) async fn with_due(conn: &mut Conn, now: Timestamp) -> Result<Vec<WebhookId>> {
    let rows: Vec<(WebhookId,)> = conn.fetch_all(WITH_DUE, params![now]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const INSERT_DELIVERY: &str =
    "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, state, next_attempt_at, created_at)
     VALUES ($1, $2, $3, $4, 'pending', $5, $5) ON CONFLICT DO NOTHING";

/// Answers whether it is new: an event is delivered to a webhook once.
pub(super) async fn insert_delivery(
    tx: &mut Tx,
    webhook: WebhookId,
    event: Option<EventId>,
    event_type: &str,
) -> Result<Option<DeliveryId>> {
    let now = tx.now();
    let id = DeliveryId::generate(now);
    let rows = tx.execute(INSERT_DELIVERY, params![id, webhook, event, event_type, now]).await?;
    Ok((rows == 1).then_some(id))
}

/// A delivery that is due, and what was tried.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Due {
    pub(super) id: DeliveryId,
    pub(super) event_id: Option<EventId>,
    pub(super) created_at: Timestamp,
    pub(super) attempts: i64,
    pub(super) tries: i64,
}

const DUE: &str = "SELECT id, event_id, created_at, attempts, tries FROM webhook_deliveries
                   WHERE webhook_id = $1 AND state = 'pending' AND next_attempt_at <= $2
                   ORDER BY next_attempt_at, id LIMIT $3";

pub(super) async fn due(conn: &mut Conn, webhook: WebhookId, now: Timestamp, most: i64) -> Result<Vec<Due>> {
    conn.fetch_all(DUE, params![webhook, now, most]).await
}

const RECORD: &str = "UPDATE webhook_deliveries SET state = $2, attempts = attempts + 1, tries = tries + 1,
                             next_attempt_at = $3, last_status = $4, last_error = $5, finished_at = $6
                      WHERE id = $1";
const INSERT_ATTEMPT: &str =
    "INSERT INTO webhook_attempts (delivery_id, attempt, at, duration_ms, status, error, response)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const FORGET_ATTEMPTS: &str = "DELETE FROM webhook_attempts WHERE delivery_id = $1 AND attempt <= $2";

/// Writes down an attempt and what follows from it: the next one at `next`, or the end.
pub(super) async fn record(
    tx: &mut Tx,
    id: DeliveryId,
    attempt: &Attempt,
    state: DeliveryState,
    next: Option<Timestamp>,
) -> Result<()> {
    let finished = (state != DeliveryState::Pending).then_some(tx.now());
    tx.execute(RECORD, params![id, state, next, attempt.status, attempt.error, finished]).await?;
    let Attempt { attempt, at, duration_ms, status, error, response } = attempt;
    tx.execute(INSERT_ATTEMPT, params![id, *attempt, *at, *duration_ms, *status, error, response]).await?;
    tx.execute(FORGET_ATTEMPTS, params![id, *attempt - ATTEMPTS_KEPT]).await.map(drop)
}

const END: &str = "UPDATE webhook_deliveries SET state = 'endpoint_disabled', next_attempt_at = NULL, finished_at = $2
                   WHERE webhook_id = $1 AND state = 'pending'";

/// Nothing of what waits for this webhook is sent any more.
pub(super) async fn end_all(tx: &mut Tx, webhook: WebhookId) -> Result<()> {
    let now = tx.now();
    tx.execute(END, params![webhook, now]).await.map(drop)
}

const REPLAY: &str =
    "UPDATE webhook_deliveries SET state = 'pending', tries = 0, next_attempt_at = $3, finished_at = NULL
                      WHERE webhook_id = $1 AND id = $2 AND state <> 'pending'";

/// Begins a delivery that is over anew. Answers whether it was over.
pub(super) async fn replay(tx: &mut Tx, webhook: WebhookId, id: DeliveryId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(REPLAY, params![webhook, id, now]).await? == 1)
}

const REPLAY_EVENT: &str =
    "UPDATE webhook_deliveries SET state = 'pending', tries = 0, next_attempt_at = $3, finished_at = NULL
     WHERE webhook_id = $1 AND event_id = $2 AND state <> 'pending'";

/// The same of the delivery of an event.
pub(super) async fn replay_event(tx: &mut Tx, webhook: WebhookId, event: EventId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(REPLAY_EVENT, params![webhook, event, now]).await? == 1)
}

const FIND_DELIVERY: &str =
    "SELECT id, webhook_id, event_id, event_type, state, attempts, next_attempt_at, last_status,
                                    last_error, created_at, finished_at
                             FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2";

pub(super) async fn delivery(conn: &mut Conn, webhook: WebhookId, id: DeliveryId) -> Result<Option<Delivery>> {
    conn.fetch_optional(FIND_DELIVERY, params![webhook, id]).await
}

const ATTEMPTS: &str = "SELECT attempt, at, duration_ms, status, error, response FROM webhook_attempts
                        WHERE delivery_id = $1 ORDER BY attempt DESC LIMIT $2";

pub(super) async fn attempts(conn: &mut Conn, id: DeliveryId) -> Result<Vec<Attempt>> {
    conn.fetch_all(ATTEMPTS, params![id, ATTEMPTS_KEPT]).await
}

const SELECT_DELIVERIES: &str = "SELECT id, webhook_id, event_id, event_type, state, attempts, next_attempt_at,
                                        last_status, last_error, created_at, finished_at
                                 FROM webhook_deliveries WHERE webhook_id = $1";
const COUNT_DELIVERIES: &str = "SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1";

pub(super) async fn deliveries(
    conn: &mut Conn,
    webhook: WebhookId,
    filter: &DeliveryFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<Delivery>, i64)> {
    fn matching<'a>(query: Query<'a>, filter: &'a DeliveryFilter) -> Query<'a> {
        query.and("state = ?", &filter.state).and("event_type = ?", &filter.event_type)
    }
    let counted = matching(Query::with(COUNT_DELIVERIES, params![webhook]), filter);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let mut query = matching(Query::with(SELECT_DELIVERIES, params![webhook]), filter);
    if let Some(after) = after {
        query = query.then("AND (created_at, id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[&limit, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const PURGE_TESTS: &str = "DELETE FROM webhook_deliveries WHERE id IN
                           (SELECT id FROM webhook_deliveries WHERE event_id IS NULL AND created_at <= $1
                            ORDER BY created_at LIMIT $2)";

/// Throws away tests. What tells of events goes with them.
pub(super) async fn purge_tests(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PURGE_TESTS, params![before, most]).await
}
