//! What can be done with a prompt.
use serde_json::json;

use super::{
    ContentPatch, Draft, Fork, LifecycleStatus, NewPrompt, Precondition, Prompt, PromptPatch, Selector, Show, events,
    indexing, keeping, repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::{Caller, Folders, Scope},
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    notifications::EventType,
    text,
    versions::{self, ChangeType, NewVersion},
};

/// The most that is told of a kind.
const TOLD_MAX: i64 = 20;

/// Makes a prompt, with version 1. 409 `prompt-name-taken`, if its category has one of that name.
pub async fn create(app: &App, caller: &Caller, new: NewPrompt) -> Result<Prompt> {
    let draft = new.check()?;
    let mut tx = begin!(app, caller);
    let prompt = insert(&mut tx, &draft, ChangeType::Create, None).await?;
    tx.commit_with(&prompt).await?;
    Ok(prompt)
}

/// Makes a prompt of a draft, as part of the caller's transaction. A refusal leaves nothing behind.
pub async fn insert(
    tx: &mut Tx,
    draft: &Draft,
    change_type: ChangeType,
    parent: Option<(PromptId, i64)>,
) -> Result<Prompt> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    caller.must_reach(&draft.category)?;
    let id = PromptId::generate(now);
    repository::insert(tx, id, draft, parent, &caller.actor, now).await?;
    if !draft.tags.is_empty() {
        repository::set_tags(tx, id, &draft.tags).await?;
    }
    let change_summary = draft.change_summary.clone();
    versions::append(tx, NewVersion { prompt_id: id, version: 1, body: &draft.body, change_summary, change_type })
        .await?;
    let prompt = indexed(tx, id).await?;
    audit::record_state(tx, "prompt.created", id, None, &prompt).await?;
    events::announce(tx, EventType::PromptCreated, &prompt, json!({ "change_type": change_type })).await?;
    Ok(prompt)
}

/// A prompt at one of its versions. 404, if it is out of the caller's reach.
pub async fn get(app: &App, caller: &Caller, id: PromptId, selector: &Selector, show: Show) -> Result<Prompt> {
    caller.must_see_every_version()?;
    let mut conn = app.db.read().await?;
    let found = repository::find(&mut conn, id, selector, show).await?;
    let is_found = found.is_some();
    let prompt = match found {
        Some(prompt) => Some(prompt),
        None => repository::find(&mut conn, id, &Selector::Latest, show).await?,
    };
    match prompt.filter(|prompt| caller.reaches(&prompt.category)) {
        None => Err(missing(id)),
        Some(_) if !is_found => Err(no_such_version(selector)),
        Some(prompt) => Ok(prompt),
    }
}

/// The same, as part of something larger; nothing, if there is no such prompt or version, or it is out of the caller's
/// reach.
pub async fn find_in(conn: &mut Conn, caller: &Caller, id: PromptId, selector: &Selector) -> Result<Option<Prompt>> {
    let found = repository::find(conn, id, selector, Show::PROMPT).await?;
    Ok(found.filter(|prompt| caller.reaches(&prompt.category)))
}

fn missing(id: PromptId) -> Error {
    Error::not_found("prompt", id)
}

/// A name as it is looked for: however it was typed, it is found.
#[must_use]
pub fn sought(name: &str) -> String {
    text::sought(text::composed(name))
}

/// A prompt by its category and name. 403 `forbidden`, if the category is out of the caller's reach.
pub async fn find_by_name(
    app: &App,
    caller: &Caller,
    (category, name): (&str, &str),
    selector: &Selector,
    show: Show,
) -> Result<Prompt> {
    let (category, name) = (&sought(category), &sought(name));
    caller.must_reach(category)?;
    let mut conn = app.db.read().await?;
    if let Some(prompt) = repository::find_by_name(&mut conn, category, name, selector, show).await? {
        return Ok(prompt);
    }
    let exists = repository::find_by_name(&mut conn, category, name, &Selector::Latest, show).await?.is_some();
    Err(if exists { no_such_version(selector) } else { Error::not_found("prompt", format!("{category}/{name}")) })
}

