//! The label moves to the winner.
use super::{choose, model::TestRow};
use crate::{
    db::Tx,
    error::{Error, Result},
    prompts,
    versions::ChangeType,
};

/// Moves the label of the control's prompt to the winner. Where that is another prompt, its content becomes a new version
/// of the control's first. A test without a winner, or which the control won, moves nothing.
pub(super) async fn promote(tx: &mut Tx, row: &TestRow) -> Result<()> {
    let Some(arm) = row.winner.as_deref().and_then(|name| row.arm(name)).filter(|arm| *arm > 0) else { return Ok(()) };
    let (control, winner) = (&row.variants()[0], &row.variants()[arm]);
    let (prompt_id, label) = match row.behind() {
        Some(behind) => (behind.prompt_id, behind.label),
        None => (control.prompt_id, control.label.clone().unwrap_or_else(|| prompts::PRODUCTION.to_owned())),
    };
    let prompt = prompts::hold(tx, prompt_id, &prompts::Precondition::None).await?;
    let best = prompts::find_in(tx, winner.prompt_id, &choose::selector(winner)?).await?;
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
