//! Labels: pointers to versions, moved in one step, that remember where they pointed.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::repository;
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Tx},
    error::{Error, Result},
    id::PromptId,
    page::PageRequest,
    text,
};

/// Moves by itself to every new version, so nobody may set it.
pub const LATEST: &str = "latest";

/// A label and the version it points at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Label {
    /// `production`
    pub label: String,
    /// The version it points at.
    pub version: i64,
    /// Who moved it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// A step in the life of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct LabelMove {
    /// Counts the moves of all labels of a prompt, from 1.
    pub sequence: i64,
    /// Which label.
    pub label: String,
    /// Where it pointed; null, if it was new.
    pub from_version: Option<i64>,
    /// Where it points since; null, if it was taken away.
    pub to_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Who moved it.
    pub moved_by: String,
    /// When.
    pub moved_at: Timestamp,
}

/// Points a label at a version that is known to exist. Answers the label, and whether it moved.
pub async fn set_label(
    tx: &mut Tx,
    prompt_id: PromptId,
    label: &str,
    version: i64,
    reason: Option<String>,
) -> Result<(Label, bool)> {
    check_name(label)?;
    tx.must_be_free_to_move(label)?;
    let current = match repository::label(tx, prompt_id, label).await? {
        Some(current) if current.version == version => return Ok((current, false)),
        current => current,
    };
    let (actor, now) = (tx.caller().actor.to_string(), tx.now());
    let next = Label { label: label.to_owned(), version, updated_by: actor, updated_at: now };
    repository::set_label(tx, prompt_id, &next).await?;
    remember(tx, prompt_id, label, current.map(|current| current.version), Some(version), reason).await?;
    Ok((next, true))
}

/// Takes a label away.
pub async fn delete_label(tx: &mut Tx, prompt_id: PromptId, label: &str, reason: Option<String>) -> Result<()> {
    // Earlier versions gave such labels; they can still be taken away.
    if !text::is_dots(label) {
        check_name(label)?;
    }
    tx.must_be_free_to_move(label)?;
    let current = repository::label(tx, prompt_id, label).await?;
    let current = current.ok_or_else(|| Error::not_found("label", label))?;
    repository::delete_label(tx, prompt_id, label).await?;
    remember(tx, prompt_id, label, Some(current.version), None, reason).await
}

async fn remember(
    tx: &mut Tx,
    prompt_id: PromptId,
    label: &str,
    from_version: Option<i64>,
    to_version: Option<i64>,
    reason: Option<String>,
) -> Result<()> {
    let (moved_by, moved_at) = (tx.caller().actor.to_string(), tx.now());
    let step = LabelMove { sequence: 0, label: label.to_owned(), from_version, to_version, reason, moved_by, moved_at };
    repository::insert_move(tx, prompt_id, &step, moved_at).await
}

/// Does a label point at this version, or has it ever?
pub async fn was_behind(conn: &mut Conn, prompt_id: PromptId, label: &str, version: i64) -> Result<bool> {
    repository::was_behind(conn, prompt_id, label, version).await
}

/// Is there such a label?
pub async fn is_set(conn: &mut Conn, prompt_id: PromptId, label: &str) -> Result<bool> {
    Ok(repository::label(conn, prompt_id, label).await?.is_some())
}

/// The labels of a prompt after `after`, by name, and how many there are in all.
pub async fn labels(
    conn: &mut Conn,
    prompt_id: PromptId,
    after: &str,
    request: &PageRequest,
) -> Result<(Vec<Label>, i64)> {
    repository::labels(conn, prompt_id, after, request).await
}

/// How many bytes each move of a page of [`label_history`] holds.
pub async fn move_lengths(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<Vec<i64>> {
    repository::move_lengths(conn, prompt_id, before, request).await
}

/// The moves of a prompt's labels before number `before`, newest first, and how many there are in all.
pub async fn label_history(
    conn: &mut Conn,
    prompt_id: PromptId,
    before: i64,
    request: &PageRequest,
) -> Result<(Vec<LabelMove>, i64)> {
    repository::moves(conn, prompt_id, before, request).await
}

pub(super) fn check_name(label: &str) -> Result<()> {
    if label == LATEST {
        return Err(Error::invalid("/label", "reserved", "`latest` moves by itself to every new version"));
    }
    text::label(label, "/label").map_err(|violation| Error::from_violations(vec![violation]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_lower_case_and_not_latest() {
        for label in ["production", "a", "v1.2_rc-3", &"x".repeat(36)] {
            assert!(check_name(label).is_ok(), "{label}");
        }
        for label in ["", "latest", "Production", "a b", "é", "a/b", ".", "..", &"x".repeat(37)] {
            assert!(check_name(label).is_err(), "{label}");
        }
    }
}
