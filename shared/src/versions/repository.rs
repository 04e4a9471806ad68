//! The tables `versions`, `labels` and `label_moves`.
use super::{Body, Label, LabelMove, NewVersion, Version, model::VersionRow};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Param, Query, Tx, params, portions},
    error::{Error, Result},
    id::{PromptId, VersionId},
    page::PageRequest,
};

/// Appends a version. The caller holds the prompt, so that no number is given twice.
pub async fn append(tx: &mut Tx, new: NewVersion<'_>) -> Result<()> {
    append_many(tx, vec![new]).await
}

/// Appends versions, each to a prompt that the caller holds.
pub async fn append_many(tx: &mut Tx, new: Vec<NewVersion<'_>>) -> Result<()> {
    let (actor, now) = (tx.caller().actor.to_string(), tx.now());
    let version = |new: NewVersion<'_>| Version {
        id: VersionId::generate(now),
        prompt_id: new.prompt_id,
        version: new.version,
        body: new.body.clone(),
        change_summary: new.change_summary,
        change_type: new.change_type,
        content_hash: new.body.hash(),
        created_by: actor.clone(),
        created_at: now,
        damaged: false,
    };
    let versions: Vec<Version> = new.into_iter().map(version).collect();
    if insert(tx, &versions).await? < versions.len() as u64 {
        return Err(Error::race("a number that another version was given"));
    }
    Ok(())
}

/// Answers how many of them were new.
pub(super) async fn insert<'v>(conn: &mut Conn, versions: &'v [Version]) -> Result<u64> {
    let json = |it: &'v Version| {
        let Body { variables, input_schema, config, messages, .. } = &it.body;
        let (format, engine) = it.body.template_format.written();
        (it, format.to_owned(), engine, Json(variables), Json(input_schema), Json(config), messages.clone().map(Json))
    };
    let rows: Vec<_> = versions.iter().map(json).collect();
    let mut inserted = 0;
    for rows in portions(&rows) {
        let start = "INSERT INTO versions (id, prompt_id, version, type, template_format, template_engine, variables,
                                           input_schema, config, content, messages, change_summary, change_type,
                                           content_hash, created_by, created_at) VALUES";
        let query = Query::new(start).rows(
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
            |(it, format, engine, variables, input_schema, config, messages)| {
                let kind: [&dyn Param; 6] = [&it.id, &it.prompt_id, &it.version, &it.body.kind, format, engine];
                let body: [&dyn Param; 5] = [variables, input_schema, config, &it.body.content, messages];
                let origin: [&dyn Param; 5] =
                    [&it.change_summary, &it.change_type, &it.content_hash, &it.created_by, &it.created_at];
                [&kind[..], &body, &origin].concat()
            },
        );
        let query = query.then("ON CONFLICT DO NOTHING", params![]);
        inserted += conn.execute(&query, query.params()).await?;
    }
    Ok(inserted)
}

const FIND: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version = $2";

/// One version of a prompt.
pub async fn find(conn: &mut Conn, prompt_id: PromptId, version: i64) -> Result<Option<Version>> {
    let found: Option<VersionRow> = conn.fetch_optional(FIND, params![prompt_id, version]).await?;
    found.map(VersionRow::checked).transpose()
}

const BEFORE: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version < $2 ORDER BY version DESC LIMIT 1";

/// The newest version below `before` that is what was written; nothing, if none is.
pub async fn newest_sound(conn: &mut Conn, prompt_id: PromptId, mut before: i64) -> Result<Option<Version>> {
    loop {
        let found: Option<VersionRow> = conn.fetch_optional(BEFORE, params![prompt_id, before]).await?;
        match found.map(VersionRow::marked) {
            Some(version) if version.damaged => before = version.version,
            found => return Ok(found),
        }
    }
}

const LIST: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version < $2
                    ORDER BY version DESC LIMIT $3 OFFSET $4";
const COUNT: &str = "SELECT count(*) FROM versions WHERE prompt_id = $1";

/// How many bytes a version `v` holds besides its texts.
pub const SETTINGS_BYTES: &str = "octet_length(CAST(v.config AS TEXT)) + octet_length(CAST(v.input_schema AS TEXT))
                                  + octet_length(CAST(v.variables AS TEXT))";
/// And those.
pub const TEXTS_BYTES: &str =
    "+ COALESCE(octet_length(v.content), 0) + COALESCE(octet_length(CAST(v.messages AS TEXT)), 0)";

