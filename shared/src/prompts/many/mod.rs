//! Many prompts at once, and prompts of another store: as few statements as hold them all.
mod as_was;
mod formats;
mod put;
mod repository;

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::{Bounds, Draft, LifecycleStatus, Prompt, PromptFilter, Show, events, indexing};
use crate::{
    app::App,
    audit,
    clock::Timestamp,
    db::{Conn, Query, Tx},
    error::Result,
    id::PromptId,
    notifications::EventType,
    versions::{self, ChangeType, NewVersion},
};

pub use as_was::{PromptAsWas, follow_as_was, insert_as_was, is_known, moved_in, set_status_as_was, set_successor};
pub use formats::{format_before_v2, format_kept};
pub use put::{Put, PutOutcome, Wanted, put_many};

/// Makes prompts of drafts, in their order, as part of the caller's transaction. A draft whose name is taken, by a
/// draft before it too, makes none, and leaves nothing behind.
pub async fn insert_many<'a>(
    tx: &mut Tx,
    drafts: &[&'a Draft],
    change_type: ChangeType,
) -> Result<Vec<Option<PromptId>>> {
    drafts.iter().try_for_each(|draft| tx.caller().must_reach(&draft.category))?;
    let now = tx.now();
    let new: Vec<(PromptId, &'a Draft)> = drafts.iter().map(|draft| (PromptId::generate(now), *draft)).collect();
    let made = repository::insert(tx, &new).await?;
    let made: HashSet<PromptId> = made.into_iter().collect();
    let kept: Vec<(PromptId, &'a Draft)> = new.iter().copied().filter(|(id, _)| made.contains(id)).collect();
    repository::insert_tags(tx, kept.iter().map(|(id, draft)| (*id, draft.tags.as_slice()))).await?;
    let first = |(id, draft): &(PromptId, &'a Draft)| NewVersion {
        prompt_id: *id,
        version: 1,
        body: &draft.body,
        change_summary: draft.change_summary.clone(),
        change_type,
    };
    versions::append_many(tx, kept.iter().map(first).collect()).await?;
    let actor = &*tx.caller().actor.clone();
    let prompts: Vec<Prompt> = kept.iter().map(|(id, draft)| made_of(draft, *id, actor, now)).collect();
    audit::record_many(tx, "prompt.created", prompts.iter().map(|prompt| (prompt.id, prompt))).await?;
    indexing::insert(tx, &prompts).await?;
    let more = json!({ "change_type": change_type });
    events::announce_many(tx, EventType::PromptCreated, &prompts, more).await?;
    Ok(new.into_iter().map(|(id, _)| made.contains(&id).then_some(id)).collect())
}

/// What a draft is once it was made.
fn made_of(draft: &Draft, id: PromptId, created_by: &str, now: Timestamp) -> Prompt {
    Prompt {
        id,
        category: draft.category.clone(),
        name: draft.name.clone(),
        description: draft.description.clone(),
        body: draft.body.clone(),
        is_template: draft.is_template,
        optional_variables: draft.body.optional_variables(),
        tags: draft.tags.clone(),
        version: 1,
        revision: 1,
        labels: BTreeMap::new(),
        lifecycle_status: LifecycleStatus::default(),
        status_changed_at: None,
        sunset_at: None,
        successor_id: None,
        parent_id: None,
        parent_version: None,
        created_by: created_by.to_owned(),
        created_at: now,
        updated_at: now,
        usage_count: None,
        performance_score: None,
        deleted_at: None,
        damaged: false,
    }
}

/// Narrows a statement about `prompts p` to those that match.
pub fn matching<'a>(query: Query<'a>, filter: &'a PromptFilter, bounds: &'a Bounds) -> Query<'a> {
    super::listing::matching(query, filter, bounds)
}

/// The first prompts that match after the one with this id, without their content.
pub async fn page_to_export(conn: &mut Conn, filter: &PromptFilter, after: &str, most: i64) -> Result<Vec<Prompt>> {
    super::listing::after(conn, filter, after, most).await
}

/// Is this prompt one of those that match?
pub async fn matches(conn: &mut Conn, filter: &PromptFilter, id: PromptId) -> Result<bool> {
    super::listing::holds(conn, filter, id).await
}

/// Categories and names of these prompts, without those that are not there.
pub async fn names_of(app: &App, ids: &[PromptId]) -> Result<Vec<(String, String)>> {
    const AT_ONCE: usize = 100;
    let show = Show { content: false, usage_since: None };
    let mut names = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let found = super::repository::find_all(&mut app.db.read().await?, ids, show).await?;
        names.extend(found.into_iter().map(|prompt| (prompt.category, prompt.name)));
    }
    Ok(names)
}

/// Categories and names of the prompts that were used since then, the most used first; of one category, if it is given.
pub async fn most_used(
    app: &App,
    category: Option<&str>,
    since: Timestamp,
    most: i64,
) -> Result<Vec<(String, String)>> {
    repository::most_used(&mut app.db.read().await?, category, since, most).await
}
