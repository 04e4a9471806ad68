//! Lives of prompts, to be written down in another store as they were.
use super::{LifecycleChange, model, repository};
use crate::{
    db::{Conn, Tx},
    error::{Error, Result},
    id::PromptId,
    prompts::{self, LifecycleStatus},
    text,
};

/// The first changes after number `after`, oldest first.
pub async fn after(conn: &mut Conn, id: PromptId, after: i64, most: i64) -> Result<Vec<LifecycleChange>> {
    repository::after(conn, id, after, most).await
}

/// How many changes name a successor that is there, or that was and is deleted.
pub async fn count_successors(conn: &mut Conn, id: PromptId, deleted_too: bool) -> Result<i64> {
    repository::count_successors(conn, id, deleted_too).await
}

/// Makes a held prompt go through changes as it did, without their successors: those may not be here yet.
pub async fn append_as_was(tx: &mut Tx, id: PromptId, changes: &[LifecycleChange]) -> Result<()> {
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
        let said = change.reason.as_deref().map_or(Ok(()), |reason| text::sentence(reason, "/reason"));
        said.map_err(|violation| Error::from_violations(vec![violation]))?;
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
    let Some(last) = repository::last(tx, id).await? else {
        return Err(Error::not_found("lifecycle change", format!("{sequence} of {id}")));
    };
    if !repository::set_successor(tx, id, sequence, successor).await? {
        return Ok(false);
    }
    prompts::set_successor(tx, id, successor, sequence == last.sequence).await?;
    Ok(true)
}
