//! The table `relationships`.
use super::{
    Edge, Node, Relationship, RelationshipFilter, RelationshipType, UsedBy,
    model::{Neighbour, RelationshipPatch},
    postgres, sqlite,
};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Json, Query, Tx, params},
    error::Result,
    id::{PromptId, RelationshipId},
    prompts::{self, LifecycleStatus, PromptFilter},
};

/// Until the transaction ends, nobody else writes a relationship that must not go in a circle.
pub(super) async fn write_alone(tx: &mut Tx) -> Result<()> {
    let statement = tx.dialect().choose(sqlite::ONE_AT_A_TIME, postgres::ONE_AT_A_TIME);
    tx.execute(statement, params![]).await.map(drop)
}

const REACHES: &str = "
    WITH RECURSIVE reached (id) AS (
        SELECT target_prompt_id FROM relationships WHERE source_prompt_id = $1 AND relationship_type = $3
        UNION
        SELECT r.target_prompt_id FROM relationships r JOIN reached ON r.source_prompt_id = reached.id
        WHERE r.relationship_type = $3)
    SELECT count(*) FROM reached WHERE id = $2";

/// Does a way of such relationships lead from one prompt to another?
pub(super) async fn reaches(conn: &mut Conn, from: PromptId, to: PromptId, kind: RelationshipType) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(REACHES, params![from, to, kind]).await?;
    Ok(found > 0)
}

const INSERT: &str = "INSERT INTO relationships (id, source_prompt_id, target_prompt_id, relationship_type, strength,
                                                 metadata, created_by, created_at, updated_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

/// Answers whether there was none like it.
pub(super) async fn insert(conn: &mut Conn, new: &Relationship) -> Result<bool> {
    let row = params![
        new.id,
        new.source_prompt_id,
        new.target_prompt_id,
        new.relationship_type,
        new.strength,
        Json(&new.metadata),
        new.created_by,
        new.created_at,
        new.updated_at
    ];
    Ok(conn.execute(INSERT, row).await? == 1)
}

const FIND: &str = "SELECT * FROM relationships WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: RelationshipId) -> Result<Option<Relationship>> {
    conn.fetch_optional(FIND, params![id]).await
}

const UPDATE: &str = "UPDATE relationships SET strength = COALESCE($2, strength), metadata = COALESCE($3, metadata),
                                               updated_at = $4
                      WHERE id = $1";

/// Answers whether it was there.
pub(super) async fn update(
    conn: &mut Conn,
    id: RelationshipId,
    patch: &RelationshipPatch,
    now: Timestamp,
) -> Result<bool> {
    let metadata = patch.metadata.clone().map(Json);
    Ok(conn.execute(UPDATE, params![id, patch.strength, metadata, now]).await? == 1)
}

const DELETE: &str = "DELETE FROM relationships WHERE id = $1";

/// Answers whether it was there.
pub(super) async fn delete(conn: &mut Conn, id: RelationshipId) -> Result<bool> {
    Ok(conn.execute(DELETE, params![id]).await? == 1)
}

const OUTGOING: &str = "SELECT r.*, p.name, p.category, p.lifecycle_status FROM relationships r
                        JOIN prompts p ON p.id = r.target_prompt_id AND p.deleted_at IS NULL
                        WHERE r.source_prompt_id = $1";
const COUNT_OUTGOING: &str = "SELECT count(*) FROM relationships r
                              JOIN prompts p ON p.id = r.target_prompt_id AND p.deleted_at IS NULL
                              WHERE r.source_prompt_id = $1";
const INCOMING: &str = "SELECT r.*, p.name, p.category, p.lifecycle_status FROM relationships r
                        JOIN prompts p ON p.id = r.source_prompt_id AND p.deleted_at IS NULL
                        WHERE r.target_prompt_id = $1";
const COUNT_INCOMING: &str = "SELECT count(*) FROM relationships r
                              JOIN prompts p ON p.id = r.source_prompt_id AND p.deleted_at IS NULL
                              WHERE r.target_prompt_id = $1";