/// How many bytes each version of a page of [`list`] holds.
pub async fn lengths(conn: &mut Conn, prompt_id: PromptId, before: i64, request: &PageRequest) -> Result<Vec<i64>> {
    let (most, offset) = (request.limit_and_one(), request.offset());
    let query = Query::new("SELECT CAST(").then(SETTINGS_BYTES, params![]).then(TEXTS_BYTES, params![]).then(
        "AS BIGINT) FROM versions v WHERE v.prompt_id = ? AND v.version < ? ORDER BY v.version DESC LIMIT ? OFFSET ?",
        &[&prompt_id, &before, &most, &offset],
    );
    let rows: Vec<(i64,)> = conn.fetch_all(&query, query.params()).await?;
    Ok(rows.into_iter().map(|(bytes,)| bytes).collect())
}

/// The versions below `before`, newest first, and how many there are in all. Damaged ones are marked.
pub async fn list(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<Version>, i64)> {
    let (total,) = conn.fetch_one(COUNT, params![prompt_id]).await?;
    let rows: Vec<VersionRow> =
        conn.fetch_all(LIST, params![prompt_id, before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows.into_iter().map(VersionRow::marked).collect(), total))
}

const AFTER: &str = "SELECT * FROM versions WHERE prompt_id = $1 AND version > $2 ORDER BY version LIMIT $3";

/// The first versions after number `after`, oldest first. Damaged ones are marked.
pub async fn after(conn: &mut Conn, prompt_id: PromptId, after: i64, most: i64) -> Result<Vec<Version>> {
    let rows: Vec<VersionRow> = conn.fetch_all(AFTER, params![prompt_id, after, most]).await?;
    Ok(rows.into_iter().map(VersionRow::marked).collect())
}

const IDS: &str = "SELECT id, prompt_id, version FROM versions WHERE id > $1 ORDER BY id LIMIT $2";

/// The first versions of all prompts after the one with this id: which they are.
pub(super) async fn ids(conn: &mut Conn, after: &str, most: i64) -> Result<Vec<(VersionId, PromptId, i64)>> {
    conn.fetch_all(IDS, params![after, most]).await
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

const WAS_BEHIND: &str = "SELECT (SELECT count(*) FROM labels WHERE prompt_id = $1 AND label = $2 AND version = $3)
                               + (SELECT count(*) FROM label_moves WHERE prompt_id = $1 AND label = $2 AND to_version = $3)";

pub(super) async fn was_behind(conn: &mut Conn, prompt_id: PromptId, label: &str, version: i64) -> Result<bool> {
    let (times,): (i64,) = conn.fetch_one(WAS_BEHIND, params![prompt_id, label, version]).await?;
    Ok(times > 0)
}

const LAST_MOVE: &str = "SELECT count(*) FROM label_moves WHERE prompt_id = $1";

/// The number of the last move of a prompt's labels.
pub(super) async fn last_move(conn: &mut Conn, prompt_id: PromptId) -> Result<i64> {
    let (last,) = conn.fetch_one(LAST_MOVE, params![prompt_id]).await?;
    Ok(last)
}

const MOVES_AFTER: &str = "SELECT sequence, label, from_version, to_version, reason, moved_by, moved_at
                           FROM label_moves WHERE prompt_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";

/// The first moves after number `after`, oldest first.
pub async fn moves_after(conn: &mut Conn, prompt_id: PromptId, after: i64, most: i64) -> Result<Vec<LabelMove>> {
    conn.fetch_all(MOVES_AFTER, params![prompt_id, after, most]).await
}

const MOVES: &str = "SELECT sequence, label, from_version, to_version, reason, moved_by, moved_at FROM label_moves
                     WHERE prompt_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3 OFFSET $4";

const MOVE_LENGTHS: &str = "SELECT CAST(COALESCE(octet_length(reason), 0) AS BIGINT) FROM label_moves
                            WHERE prompt_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3 OFFSET $4";

/// How many bytes each move of a page of [`moves`] holds.
pub(super) async fn move_lengths(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<Vec<i64>> {
    let page = params![prompt_id, before, request.limit_and_one(), request.offset()];
    let rows: Vec<(i64,)> = conn.fetch_all(MOVE_LENGTHS, page).await?;
    Ok(rows.into_iter().map(|(bytes,)| bytes).collect())
}

pub(super) async fn moves(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<LabelMove>, i64)> {
    let total = last_move(conn, prompt_id).await?;
    let rows = conn.fetch_all(MOVES, params![prompt_id, before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}
