//! The tables `versions`, `labels` and `label_moves`.
use super::{Label, LabelMove, NewVersion, Version};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Tx, params},
    error::Result,
    id::{PromptId, VersionId},
    page::PageRequest,
};

const INSERT: &str = "INSERT INTO versions (id, prompt_id, version, type, template_format, variables, input_schema,
                                            config, content, messages, change_summary, change_type, content_hash,
                                            created_by, created_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Appends a version. The caller holds the prompt, so that no number is given twice.
pub async fn append(tx: &mut Tx, new: NewVersion<'_>) -> Result<()> {
    let (caller, now, body) = (tx.caller().clone(), tx.now(), new.body);
    let row = params![
        VersionId::generate(now),
        new.prompt_id,
        new.version,
        body.kind,
        body.template_format,
        Json(&body.variables),
        Json(&body.input_schema),
        Json(&body.config),
        body.content,
        body.messages.clone().map(Json),
        new.change_summary,
        new.change_type,
        body.hash(),
        &*caller.actor,
        now
    ];
    tx.execute(INSERT, row).await.map(drop)
}

const FIND: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version = $2";

/// One version of a prompt.
pub async fn find(conn: &mut Conn, prompt_id: PromptId, version: i64) -> Result<Option<Version>> {
    conn.fetch_optional(FIND, params![prompt_id, version]).await
}

const LIST: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version < $2
                    ORDER BY version DESC LIMIT $3 OFFSET $4";
const COUNT: &str = "SELECT count(*) FROM versions WHERE prompt_id = $1";

/// The versions below `before`, newest first, and how many there are in all.
pub async fn list(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<Version>, i64)> {
    let (total,) = conn.fetch_one(COUNT, params![prompt_id]).await?;
    let rows = conn.fetch_all(LIST, params![prompt_id, before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const LABELS: &str = "SELECT label, version, updated_by, updated_at FROM labels
                      WHERE prompt_id = $1 AND label > $2 ORDER BY label LIMIT $3 OFFSET $4";
const COUNT_LABELS: &str = "SELECT count(*) FROM labels WHERE prompt_id = $1";

pub(super) async fn labels(
    conn: &mut Conn,
    prompt_id: PromptId,
    after: &str,
    request: &PageRequest,
) -> Result<(Vec<Label>, i64)> {
    let (total,) = conn.fetch_one(COUNT_LABELS, params![prompt_id]).await?;
    let rows = conn.fetch_all(LABELS, params![prompt_id, after, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const LABEL: &str = "SELECT label, version, updated_by, updated_at FROM labels WHERE prompt_id = $1 AND label = $2";

pub(super) async fn label(conn: &mut Conn, prompt_id: PromptId, label: &str) -> Result<Option<Label>> {
    conn.fetch_optional(LABEL, params![prompt_id, label]).await
}

const SET_LABEL: &str = "INSERT INTO labels (prompt_id, label, version, updated_by, updated_at)
                         VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (prompt_id, label) DO UPDATE SET
                             version = excluded.version, updated_by = excluded.updated_by,
                             updated_at = excluded.updated_at";

pub(super) async fn set_label(conn: &mut Conn, prompt_id: PromptId, label: &Label) -> Result<()> {
    let row = params![prompt_id, label.label, label.version, label.updated_by, label.updated_at];
    conn.execute(SET_LABEL, row).await.map(drop)
}

const DELETE_LABEL: &str = "DELETE FROM labels WHERE prompt_id = $1 AND label = $2";

pub(super) async fn delete_label(conn: &mut Conn, prompt_id: PromptId, label: &str) -> Result<()> {
    conn.execute(DELETE_LABEL, params![prompt_id, label]).await.map(drop)
}

const INSERT_MOVE: &str = "INSERT INTO label_moves (prompt_id, sequence, label, from_version, to_version, reason,
                                                    moved_by, moved_at)
                           SELECT $1, count(*) + 1, $2, $3, $4, $5, $6, $7 FROM label_moves WHERE prompt_id = $1";

pub(super) async fn insert_move(
    conn: &mut Conn,
    prompt_id: PromptId,
    step: &LabelMove,
    moved_at: Timestamp,
) -> Result<()> {
    let row = params![prompt_id, step.label, step.from_version, step.to_version, step.reason, step.moved_by, moved_at];
    conn.execute(INSERT_MOVE, row).await.map(drop)
}

const MOVES: &str = "SELECT sequence, label, from_version, to_version, reason, moved_by, moved_at FROM label_moves
                     WHERE prompt_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3 OFFSET $4";
const COUNT_MOVES: &str = "SELECT count(*) FROM label_moves WHERE prompt_id = $1";

pub(super) async fn moves(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<LabelMove>, i64)> {
    let (total,) = conn.fetch_one(COUNT_MOVES, params![prompt_id]).await?;
    let rows = conn.fetch_all(MOVES, params![prompt_id, before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}
