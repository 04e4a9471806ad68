//! The tables `prompts` and `prompt_tags`, many rows at a time or as they were elsewhere.
use super::PromptAsWas;
use crate::{
    clock::Timestamp,
    db::{Conn, Query, Tx, params, portions},
    error::Result,
    id::PromptId,
    prompts::{Draft, LifecycleStatus},
};

/// Answers which of them were made: the others have names that are taken.
pub(super) async fn insert(tx: &mut Tx, new: &[(PromptId, &Draft)]) -> Result<Vec<PromptId>> {
    let (actor, now) = (tx.caller().actor.to_string(), tx.now());
    let mut made = Vec::with_capacity(new.len());
    for rows in portions(new) {
        let start = "INSERT INTO prompts (id, category, name, description, is_template, version, revision, created_by,
                                          created_at, updated_at) VALUES";
        let query = Query::new(start).rows("(?, ?, ?, ?, ?, 1, 1, ?, ?, ?)", rows, |(id, draft)| {
            vec![id, &draft.category, &draft.name, &draft.description, &draft.is_template, &actor, &now, &now]
        });
        let query = query.then("ON CONFLICT DO NOTHING RETURNING id", params![]);
        let rows: Vec<(PromptId,)> = tx.fetch_all(&query, query.params()).await?;
        made.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(made)
}

/// The tags of prompts that have none yet.
pub(super) async fn insert_tags<'t>(conn: &mut Conn, of: impl Iterator<Item = (PromptId, &'t [String])>) -> Result<()> {
    let rows: Vec<(PromptId, i64, &String)> =
        of.flat_map(|(id, tags)| (0_i64..).zip(tags).map(move |(position, tag)| (id, position, tag))).collect();
    for rows in portions(&rows) {
        let start = "INSERT INTO prompt_tags (prompt_id, position, tag) VALUES";
        let query = Query::new(start).rows("(?, ?, ?)", rows, |(id, position, tag)| vec![id, position, *tag]);
        conn.execute(&query, query.params()).await?;
    }
    Ok(())
}

const INSERT_AS_WAS: &str = "INSERT INTO prompts (id, category, name, description, is_template, parent_id,
                                                  parent_version, version, revision, created_by, created_at,
                                                  updated_at, deleted_at)
                             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";

/// Answers whether neither its id nor its name is taken.
pub(super) async fn insert_as_was(conn: &mut Conn, prompt: &PromptAsWas) -> Result<bool> {
    let PromptAsWas { id, category, name, description, is_template, parent, version, revision, .. } = prompt;
    let (parent_id, parent_version) = parent.unzip();
    let origin = (&prompt.created_by, prompt.created_at, prompt.updated_at, prompt.deleted_at);
    let row = params![
        id,
        category,
        name,
        description,
        is_template,
        parent_id,
        parent_version,
        version,
        revision,
        origin.0,
        origin.1,
        origin.2,
        origin.3
    ];
    Ok(conn.execute(INSERT_AS_WAS, row).await? == 1)
}

const EXISTS: &str = "SELECT count(*) FROM prompts WHERE id = $1";

/// Is it there, deleted or not?
pub(super) async fn exists(conn: &mut Conn, id: PromptId) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(EXISTS, params![id]).await?;
    Ok(found == 1)
}

const HAS_VERSION: &str = "SELECT count(*) FROM prompts WHERE id = $1 AND version >= $2";

/// Is it there, deleted or not, and has it come to this version?
pub(super) async fn has_version(conn: &mut Conn, id: PromptId, version: i64) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(HAS_VERSION, params![id, version]).await?;
    Ok(found == 1)
}

const FOLLOW: &str = "UPDATE prompts SET version = $3,
                                         revision = CASE WHEN revision < $4 THEN $4 ELSE revision + 1 END,
                                         updated_at = CASE WHEN updated_at < $6 THEN $6 ELSE updated_at END
                      WHERE id = $1 AND version = $2 AND created_at = $5 AND revision <= $4
                        AND (deleted_at = $7 OR (deleted_at IS NULL AND CAST($7 AS BIGINT) IS NULL))";

/// Answers whether the prompt was there at version `from`, and had not come further. Its revision rises in any case.
pub(super) async fn follow(conn: &mut Conn, prompt: &PromptAsWas, from: i64) -> Result<bool> {
    let PromptAsWas { id, version, revision, created_at, updated_at, deleted_at, .. } = prompt;
    let row = params![id, from, version, revision, created_at, updated_at, deleted_at];
    Ok(conn.execute(FOLLOW, row).await? == 1)
}

const SET_STATUS: &str =
    "UPDATE prompts SET lifecycle_status = $2, status_changed_at = $3, sunset_at = $4 WHERE id = $1";

pub(super) async fn set_status(
    conn: &mut Conn,
    id: PromptId,
    status: LifecycleStatus,
    changed_at: Timestamp,
    sunset_at: Option<Timestamp>,
) -> Result<()> {
    conn.execute(SET_STATUS, params![id, status, changed_at, sunset_at]).await.map(drop)
}

const SET_SUCCESSOR: &str = "UPDATE prompts SET successor_id = CASE WHEN $3 THEN $2 ELSE successor_id END,
                                                revision = revision + 1 WHERE id = $1";

pub(super) async fn set_successor(conn: &mut Conn, id: PromptId, successor: PromptId, current: bool) -> Result<()> {
    conn.execute(SET_SUCCESSOR, params![id, successor, current]).await.map(drop)
}

const MOST_USED: &str = "SELECT p.category, p.name FROM prompts p JOIN prompt_uses u ON u.prompt_id = p.id
                         WHERE p.deleted_at IS NULL AND u.last_used_at >= $1
                           AND (p.category = $2 OR CAST($2 AS TEXT) IS NULL)
                         GROUP BY p.id, p.category, p.name ORDER BY sum(u.uses) DESC, p.id LIMIT $3";

/// Categories and names of the prompts that were used most, of those that were used since then.
pub(super) async fn most_used(
    conn: &mut Conn,
    category: Option<&str>,
    since: Timestamp,
    most: i64,
) -> Result<Vec<(String, String)>> {
    let category = category.map(str::to_owned);
    conn.fetch_all(MOST_USED, params![since, category, most]).await
}
