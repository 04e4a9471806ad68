//! The tables `bulk_operations` and `bulk_items`.
use serde_json::Value;

use super::{
    BulkError, BulkFilter, BulkItem, OperationStatus,
    model::{OperationRow, Order},
    service::Outcome,
};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Query, Tx, params},
    error::Result,
    id::OperationId,
    page::{PageRequest, Position},
};

/// So many errors are shown with their operation; the rest is among its items.
const ERRORS_SHOWN: i64 = 100;

const INSERT: &str = "INSERT INTO bulk_operations (id, operation_type, status, on_conflict, dry_run, total_items,
                                                   created_by, request_id, created_at)
                      VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8)";
const INSERT_ITEM: &str = "INSERT INTO bulk_items (operation_id, item, payload, duplicate_of) VALUES ($1, $2, $3, $4)";

pub(super) async fn insert(tx: &mut Tx, id: OperationId, order: &Order) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let total = i64::try_from(order.items.len()).unwrap_or(i64::MAX);
    let (actor, request_id) = (&*caller.actor, &*caller.request_id);
    let row = params![id, order.operation_type, order.on_conflict, order.dry_run, total, actor, request_id, now];
    tx.execute(INSERT, row).await?;
    for ((index, payload), duplicate_of) in (0_i64..).zip(&order.items).zip(&order.duplicates) {
        tx.execute(INSERT_ITEM, params![id, index, Json(payload), duplicate_of]).await?;
    }
    Ok(())
}

const FIND: &str = "SELECT * FROM bulk_operations WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: OperationId) -> Result<Option<OperationRow>> {
    conn.fetch_optional(FIND, params![id]).await
}

const ERRORS: &str = "SELECT item AS \"index\", code, detail FROM bulk_items
                      WHERE operation_id = $1 AND state = 'failed' ORDER BY item LIMIT $2";

pub(super) async fn errors(conn: &mut Conn, id: OperationId) -> Result<Vec<BulkError>> {
    conn.fetch_all(ERRORS, params![id, ERRORS_SHOWN]).await
}

const SELECT: &str = "SELECT * FROM bulk_operations WHERE 1 = 1";
const COUNT: &str = "SELECT count(*) FROM bulk_operations WHERE 1 = 1";

pub(super) async fn list(
    conn: &mut Conn,
    filter: &BulkFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<OperationRow>, i64)> {
    fn matching<'a>(query: Query<'a>, filter: &'a BulkFilter) -> Query<'a> {
        query.and("status = ?", &filter.status).and("operation_type = ?", &filter.operation_type)
    }
    let counted = matching(Query::new(COUNT), filter);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let mut query = matching(Query::new(SELECT), filter);
    if let Some(after) = after {
        query = query.then("AND (created_at, id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[&limit, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const ITEMS: &str = "SELECT item AS \"index\", state, prompt_id, code, detail FROM bulk_items
                     WHERE operation_id = $1 AND item > $2 ORDER BY item LIMIT $3 OFFSET $4";
const COUNT_ITEMS: &str = "SELECT count(*) FROM bulk_items WHERE operation_id = $1";

pub(super) async fn items(
    conn: &mut Conn,
    id: OperationId,
    after: i64,
    request: &PageRequest,
) -> Result<(Vec<BulkItem>, i64)> {
    let (total,) = conn.fetch_one(COUNT_ITEMS, params![id]).await?;
    let rows = conn.fetch_all(ITEMS, params![id, after, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const PENDING: &str = "SELECT item, payload, duplicate_of FROM bulk_items
                       WHERE operation_id = $1 AND state = 'pending' ORDER BY item LIMIT $2";

/// The next items to work: their place, what they say, and the earlier item with their name.
pub(super) async fn pending(
    conn: &mut Conn,
    id: OperationId,
    most: i64,
) -> Result<Vec<(i64, Json<Value>, Option<i64>)>> {
    conn.fetch_all(PENDING, params![id, most]).await
}

/// What a settled item said is no longer needed; a refused one is kept, so that it can be tried again, and one
/// of a dry run for those that follow it.
const SETTLE_ITEM: &str = "UPDATE bulk_items SET state = $3, prompt_id = $4, code = $5, detail = $6,
                                  payload = CASE WHEN $3 = 'failed' OR $7 THEN payload END
                           WHERE operation_id = $1 AND item = $2 AND state = 'pending'";

pub(super) async fn settle_item(
    conn: &mut Conn,
    id: OperationId,
    item: i64,
    outcome: &Outcome,
    dry_run: bool,
) -> Result<()> {
    let row = params![id, item, outcome.state, outcome.prompt_id, outcome.code, outcome.detail, dry_run];
    conn.execute(SETTLE_ITEM, row).await.map(drop)
}

const REHEARSED: &str = "SELECT payload FROM bulk_items
                         WHERE operation_id = $1 AND state = 'succeeded' AND item < $2
                           AND (item = $3 OR duplicate_of = $3)
                         ORDER BY item DESC LIMIT 1";

/// Of a dry run: the last item before this one that would have made or changed the prompt of its name, which
/// item `first` was the first to have.
pub(super) async fn rehearsed(conn: &mut Conn, id: OperationId, item: i64, first: i64) -> Result<Option<Value>> {
    let row: Option<(Json<Value>,)> = conn.fetch_optional(REHEARSED, params![id, item, first]).await?;
    Ok(row.map(|(Json(payload),)| payload))
}

const SAVE: &str = "SAVEPOINT rehearsal";

/// What follows can be undone by itself.
pub(super) async fn save(conn: &mut Conn) -> Result<()> {
    conn.execute(SAVE, params![]).await.map(drop)
}

const UNDO: &str = "ROLLBACK TO SAVEPOINT rehearsal";
const FORGET: &str = "RELEASE SAVEPOINT rehearsal";

/// Undoes what was done since [`save`].
pub(super) async fn undo(conn: &mut Conn) -> Result<()> {
    conn.execute(UNDO, params![]).await?;
    conn.execute(FORGET, params![]).await.map(drop)
}

const ADVANCE: &str = "UPDATE bulk_operations SET status = $2, started_at = COALESCE(started_at, $3),
                              successful_items = successful_items + $4, skipped_items = skipped_items + $5,
                              failed_items = failed_items + $6, finished_at = $7
                       WHERE id = $1";

pub(super) async fn advance(
    conn: &mut Conn,
    id: OperationId,
    status: OperationStatus,
    now: Timestamp,
    (successful, skipped, failed): (i64, i64, i64),
    finished_at: Option<Timestamp>,
) -> Result<()> {
    let row = params![id, status, now, successful, skipped, failed, finished_at];
    conn.execute(ADVANCE, row).await.map(drop)
}

const REVIVE: &str = "UPDATE bulk_operations SET status = 'processing', error = NULL, finished_at = NULL
                      WHERE id = $1 AND status = 'failed'";

pub(super) async fn revive(conn: &mut Conn, id: OperationId) -> Result<()> {
    conn.execute(REVIVE, params![id]).await.map(drop)
}

const FAIL: &str = "UPDATE bulk_operations SET status = 'failed', error = $2, finished_at = $3
                    WHERE id = $1 AND status IN ('pending', 'processing')";

pub(super) async fn fail(conn: &mut Conn, id: OperationId, error: &str, now: Timestamp) -> Result<()> {
    conn.execute(FAIL, params![id, error, now]).await.map(drop)
}
