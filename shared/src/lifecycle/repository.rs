//! The table `lifecycle_changes`.
use super::LifecycleChange;
use crate::{
    db::{Conn, params},
    error::Result,
    id::PromptId,
    page::PageRequest,
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
