//! The tables `audit_log` and `audit_head`.
use super::{AuditFilter, AuditRow};
use crate::{
    db::{Conn, Query, Tx, params, portions},
    error::Result,
    id::AuditId,
    page::PageRequest,
};

const INSERT: &str = "INSERT INTO audit_log (id, at, actor, request_id, action, object_id, detail, state)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(super) async fn insert(
    tx: &mut Tx,
    action: &str,
    object_id: &str,
    detail: Option<String>,
    state: Option<String>,
) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let id = AuditId::generate(now);
    let row = params![id, now, &*caller.actor, &*caller.request_id, action, object_id, detail, state];
    tx.execute(INSERT, row).await.map(drop)
}

pub(super) async fn insert_many(tx: &mut Tx, action: &str, objects: Vec<(String, String)>) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let (actor, request_id) = (&*caller.actor, &*caller.request_id);
    let rows: Vec<_> = objects.into_iter().map(|(object, state)| (AuditId::generate(now), object, state)).collect();
    for rows in portions(&rows) {
        let start = "INSERT INTO audit_log (id, at, actor, request_id, action, object_id, state) VALUES";
        let query = Query::new(start).rows("(?, ?, ?, ?, ?, ?, ?)", rows, |(id, object, state)| {
            vec![id, &now, &actor, &request_id, &action, object, state]
        });
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

const COUNT: &str = "SELECT count(*) FROM audit_log a WHERE 1 = 1";
/// What an object was before a row says the row before it: in the order of the chain, as a clock may be set back; what is
/// not sealed yet comes last.
const SELECT: &str =
    "SELECT a.id, a.at, a.actor, a.request_id, a.action, a.object_id, a.detail, a.state, a.sequence, a.seal,
            (SELECT b.state FROM audit_log b
             WHERE b.object_id = a.object_id
               AND (COALESCE(b.sequence, 9223372036854775807), b.id) < (COALESCE(a.sequence, 9223372036854775807), a.id)
             ORDER BY COALESCE(b.sequence, 9223372036854775807) DESC, b.id DESC LIMIT 1) AS before
     FROM audit_log a WHERE 1 = 1";

/// Rows before one, the last first, and how many there are in all.
pub(super) async fn list(
    conn: &mut Conn,
    filter: &AuditFilter,
    before: Option<String>,
    request: &PageRequest,
) -> Result<(Vec<AuditRow>, i64)> {
    fn matching<'a>(query: Query<'a>, filter: &'a AuditFilter) -> Query<'a> {
        query
            .and("a.actor = ?", &filter.actor)
            .and("a.action = ?", &filter.action)
            .and("a.object_id = ?", &filter.object_id)
            .and("a.request_id = ?", &filter.request_id)
            .and("a.at >= ?", &filter.since)
            .and("a.at < ?", &filter.until)
    }
    let counted = matching(Query::new(COUNT), filter);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let query = matching(Query::new(SELECT), filter).and("a.id < ?", &before);
    let query = query.then("ORDER BY a.id DESC LIMIT ? OFFSET ?", &[&limit, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const AFTER: &str =
    "SELECT a.id, a.at, a.actor, a.request_id, a.action, a.object_id, a.detail, a.state, a.sequence, a.seal,
            (SELECT b.state FROM audit_log b WHERE b.object_id = a.object_id AND b.sequence < a.sequence
             ORDER BY b.sequence DESC LIMIT 1) AS before
     FROM audit_log a WHERE a.sequence > $1 ORDER BY a.sequence LIMIT $2";

pub(super) async fn after(conn: &mut Conn, sequence: i64, most: i64) -> Result<Vec<AuditRow>> {
    conn.fetch_all(AFTER, params![sequence, most]).await
}

const FIRST_UNSEALED: &str = "SELECT count(*) FROM (SELECT 1 FROM audit_log WHERE sequence IS NULL LIMIT 1) AS waiting";

/// Is there a row that is not sealed?
pub(super) async fn is_unsealed(conn: &mut Conn) -> Result<bool> {
    let (waiting,): (i64,) = conn.fetch_one(FIRST_UNSEALED, params![]).await?;
    Ok(waiting > 0)
}

const COUNT_UNSEALED: &str = "SELECT count(*) FROM audit_log WHERE sequence IS NULL";

pub(super) async fn count_unsealed(conn: &mut Conn) -> Result<i64> {
    let (count,) = conn.fetch_one(COUNT_UNSEALED, params![]).await?;
    Ok(count)
}

const LOCK_HEAD: &str = "INSERT INTO audit_head (id, sequence, seal) VALUES (1, 0, '')
                         ON CONFLICT (id) DO UPDATE SET sequence = audit_head.sequence RETURNING sequence, seal";

/// The end of the chain. Nobody else makes it longer until the transaction ends.
pub(super) async fn lock_head(tx: &mut Tx) -> Result<(i64, String)> {
    tx.fetch_one(LOCK_HEAD, params![]).await
}

const HEAD: &str = "SELECT sequence, seal FROM audit_head WHERE id = 1";

/// The end of the chain; of none, if nothing was sealed yet.
pub(super) async fn head(conn: &mut Conn) -> Result<(i64, String)> {
    let head: Option<(i64, String)> = conn.fetch_optional(HEAD, params![]).await?;
    Ok(head.unwrap_or_default())
}

const SET_HEAD: &str = "UPDATE audit_head SET sequence = $1, seal = $2 WHERE id = 1";

pub(super) async fn set_head(tx: &mut Tx, sequence: i64, seal: &str) -> Result<()> {
    tx.execute(SET_HEAD, params![sequence, seal]).await.map(drop)
}

const UNSEALED: &str =
    "SELECT id, at, actor, request_id, action, object_id, detail, state, sequence, seal, NULL AS before
                        FROM audit_log WHERE sequence IS NULL ORDER BY id LIMIT $1";

pub(super) async fn unsealed(tx: &mut Tx, most: i64) -> Result<Vec<AuditRow>> {
    tx.fetch_all(UNSEALED, params![most]).await
}

/// Gives rows their places and seals.
pub(super) async fn seal(tx: &mut Tx, rows: &[(AuditId, i64, String)]) -> Result<()> {
    for rows in portions(rows) {
        let query = Query::new("WITH sealed (id, sequence, seal) AS (VALUES")
            .rows("(CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT))", rows, |(id, sequence, seal)| {
                vec![id, sequence, seal]
            })
            .then(
                ") UPDATE audit_log SET sequence = sealed.sequence, seal = sealed.seal FROM sealed
                 WHERE audit_log.id = sealed.id",
                params![],
            );
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}
