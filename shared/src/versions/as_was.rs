//! Versions and labels of another store, written down as they were there.
use std::collections::HashMap;

use super::{Label, LabelMove, Version, body::BodyDraft, labels, repository};
use crate::{
    clock::Timestamp,
    db::Tx,
    error::{Error, Result},
    id::PromptId,
    imported, text,
    violations::Violations,
};

/// Appends versions as they were, to a held prompt whose newest is number `newest`. Answers the number of the last.
pub async fn append_as_was(tx: &mut Tx, newest: i64, versions: &[Version]) -> Result<i64> {
    let mut last = newest;
    for version in versions {
        last += 1;
        check(version, last, tx.now())?;
    }
    if repository::insert(tx, versions).await? < versions.len() as u64 {
        return Err(Error::conflict("version-exists", "another prompt has a version with one of these ids"));
    }
    Ok(last)
}

/// It follows the one before, keeps the rules, and is what its hash says.
fn check(version: &Version, number: i64, now: Timestamp) -> Result<()> {
    let pointer = format!("/versions/{}", version.version);
    if version.version != number {
        let detail = format!("version {number} must come next, and not {}", version.version);
        return Err(Error::invalid(pointer, "version-gap", detail));
    }
    if version.body.hash() != version.content_hash {
        let detail = format!(
            "version {number} does not hold what its `content_hash` says; if it was changed on purpose, leave the hash out"
        );
        return Err(Error::invalid(pointer, "hash-mismatch", detail));
    }
    let kept = BodyDraft::from(version.body.clone()).check().map_err(Error::from_violations)?;
    if kept != version.body {
        let detail = format!("version {number} would not be kept as it is");
        return Err(Error::invalid(pointer, "does-not-fit", detail));
    }
    let mut wrong = Violations::default();
    wrong.take(version.change_summary.as_deref().map_or(Ok(()), |said| text::sentence(said, "/change_summary")));
    wrong.take(imported::author(&version.created_by, &format!("{pointer}/created_by")));
    wrong.take(imported::moment(version.created_at, now, &format!("{pointer}/created_at")));
    wrong.end()
}

/// Moves the labels of a held prompt as they were moved, up to where they point now.
pub async fn move_labels_as_was(tx: &mut Tx, prompt_id: PromptId, newest: i64, moves: &[LabelMove]) -> Result<()> {
    let mut last = if moves.is_empty() { 0 } else { repository::last_move(tx, prompt_id).await? };
    let mut pointing = HashMap::new();
    for step in moves {
        last += 1;
        labels::check_name(&step.label)?;
        tx.must_be_free_to_move(&step.label)?;
        check_move(step, tx.now())?;
        if step.sequence != last {
            let detail = format!("move {} of the labels does not follow what is there", step.sequence);
            return Err(Error::conflict("does-not-follow", detail));
        }
        let known = |version: Option<i64>| version.is_none_or(|version| (1..=newest).contains(&version));
        if !known(step.from_version) || !known(step.to_version) {
            let detail = format!("move {} of the labels names a version that is not there", step.sequence);
            return Err(Error::invalid("/label_history", "unknown-version", detail));
        }
        let before = match pointing.get(&step.label) {
            Some(before) => *before,
            None => repository::label(tx, prompt_id, &step.label).await?.map(|label| label.version),
        };
        if step.from_version != before || step.to_version == before {
            let detail = format!("move {} of the labels does not begin where `{}` pointed", step.sequence, step.label);
            return Err(Error::invalid("/label_history", "does-not-follow", detail));
        }
        pointing.insert(step.label.clone(), step.to_version);
        repository::insert_move(tx, prompt_id, step, step.moved_at).await?;
        match step.to_version {
            Some(version) => {
                let (label, updated_by) = (step.label.clone(), step.moved_by.clone());
                let label = Label { label, version, updated_by, updated_at: step.moved_at };
                repository::set_label(tx, prompt_id, &label).await?;
            }
            None => repository::delete_label(tx, prompt_id, &step.label).await?,
        }
    }
    Ok(())
}

fn check_move(step: &LabelMove, now: Timestamp) -> Result<()> {
    let mut wrong = Violations::default();
    wrong.take(step.reason.as_deref().map_or(Ok(()), |said| text::sentence(said, "/label_history/reason")));
    wrong.take(imported::author(&step.moved_by, "/label_history/moved_by"));
    wrong.take(imported::moment(step.moved_at, now, "/label_history/moved_at"));
    wrong.end()
}
