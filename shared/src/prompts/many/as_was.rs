//! Prompts of another store, written down as they were there.
use serde_json::json;

use super::repository;
use crate::{
    audit,
    caller::Scope,
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result, Violation},
    id::PromptId,
    imported,
    notifications::EventType,
    prompts::{
        self, LifecycleStatus, Selector, Show, events, indexing,
        input::{Check, check_sentences, check_tags, gather},
    },
    text,
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

/// The highest revision that an import may say. Each write adds one, so a real one is far below, and there is room for as
/// many writes as there will ever be.
const IMPORTED_REVISION_MAX: i64 = 1_000_000_000_000;

/// Refuses what this store would not keep as it is, and what no prompt can have been.
fn check_as_was(prompt: &PromptAsWas, now: Timestamp) -> Result<()> {
    let mut violations = Vec::new();
    let names: [(&str, Check, &str); 2] =
        [(&prompt.category, text::category, "/category"), (&prompt.name, text::name, "/name")];
    for (text, check, pointer) in names {
        if gather(&mut violations, check(text, pointer, text::NAME_CHARS_MAX)) != text {
            violations.push(Violation::new(pointer, "does-not-fit", "it would not be kept as it is"));
        }
    }
    violations.extend(check_sentences(prompt.description.as_deref(), None));
    if !(1..=IMPORTED_REVISION_MAX).contains(&prompt.revision) {
        let detail = format!("`revision` must be from 1 to {IMPORTED_REVISION_MAX}");
        violations.push(Violation::new("/revision", "out-of-range", detail));
    }
    if prompt.parent.is_some_and(|(parent, version)| parent == prompt.id || version < 1) {
        let detail = "a prompt is forked from another one, at a version from 1";
        violations.push(Violation::new("/parent_id", "out-of-range", detail));
    }
    violations.extend(imported::author(&prompt.created_by, "/created_by").err());
    let moments = [
        (Some(prompt.created_at), "/created_at"),
        (Some(prompt.updated_at), "/updated_at"),
        (prompt.deleted_at, "/deleted_at"),
    ];
    violations.extend(moments.iter().filter_map(|(at, pointer)| imported::moment((*at)?, now, pointer).err()));
    if check_tags(&prompt.tags, &mut violations) != prompt.tags {
        violations.push(Violation::new("/tags", "does-not-fit", "they would not be kept as they are"));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
}

/// Makes a prompt as it was. 409 `prompt-name-taken` or `prompt-exists`. A parent that is not here, or has not come to
/// the version that is named, is forgotten.
pub async fn insert_as_was(tx: &mut Tx, mut prompt: PromptAsWas) -> Result<()> {
    check_as_was(&prompt, tx.now())?;
    if let Some((parent, version)) = prompt.parent
        && !repository::has_version(tx, parent, version).await?
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

/// Takes a prompt further, whose versions up to `from` are here; those up to `to` are the caller's to append. Whatever
/// the line says, the revision rises: an entity tag that was given out before is of the past.
pub async fn follow_as_was(tx: &mut Tx, prompt: &PromptAsWas, from: i64) -> Result<()> {
    check_as_was(prompt, tx.now())?;
    let id = prompt.id;
    if repository::follow(tx, prompt, from).await? {
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
    tx.caller().must_be_allowed(Scope::PromptsPublish, "naming the successor of a prompt")?;
    repository::set_successor(tx, id, successor, current).await?;
    moved_in(tx, id, false).await?;
    audit::record(tx, "prompt.imported", id, Some(format!("successor {successor}"))).await
}

/// Is it there, deleted or not?
pub async fn is_known(conn: &mut Conn, id: PromptId) -> Result<bool> {
    repository::exists(conn, id).await
}
