//! The tables `bulk_operations` and `bulk_items`.
use serde_json::Value;

use super::{
    BulkError, BulkFilter, BulkItem, OperationStatus, Outcome,
    model::OperationRow,
    orders::{NewItem, Order},
    postgres, sqlite,
};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Json, Query, Tx, params, portions},
    error::Result,
    id::OperationId,
    page::{PageRequest, Position},
    prompts::{self, PromptFilter},
};

/// So many errors are shown with their operation; the rest is among its items.
const ERRORS_SHOWN: i64 = 100;

const INSERT: &str = "INSERT INTO bulk_operations (id, operation_type, status, on_conflict, dry_run, total_items,
                                                   parameters, receiving_until, created_by, request_id, created_at)
                      VALUES ($1, $2, 'pending', $3, $4, 0, $5, $6, $7, $8, $9)";

/// An operation without items; with `receiving_until`, one whose items are yet to come.
pub(super) async fn insert(
    tx: &mut Tx,
    id: OperationId,
    order: &Order,
    receiving_until: Option<Timestamp>,
) -> Result<()> {
    let (caller, now, parameters) = (tx.caller().clone(), tx.now(), order.parameters.clone().map(Json));
    let (actor, request_id) = (&*caller.actor, &*caller.request_id);
    let what = (order.operation_type, order.on_conflict, order.dry_run);
    let row = params![id, what.0, what.1, what.2, parameters, receiving_until, actor, request_id, now];
    tx.execute(INSERT, row).await.map(drop)
}

pub(super) async fn insert_items(conn: &mut Conn, id: OperationId, items: &[NewItem]) -> Result<()> {
    for items in portions(items) {
        let start = "INSERT INTO bulk_items (operation_id, item, payload, name_key, state, code, detail) VALUES";
        let query = Query::new(start).rows("(?, ?, ?, ?, ?, ?, ?)", items, |it| {
            vec![&id, &it.index, &it.payload, &it.name_key, &it.state, &it.code, &it.detail]
        });
        conn.execute(&query, query.params()).await?;
    }
    Ok(())
}

/// Every prompt that matches becomes an item, in the order in which they were made. Answers how many there are.
pub(super) async fn insert_matching(conn: &mut Conn, id: OperationId, filter: &PromptFilter) -> Result<u64> {
    let (start, bounds) = (conn.dialect().choose(sqlite::INSERT_MATCHING, postgres::INSERT_MATCHING), filter.bounds());
    let query = prompts::matching(Query::with(start, &[&id]), filter, &bounds);
    conn.execute(&query, query.params()).await
}

const RECEIVE: &str = "UPDATE bulk_operations SET total_items = total_items + $2, failed_items = failed_items + $3,
                                                  receiving_until = $4
                       WHERE id = $1 AND status = 'pending'";

/// It has so many items more, of which some are refused already. Answers whether it still waits for them.
pub(super) async fn receive(
    conn: &mut Conn,
    id: OperationId,
    (items, refused): (i64, i64),
    receiving_until: Option<Timestamp>,
) -> Result<bool> {
    Ok(conn.execute(RECEIVE, params![id, items, refused, receiving_until]).await? == 1)
}

/// What is not finished: operations and items of an actor, and items of everyone.
#[derive(FromRow)]
pub(super) struct Pressure {
    pub(super) operations: i64,
    pub(super) items: i64,
    pub(super) items_of_all: i64,
}

const PRESSURE: &str = "
    SELECT count(*) FILTER (WHERE created_by = $1) AS operations,
           CAST(COALESCE(sum(total_items - successful_items - skipped_items - failed_items)
                         FILTER (WHERE created_by = $1), 0) AS BIGINT) AS items,
           CAST(COALESCE(sum(total_items - successful_items - skipped_items - failed_items), 0) AS BIGINT)
               AS items_of_all
    FROM bulk_operations WHERE status IN ('pending', 'processing')";

