//! Taking orders for many prompts, telling how far they are, stopping them and beginning again.
use super::{
    BulkCreate, BulkDelete, BulkFilter, BulkItem, BulkLifecycle, BulkOperation, BulkTags, BulkUpdate, OperationStatus,
    RunBulkOperation, events, jobs,
    model::OperationRow,
    orders::{Items, Order},
    repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    db::{Conn, Tx},
    error::{Error, Result},
    id::OperationId,
    notifications::EventType,
    page::{Page, PageRequest, Position, SortKey},
};

/// What one actor may have unfinished, and what all may.
const OPERATIONS_MAX: i64 = 50;
const ITEMS_WAITING_MAX: i64 = 100_000;
const ITEMS_OF_ALL_MAX: i64 = 1_000_000;

/// Orders prompts to be made.
pub async fn create(app: &App, caller: &Caller, new: BulkCreate) -> Result<BulkOperation> {
    take(app, caller, new.into_order()?).await
}

/// Orders prompts to be changed.
pub async fn update(app: &App, caller: &Caller, new: BulkUpdate) -> Result<BulkOperation> {
    take(app, caller, new.into_order()?).await
}

/// Orders prompts to be deleted.
pub async fn delete(app: &App, caller: &Caller, new: BulkDelete) -> Result<BulkOperation> {
    take(app, caller, new.into_order()?).await
}

/// Orders tags to be given and taken away.
pub async fn change_tags(app: &App, caller: &Caller, new: BulkTags) -> Result<BulkOperation> {
    take(app, caller, new.into_order()?).await
}

/// Orders prompts to be made to stand elsewhere in their life.
pub async fn change_lifecycle(app: &App, caller: &Caller, new: BulkLifecycle) -> Result<BulkOperation> {
    take(app, caller, new.into_order()?).await
}

/// Takes the order: the items and the job that works them, in one transaction.
async fn take(app: &App, caller: &Caller, order: Order) -> Result<BulkOperation> {
    let mut tx = begin!(app, caller);
    let id = OperationId::generate(tx.now());
    repository::insert(&mut tx, id, &order, None).await?;
    let items = match &order.items {
        Items::Listed(items) => {
            repository::insert_items(&mut tx, id, items).await?;
            items.len() as u64
        }
        Items::Matching(filter) => repository::insert_matching(&mut tx, id, filter).await?,
        Items::Coming => 0,
    };
    let items = i64::try_from(items).unwrap_or(i64::MAX);
    repository::receive(&mut tx, id, (items, 0), None).await?;
    refuse_pressure(&mut tx, ITEMS_WAITING_MAX).await?;
    audit::record(&mut tx, "bulk_operation.created", id, None).await?;
    jobs::order(&mut tx, id, 0, items).await?;
    let operation = existing(&mut tx, id).await?.show(Vec::new(), tx.now());
    tx.commit_with(&operation).await?;
    Ok(operation)
}

/// Refuses what the transaction has added, if too much waits now: of this actor, or of all together.
pub(super) async fn refuse_pressure(tx: &mut Tx, items_max: i64) -> Result<()> {
    let actor = tx.caller().actor.clone();
    let pressure = repository::pressure(tx, &actor).await?;
    if pressure.operations > OPERATIONS_MAX {
        let detail =
            format!("you have {OPERATIONS_MAX} bulk operations that are not finished; wait for one, or cancel one");
        return Err(Error::conflict("too-many-operations", detail));
    }
    if pressure.items > items_max {
        let detail = format!("more than {items_max} items of your bulk operations would wait; wait for some of them");
        return Err(Error::conflict("too-many-items", detail));
    }
    if pressure.items_of_all > ITEMS_OF_ALL_MAX {
        let detail = "too many items of bulk operations wait to be worked; try again when some of them are done";
        let source = anyhow::anyhow!("{} items wait", pressure.items_of_all);
        return Err(Error::Unavailable { code: "overloaded", detail, source });
    }
    Ok(())
}

/// An operation, as far as it is now.
pub async fn get(app: &App, id: OperationId) -> Result<BulkOperation> {
    let mut conn = app.db.read().await?;
    let row = existing(&mut conn, id).await?;
    let errors = repository::errors(&mut conn, id).await?;
    Ok(row.show(errors, app.clock.now()))
}

