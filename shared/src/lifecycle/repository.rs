//! The table `lifecycle_changes`.
use super::LifecycleChange;
use crate::{
    db::{Conn, Query, params},
    error::Result,
    id::PromptId,
    page::PageRequest,
    prompts::{self, PromptFilter},
};

const INSERT: &str =
    "INSERT INTO lifecycle_changes (prompt_id, sequence, from_status, to_status, version, reason, sunset_at,
                                                     successor_id, changed_by, changed_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(super) async fn insert(conn: &mut Conn, change: &LifecycleChange) -> Result<()> {
    let row = params![
        change.prompt_id,
        change.sequence,
        change.previous_status,
        change.new_status,
        change.version,
        change.reason,
        change.sunset_at,
        change.successor_id,
        change.updated_by,
        change.transition_timestamp
    ];
    conn.execute(INSERT, row).await.map(drop)
}

const COUNT: &str = "SELECT count(*) FROM lifecycle_changes WHERE prompt_id = $1";

pub(super) async fn count(conn: &mut Conn, id: PromptId) -> Result<i64> {
    let (count,) = conn.fetch_one(COUNT, params![id]).await?;
    Ok(count)
}

const FIRST_PUBLISHED: &str = "SELECT version FROM lifecycle_changes WHERE prompt_id = $1 AND to_status = 'published'
                               ORDER BY sequence LIMIT 1";

pub(super) async fn first_published(conn: &mut Conn, id: PromptId) -> Result<Option<i64>> {
    let row: Option<(i64,)> = conn.fetch_optional(FIRST_PUBLISHED, params![id]).await?;
    Ok(row.map(|(version,)| version))
}

const LIST: &str = "SELECT * FROM lifecycle_changes WHERE prompt_id = $1 AND sequence < $2
                    ORDER BY sequence DESC LIMIT $3 OFFSET $4";

const LENGTHS: &str = "SELECT CAST(COALESCE(octet_length(reason), 0) AS BIGINT) FROM lifecycle_changes
                       WHERE prompt_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3 OFFSET $4";

/// How many bytes each change of a page of [`list`] holds.
pub(super) async fn lengths(conn: &mut Conn, id: PromptId, before: i64, request: &PageRequest) -> Result<Vec<i64>> {
    let page = params![id, before, request.limit_and_one(), request.offset()];
    let rows: Vec<(i64,)> = conn.fetch_all(LENGTHS, page).await?;
    Ok(rows.into_iter().map(|(bytes,)| bytes).collect())
}

pub(super) async fn list(
    conn: &mut Conn,
    id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<LifecycleChange>, i64)> {
    let total = count(conn, id).await?;
    let rows = conn.fetch_all(LIST, params![id, before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const AFTER: &str = "SELECT * FROM lifecycle_changes WHERE prompt_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";

pub(super) async fn after(conn: &mut Conn, id: PromptId, after: i64, most: i64) -> Result<Vec<LifecycleChange>> {
    conn.fetch_all(AFTER, params![id, after, most]).await
}

const LAST: &str = "SELECT * FROM lifecycle_changes WHERE prompt_id = $1 ORDER BY sequence DESC LIMIT 1";

pub(super) async fn last(conn: &mut Conn, id: PromptId) -> Result<Option<LifecycleChange>> {
    conn.fetch_optional(LAST, params![id]).await
}

const AT: &str = "SELECT * FROM lifecycle_changes WHERE prompt_id = $1 AND sequence = $2";

/// The change of this number.
pub(super) async fn at(conn: &mut Conn, id: PromptId, sequence: i64) -> Result<Option<LifecycleChange>> {
    conn.fetch_optional(AT, params![id, sequence]).await
}

const COUNT_SUCCESSORS: &str = "SELECT count(*) FROM lifecycle_changes c JOIN prompts p ON p.id = c.successor_id
                                WHERE c.prompt_id = $1";

/// How many changes of a prompt name a successor that is one of the filter's.
pub(super) async fn count_successors(conn: &mut Conn, id: PromptId, filter: &PromptFilter) -> Result<i64> {
    let bounds = filter.bounds();
    let query = prompts::matching(Query::with(COUNT_SUCCESSORS, &[&id]), filter, &bounds);
    let (count,) = conn.fetch_one(&query, query.params()).await?;
    Ok(count)
}

const SET_SUCCESSOR: &str = "UPDATE lifecycle_changes SET successor_id = $3
                             WHERE prompt_id = $1 AND sequence = $2 AND successor_id IS NULL";

/// Answers whether there is such a change, which had none.
pub(super) async fn set_successor(conn: &mut Conn, id: PromptId, sequence: i64, successor: PromptId) -> Result<bool> {
    Ok(conn.execute(SET_SUCCESSOR, params![id, sequence, successor]).await? == 1)
}
