//! The tables `prompts` and `prompt_tags`, read together with the version that is asked for.
use std::collections::BTreeMap;

use super::{Draft, LifecycleStatus, Prompt, Selector, Show};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Query, params},
    error::{Error, Result},
    id::PromptId,
    versions::BodyRow,
};

/// No tag can hold it: control characters are refused.
const SEPARATOR: char = '\u{1f}';

/// One statement, so that everything in a prompt is of one moment. `$1`: with the content; `$2`: with the use, `$3`: since when.
/// Where `is_template` follows the variables, it follows those of the version that is shown.
const SELECT: &str = "
    SELECT p.id, p.category, p.name, p.description, p.lifecycle_status, p.parent_id,
           CASE WHEN v.version = p.version
                  OR p.is_template <> (SELECT CAST(c.variables AS TEXT) <> '[]' FROM versions c
                                       WHERE c.prompt_id = p.id AND c.version = p.version)
                THEN p.is_template ELSE CAST(v.variables AS TEXT) <> '[]' END AS is_template,
           p.parent_version, v.version, p.revision, p.created_by, p.created_at, p.updated_at, p.deleted_at,
           p.status_changed_at, p.sunset_at, p.successor_id,
           v.type, v.template_format, v.template_engine, v.variables, v.input_schema, v.config, v.content_hash,
           CASE WHEN $2 THEN (SELECT CAST(COALESCE(sum(uses), 0) AS BIGINT) FROM prompt_uses u
                              WHERE u.prompt_id = p.id) END AS usage_count,
           CASE WHEN $2 THEN (SELECT CASE WHEN sum(score_n) >= 20 THEN sum(score_mean * score_n) / sum(score_n) END
                              FROM usage_rollups r
                              WHERE r.grain = 'day' AND r.prompt_id = p.id AND r.version = 0 AND r.model = ''
                                AND r.service_name = '' AND r.bucket > $3) END AS performance_score,
           CASE WHEN $1 THEN v.content END AS content, CASE WHEN $1 THEN v.messages END AS messages,
           (SELECT string_agg(tag, '\u{1f}' ORDER BY position) FROM prompt_tags t WHERE t.prompt_id = p.id) AS tags,
           (SELECT string_agg(label || '=' || CAST(l.version AS TEXT), '\u{1f}') FROM labels l
            WHERE l.prompt_id = p.id) AS labels
    FROM prompts p JOIN versions v ON v.prompt_id = p.id";

/// What [`select`] reads.
#[derive(FromRow)]
pub(super) struct PromptRow {
    id: PromptId,
    category: String,
    name: String,
    description: Option<String>,
    is_template: bool,
    lifecycle_status: LifecycleStatus,
    parent_id: Option<PromptId>,
    parent_version: Option<i64>,
    version: i64,
    revision: i64,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    usage_count: Option<i64>,
    performance_score: Option<f64>,
    deleted_at: Option<Timestamp>,
    status_changed_at: Option<Timestamp>,
    sunset_at: Option<Timestamp>,
    successor_id: Option<PromptId>,
    #[sqlx(flatten)]
    body: BodyRow,
    tags: Option<String>,
    labels: Option<String>,
}

impl PromptRow {
    /// The prompt; with its content, if that is what was written.
    pub(super) fn shown(self, show: &Show) -> Result<Prompt> {
        let prompt = self.marked(show);
        if prompt.damaged {
            return Err(Error::damaged_version(format_args!("version {} of {}", prompt.version, prompt.id)));
        }
        Ok(prompt)
    }

    /// The prompt. One whose version is not what was written is marked, and has nothing of it.
    pub(super) fn marked(self, show: &Show) -> Prompt {
        let sound = self.body.sound(show.content);
        let is_sound = sound.is_some();
        let body = sound.map(|(body, _)| body).unwrap_or_default();
        let split = |list: Option<String>| -> Vec<String> {
            list.map(|list| list.split(SEPARATOR).map(str::to_owned).collect()).unwrap_or_default()
        };
        let labels: BTreeMap<String, i64> = split(self.labels)
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .filter_map(|(label, version)| Some((label.to_owned(), version.parse().ok()?)))
            .collect();
        Prompt {
            id: self.id,
            category: self.category,
            name: self.name,
            description: self.description,
            damaged: !is_sound,
            // What has no variables and is filled all the same is known by its content only.
            is_template: self.is_template || show.content && body.variables.is_empty() && body.is_filled(),
            optional_variables: if show.content { body.optional_variables() } else { Vec::new() },
            body,
            tags: split(self.tags),
            version: self.version,
            revision: self.revision,
            labels,
            lifecycle_status: self.lifecycle_status,
            parent_id: self.parent_id,
            parent_version: self.parent_version,
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            usage_count: self.usage_count,
            performance_score: self.performance_score,
            deleted_at: self.deleted_at,
            status_changed_at: self.status_changed_at,
            sunset_at: self.sunset_at,
            successor_id: self.successor_id,
        }
    }
}