/// Names and labels of earlier versions that no address leads to, for people: the first twenty of each.
pub async fn unreachable_names(app: &App) -> Result<Vec<String>> {
    let mut conn = app.db.read().await?;
    let prompts = repository::unreachable(&mut conn, TOLD_MAX).await?;
    let labels = repository::unreachable_labels(&mut conn, TOLD_MAX).await?;
    let prompts = prompts.into_iter().map(|(id, category, name)| format!("{id} `{category}` / `{name}`"));
    Ok(prompts.chain(labels.into_iter().map(|(id, label)| format!("label `{label}` of {id}"))).collect())
}

/// The prompt of that name, if there is one, to be given new content, as [`hold_to_replace`] has it. 403 `forbidden`, if the
/// category is out of the caller's reach.
pub async fn hold_named(tx: &mut Tx, category: &str, name: &str) -> Result<Option<Prompt>> {
    tx.caller().must_reach(category)?;
    repository::lock_named(tx, category, name).await?;
    let Some(id) = repository::id_of_name(tx, category, name).await? else { return Ok(None) };
    hold_to_replace(tx, id, &Precondition::None).await.map(Some)
}

fn no_such_version(selector: &Selector) -> Error {
    match selector {
        Selector::Label(label) => Error::not_found("label", label),
        Selector::Version(version) => Error::not_found("version", version),
        Selector::Latest | Selector::Production => Error::internal("a prompt without its current version"),
    }
}

/// Changes what the patch says. Saying the same thing again changes nothing.
pub async fn update(
    app: &App,
    caller: &Caller,
    id: PromptId,
    precondition: &Precondition,
    patch: PromptPatch,
) -> Result<Prompt> {
    let mut tx = begin!(app, caller);
    let prompt = hold_for(&mut tx, id, precondition, &patch).await?;
    let prompt = update_in(&mut tx, prompt, patch, ChangeType::Update).await?;
    tx.commit_with(&prompt).await?;
    Ok(prompt)
}

/// Takes a prompt for what a patch says. A damaged one can be given new content, and nothing else.
pub async fn hold_for(tx: &mut Tx, id: PromptId, precondition: &Precondition, patch: &PromptPatch) -> Result<Prompt> {
    match patch.gives_content() {
        true => hold_to_replace(tx, id, precondition).await,
        false => hold(tx, id, precondition).await,
    }
}

/// Changes the content. Saying the same thing again changes nothing.
pub async fn update_content(
    app: &App,
    caller: &Caller,
    id: PromptId,
    precondition: &Precondition,
    patch: ContentPatch,
) -> Result<Prompt> {
    if patch.content.is_none() && patch.messages.is_none() {
        return Err(Error::invalid("/content", "required", "give `content` or `messages`"));
    }
    update(app, caller, id, precondition, patch.into()).await
}

/// Changes a prompt the transaction holds.
pub async fn update_in(tx: &mut Tx, prompt: Prompt, patch: PromptPatch, change_type: ChangeType) -> Result<Prompt> {
    let draft = patch.apply_to(&prompt)?;
    write(tx, prompt, &draft, change_type).await
}

/// Makes a held prompt be as the draft says.
pub(super) async fn write(tx: &mut Tx, prompt: Prompt, draft: &Draft, change_type: ChangeType) -> Result<Prompt> {
    let before = prompt.to_draft();
    let unsaid = Draft { change_summary: None, ..draft.clone() };
    if unsaid == before && !prompt.damaged {
        return Ok(prompt);
    }
    tx.caller().must_reach(&draft.category)?;
    let (new_body, new_tags) = (prompt.damaged || draft.body != before.body, draft.tags != before.tags);
    if (&draft.category, &draft.name) != (&before.category, &before.name) {
        tx.must_be_free_to_withdraw(prompt.labels.keys())?;
    }
    let (id, now, version) = (prompt.id, tx.now(), prompt.version + i64::from(new_body));
    // Under its old name it is not there anymore.
    keeping::changes(tx, &prompt);
    repository::update(tx, id, draft, version, now).await?;
    if new_tags {
        repository::set_tags(tx, id, &draft.tags).await?;
    }
    if new_body {
        let change_summary = draft.change_summary.clone();
        versions::append(tx, NewVersion { prompt_id: id, version, body: &draft.body, change_summary, change_type })
            .await?;
    }
    let prompt = indexed(tx, id).await?;
    audit::record_state(tx, "prompt.updated", id, None, &prompt).await?;
    events::updated(tx, &prompt, new_body.then_some(change_type)).await?;
    Ok(prompt)
}

