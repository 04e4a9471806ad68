//! Items without an operation, for commands: at once, and no more than a chunk at a time.
use serde_json::Value;

use super::{
    OnConflict, OperationType, Outcome,
    items::{self, Rules},
};
use crate::{app::App, caller::Caller, db::Tx, error::Result, retry, versions::ChangeType};

/// Makes prompts at once, in one transaction. Items fail alone.
pub async fn create_now(
    app: &App,
    caller: &Caller,
    items: Vec<Value>,
    on_conflict: OnConflict,
) -> Result<Vec<Outcome>> {
    retry::races(|| create_chunk(app, caller, items.clone(), on_conflict)).await
}

async fn create_chunk(app: &App, caller: &Caller, items: Vec<Value>, on_conflict: OnConflict) -> Result<Vec<Outcome>> {
    let mut tx = app.begin(caller).await?;
    let outcomes = items::work(&mut tx, rules(on_conflict), items.into_iter()).await?;
    tx.commit().await?;
    Ok(outcomes)
}

fn rules(on_conflict: OnConflict) -> Rules<'static> {
    Rules { operation_type: OperationType::Import, on_conflict, tags: None, change_type: ChangeType::Import }
}

/// A dry run: everything is done as it would be, each chunk after those before it, and undone when this is dropped. So it says
/// what the run will say. Until then others wait for what it holds, on `SQLite` for every write: give it a copy there
/// ([`db::copy_aside`](crate::db::copy_aside)).
pub struct DryRun {
    tx: Tx,
    on_conflict: OnConflict,
}

impl DryRun {
    /// Begins one, in a transaction that never commits.
    pub async fn begin(app: &App, caller: &Caller, on_conflict: OnConflict) -> Result<Self> {
        Ok(Self { tx: app.begin(caller).await?, on_conflict })
    }

    /// What [`create_now`] would answer.
    pub async fn create(&mut self, items: Vec<Value>) -> Result<Vec<Outcome>> {
        items::work(&mut self.tx, rules(self.on_conflict), items.into_iter()).await
    }
}
