//! Many prompts at once, and prompts of another store: as few statements as hold them all.
mod as_was;
mod repository;

use std::collections::HashSet;

use super::{Draft, Prompt, PromptFilter};
use crate::{
    audit,
    db::{Conn, Query, Tx},
    error::Result,
    id::PromptId,
    versions::{self, ChangeType, NewVersion},
};

pub use as_was::{PromptAsWas, follow_as_was, insert_as_was, is_known, set_status_as_was, set_successor};

/// Makes prompts of drafts, in their order, as part of the caller's transaction. A draft whose name is taken, by a
/// draft before it too, makes none, and leaves nothing behind.
pub async fn insert_many<'a>(
    tx: &mut Tx,
    drafts: &[&'a Draft],
    change_type: ChangeType,
) -> Result<Vec<Option<PromptId>>> {
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
    let ids: Vec<PromptId> = kept.iter().map(|(id, _)| *id).collect();
    audit::record_many(tx, "prompt.created", &ids).await?;
    Ok(new.into_iter().map(|(id, _)| made.contains(&id).then_some(id)).collect())
}

/// Narrows a statement about `prompts p` to those that match.
pub fn matching<'a>(query: Query<'a>, filter: &'a PromptFilter, folder: Option<&'a (String, String)>) -> Query<'a> {
    super::repository::matching(query, filter, folder)
}

/// The first prompts that match after the one with this id, without their content.
pub async fn page_to_export(conn: &mut Conn, filter: &PromptFilter, after: &str, most: i64) -> Result<Vec<Prompt>> {
    super::repository::after(conn, filter, after, most).await
}
