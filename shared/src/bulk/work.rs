//! Working the items of an operation, chunk by chunk.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ItemState, OperationStatus, OperationType, Outcome, events,
    items::{self, Rehearsal, Rules},
    model::OperationRow,
    repository::{self, PendingItem},
    service::existing,
};
use crate::{
    access,
    app::App,
    caller::Caller,
    db::{Json, Tx},
    error::{Error, Result},
    id::OperationId,
    jobs::{self, Claim},
    notifications::EventType,
    versions::ChangeType,
};

/// The items of one transaction.
pub(super) const CHUNK: i64 = 100;
/// After this a job gives its place back, so that a long operation does not keep short ones waiting.
const TURN: Duration = Duration::from_secs(2);

/// Works an operation chunk by chunk. A chunk is one transaction: its effects, the states of its items, the
/// counts and the lease. So whatever happens, no item is worked twice and none is lost.
pub async fn run(app: &App, claim: &Claim, id: OperationId) -> Result<jobs::Outcome> {
    let began = Instant::now();
    let operation = existing(&mut app.db.read().await?, id).await?;
    if operation.is_over() {
        return Ok(jobs::Outcome::Done);
    }
    // What whoever ordered it may do now: a key may have been taken back meanwhile.
    let grant = access::grant_of(app, &operation.created_by).await?;
    let caller = Caller::with(Arc::new(grant), operation.created_by.as_str(), &operation.request_id, None);
    let mut begins = operation.status == OperationStatus::Pending;
    let mut memory = if cfg!(feature = "unfenced") { Some(remember(app, &operation).await?) } else { None };
    loop {
        let remembered = memory.as_mut().map(|items| {
            let most = usize::try_from(CHUNK).unwrap_or(usize::MAX);
            items.drain(..items.len().min(most)).collect()
        });
        let mut tx = app.begin(&caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        if std::mem::take(&mut begins) {
            start(&mut tx, id).await?;
        }
        let over = chunk(&mut tx, id, remembered).await?;
        tx.commit().await?;
        if over {
            return Ok(jobs::Outcome::Done);
        }
        if began.elapsed() >= TURN {
            return Ok(jobs::Outcome::Again);
        }
    }
}

async fn start(tx: &mut Tx, id: OperationId) -> Result<()> {
    let now = tx.now();
    if repository::start(tx, id, now).await? {
        events::announce(tx, EventType::BulkOperationStarted, id).await?;
    }
    Ok(())
}

/// What a worker without a fence does: it looks once what is to be done, and trusts that nobody else does it.
async fn remember(app: &App, operation: &OperationRow) -> Result<Vec<PendingItem>> {
    repository::pending(&mut app.db.read().await?, operation.id, operation.next_item, operation.total_items).await
}

/// Works the next items. Answers whether the operation is over.
async fn chunk(tx: &mut Tx, id: OperationId, remembered: Option<Vec<PendingItem>>) -> Result<bool> {
    let operation = match repository::take_up(tx, id).await? {
        Some(operation) => operation,
        // Memory says that it goes on.
        None if remembered.is_some() => existing(tx, id).await?,
        None => return Ok(true),
    };
    let mut pending = match remembered {
        Some(pending) => pending,
        None => repository::pending(tx, id, operation.next_item, CHUNK).await?,
    };
    if pending.is_empty() && operation.processed_items() < operation.total_items {
        return Err(Error::internal("an operation that is not over has no item that waits"));
    }
    let mut outcomes = Vec::with_capacity(pending.len());
    if operation.dry_run {
        for item in pending {
            let outcome = rehearse(tx, &operation, &item).await?;
            outcomes.push((item.item, tell_apart(tx, &operation, &item, outcome).await?));
            // Later items of the same name must see what this one would have done.
            repository::settle(tx, id, &outcomes[outcomes.len() - 1..], true).await?;
        }
    } else {
        let payloads = pending.iter_mut().map(|item| item.payload.0.take());
        let worked = items::work(tx, rules(&operation), payloads).await?;
        for (item, outcome) in pending.iter().zip(worked) {
            outcomes.push((item.item, tell_apart(tx, &operation, item, outcome).await?));
        }
        repository::settle(tx, id, &outcomes, false).await?;
    }
    advance(tx, &operation, &outcomes).await
}

/// What its items do, and how.
fn rules(operation: &OperationRow) -> Rules<'_> {
    let change_type = match operation.operation_type {
        OperationType::Import => ChangeType::Import,
        _ => ChangeType::Create,
    };
    Rules {
        operation_type: operation.operation_type,
        on_conflict: operation.on_conflict,
        tags: operation.parameters.as_ref(),
        change_type,
    }
}

async fn rehearse(tx: &mut Tx, operation: &OperationRow, item: &PendingItem) -> Result<Outcome> {
    let earlier = match &item.name_key {
        Some(key) => repository::rehearsed(tx, operation.id, item.item, key).await?,
        None => None,
    };
    let Json(payload) = &item.payload;
    items::rehearse(tx, rules(operation), Rehearsal { earlier, item: payload.clone() }).await
}

/// A name that is taken may have been taken by an item of the same request.
async fn tell_apart(tx: &mut Tx, operation: &OperationRow, item: &PendingItem, outcome: Outcome) -> Result<Outcome> {
    let (ItemState::Failed, Some("prompt-name-taken"), Some(key)) =
        (outcome.state, outcome.code.as_deref(), &item.name_key)
    else {
        return Ok(outcome);
    };
    let Some(first) = repository::first_named(tx, operation.id, item.item, key).await? else { return Ok(outcome) };
    let place = operation.line(first).map_or_else(|| format!("item {first}"), |line| format!("line {line}"));
    let detail = format!("{place} of this request has the same category and name");
    Ok(Outcome { code: Some("duplicate".to_owned()), detail: Some(detail), ..outcome })
}

/// Counts what became of the items. Answers whether they were the last.
async fn advance(tx: &mut Tx, operation: &OperationRow, outcomes: &[(i64, Outcome)]) -> Result<bool> {
    let count = |state| i64::try_from(outcomes.iter().filter(|(_, it)| it.state == state).count()).unwrap_or(i64::MAX);
    let (successful, skipped) = (count(ItemState::Succeeded), count(ItemState::Skipped));
    let failed = count(ItemState::Failed) + count(ItemState::Pending);
    let over = operation.processed_items() + successful + skipped + failed >= operation.total_items;
    let status = match over {
        false => OperationStatus::Processing,
        true if operation.failed_items + failed > 0 => OperationStatus::CompletedWithErrors,
        true => OperationStatus::Completed,
    };
    let finished_at = over.then_some(tx.now());
    let next_item = outcomes.last().map_or(operation.next_item, |(item, _)| item + 1);
    repository::advance(tx, operation.id, status, (successful, skipped, failed), finished_at, next_item).await?;
    if over {
        events::announce(tx, EventType::BulkOperationCompleted, operation.id).await?;
    }
    Ok(over)
}
