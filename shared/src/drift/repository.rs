//! The table `drift_baselines`.
use super::Baseline;
use crate::{
    db::{Conn, params},
    error::Result,
    id::PromptId,
};

const FIND: &str = "SELECT * FROM drift_baselines WHERE prompt_id = $1";

pub(super) async fn find(conn: &mut Conn, id: PromptId) -> Result<Option<Baseline>> {
    conn.fetch_optional(FIND, params![id]).await
}

const PIN: &str = "INSERT INTO drift_baselines (prompt_id, version, pinned_by, pinned_at) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (prompt_id) DO UPDATE SET
                       version = excluded.version, pinned_by = excluded.pinned_by, pinned_at = excluded.pinned_at";

pub(super) async fn pin(conn: &mut Conn, baseline: &Baseline) -> Result<()> {
    let row = params![baseline.prompt_id, baseline.version, baseline.pinned_by, baseline.pinned_at];
    conn.execute(PIN, row).await.map(drop)
}

const UNPIN: &str = "DELETE FROM drift_baselines WHERE prompt_id = $1";

/// Answers whether there was one.
pub(super) async fn unpin(conn: &mut Conn, id: PromptId) -> Result<bool> {
    Ok(conn.execute(UNPIN, params![id]).await? == 1)
}
