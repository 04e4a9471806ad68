//! The versions of a prompt and the labels that point at them.
use serde_json::json;

use super::{Draft, Precondition, Prompt, events, repository, service};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    computing,
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    notifications::EventType,
    page::{Page, PageRequest, Position, SortKey},
    text,
    versions::{self, Body, ChangeType, Diff, Label, LabelMove, Version},
};

/// The versions of a prompt, newest first.
pub async fn versions(app: &App, caller: &Caller, id: PromptId, request: &PageRequest) -> Result<Page<Version>> {
    let name = format!("versions {id}");
    let mut conn = existing(app, caller, id).await?;
    let before = number_before(app, request, &name)?;
    let lengths = versions::lengths(&mut conn, id, before, request);
    let request = request.within_bytes(versions::BODY_BYTES_MAX, lengths).await?;
    let (rows, total) = versions::list(&mut conn, id, before, &request).await?;
    Ok(request.page(&app.secret, &name, total, rows, |row| at_number(row.version)))
}

/// One version of a prompt.
pub async fn version(app: &App, caller: &Caller, id: PromptId, version: i64) -> Result<Version> {
    let mut conn = existing(app, caller, id).await?;
    known_version(&mut conn, id, version).await
}

/// Brings the content of an earlier version back, as a new version. 409 `no-change`, if the prompt is that
/// already.
pub async fn rollback(
    app: &App,
    caller: &Caller,
    id: PromptId,
    version: i64,
    precondition: &Precondition,
    reason: Option<String>,
) -> Result<Prompt> {
    check_reason(reason.as_deref())?;
    let mut tx = begin!(app, caller);
    let prompt = service::hold_to_replace(&mut tx, id, precondition).await?;
    let target = known_version(&mut tx, id, version).await?;
    if target.body == prompt.body && !prompt.damaged {
        let detail = format!("version {} already holds what version {version} held", prompt.version);
        return Err(Error::conflict("no-change", detail));
    }
    let reason = reason.unwrap_or_else(|| format!("Rollback to version {version}"));
    let prompt = adopt(&mut tx, prompt, target.body, reason, ChangeType::Rollback).await?;
    tx.commit_with(&prompt).await?;
    Ok(prompt)
}

/// Makes a held prompt hold what stood elsewhere, as a new version; nothing, if it holds that already.
pub async fn adopt(tx: &mut Tx, prompt: Prompt, body: Body, reason: String, change_type: ChangeType) -> Result<Prompt> {
    let is_template = prompt.is_template_with(&body);
    let draft = Draft { is_template, body, change_summary: Some(reason), ..prompt.to_draft() };
    service::write(tx, prompt, &draft, change_type).await
}

/// What changed between two versions; without numbers, by the newest one.
pub async fn diff(app: &App, caller: &Caller, id: PromptId, from: Option<i64>, to: Option<i64>) -> Result<Diff> {
    let mut conn = existing(app, caller, id).await?;
    let to = match to {
        Some(to) => to,
        None => service::current(&mut conn, id).await?.version,
    };
    let from = from.unwrap_or_else(|| to.saturating_sub(1).max(1));
    let from = known_version(&mut conn, id, from).await?;
    let to = known_version(&mut conn, id, to).await?;
    drop(conn);
    computing::run(move || versions::compare(&from, &to)).await
}

