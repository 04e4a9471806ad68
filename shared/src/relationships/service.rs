//! What can be done with relationships.
use serde_json::json;

use super::{
    Direction, Graph, NewRelationship, Related, RelatedPrompts, Relationship, RelationshipFilter, RelationshipPatch,
    RelationshipType, Relationships, Users, model::check, repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    db::{Conn, Tx},
    error::{Error, Result},
    id::{PromptId, RelationshipId},
    imported,
    notifications::{self, EventType},
    prompts::{self, PromptFilter},
    violations::Violations,
};

/// The most prompts and relationships of a graph.
const NODES_MAX: u16 = 500;
const EDGES_MAX: u16 = 5000;
const DEPTH_MAX: i64 = 5;
const LIMIT_MAX: i64 = 1000;
/// What relationships tell of, for whoever may not see everything.
const OTHERS: &str = "other prompts";

/// Relates one prompt to another.
pub async fn create(app: &App, caller: &Caller, source: PromptId, new: NewRelationship) -> Result<Relationship> {
    check(Some(new.strength), Some(&new.metadata))?;
    let (target, kind) = (new.target_prompt_id, new.relationship_type);
    if source == target {
        return Err(Error::invalid("/target_prompt_id", "self", "a prompt cannot be related to itself"));
    }
    let mut tx = begin!(app, caller);
    // In one order, whichever way the relationship goes.
    for id in [source.min(target), source.max(target)] {
        prompts::hold_existing(&mut tx, id).await?;
    }
    refuse_circle(&mut tx, source, target, kind).await?;
    let now = tx.now();
    let relationship = Relationship {
        id: RelationshipId::generate(now),
        source_prompt_id: source,
        target_prompt_id: target,
        relationship_type: kind,
        strength: new.strength,
        metadata: new.metadata,
        created_by: tx.caller().actor.to_string(),
        created_at: now,
        updated_at: now,
    };
    insert(&mut tx, &relationship).await?;
    let detail = Some(format!("{source} {kind} {target}"));
    audit::record_state(&mut tx, "relationship.created", relationship.id, detail, &relationship).await?;
    announce(&mut tx, EventType::RelationshipCreated, &relationship).await?;
    tx.commit_with(&relationship).await?;
    Ok(relationship)
}

/// Writes down a relationship of another store as it was there, as part of the caller's transaction.
pub async fn insert_as_was(tx: &mut Tx, relationship: &Relationship) -> Result<()> {
    let Relationship { source_prompt_id: source, target_prompt_id: target, relationship_type: kind, .. } =
        *relationship;
    check(Some(relationship.strength), Some(&relationship.metadata))?;
    let mut wrong = Violations::default();
    wrong.take(imported::author(&relationship.created_by, "/created_by"));
    wrong.take(imported::moment(relationship.created_at, tx.now(), "/created_at"));
    wrong.take(imported::moment(relationship.updated_at, tx.now(), "/updated_at"));
    wrong.end()?;
    if source == target {
        return Err(Error::invalid("/target_prompt_id", "self", "a prompt cannot be related to itself"));
    }
    for id in [source.min(target), source.max(target)] {
        if !prompts::is_known(tx, id).await? {
            return Err(Error::not_found("prompt", id));
        }
    }
    refuse_circle(tx, source, target, kind).await?;
    insert(tx, relationship).await?;
    audit::record(tx, "relationship.imported", relationship.id, Some(format!("{source} {kind} {target}"))).await?;
    announce(tx, EventType::RelationshipCreated, relationship).await
}

/// The first relationships after the one with this id that lead from prompts of the filter to prompts of the filter.
pub async fn page_to_export(
    conn: &mut Conn,
    filter: &PromptFilter,
    after: &str,
    most: i64,
) -> Result<Vec<Relationship>> {
    repository::after(conn, filter, after, most).await
}

async fn refuse_circle(tx: &mut Tx, source: PromptId, target: PromptId, kind: RelationshipType) -> Result<()> {
    if kind.is_acyclic() {
        repository::write_alone(tx).await?;
        if repository::reaches(tx, target, source, kind).await? {
            let detail = format!("`{target}` {} `{source}` already, so this would be a circle", verb(kind));
            return Err(Error::conflict("relationship-cycle", detail));
        }
    }
    Ok(())
}

async fn insert(tx: &mut Tx, relationship: &Relationship) -> Result<()> {
    if repository::insert(tx, relationship).await? {
        return Ok(());
    }
    let (source, target) = (relationship.source_prompt_id, relationship.target_prompt_id);
    let detail = format!("`{source}` has this relationship with `{target}` already; change that one");
    Err(Error::conflict("relationship-exists", detail))
}

fn verb(kind: RelationshipType) -> &'static str {
    match kind {
        RelationshipType::Extends => "extends",
        _ => "depends on",
    }
}

/// Changes how strong a relationship is, or what is kept with it.
pub async fn update(app: &App, caller: &Caller, id: RelationshipId, patch: RelationshipPatch) -> Result<Relationship> {
    check(patch.strength, patch.metadata.as_ref())?;
    caller.must_reach_everything(OTHERS)?;
    let mut tx = begin!(app, caller);
    let now = tx.now();
    if !repository::update(&mut tx, id, &patch, now).await? {
        return Err(Error::not_found("relationship", id));
    }
    let relationship = repository::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("relationship", id))?;
    audit::record_state(&mut tx, "relationship.updated", id, None, &relationship).await?;
    announce(&mut tx, EventType::RelationshipUpdated, &relationship).await?;
    tx.commit_with(&relationship).await?;
    Ok(relationship)
}

