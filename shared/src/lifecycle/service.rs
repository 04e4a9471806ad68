//! Moving prompts through their life.
use super::{LifecycleChange, NewStatus, Rules, StatusCounts, model, repository};
use crate::{
    app::{App, begin},
    caller::Caller,
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    page::{Page, PageRequest, Position, SortKey},
    prompts::{self, LifecycleStatus, Precondition},
    text,
};

/// Makes a prompt stand elsewhere in its life. 409 `lifecycle-transition`, if that may not follow; 422
/// `not-publishable`, if it is not ready.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: PromptId,
    precondition: &Precondition,
    new: NewStatus,
) -> Result<LifecycleChange> {
    let mut tx = begin!(app, caller);
    let change = change_in(&mut tx, id, precondition, new).await?;
    tx.commit_with(&change).await?;
    Ok(change)
}

/// The same, as part of the caller's transaction. A refusal leaves nothing behind.
pub async fn change_in(
    tx: &mut Tx,
    id: PromptId,
    precondition: &Precondition,
    new: NewStatus,
) -> Result<LifecycleChange> {
    new.check(id)?;
    let prompt = prompts::hold(tx, id, precondition).await?;
    new.check_of(&prompt)?;
    if let Some(successor) = new.successor_id {
        // Readers are sent to the successor, so it must be within reach of whoever names it.
        let caller = tx.caller().clone();
        prompts::check_existing(tx, &caller, successor).await.map_err(|error| match error {
            Error::NotFound { .. } => {
                Error::invalid("/successor_id", "unknown", format!("there is no prompt `{successor}`"))
            }
            other => other,
        })?;
    }
    prompts::set_status(tx, &prompt, new.status, (new.sunset_at, new.successor_id)).await?;
    let change = LifecycleChange {
        prompt_id: id,
        // The prompt is held, so nobody else counts.
        sequence: repository::count(tx, id).await? + 1,
        previous_status: prompt.lifecycle_status,
        new_status: new.status,
        version: prompt.version,
        transition_timestamp: tx.now(),
        reason: new.reason,
        updated_by: tx.caller().actor.to_string(),
        sunset_at: new.sunset_at,
        successor_id: new.successor_id,
    };
    repository::insert(tx, &change).await?;
    Ok(change)
}

/// The life of a prompt so far, the last change first.
pub async fn history(app: &App, caller: &Caller, id: PromptId, request: &PageRequest) -> Result<Page<LifecycleChange>> {
    let name = format!("lifecycle {id}");
    let before = match request.after(&app.secret, &name)? {
        None => i64::MAX,
        Some(Position { key: SortKey::Number(number), .. }) => number,
        Some(_) => return Err(Error::internal("a cursor of ours holds no number")),
    };
    caller.must_see_every_version()?;
    let mut conn = app.db.read().await?;
    prompts::check_existing(&mut conn, caller, id).await?;
    let lengths = repository::lengths(&mut conn, id, before, request);
    let request = request.within_bytes(text::SENTENCE_BYTES_MAX, lengths).await?;
    let (rows, total) = repository::list(&mut conn, id, before, &request).await?;
    let position = |row: &LifecycleChange| Position { key: SortKey::Number(row.sequence), id: String::new() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// The version that was current when the prompt was first published.
pub async fn first_published(conn: &mut Conn, id: PromptId) -> Result<Option<i64>> {
    repository::first_published(conn, id).await
}

/// How many prompts stand where.
pub async fn counts(app: &App, caller: &Caller) -> Result<StatusCounts> {
    caller.must_reach_everything("all prompts")?;
    let mut counts = StatusCounts::default();
    for (status, count) in prompts::count_by_status(app).await? {
        counts.total += count;
        match status {
            LifecycleStatus::Draft => counts.draft = count,
            LifecycleStatus::Published => counts.published = count,
            LifecycleStatus::Deprecated => counts.deprecated = count,
            LifecycleStatus::Archived => counts.archived = count,
        }
    }
    Ok(counts)
}

/// What may follow what, and what publishing takes.
#[must_use]
pub fn rules() -> Rules {
    model::rules()
}
