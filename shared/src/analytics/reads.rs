//! How often prompts are served by name: counted at once, written a moment later.
use super::{repository, roll_up::DAY, variables};
use crate::{app::App, caller::Caller, clock::Timestamp, error::Result, id::PromptId};

/// Writes down what was counted since the last time, and what variables were filled with. What cannot be written now is
/// counted again for the next time; a process that is killed loses what it has not written.
pub async fn write_reads(app: &App, caller: &Caller) -> Result<()> {
    variables::write(app, caller).await?;
    let reads = app.uses.take();
    if reads.is_empty() {
        return Ok(());
    }
    let written = write(app, caller, &reads).await;
    if written.is_err() {
        for (prompt_id, version, reads) in reads {
            app.uses.add(prompt_id, version, reads);
        }
    }
    written
}

async fn write(app: &App, caller: &Caller, reads: &[(PromptId, i64, i64)]) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    let day = Timestamp::from_millis(now.millis() - now.millis().rem_euclid(DAY));
    for (prompt_id, version, reads) in reads {
        repository::add_uses(&mut tx, *prompt_id, *version, *reads, now).await?;
        repository::add_reads(&mut tx, day, &prompt_id.to_string(), *version, *reads).await?;
    }
    let all = reads.iter().map(|(_, _, reads)| reads).sum();
    repository::add_reads(&mut tx, day, "", 0, all).await?;
    tx.commit().await
}