/// Takes a relationship away.
pub async fn delete(app: &App, caller: &Caller, id: RelationshipId) -> Result<()> {
    caller.must_reach_everything(OTHERS)?;
    let mut tx = begin!(app, caller);
    let missing = || Error::not_found("relationship", id);
    let relationship = repository::find(&mut tx, id).await?.ok_or_else(missing)?;
    if !repository::delete(&mut tx, id).await? {
        return Err(missing());
    }
    audit::record(&mut tx, "relationship.deleted", id, None).await?;
    announce(&mut tx, EventType::RelationshipDeleted, &relationship).await?;
    tx.commit_with(&()).await
}

async fn announce(tx: &mut Tx, event_type: EventType, it: &Relationship) -> Result<()> {
    let data = json!({
        "id": it.id,
        "source_prompt_id": it.source_prompt_id,
        "target_prompt_id": it.target_prompt_id,
        "relationship_type": it.relationship_type,
    });
    notifications::announce(tx, event_type, it.id, data, it).await
}

/// The relationships of a prompt, the strongest first.
pub async fn list(app: &App, caller: &Caller, id: PromptId, filter: &RelationshipFilter) -> Result<Relationships> {
    check_limit(filter.limit)?;
    check(filter.min_strength, None)?;
    let mut conn = existing(app, caller, id).await?;
    let mut answer = Relationships {
        prompt_id: id,
        outgoing_relationships: Vec::new(),
        incoming_relationships: Vec::new(),
        total_relationships: 0,
    };
    if filter.direction != Direction::Incoming {
        let (rows, total) = repository::list(&mut conn, id, true, filter).await?;
        answer.outgoing_relationships = rows;
        answer.total_relationships += total;
    }
    if filter.direction != Direction::Outgoing {
        let (rows, total) = repository::list(&mut conn, id, false, filter).await?;
        answer.incoming_relationships = rows;
        answer.total_relationships += total;
    }
    Ok(answer)
}

/// Everything within `depth` steps of a prompt, 1 to 5.
pub async fn graph(app: &App, caller: &Caller, id: PromptId, depth: i64) -> Result<Graph> {
    if !(1..=DEPTH_MAX).contains(&depth) {
        return Err(Error::invalid("/depth", "out-of-range", format!("`depth` must be 1 to {DEPTH_MAX}")));
    }
    let mut conn = existing(app, caller, id).await?;
    let most = (i64::from(NODES_MAX), i64::from(EDGES_MAX) + 1);
    let mut nodes = repository::nodes(&mut conn, id, depth, most.0 + 1).await?;
    let mut edges = repository::edges(&mut conn, id, depth, most).await?;
    let truncated = nodes.len() > NODES_MAX.into() || edges.len() > EDGES_MAX.into();
    nodes.truncate(NODES_MAX.into());
    edges.truncate(EDGES_MAX.into());
    Ok(Graph { nodes, edges, truncated })
}

/// The prompts that have to do with this one, in any way and either direction, the closest first.
pub async fn related(app: &App, caller: &Caller, id: PromptId, limit: i64) -> Result<RelatedPrompts> {
    check_limit(limit)?;
    let mut conn = existing(app, caller, id).await?;
    let (rows, total) = repository::related(&mut conn, id, limit).await?;
    let items = rows.into_iter().map(|row| {
        let mut relationship_types: Vec<RelationshipType> =
            row.relationship_types.split(' ').filter_map(|name| name.parse().ok()).collect();
        relationship_types.sort_unstable();
        relationship_types.dedup();
        Related {
            id: row.id,
            name: row.name,
            category: row.category,
            lifecycle_status: row.lifecycle_status,
            strength: row.strength,
            relationship_types,
        }
    });
    Ok(RelatedPrompts { prompt_id: id, items: items.collect(), total })
}

/// What extends a prompt, depends on it or references it.
pub async fn used_by(app: &App, caller: &Caller, id: PromptId, limit: i64) -> Result<Users> {
    check_limit(limit)?;
    let mut conn = existing(app, caller, id).await?;
    let (items, total) = repository::used_by(&mut conn, id, limit).await?;
    Ok(Users { prompt_id: id, items, total })
}

/// The prompt that says it replaces this one.
pub async fn successor(conn: &mut Conn, id: PromptId) -> Result<Option<PromptId>> {
    repository::successor(conn, id).await
}

fn check_limit(limit: i64) -> Result<()> {
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(());
    }
    Err(Error::invalid("/limit", "out-of-range", format!("`limit` must be 1 to {LIMIT_MAX}")))
}

/// A connection, once it is sure that the prompt is there and the caller may see whatever it has to do with.
async fn existing(app: &App, caller: &Caller, id: PromptId) -> Result<Conn> {
    caller.must_reach_everything(OTHERS)?;
    let mut conn = app.db.read().await?;
    prompts::check_existing(&mut conn, caller, id).await?;
    Ok(conn)
}
