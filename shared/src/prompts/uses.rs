//! How often prompts are used: counted at once, written a moment later.
use super::repository;
use crate::{app::App, caller::Caller, error::Result};

/// Writes down what was counted since the last time, in one transaction. What cannot be written now is
/// counted again for the next time; a process that is killed loses what it has not written.
pub async fn write_uses(app: &App, caller: &Caller) -> Result<()> {
    let uses = app.uses.take();
    if uses.is_empty() {
        return Ok(());
    }
    let written = write(app, caller, &uses).await;
    if written.is_err() {
        for (prompt_id, version, uses) in uses {
            app.uses.add(prompt_id, version, uses);
        }
    }
    written
}

async fn write(app: &App, caller: &Caller, uses: &[(crate::id::PromptId, i64, i64)]) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    for (prompt_id, version, uses) in uses {
        repository::add_uses(&mut tx, *prompt_id, *version, *uses, now).await?;
    }
    tx.commit().await
}
