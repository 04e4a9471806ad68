//! What a test does to a label: its readers are shown the arms, and it moves to the winner.
use super::{choose, model::TestRow};
use crate::{
    caller::Scope,
    db::Tx,
    error::{Error, Result},
    id::PromptId,
    prompts,
    versions::ChangeType,
};

/// 403 `forbidden`, if the caller may not have readers of the label behind which the test is shown its arms.
pub(super) fn check_behind(tx: &Tx, row: &TestRow) -> Result<()> {
    row.behind().map_or(Ok(()), |behind| tx.must_be_free_to_divert(&behind.label))
}

/// 403 `forbidden`, if the caller may not move the label to the winner.
pub(super) fn check_promotion(tx: &Tx, row: &TestRow) -> Result<()> {
    tx.caller().must_be_allowed(Scope::Experiments, "promoting the winner of a test")?;
    tx.must_be_free_to_move(&target(row).1)
}

/// Whose label moves, and which.
pub(super) fn target(row: &TestRow) -> (PromptId, String) {
    let control = &row.variants()[0];
    match row.behind() {
        Some(behind) => (behind.prompt_id, behind.label),
        None => (control.prompt_id, control.label.clone().unwrap_or_else(|| prompts::PRODUCTION.to_owned())),
    }
}

/// Moves the label of the control's prompt to the winner. Where that is another prompt, its content becomes a new version
/// of the control's first. A test without a winner, or which the control won, moves nothing.
pub(super) async fn promote(tx: &mut Tx, row: &TestRow) -> Result<()> {
    let Some(arm) = row.winner.as_deref().and_then(|name| row.arm(name)).filter(|arm| *arm > 0) else { return Ok(()) };
    let (winner, (prompt_id, label)) = (&row.variants()[arm], target(row));
    let prompt = prompts::hold(tx, prompt_id, &prompts::Precondition::None).await?;
    let caller = tx.caller().clone();
    let best = prompts::find_in(tx, &caller, winner.prompt_id, &choose::selector(winner)?).await?;
    let best = best.ok_or_else(|| Error::conflict("winner-gone", "what won the test is not there any more"))?;
    let reason = format!("Variant `{}` won the A/B test `{}` ({})", winner.name, row.name, row.id);
    let (prompt, version) = if winner.prompt_id == prompt_id {
        (prompt, best.version)
    } else {
        let prompt = prompts::adopt(tx, prompt, best.body, reason.clone(), ChangeType::Update).await?;
        let version = prompt.version;
        (prompt, version)
    };
    prompts::set_label_in(tx, &prompt, &label, version, Some(reason)).await.map(drop)
}