fn at<'a>(query: Query<'a>, selector: &'a Selector) -> Query<'a> {
    match selector {
        Selector::Latest => query.then("WHERE v.version = p.version", params![]),
        Selector::Production => query.then(
            "WHERE v.version = COALESCE((SELECT version FROM labels l
                                         WHERE l.prompt_id = p.id AND l.label = 'production'), p.version)",
            params![],
        ),
        Selector::Version(version) => query.then("WHERE v.version = ?", &[version]),
        Selector::Label(label) => query.then(
            "WHERE v.version = (SELECT version FROM labels l WHERE l.prompt_id = p.id AND l.label = ?)",
            &[label],
        ),
    }
}

/// Begins to read prompts, as far as they are shown.
pub(super) fn select(show: &Show) -> Query<'_> {
    let is_shown: &bool = if show.usage_since.is_some() { &true } else { &false };
    Query::with(SELECT, &[&show.content, is_shown, &show.usage_since])
}

pub(super) async fn find(conn: &mut Conn, id: PromptId, selector: &Selector, show: Show) -> Result<Option<Prompt>> {
    let query = at(select(&show), selector).then("AND p.deleted_at IS NULL AND p.id = ?", &[&id]);
    let row: Option<PromptRow> = conn.fetch_optional(&query, query.params()).await?;
    row.map(|row| row.shown(&show)).transpose()
}

pub(super) async fn find_by_name(
    conn: &mut Conn,
    category: &str,
    name: &str,
    selector: &Selector,
    show: Show,
) -> Result<Option<Prompt>> {
    let query = at(select(&show), selector)
        .then("AND p.deleted_at IS NULL AND p.category = ? AND p.name = ?", params![category, name]);
    let row: Option<PromptRow> = conn.fetch_optional(&query, query.params()).await?;
    row.map(|row| row.shown(&show)).transpose()
}

/// A prompt at its newest version, which is marked if it is damaged.
pub(super) async fn find_marked(conn: &mut Conn, id: PromptId) -> Result<Option<Prompt>> {
    let show = Show::PROMPT;
    let query = at(select(&show), &Selector::Latest).then("AND p.deleted_at IS NULL AND p.id = ?", &[&id]);
    let row: Option<PromptRow> = conn.fetch_optional(&query, query.params()).await?;
    Ok(row.map(|row| row.marked(&show)))
}

const ID_OF_NAME: &str = "SELECT id FROM prompts WHERE category = $1 AND name = $2 AND deleted_at IS NULL";

/// Which prompt is called so.
pub(super) async fn id_of_name(conn: &mut Conn, category: &str, name: &str) -> Result<Option<PromptId>> {
    let row: Option<(PromptId,)> = conn.fetch_optional(ID_OF_NAME, params![category, name]).await?;
    Ok(row.map(|(id,)| id))
}

/// The prompts of these ids that are there, in no order. Damaged ones are marked.
pub(super) async fn find_all(conn: &mut Conn, ids: &[PromptId], show: Show) -> Result<Vec<Prompt>> {
    let Some((first, rest)) = ids.split_first() else { return Ok(Vec::new()) };
    let mut query = at(select(&show), &Selector::Latest).then("AND p.deleted_at IS NULL AND p.id IN (?", &[first]);
    for id in rest {
        query = query.then(", ?", &[id]);
    }
    // Filled up, so that there are few different statements to prepare.
    for _ in ids.len()..ids.len().next_power_of_two() {
        query = query.then(", ?", &[first]);
    }
    let query = query.then(")", params![]);
    let rows: Vec<PromptRow> = conn.fetch_all(&query, query.params()).await?;
    Ok(rows.into_iter().map(|row| row.marked(&show)).collect())
}

const CATEGORY: &str = "SELECT category FROM prompts WHERE id = $1";

/// Where a prompt belongs, deleted or not; nothing, if there is none.
pub(super) async fn category(conn: &mut Conn, id: PromptId) -> Result<Option<String>> {
    let row: Option<(String,)> = conn.fetch_optional(CATEGORY, params![id]).await?;
    Ok(row.map(|(category,)| category))
}

