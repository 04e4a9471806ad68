//! Prompts of another store, written down as they were there.
use serde_json::json;

use super::repository;
use crate::{
    audit,
    caller::Scope,
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    notifications::EventType,
    prompts::{self, LifecycleStatus, Selector, Show, events, indexing, input},
    versions::ChangeType,
};

/// What a prompt is besides its versions, its labels and its life.
#[derive(Clone, Debug)]
pub struct PromptAsWas {
    /// Its own, which it keeps.
    pub id: PromptId,
    /// Where it belongs.
    pub category: String,
    /// What it is called there.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Is it to be filled before use?
    pub is_template: bool,
    /// In order.
    pub tags: Vec<String>,
    /// What it was forked from.
    pub parent: Option<(PromptId, i64)>,
    /// The number of its newest version, which the caller appends.
    pub version: i64,
    /// How often it was written to.
    pub revision: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last written to.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Makes a prompt as it was. 409 `prompt-name-taken` or `prompt-exists`. A parent that is not here is forgotten.
pub async fn insert_as_was(tx: &mut Tx, mut prompt: PromptAsWas) -> Result<()> {
    input::check_as_was(&prompt)?;
    if let Some((parent, _)) = prompt.parent
        && !repository::exists(tx, parent).await?
    {
        prompt.parent = None;
    }
    if !repository::insert_as_was(tx, &prompt).await? {
        if repository::exists(tx, prompt.id).await? {
            return Err(Error::conflict("prompt-exists", format!("there is a prompt `{}` already", prompt.id)));
        }
        let detail = format!("`{}` already has a prompt named `{}`", prompt.category, prompt.name);
        return Err(Error::conflict("prompt-name-taken", detail));
    }
    repository::insert_tags(tx, [(prompt.id, prompt.tags.as_slice())].into_iter()).await?;
    audit::record(tx, "prompt.imported", prompt.id, None).await
}

/// Takes a prompt further, whose versions up to `from` are here; those up to `to` are the caller's to append.
pub async fn follow_as_was(tx: &mut Tx, prompt: &PromptAsWas, from: i64) -> Result<()> {
    let (id, revision) = (prompt.id, prompt.revision);
    if repository::follow(tx, id, (from, prompt.version), revision, prompt.created_at).await? {
        return Ok(());
    }
    let detail = format!("`{id}` is not here as it was at version {from}, so nothing can follow");
    Err(Error::conflict("does-not-follow", detail))
}

/// Lets a prompt that was brought in, or brought further, be found, and tells of it. One that was deleted there is
/// neither found nor told of.
pub async fn moved_in(tx: &mut Tx, id: PromptId, is_new: bool) -> Result<()> {
    let Some(prompt) = prompts::repository::find(tx, id, &Selector::Latest, Show::PROMPT).await? else { return Ok(()) };
    indexing::put(tx, &prompt).await?;
    if is_new {
        let more = json!({ "change_type": ChangeType::Import });
        return events::announce(tx, EventType::PromptCreated, &prompt, more).await;
    }
    events::updated(tx, &prompt, None).await
}

/// Makes a prompt stand where it stood.
pub async fn set_status_as_was(
    tx: &mut Tx,
    id: PromptId,
    status: LifecycleStatus,
    changed_at: Timestamp,
    sunset_at: Option<Timestamp>,
) -> Result<()> {
    if status != LifecycleStatus::Draft {
        tx.caller().must_be_allowed(Scope::PromptsPublish, "moving a prompt through its life")?;
    }
    repository::set_status(tx, id, status, changed_at, sunset_at).await
}

/// Names the prompt to use in the place of another: of what it is now, if `current`, and else of an
/// earlier time.
pub async fn set_successor(tx: &mut Tx, id: PromptId, successor: PromptId, current: bool) -> Result<()> {
    repository::set_successor(tx, id, successor, current).await?;
    moved_in(tx, id, false).await?;
    audit::record(tx, "prompt.imported", id, Some(format!("successor {successor}"))).await
}

/// Is it there, deleted or not?
pub async fn is_known(conn: &mut Conn, id: PromptId) -> Result<bool> {
    repository::exists(conn, id).await
}