/// Deletes a prompt, so that [`restore`] can bring it back. Its name is free at once.
pub async fn delete(app: &App, caller: &Caller, id: PromptId, precondition: &Precondition) -> Result<()> {
    let mut tx = begin!(app, caller);
    delete_in(&mut tx, id, precondition).await?;
    tx.commit_with(&()).await
}

/// The same, as part of the caller's transaction.
pub async fn delete_in(tx: &mut Tx, id: PromptId, precondition: &Precondition) -> Result<()> {
    let prompt = hold_to_replace(tx, id, precondition).await?;
    tx.must_be_free_to_withdraw(prompt.labels.keys())?;
    let now = tx.now();
    repository::delete(tx, id, now).await?;
    keeping::changes_of_predecessors(tx, id).await?;
    indexing::take_out(tx, &prompt).await?;
    audit::record(tx, "prompt.deleted", id, None).await?;
    events::announce(tx, EventType::PromptDeleted, &prompt, json!({})).await
}

/// Brings a deleted prompt back, with its labels. 409, if it is not deleted or its name is taken by now; 403 `forbidden`, if
/// one of its labels is protected and the caller may not publish.
pub async fn restore(app: &App, caller: &Caller, id: PromptId, precondition: &Precondition) -> Result<Prompt> {
    let mut tx = begin!(app, caller);
    let Some((category, name, revision)) = repository::lock_deleted(&mut tx, id).await? else {
        hold(&mut tx, id, precondition).await?;
        return Err(Error::conflict("not-deleted", "the prompt is not deleted, so there is nothing to restore"));
    };
    if !caller.reaches(&category) {
        return Err(precondition.missing(id));
    }
    precondition.check(id, revision)?;
    let now = tx.now();
    repository::restore(&mut tx, id, (&category, &name), now).await?;
    keeping::changes_of_predecessors(&mut tx, id).await?;
    let prompt = indexed(&mut tx, id).await?;
    tx.must_be_free_to_restore(prompt.labels.keys())?;
    audit::record_state(&mut tx, "prompt.restored", id, None, &prompt).await?;
    events::updated(&mut tx, &prompt, None).await?;
    tx.commit_with(&prompt).await?;
    Ok(prompt)
}

/// Copies the current version of a prompt to a new prompt, which remembers where it came from.
pub async fn fork(app: &App, caller: &Caller, id: PromptId, fork: Fork) -> Result<Prompt> {
    let mut tx = begin!(app, caller);
    let source = find_in(&mut tx, caller, id, &Selector::Latest).await?.ok_or_else(|| missing(id))?;
    let draft = PromptPatch::from(fork).apply_to(&source).map_err(at_new_name)?;
    let prompt = insert(&mut tx, &draft, ChangeType::Fork, Some((id, source.version))).await?;
    tx.commit_with(&prompt).await?;
    Ok(prompt)
}

/// What a patch calls `name`, a fork calls `new_name`.
fn at_new_name(mut error: Error) -> Error {
    if let Error::Invalid { violations, .. } = &mut error {
        for violation in violations.iter_mut().filter(|violation| violation.pointer == "/name") {
            "/new_name".clone_into(&mut violation.pointer);
        }
    }
    error
}

/// Takes a prompt for writing: it is there, within the caller's reach, as the caller thinks, and nobody else writes to it
/// meanwhile.
pub async fn hold(tx: &mut Tx, id: PromptId, precondition: &Precondition) -> Result<Prompt> {
    if !repository::lock(tx, id).await? {
        return Err(precondition.missing(id));
    }
    let prompt = current(tx, id).await?;
    if !tx.caller().reaches(&prompt.category) {
        return Err(precondition.missing(id));
    }
    precondition.check(id, prompt.revision)?;
    Ok(prompt)
}

