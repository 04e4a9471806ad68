//! Items without an operation, for commands: at once, and no more than a chunk at a time.
use std::collections::HashMap;

use serde_json::Value;

use super::{
    ItemState, OnConflict, OperationType, Outcome,
    items::{self, Rehearsal, Rules},
    orders::named,
};
use crate::{app::App, caller::Caller, error::Result, retry, versions::ChangeType};

/// What a dry run would have made so far: by category and name, the last item that had an effect.
pub type Rehearsed = HashMap<(String, String), Value>;

/// Makes prompts at once, in one transaction. Items fail alone. With `rehearsed` it is a dry run, and nothing is
/// changed.
pub async fn create_now(
    app: &App,
    caller: &Caller,
    items: Vec<Value>,
    on_conflict: OnConflict,
    rehearsed: Option<&mut Rehearsed>,
) -> Result<Vec<Outcome>> {
    match rehearsed {
        None => retry::races(|| create_chunk(app, caller, items.clone(), on_conflict)).await,
        Some(rehearsed) => rehearse_chunk(app, caller, items, on_conflict, rehearsed).await,
    }
}

fn rules(on_conflict: OnConflict) -> Rules<'static> {
    Rules { operation_type: OperationType::Import, on_conflict, tags: None, change_type: ChangeType::Import }
}

async fn create_chunk(app: &App, caller: &Caller, items: Vec<Value>, on_conflict: OnConflict) -> Result<Vec<Outcome>> {
    let mut tx = app.begin(caller).await?;
    let outcomes = items::work(&mut tx, rules(on_conflict), items.into_iter()).await?;
    tx.commit().await?;
    Ok(outcomes)
}

async fn rehearse_chunk(
    app: &App,
    caller: &Caller,
    items: Vec<Value>,
    on_conflict: OnConflict,
    rehearsed: &mut Rehearsed,
) -> Result<Vec<Outcome>> {
    let mut tx = app.begin(caller).await?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let name = named(&item);
        let earlier = name.as_ref().and_then(|name| rehearsed.get(name)).cloned();
        let rehearsal = Rehearsal { earlier, item: item.clone() };
        let outcome = items::rehearse(&mut tx, rules(on_conflict), rehearsal).await?;
        if let (Some(name), ItemState::Succeeded) = (name, outcome.state) {
            rehearsed.insert(name, item);
        }
        outcomes.push(outcome);
    }
    tx.commit().await?;
    Ok(outcomes)
}
