//! Lives of prompts, to be written down in another store as they were.
use super::{LifecycleChange, model, repository};
use crate::{
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    imported,
    prompts::{self, LifecycleStatus, PromptFilter},
    text,
    violations::Violations,
};

/// The first changes after number `after`, oldest first.
pub async fn after(conn: &mut Conn, id: PromptId, after: i64, most: i64) -> Result<Vec<LifecycleChange>> {
    repository::after(conn, id, after, most).await
}

/// How many changes name a successor that is one of the filter's.
pub async fn count_successors(conn: &mut Conn, id: PromptId, filter: &PromptFilter) -> Result<i64> {
    repository::count_successors(conn, id, filter).await
}

/// Makes a held prompt go through changes as it did, without their successors: those may not be here yet.
///
/// `newest_version` is the number of its newest version, of which none can have been current later.
pub async fn append_as_was(tx: &mut Tx, id: PromptId, newest_version: i64, changes: &[LifecycleChange]) -> Result<()> {
    let Some(newest) = changes.last() else { return Ok(()) };
    let last = repository::last(tx, id).await?;
    let (mut sequence, mut status) =
        last.map_or((0, LifecycleStatus::default()), |last| (last.sequence, last.new_status));
    for change in changes {
        sequence += 1;
        let follows = change.sequence == sequence && change.previous_status == status && change.prompt_id == id;
        if !follows || !model::next(status).contains(&change.new_status) {
            let detail = format!("change {} of the status does not follow what is there", change.sequence);
            return Err(Error::conflict("does-not-follow", detail));
        }
        check(change, newest_version, tx.now())?;
        repository::insert(tx, &LifecycleChange { successor_id: None, ..change.clone() }).await?;
        status = change.new_status;
    }
    prompts::set_status_as_was(tx, id, status, newest.transition_timestamp, newest.sunset_at).await
}

/// Says what was to be used in the place of a prompt since one of its changes. Answers whether that is new.
pub async fn set_successor_as_was(tx: &mut Tx, id: PromptId, sequence: i64, successor: PromptId) -> Result<bool> {
    if !prompts::is_known(tx, successor).await? {
        return Err(Error::not_found("prompt", successor));
    }
    let missing = || Error::not_found("lifecycle change", format!("{sequence} of {id}"));
    let last = repository::last(tx, id).await?.ok_or_else(missing)?;
    let change = repository::at(tx, id, sequence).await?.ok_or_else(missing)?;
    model::check_successor(id, change.new_status, Some(successor)).map_err(Error::from_violations)?;
    if !repository::set_successor(tx, id, sequence, successor).await? {
        return Ok(false);
    }
    prompts::set_successor(tx, id, successor, sequence == last.sequence).await?;
    Ok(true)
}

/// What one change says, whatever the others say. Its successor comes in a line of its own.
fn check(change: &LifecycleChange, newest_version: i64, now: Timestamp) -> Result<()> {
    let mut wrong = Violations::default();
    wrong.take(change.reason.as_deref().map_or(Ok(()), |reason| text::sentence(reason, "/reason")));
    wrong.take(imported::author(&change.updated_by, "/lifecycle_history/updated_by"));
    wrong.take(imported::moment(change.transition_timestamp, now, "/lifecycle_history/transition_timestamp"));
    let known = (1..=newest_version).contains(&change.version);
    wrong.unless(known, "/lifecycle_history/version", "unknown-version", "must be a version of the prompt");
    let is_alone = change.successor_id.is_none();
    wrong.unless(is_alone, "/lifecycle_history/successor_id", "does-not-fit", "must stand in a line of its own");
    let has_day = change.sunset_at.is_some() && change.new_status != LifecycleStatus::Deprecated;
    wrong.unless(!has_day, "/lifecycle_history/sunset_at", "not-together", "belongs to a deprecated prompt");
    wrong.end()
}