/// The labels of a prompt, by name.
pub async fn labels(app: &App, caller: &Caller, id: PromptId, request: &PageRequest) -> Result<Page<Label>> {
    let name = format!("labels {id}");
    let after = match request.after(&app.secret, &name)? {
        Some(Position { key: SortKey::Text(label), .. }) => label,
        _ => String::new(),
    };
    let mut conn = existing(app, caller, id).await?;
    let (rows, total) = versions::labels(&mut conn, id, &after, request).await?;
    let position = |row: &Label| Position { key: SortKey::Text(row.label.clone()), id: String::new() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// Points a label at a version. Pointing it there again changes nothing.
pub async fn set_label(
    app: &App,
    caller: &Caller,
    id: PromptId,
    label: &str,
    precondition: &Precondition,
    target: (i64, Option<String>),
) -> Result<Label> {
    let (version, reason) = target;
    check_reason(reason.as_deref())?;
    let mut tx = begin!(app, caller);
    let prompt = service::hold_to_replace(&mut tx, id, precondition).await?;
    let label = set_label_in(&mut tx, &prompt, label, version, reason).await?;
    tx.commit_with(&label).await?;
    Ok(label)
}

/// The same of a held prompt, as part of the caller's transaction.
pub async fn set_label_in(
    tx: &mut Tx,
    prompt: &Prompt,
    label: &str,
    version: i64,
    reason: Option<String>,
) -> Result<Label> {
    let id = prompt.id;
    if versions::find(tx, id, version).await?.is_none() {
        let detail = format!("the prompt has versions 1 to {}, and no version {version}", prompt.version);
        return Err(Error::invalid("/version", "unknown-version", detail));
    }
    let (label, moved) = versions::set_label(tx, id, label, version, reason).await?;
    if moved {
        let (now, detail) = (tx.now(), format!("{} -> {version}", label.label));
        repository::touch(tx, id, now).await?;
        let labelled = service::indexed(tx, id).await?;
        audit::record_state(tx, "prompt.label_moved", id, Some(detail), &labelled).await?;
        let from = prompt.labels.get(&label.label);
        let more = json!({ "label": label.label, "from_version": from, "to_version": version });
        events::announce(tx, EventType::PromptLabelMoved, &labelled, more).await?;
    }
    Ok(label)
}

/// Takes a label away.
pub async fn delete_label(
    app: &App,
    caller: &Caller,
    id: PromptId,
    label: &str,
    precondition: &Precondition,
) -> Result<()> {
    let mut tx = begin!(app, caller);
    let prompt = service::hold_to_replace(&mut tx, id, precondition).await?;
    versions::delete_label(&mut tx, id, label, None).await?;
    let now = tx.now();
    repository::touch(&mut tx, id, now).await?;
    let unlabelled = service::indexed(&mut tx, id).await?;
    audit::record_state(&mut tx, "prompt.label_deleted", id, Some(label.to_owned()), &unlabelled).await?;
    let more = json!({ "label": label, "from_version": prompt.labels.get(label), "to_version": null });
    events::announce(&mut tx, EventType::PromptLabelMoved, &unlabelled, more).await?;
    tx.commit_with(&()).await
}

/// Where the labels of a prompt pointed, newest move first.
pub async fn label_history(app: &App, caller: &Caller, id: PromptId, request: &PageRequest) -> Result<Page<LabelMove>> {
    let name = format!("label history {id}");
    let mut conn = existing(app, caller, id).await?;
    let before = number_before(app, request, &name)?;
    let lengths = versions::move_lengths(&mut conn, id, before, request);
    let request = request.within_bytes(text::SENTENCE_BYTES_MAX, lengths).await?;
    let (rows, total) = versions::label_history(&mut conn, id, before, &request).await?;
    Ok(request.page(&app.secret, &name, total, rows, |row| at_number(row.sequence)))
}

/// A connection, once it is sure that the prompt is there and the caller may see all of it.
async fn existing(app: &App, caller: &Caller, id: PromptId) -> Result<Conn> {
    caller.must_see_every_version()?;
    let mut conn = app.db.read().await?;
    service::check_existing(&mut conn, caller, id).await?;
    Ok(conn)
}

async fn known_version(conn: &mut Conn, id: PromptId, version: i64) -> Result<Version> {
    versions::find(conn, id, version).await?.ok_or_else(|| Error::not_found("version", version))
}

fn check_reason(reason: Option<&str>) -> Result<()> {
    let Some(reason) = reason else { return Ok(()) };
    text::sentence(reason, "/reason").map_err(|violation| Error::from_violations(vec![violation]))
}

fn at_number(number: i64) -> Position {
    Position { key: SortKey::Number(number), id: String::new() }
}

fn number_before(app: &App, request: &PageRequest, list: &str) -> Result<i64> {
    match request.after(&app.secret, list)? {
        None => Ok(i64::MAX),
        Some(Position { key: SortKey::Number(number), .. }) => Ok(number),
        Some(_) => Err(Error::internal("a cursor of ours holds no number")),
    }
}