pub(super) async fn pressure(conn: &mut Conn, actor: &str) -> Result<Pressure> {
    conn.fetch_one(PRESSURE, params![actor]).await
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

pub(super) async fn items(
    conn: &mut Conn,
    id: OperationId,
    after: i64,
    request: &PageRequest,
) -> Result<Vec<BulkItem>> {
    conn.fetch_all(ITEMS, params![id, after, request.limit_and_one(), request.offset()]).await
}

const START: &str = "UPDATE bulk_operations SET status = 'processing', started_at = $2
                     WHERE id = $1 AND status = 'pending' AND receiving_until IS NULL";

/// Answers whether nobody had begun.
pub(super) async fn start(conn: &mut Conn, id: OperationId, now: Timestamp) -> Result<bool> {
    Ok(conn.execute(START, params![id, now]).await? == 1)
}

const TAKE_UP: &str = "UPDATE bulk_operations SET round = round WHERE id = $1 AND status = 'processing' RETURNING *";

/// Holds an operation that is not over, so that nobody else works or ends it until the transaction does.
pub(super) async fn take_up(conn: &mut Conn, id: OperationId) -> Result<Option<OperationRow>> {
    conn.fetch_optional(TAKE_UP, params![id]).await
}

/// An item whose turn has come.
#[derive(FromRow)]
pub(super) struct PendingItem {
    pub(super) item: i64,
    pub(super) payload: Json<Value>,
    pub(super) name_key: Option<String>,
}

const PENDING: &str = "SELECT item, payload, name_key FROM bulk_items
                       WHERE operation_id = $1 AND item >= $2 AND state = 'pending' ORDER BY item LIMIT $3";

/// The first items to work from one on.
pub(super) async fn pending(conn: &mut Conn, id: OperationId, from: i64, most: i64) -> Result<Vec<PendingItem>> {
    conn.fetch_all(PENDING, params![id, from, most]).await
}

/// What settled items said is no longer needed; a refused one is kept, so that it can be tried again, and one of a
/// dry run for those that follow it.
pub(super) async fn settle(conn: &mut Conn, id: OperationId, outcomes: &[(i64, Outcome)], dry_run: bool) -> Result<()> {
    for rows in portions(outcomes) {
        // All of them are there. So no plan can be wrong, how ever many others there are.
        let start = "INSERT INTO bulk_items (operation_id, item, state, prompt_id, code, detail) VALUES";
        let query = Query::new(start).rows("(?, ?, ?, ?, ?, ?)", rows, |(item, outcome)| {
            vec![&id, item, &outcome.state, &outcome.prompt_id, &outcome.code, &outcome.detail]
        });
        let query = query.then(
            "ON CONFLICT (operation_id, item) DO UPDATE
             SET state = excluded.state, prompt_id = excluded.prompt_id, code = excluded.code, detail = excluded.detail,
                 payload = CASE WHEN excluded.state = 'failed' OR ? THEN bulk_items.payload END
             WHERE bulk_items.state = 'pending'",
            &[&dry_run],
        );
        conn.execute(&query, query.params()).await?;
    }
    Ok(())
}

const FIRST_NAMED: &str = "SELECT min(item) FROM bulk_items WHERE operation_id = $1 AND name_key = $2 AND item < $3";

/// The first item before this one that has its name.
pub(super) async fn first_named(conn: &mut Conn, id: OperationId, item: i64, key: &str) -> Result<Option<i64>> {
    let (first,) = conn.fetch_one(FIRST_NAMED, params![id, key, item]).await?;
    Ok(first)
}

const REHEARSED: &str = "SELECT payload FROM bulk_items
                         WHERE operation_id = $1 AND name_key = $2 AND item < $3 AND state = 'succeeded'
                         ORDER BY item DESC LIMIT 1";

/// Of a dry run: the last item before this one that would have made or changed the prompt of its name.
pub(super) async fn rehearsed(conn: &mut Conn, id: OperationId, item: i64, key: &str) -> Result<Option<Value>> {
    let row: Option<(Json<Value>,)> = conn.fetch_optional(REHEARSED, params![id, key, item]).await?;
    Ok(row.map(|(Json(payload),)| payload))
}

const SAVE: &str = "SAVEPOINT item";

/// What follows can be undone by itself.
pub(super) async fn save(conn: &mut Conn) -> Result<()> {
    conn.execute(SAVE, params![]).await.map(drop)
}

const UNDO: &str = "ROLLBACK TO SAVEPOINT item";
const FORGET: &str = "RELEASE SAVEPOINT item";

/// Undoes what was done since [`save`].
pub(super) async fn undo(conn: &mut Conn) -> Result<()> {
    conn.execute(UNDO, params![]).await?;
    keep(conn).await
}

/// Keeps what was done since [`save`].
pub(super) async fn keep(conn: &mut Conn) -> Result<()> {
    conn.execute(FORGET, params![]).await.map(drop)
}

const ADVANCE: &str = "UPDATE bulk_operations SET status = $2, successful_items = successful_items + $3,
                              skipped_items = skipped_items + $4, failed_items = failed_items + $5, finished_at = $6,
                              next_item = $7
                       WHERE id = $1";

pub(super) async fn advance(
    conn: &mut Conn,
    id: OperationId,
    status: OperationStatus,
    (successful, skipped, failed): (i64, i64, i64),
    finished_at: Option<Timestamp>,
    next_item: i64,
) -> Result<()> {
    conn.execute(ADVANCE, params![id, status, successful, skipped, failed, finished_at, next_item]).await.map(drop)
}

const REVIVE: &str = "UPDATE bulk_operations SET status = 'processing', error = NULL, finished_at = NULL
                      WHERE id = $1 AND status = 'failed' AND round = $2";

/// An operation that was given up goes on, if it is in that round.
pub(super) async fn revive(conn: &mut Conn, id: OperationId, round: i64) -> Result<()> {
    conn.execute(REVIVE, params![id, round]).await.map(drop)
}

const END: &str = "UPDATE bulk_operations SET status = $2, error = $3, finished_at = $4, receiving_until = NULL
                   WHERE id = $1 AND status IN ('pending', 'processing') AND round = COALESCE($5, round)";

/// Ends an operation before its last item; with a round, only if that is the one it is in. Answers whether it had
/// not ended yet.
pub(super) async fn end(
    conn: &mut Conn,
    id: OperationId,
    (status, error): (OperationStatus, Option<String>),
    now: Timestamp,
    round: Option<i64>,
) -> Result<bool> {
    Ok(conn.execute(END, params![id, status, error, now, round]).await? == 1)
}

const END_ABANDONED: &str = "UPDATE bulk_operations SET status = 'failed', error = $2, finished_at = $1,
                                    receiving_until = NULL
                             WHERE status = 'pending' AND receiving_until <= $1
                             RETURNING id";

/// Ends the operations whose items no longer come, and answers which.
pub(super) async fn end_abandoned(conn: &mut Conn, now: Timestamp, error: &str) -> Result<Vec<OperationId>> {
    let rows: Vec<(OperationId,)> = conn.fetch_all(END_ABANDONED, params![now, error]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const REOPEN_ITEMS: &str = "UPDATE bulk_items SET state = 'pending', code = NULL, detail = NULL
                            WHERE operation_id = $1 AND state = 'failed' AND payload IS NOT NULL";
const REOPEN: &str = "UPDATE bulk_operations SET status = 'pending', round = round + 1, error = NULL,
                             failed_items = failed_items - $2, started_at = NULL, finished_at = NULL, next_item = 0
                      WHERE id = $1";

/// Makes refused items wait again. Answers how many.
pub(super) async fn reopen(conn: &mut Conn, id: OperationId) -> Result<i64> {
    let items = i64::try_from(conn.execute(REOPEN_ITEMS, params![id]).await?).unwrap_or(i64::MAX);
    conn.execute(REOPEN, params![id, items]).await?;
    Ok(items)
}

const HOLD: &str = "UPDATE bulk_operations SET round = round WHERE id = $1";

/// Holds an operation, whatever becomes of it, until the transaction ends.
pub(super) async fn hold(conn: &mut Conn, id: OperationId) -> Result<()> {
    conn.execute(HOLD, params![id]).await.map(drop)
}

const DELETE_ITEMS: &str = "DELETE FROM bulk_items WHERE operation_id = $1";
const DELETE: &str = "DELETE FROM bulk_operations WHERE id = $1";

/// Forgets an operation that nobody was told of.
pub(super) async fn delete(conn: &mut Conn, id: OperationId) -> Result<()> {
    conn.execute(DELETE_ITEMS, params![id]).await?;
    conn.execute(DELETE, params![id]).await.map(drop)
}
