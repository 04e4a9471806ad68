//! The tables `drift_baselines`, `drift_evaluations` and `drift_days`.
use super::{Baseline, Performance};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, params},
    error::Result,
    id::PromptId,
};

const FIND: &str = "SELECT * FROM drift_baselines WHERE prompt_id = $1";

pub(super) async fn find(conn: &mut Conn, id: PromptId) -> Result<Option<Baseline>> {
    conn.fetch_optional(FIND, params![id]).await
}

const PIN: &str = "INSERT INTO drift_baselines (prompt_id, version, reference_from, reference_to, pinned_by, pinned_at)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (prompt_id) DO UPDATE SET
                       version = excluded.version, reference_from = excluded.reference_from,
                       reference_to = excluded.reference_to, pinned_by = excluded.pinned_by,
                       pinned_at = excluded.pinned_at";

pub(super) async fn pin(conn: &mut Conn, baseline: &Baseline) -> Result<()> {
    let row = params![
        baseline.prompt_id,
        baseline.version,
        baseline.reference_from,
        baseline.reference_to,
        baseline.pinned_by,
        baseline.pinned_at
    ];
    conn.execute(PIN, row).await.map(drop)
}

const UNPIN: &str = "DELETE FROM drift_baselines WHERE prompt_id = $1";

/// Answers whether there was one.
pub(super) async fn unpin(conn: &mut Conn, id: PromptId) -> Result<bool> {
    Ok(conn.execute(UNPIN, params![id]).await? == 1)
}

const PUT: &str = "INSERT INTO drift_evaluations (prompt_id, version, day, status, found) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (prompt_id, version, day) DO UPDATE SET status = excluded.status, found = excluded.found";

/// Writes down what was found of a version on a day.
pub(super) async fn put(
    conn: &mut Conn,
    (id, version, day): (PromptId, i64, Timestamp),
    found: &Performance,
) -> Result<()> {
    conn.execute(PUT, params![id, version, day, found.status, Json(found)]).await.map(drop)
}

const LAST_EVALUATED: &str = "SELECT max(prompt_id) FROM drift_evaluations WHERE day = $1";

/// The last prompt, in the order of ids, that was looked at on a day.
pub(super) async fn last_evaluated(conn: &mut Conn, day: Timestamp) -> Result<Option<PromptId>> {
    let (last,): (Option<PromptId>,) = conn.fetch_one(LAST_EVALUATED, params![day]).await?;
    Ok(last)
}

const LAST_BEFORE: &str = "SELECT found FROM drift_evaluations WHERE prompt_id = $1 AND version = $2 AND day < $3
                           ORDER BY day DESC LIMIT 1";

/// What was found of a version the last time before a day.
pub(super) async fn last_before(
    conn: &mut Conn,
    id: PromptId,
    version: i64,
    day: Timestamp,
) -> Result<Option<Performance>> {
    let found: Option<(Json<Performance>,)> = conn.fetch_optional(LAST_BEFORE, params![id, version, day]).await?;
    Ok(found.map(|(found,)| found.0))
}

const IS_DONE: &str = "SELECT count(*) FROM drift_days WHERE day >= $1";

/// Was every prompt in use looked at on a day?
pub(super) async fn is_done(conn: &mut Conn, day: Timestamp) -> Result<bool> {
    let (days,): (i64,) = conn.fetch_one(IS_DONE, params![day]).await?;
    Ok(days > 0)
}

const DONE: &str = "INSERT INTO drift_days (day) VALUES ($1) ON CONFLICT DO NOTHING";
const FORGET_DAYS: &str = "DELETE FROM drift_days WHERE day < $1";
const FORGET: &str = "DELETE FROM drift_evaluations WHERE day < $1";

/// Every prompt in use was looked at on a day. What was found before another is thrown away.
pub(super) async fn done(conn: &mut Conn, day: Timestamp, kept: Timestamp) -> Result<()> {
    conn.execute(DONE, params![day]).await?;
    conn.execute(FORGET_DAYS, params![day]).await?;
    conn.execute(FORGET, params![kept]).await.map(drop)
}
