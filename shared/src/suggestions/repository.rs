//! The table `suppressions`.
use crate::{
    clock::Timestamp,
    db::{Conn, params},
    error::Result,
    id::PromptId,
    lint::{Rule, Suppression},
};

const LIST: &str = "SELECT rule, reason, suppressed_by, suppressed_at FROM suppressions WHERE prompt_id = $1
                    ORDER BY rule";

pub(super) async fn list(conn: &mut Conn, id: PromptId) -> Result<Vec<Suppression>> {
    let rows: Vec<(Rule, String, String, Timestamp)> = conn.fetch_all(LIST, params![id]).await?;
    let kept = |(rule, reason, by, at)| Suppression { rule, reason, suppressed_by: Some(by), suppressed_at: Some(at) };
    Ok(rows.into_iter().map(kept).collect())
}

const SET: &str = "INSERT INTO suppressions (prompt_id, rule, reason, suppressed_by, suppressed_at)
                   VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (prompt_id, rule) DO UPDATE SET
                       reason = excluded.reason, suppressed_by = excluded.suppressed_by,
                       suppressed_at = excluded.suppressed_at";

pub(super) async fn set(conn: &mut Conn, id: PromptId, suppression: &Suppression) -> Result<()> {
    let Suppression { rule, reason, suppressed_by, suppressed_at } = suppression;
    conn.execute(SET, params![id, rule, reason, suppressed_by, suppressed_at]).await.map(drop)
}

const DELETE: &str = "DELETE FROM suppressions WHERE prompt_id = $1 AND rule = $2";

/// Answers whether there was one.
pub(super) async fn delete(conn: &mut Conn, id: PromptId, rule: Rule) -> Result<bool> {
    Ok(conn.execute(DELETE, params![id, rule]).await? == 1)
}