const LOCK: &str = "UPDATE prompts SET revision = revision WHERE id = $1 AND deleted_at IS NULL";

/// Holds a prompt until the transaction ends: whoever else wants to write to it waits. Answers whether it
/// is there.
pub(super) async fn lock(conn: &mut Conn, id: PromptId) -> Result<bool> {
    Ok(conn.execute(LOCK, params![id]).await? == 1)
}

const EXISTS: &str = "SELECT count(*) FROM prompts WHERE id = $1 AND deleted_at IS NULL";

pub(super) async fn exists(conn: &mut Conn, id: PromptId) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(EXISTS, params![id]).await?;
    Ok(found == 1)
}

const INSERT: &str = "INSERT INTO prompts (id, category, name, description, is_template, parent_id, parent_version,
                                           version, revision, created_by, created_at, updated_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8, $9, $9) ON CONFLICT DO NOTHING";

/// Refuses a taken name without spoiling the transaction, so that of many items one can fail alone.
pub(super) async fn insert(
    conn: &mut Conn,
    id: PromptId,
    draft: &Draft,
    parent: Option<(PromptId, i64)>,
    created_by: &str,
    now: Timestamp,
) -> Result<()> {
    let (parent_id, parent_version) = parent.unzip();
    let row = params![
        id,
        draft.category,
        draft.name,
        draft.description,
        draft.is_template,
        parent_id,
        parent_version,
        created_by,
        now
    ];
    named_once(conn.execute(INSERT, row).await?, &draft.category, &draft.name)
}

const UPDATE: &str = "UPDATE prompts SET category = $2, name = $3, description = $4, is_template = $5, version = $6,
                                         revision = revision + 1, updated_at = $7
                      WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM prompts other WHERE other.category = $2
                                AND other.name = $3 AND other.deleted_at IS NULL AND other.id <> $1)";

pub(super) async fn update(conn: &mut Conn, id: PromptId, draft: &Draft, version: i64, now: Timestamp) -> Result<()> {
    let row = params![id, draft.category, draft.name, draft.description, draft.is_template, version, now];
    named_once(conn.execute(UPDATE, row).await?, &draft.category, &draft.name)
}

fn named_once(rows: u64, category: &str, name: &str) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let detail = format!("`{category}` already has a prompt named `{name}`");
    Err(Error::conflict("prompt-name-taken", detail))
}

const TOUCH: &str = "UPDATE prompts SET revision = revision + 1, updated_at = $2 WHERE id = $1";

pub(super) async fn touch(conn: &mut Conn, id: PromptId, now: Timestamp) -> Result<()> {
    conn.execute(TOUCH, params![id, now]).await.map(drop)
}

const SET_STATUS: &str = "UPDATE prompts SET lifecycle_status = $2, status_changed_at = $3, sunset_at = $4,
                                             successor_id = $5, updated_at = $3, revision = revision + 1
                          WHERE id = $1";

pub(super) async fn set_status(
    conn: &mut Conn,
    id: PromptId,
    status: LifecycleStatus,
    (sunset_at, successor_id): (Option<Timestamp>, Option<PromptId>),
    now: Timestamp,
) -> Result<()> {
    conn.execute(SET_STATUS, params![id, status, now, sunset_at, successor_id]).await.map(drop)
}

const COUNT_BY_STATUS: &str = "SELECT lifecycle_status, count(*) FROM prompts WHERE deleted_at IS NULL
                               GROUP BY lifecycle_status";

pub(super) async fn count_by_status(conn: &mut Conn) -> Result<Vec<(LifecycleStatus, i64)>> {
    conn.fetch_all(COUNT_BY_STATUS, params![]).await
}

const DELETE: &str = "UPDATE prompts SET deleted_at = $2, updated_at = $2, revision = revision + 1 WHERE id = $1";

pub(super) async fn delete(conn: &mut Conn, id: PromptId, now: Timestamp) -> Result<()> {
    conn.execute(DELETE, params![id, now]).await.map(drop)
}

const LOCK_NAMED: &str = "UPDATE prompts SET revision = revision
                          WHERE category = $1 AND name = $2 AND deleted_at IS NULL";

/// Holds the prompt of that name.
pub(super) async fn lock_named(conn: &mut Conn, category: &str, name: &str) -> Result<()> {
    conn.execute(LOCK_NAMED, params![category, name]).await.map(drop)
}