/// The same of a prompt that is to be given other content, or taken away: its newest version may be damaged. Then the
/// prompt is marked, and holds what the newest sound version held before, or nothing.
pub async fn hold_to_replace(tx: &mut Tx, id: PromptId, precondition: &Precondition) -> Result<Prompt> {
    if !repository::lock(tx, id).await? {
        return Err(precondition.missing(id));
    }
    let mut prompt = repository::find_marked(tx, id).await?.ok_or_else(|| missing(id))?;
    if !tx.caller().reaches(&prompt.category) {
        return Err(precondition.missing(id));
    }
    precondition.check(id, prompt.revision)?;
    if prompt.damaged {
        let sound = versions::newest_sound(tx, id, prompt.version).await?;
        prompt.body = sound.map(|version| version.body).unwrap_or_default();
    }
    Ok(prompt)
}

/// Holds a prompt that must be there: nobody else writes to it, or deletes it, until the transaction ends. 404, if it is out
/// of the caller's reach.
pub async fn hold_existing(tx: &mut Tx, id: PromptId) -> Result<()> {
    if !repository::lock(tx, id).await? {
        return Err(missing(id));
    }
    let folders = tx.caller().grant.folders.clone();
    check_reach(tx, &folders, id).await
}

/// 404, if the prompt is not there, or out of the caller's reach.
pub async fn check_existing(conn: &mut Conn, caller: &Caller, id: PromptId) -> Result<()> {
    if !repository::exists(conn, id).await? {
        return Err(missing(id));
    }
    check_reach(conn, &caller.grant.folders, id).await
}

/// Is the prompt in one of these folders, deleted or not? One that is not there hides nothing.
pub async fn is_in_reach(conn: &mut Conn, folders: &Folders, id: PromptId) -> Result<bool> {
    Ok(folders.are_all() || repository::category(conn, id).await?.is_none_or(|category| folders.hold(&category)))
}

/// 404, if the prompt is in none of these folders: for whom they are all there is, it is not there.
pub async fn check_reach(conn: &mut Conn, folders: &Folders, id: PromptId) -> Result<()> {
    if is_in_reach(conn, folders, id).await? { Ok(()) } else { Err(missing(id)) }
}

/// Makes a held prompt stand elsewhere in its life. Whether it may is the caller's to know.
pub async fn set_status(
    tx: &mut Tx,
    prompt: &Prompt,
    status: LifecycleStatus,
    aftermath: (Option<Timestamp>, Option<PromptId>),
) -> Result<()> {
    let now = tx.now();
    tx.caller().must_be_allowed(Scope::PromptsPublish, "moving a prompt through its life")?;
    repository::set_status(tx, prompt.id, status, aftermath, now).await?;
    let moved = indexed(tx, prompt.id).await?;
    let detail = format!("{} -> {status}", prompt.lifecycle_status);
    audit::record_state(tx, "prompt.lifecycle_changed", prompt.id, Some(detail), &moved).await?;
    let more = json!({ "previous_status": prompt.lifecycle_status, "new_status": status });
    events::announce(tx, EventType::PromptLifecycleChanged, &moved, more).await
}

/// How many prompts stand where in their life. Where none stands, nothing is said.
pub async fn count_by_status(app: &App) -> Result<Vec<(LifecycleStatus, i64)>> {
    repository::count_by_status(&mut app.db.read().await?).await
}

/// A prompt as it is after a write, once the index knows it so. One that is damaged is marked, and not put there.
pub(super) async fn indexed(tx: &mut Tx, id: PromptId) -> Result<Prompt> {
    let prompt = repository::find_marked(tx, id).await?.ok_or_else(|| Error::not_found("prompt", id))?;
    match prompt.damaged {
        true => keeping::changes(tx, &prompt),
        false => indexing::put(tx, &prompt).await?,
    }
    Ok(prompt)
}

/// A prompt that is known to be there.
pub(super) async fn current(conn: &mut Conn, id: PromptId) -> Result<Prompt> {
    repository::find(conn, id, &Selector::Latest, Show::PROMPT).await?.ok_or_else(|| missing(id))
}