/// The strongest in one direction, and how many there are.
pub(super) async fn list(
    conn: &mut Conn,
    id: PromptId,
    outgoing: bool,
    filter: &RelationshipFilter,
) -> Result<(Vec<Neighbour>, i64)> {
    let (rows, count) = if outgoing { (OUTGOING, COUNT_OUTGOING) } else { (INCOMING, COUNT_INCOMING) };
    let matching = |start| {
        Query::with(start, &[&id])
            .and("r.relationship_type = ?", &filter.relationship_type)
            .and("r.strength >= ?", &filter.min_strength)
    };
    let counted = matching(count);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let query = matching(rows).then("ORDER BY r.strength DESC, r.created_at, r.id LIMIT ?", &[&filter.limit]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const USED_BY: &str = "SELECT p.id, p.name, p.category, p.lifecycle_status, r.relationship_type, r.strength
                       FROM relationships r JOIN prompts p ON p.id = r.source_prompt_id AND p.deleted_at IS NULL
                       WHERE r.target_prompt_id = $1
                         AND r.relationship_type IN ('extends', 'depends_on', 'references')
                       ORDER BY r.strength DESC, r.created_at, r.id LIMIT $2";
const COUNT_USED_BY: &str = "SELECT count(*) FROM relationships r
                             JOIN prompts p ON p.id = r.source_prompt_id AND p.deleted_at IS NULL
                             WHERE r.target_prompt_id = $1
                               AND r.relationship_type IN ('extends', 'depends_on', 'references')";

pub(super) async fn used_by(conn: &mut Conn, id: PromptId, limit: i64) -> Result<(Vec<UsedBy>, i64)> {
    let (total,) = conn.fetch_one(COUNT_USED_BY, params![id]).await?;
    Ok((conn.fetch_all(USED_BY, params![id, limit]).await?, total))
}

const RELATED: &str = "SELECT p.id, p.name, p.category, p.lifecycle_status, max(n.strength) AS strength,
                              string_agg(n.relationship_type, ' ' ORDER BY n.relationship_type) AS relationship_types
                       FROM (SELECT target_prompt_id AS other, relationship_type, strength FROM relationships
                             WHERE source_prompt_id = $1
                             UNION ALL
                             SELECT source_prompt_id, relationship_type, strength FROM relationships
                             WHERE target_prompt_id = $1) n
                       JOIN prompts p ON p.id = n.other AND p.deleted_at IS NULL
                       GROUP BY p.id, p.name, p.category, p.lifecycle_status
                       ORDER BY max(n.strength) DESC, p.id LIMIT $2";
const COUNT_RELATED: &str = "SELECT count(*) FROM prompts p
                             WHERE p.deleted_at IS NULL AND p.id IN
                                   (SELECT target_prompt_id FROM relationships WHERE source_prompt_id = $1
                                    UNION SELECT source_prompt_id FROM relationships WHERE target_prompt_id = $1)";

#[derive(FromRow)]
pub(super) struct RelatedRow {
    pub(super) id: PromptId,
    pub(super) name: String,
    pub(super) category: String,
    pub(super) lifecycle_status: LifecycleStatus,
    pub(super) strength: f64,
    pub(super) relationship_types: String,
}

pub(super) async fn related(conn: &mut Conn, id: PromptId, limit: i64) -> Result<(Vec<RelatedRow>, i64)> {
    let (total,) = conn.fetch_one(COUNT_RELATED, params![id]).await?;
    Ok((conn.fetch_all(RELATED, params![id, limit]).await?, total))
}

/// Everything within `$2` steps of prompt `$1`, in either direction, at most `$3` prompts.
macro_rules! near {
    ($end:literal) => {
        concat!(
            "WITH RECURSIVE walk (id, depth) AS (
                 SELECT id, CAST(0 AS BIGINT) FROM prompts WHERE id = $1
                 UNION
                 SELECT p.id, walk.depth + 1 FROM walk
                 JOIN relationships r ON r.source_prompt_id = walk.id OR r.target_prompt_id = walk.id
                 JOIN prompts p ON p.id = CASE r.source_prompt_id WHEN walk.id THEN r.target_prompt_id
                                                                  ELSE r.source_prompt_id END
                 WHERE walk.depth < $2 AND p.deleted_at IS NULL),
             near (id, depth) AS (
                 SELECT id, min(depth) FROM walk GROUP BY id ORDER BY min(depth), id LIMIT $3)",
            $end
        )
    };
}

const NODES: &str = near!(
    "SELECT p.id, p.name, p.category, p.lifecycle_status, near.depth
     FROM near JOIN prompts p ON p.id = near.id ORDER BY near.depth, p.id"
);
const EDGES: &str = near!(
    "SELECT source_prompt_id AS source, target_prompt_id AS target, relationship_type, strength FROM relationships
     WHERE source_prompt_id IN (SELECT id FROM near) AND target_prompt_id IN (SELECT id FROM near)
     ORDER BY strength DESC, id LIMIT $4"
);

pub(super) async fn nodes(conn: &mut Conn, id: PromptId, depth: i64, most: i64) -> Result<Vec<Node>> {
    conn.fetch_all(NODES, params![id, depth, most]).await
}

/// The relationships among those prompts, the strongest first.
pub(super) async fn edges(conn: &mut Conn, id: PromptId, depth: i64, most: (i64, i64)) -> Result<Vec<Edge>> {
    conn.fetch_all(EDGES, params![id, depth, most.0, most.1]).await
}

const SUCCESSOR: &str = "SELECT r.source_prompt_id FROM relationships r
                         JOIN prompts p ON p.id = r.source_prompt_id AND p.deleted_at IS NULL
                         WHERE r.target_prompt_id = $1 AND r.relationship_type = 'replaces'
                         ORDER BY r.strength DESC, r.created_at, r.id LIMIT 1";

pub(super) async fn successor(conn: &mut Conn, id: PromptId) -> Result<Option<PromptId>> {
    let row: Option<(PromptId,)> = conn.fetch_optional(SUCCESSOR, params![id]).await?;
    Ok(row.map(|(id,)| id))
}

/// The first relationships after the one with this id that lead from prompts of the filter to prompts of the filter.
pub(super) async fn after(conn: &mut Conn, filter: &PromptFilter, after: &str, most: i64) -> Result<Vec<Relationship>> {
    let bounds = filter.bounds();
    let query = Query::new("SELECT r.* FROM relationships r WHERE").then("r.id > ?", params![after]);
    let from = "AND r.source_prompt_id IN (SELECT p.id FROM prompts p WHERE 1 = 1";
    let query = prompts::matching(query.then(from, params![]), filter, &bounds);
    let to = ") AND r.target_prompt_id IN (SELECT p.id FROM prompts p WHERE 1 = 1";
    let query = prompts::matching(query.then(to, params![]), filter, &bounds);
    let query = query.then(") ORDER BY r.id LIMIT ?", &[&most]);
    conn.fetch_all(&query, query.params()).await
}