const LOCK_DELETED: &str = "UPDATE prompts SET revision = revision WHERE id = $1 AND deleted_at IS NOT NULL";
const FIND_DELETED: &str = "SELECT category, name, revision FROM prompts WHERE id = $1 AND deleted_at IS NOT NULL";

/// Holds a deleted prompt: its category, name and revision.
pub(super) async fn lock_deleted(conn: &mut Conn, id: PromptId) -> Result<Option<(String, String, i64)>> {
    conn.execute(LOCK_DELETED, params![id]).await?;
    conn.fetch_optional(FIND_DELETED, params![id]).await
}

const RESTORE: &str = "UPDATE prompts SET deleted_at = NULL, updated_at = $2, revision = revision + 1
                       WHERE id = $1 AND deleted_at IS NOT NULL
                         AND NOT EXISTS (SELECT 1 FROM prompts other WHERE other.category = prompts.category
                                         AND other.name = prompts.name AND other.deleted_at IS NULL)";

pub(super) async fn restore(
    conn: &mut Conn,
    id: PromptId,
    (category, name): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    named_once(conn.execute(RESTORE, params![id, now]).await?, category, name)
}

const PREDECESSORS: &str = "SELECT id, category, name FROM prompts WHERE successor_id = $1 AND deleted_at IS NULL";

/// Those that name a prompt as their successor: their ids, categories and names.
pub(super) async fn predecessors(conn: &mut Conn, id: PromptId) -> Result<Vec<(String, String, String)>> {
    conn.fetch_all(PREDECESSORS, params![id]).await
}

const DELETE_TAGS: &str = "DELETE FROM prompt_tags WHERE prompt_id = $1";
const INSERT_TAG: &str = "INSERT INTO prompt_tags (prompt_id, position, tag) VALUES ($1, $2, $3)";

pub(super) async fn set_tags(conn: &mut Conn, id: PromptId, tags: &[String]) -> Result<()> {
    conn.execute(DELETE_TAGS, params![id]).await?;
    for (position, tag) in (0_i64..).zip(tags) {
        conn.execute(INSERT_TAG, params![id, position, tag]).await?;
    }
    Ok(())
}

const USES: &str = "SELECT prompt_id, CAST(sum(uses) AS BIGINT) FROM prompt_uses WHERE last_used_at >= $1
                    GROUP BY prompt_id";

/// How often prompts were used that were used since then.
pub(super) async fn uses(conn: &mut Conn, since: Timestamp) -> Result<Vec<(String, i64)>> {
    conn.fetch_all(USES, params![since]).await
}

const NOT_INDEXED: &str = "SELECT p.id FROM prompts p
                           WHERE p.deleted_at IS NULL AND p.id > $1
                             AND NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.id = p.id AND d.analysis = $2)
                           ORDER BY p.id LIMIT $3";

/// Prompts that the index does not know, or knows as an earlier program made it.
pub(super) async fn not_indexed(conn: &mut Conn, after: &str, analysis: i64, most: i64) -> Result<Vec<PromptId>> {
    let rows: Vec<(PromptId,)> = conn.fetch_all(NOT_INDEXED, params![after, analysis, most]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const PAGE: &str = "SELECT id FROM prompts WHERE deleted_at IS NULL AND id > $1 ORDER BY id LIMIT $2";

/// The ids of prompts, in order.
pub(super) async fn ids(conn: &mut Conn, after: &str, most: i64) -> Result<Vec<PromptId>> {
    let rows: Vec<(PromptId,)> = conn.fetch_all(PAGE, params![after, most]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const UNREACHABLE: &str = "SELECT id, category, name FROM prompts
                           WHERE deleted_at IS NULL
                             AND (name IN ('.', '..') OR '/' || category || '/' LIKE '%//%'
                                  OR '/' || category || '/' LIKE '%/./%' OR '/' || category || '/' LIKE '%/../%')
                           ORDER BY id LIMIT $1";

/// The first prompts that no address leads to by name, or that lie in a folder without one.
pub(super) async fn unreachable(conn: &mut Conn, most: i64) -> Result<Vec<(PromptId, String, String)>> {
    conn.fetch_all(UNREACHABLE, params![most]).await
}

const UNREACHABLE_LABELS: &str = "SELECT prompt_id, label FROM labels WHERE label IN ('.', '..')
                                  ORDER BY prompt_id LIMIT $1";

/// The first labels that no address leads to.
pub(super) async fn unreachable_labels(conn: &mut Conn, most: i64) -> Result<Vec<(PromptId, String)>> {
    conn.fetch_all(UNREACHABLE_LABELS, params![most]).await
}