/// The operations that match, newest first, without the errors of their items.
pub async fn list(app: &App, filter: &BulkFilter, request: &PageRequest) -> Result<Page<BulkOperation>> {
    let name = format!("bulk operations {filter:?}");
    let after = request.after(&app.secret, &name)?;
    let mut conn = app.db.read().await?;
    let (rows, total) = repository::list(&mut conn, filter, after.as_ref(), request).await?;
    let now = app.clock.now();
    let rows = rows.into_iter().map(|row: OperationRow| row.show(Vec::new(), now)).collect();
    let position =
        |row: &BulkOperation| Position { key: SortKey::Number(row.created_at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// The items of an operation, in the order of the request.
pub async fn items(app: &App, id: OperationId, request: &PageRequest) -> Result<Page<BulkItem>> {
    let name = format!("bulk items {id}");
    let after = match request.after(&app.secret, &name)? {
        Some(Position { key: SortKey::Number(after), .. }) => after,
        _ => -1,
    };
    let mut conn = app.db.read().await?;
    let operation = existing(&mut conn, id).await?;
    let mut rows = repository::items(&mut conn, id, after, request).await?;
    for item in &mut rows {
        item.line = operation.line(item.index);
    }
    let position = |row: &BulkItem| Position { key: SortKey::Number(row.index), id: String::new() };
    Ok(request.page(&app.secret, &name, operation.total_items, rows, position))
}

/// Stops an operation: the chunk that is being worked is the last. 409 `operation-over`, if it has ended.
pub async fn cancel(app: &App, caller: &Caller, id: OperationId) -> Result<BulkOperation> {
    let mut tx = begin!(app, caller);
    let ended = end(&mut tx, id, (OperationStatus::Cancelled, None), None).await?;
    let operation = existing(&mut tx, id).await?;
    if !ended {
        let detail = format!("the operation is {} already", operation.status);
        return Err(Error::conflict("operation-over", detail));
    }
    audit::record(&mut tx, "bulk_operation.cancelled", id, None).await?;
    let operation = operation.show(repository::errors(&mut tx, id).await?, tx.now());
    tx.commit_with(&operation).await?;
    Ok(operation)
}

/// Tries the refused items of an operation again, and of one that was given up those that were never tried. 409
/// `operation-unfinished` or `nothing-to-retry`.
pub async fn retry(app: &App, caller: &Caller, id: OperationId) -> Result<BulkOperation> {
    let mut tx = begin!(app, caller);
    repository::hold(&mut tx, id).await?;
    let before = existing(&mut tx, id).await?;
    if !before.is_over() || before.status == OperationStatus::Cancelled {
        let detail = format!("the operation is {}; only one that has come to its end can be retried", before.status);
        return Err(Error::conflict("operation-unfinished", detail));
    }
    let left = before.total_items - before.processed_items() + repository::reopen(&mut tx, id).await?;
    if left == 0 {
        return Err(Error::conflict("nothing-to-retry", "no item of the operation can be tried again"));
    }
    refuse_pressure(&mut tx, ITEMS_WAITING_MAX).await?;
    audit::record(&mut tx, "bulk_operation.retried", id, Some(format!("{left} items"))).await?;
    let operation = existing(&mut tx, id).await?;
    jobs::order(&mut tx, id, operation.round, left).await?;
    let operation = operation.show(repository::errors(&mut tx, id).await?, tx.now());
    tx.commit_with(&operation).await?;
    Ok(operation)
}

/// The job of a round is dead, so nobody will finish it. Part of the transaction that buries the job.
pub async fn gave_up(tx: &mut Tx, job: &RunBulkOperation) -> Result<()> {
    let error =
        "the operation was given up, as its job failed; the job is among the dead ones, and can be tried again there";
    end(tx, job.operation_id, (OperationStatus::Failed, Some(error.to_owned())), Some(job.round)).await?;
    audit::record(tx, "bulk_operation.failed", job.operation_id, None).await
}

/// Ends an operation before its last item, and tells of it; with a round, only if that is the one it is in. Answers
/// whether it had not ended yet.
pub(super) async fn end(
    tx: &mut Tx,
    id: OperationId,
    (status, error): (OperationStatus, Option<String>),
    round: Option<i64>,
) -> Result<bool> {
    let now = tx.now();
    let event = if status == OperationStatus::Failed {
        EventType::BulkOperationFailed
    } else {
        EventType::BulkOperationCompleted
    };
    let ended = repository::end(tx, id, (status, error), now, round).await?;
    if ended {
        events::announce(tx, event, id).await?;
    }
    Ok(ended)
}

/// Somebody has the dead job of a round tried again: the operation goes on where it stood.
pub async fn revive(tx: &mut Tx, job: &RunBulkOperation) -> Result<()> {
    repository::revive(tx, job.operation_id, job.round).await
}

pub(super) async fn existing(conn: &mut Conn, id: OperationId) -> Result<OperationRow> {
    repository::find(conn, id).await?.ok_or_else(|| Error::not_found("bulk operation", id))
}
