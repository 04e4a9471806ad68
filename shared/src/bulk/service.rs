//! Taking orders for many prompts, and working them.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    BulkCreate, BulkFilter, BulkItem, BulkLifecycle, BulkOperation, ItemState, OnConflict, OperationStatus,
    OperationType, RunBulkOperation,
    events::announce,
    model::{OperationRow, Order, named},
    repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    change::Change,
    db::{Conn, Json, Tx},
    error::{Error, Result},
    id::{OperationId, PromptId},
    jobs::{self, Claim},
    lifecycle::{self, LifecycleOrder, NewStatus},
    notifications::EventType,
    objects,
    page::{Page, PageRequest, Position, SortKey},
    prompts::{self, Draft, NewPrompt, Precondition, PromptPatch},
    retry,
    versions::ChangeType,
};

/// The items of one transaction.
const CHUNK: i64 = 100;
/// After this a job gives its place back, so that a long operation does not keep short ones waiting.
const TURN: Duration = Duration::from_secs(2);

/// What became of one item.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub state: ItemState,
    /// The prompt it made or changed.
    pub prompt_id: Option<PromptId>,
    /// Why it was refused or passed over.
    pub code: Option<String>,
    /// One sentence for a person.
    pub detail: Option<String>,
}

/// Orders prompts to be made.
pub async fn create(app: &App, caller: &Caller, new: BulkCreate) -> Result<BulkOperation> {
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
    repository::insert(&mut tx, id, &order).await?;
    audit::record(&mut tx, "bulk_operation.created", id, None).await?;
    tx.enqueue(&RunBulkOperation { operation_id: id }).await?;
    let operation = existing(&mut tx, id).await?.show(Vec::new(), tx.now());
    tx.commit_with(&operation).await?;
    Ok(operation)
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
    existing(&mut conn, id).await?;
    let (rows, total) = repository::items(&mut conn, id, after, request).await?;
    let position = |row: &BulkItem| Position { key: SortKey::Number(row.index), id: String::new() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// Works an operation chunk by chunk. A chunk is one transaction: its effects, the states of its items, the
/// counts and the lease. So whatever happens, no item is worked twice and none is lost.
pub async fn run(app: &App, claim: &Claim, id: OperationId) -> Result<jobs::Outcome> {
    let began = Instant::now();
    let operation = existing(&mut app.db.read().await?, id).await?;
    let caller = Caller::new(&operation.created_by, &operation.request_id, None);
    loop {
        let mut tx = app.begin(&caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        let over = chunk(&mut tx, id).await?;
        tx.commit().await?;
        if over {
            return Ok(jobs::Outcome::Done);
        }
        if began.elapsed() >= TURN {
            return Ok(jobs::Outcome::Again);
        }
    }
}

/// Works the next items. Answers whether the operation is over.
async fn chunk(tx: &mut Tx, id: OperationId) -> Result<bool> {
    let operation = existing(tx, id).await?;
    if operation.is_over() {
        return Ok(true);
    }
    if operation.status == OperationStatus::Pending {
        announce(tx, EventType::BulkOperationStarted, id).await?;
    }
    let (mut successful, mut skipped, mut failed) = (0, 0, 0);
    for (item, Json(payload), duplicate_of) in repository::pending(tx, id, CHUNK).await? {
        let mut outcome = match (operation.operation_type, operation.dry_run) {
            (OperationType::Create, true) => {
                let earlier = match duplicate_of {
                    Some(first) => repository::rehearsed(tx, id, item, first).await?,
                    None => None,
                };
                rehearse(tx, earlier, payload, operation.on_conflict).await?
            }
            (OperationType::Create, false) => {
                create_one(tx, payload, operation.on_conflict, ChangeType::Create).await?
            }
            (OperationType::Lifecycle, dry_run) => change_one(tx, payload, dry_run).await?,
        };
        if let (Some("prompt-name-taken"), Some(earlier)) = (outcome.code.as_deref(), duplicate_of)
            && outcome.state == ItemState::Failed
        {
            let detail = format!("item {earlier} of this request has the same category and name");
            outcome = Outcome { code: Some("duplicate".to_owned()), detail: Some(detail), ..outcome };
        }
        match outcome.state {
            ItemState::Succeeded => successful += 1,
            ItemState::Skipped => skipped += 1,
            ItemState::Failed | ItemState::Pending => failed += 1,
        }
        repository::settle_item(tx, id, item, &outcome, operation.dry_run).await?;
    }
    let over = operation.processed_items() + successful + skipped + failed >= operation.total_items;
    let status = match over {
        false => OperationStatus::Processing,
        true if operation.failed_items + failed > 0 => OperationStatus::CompletedWithErrors,
        true => OperationStatus::Completed,
    };
    let now = tx.now();
    repository::advance(tx, id, status, now, (successful, skipped, failed), over.then_some(now)).await?;
    if over {
        announce(tx, EventType::BulkOperationCompleted, id).await?;
    }
    Ok(over)
}

/// The operation's job is dead, so nobody will finish it. Part of the transaction that buries the job.
pub async fn gave_up(tx: &mut Tx, id: OperationId) -> Result<()> {
    let now = tx.now();
    let error = "the operation was given up after repeated failures; its job is among the dead ones";
    repository::fail(tx, id, error, now).await?;
    announce(tx, EventType::BulkOperationFailed, id).await?;
    audit::record(tx, "bulk_operation.failed", id, None).await
}

/// Somebody has the operation's dead job tried again: it goes on where it stood.
pub async fn revive(tx: &mut Tx, id: OperationId) -> Result<()> {
    repository::revive(tx, id).await
}

/// What a dry run would have made so far: by category and name, the last item that had an effect.
pub type Rehearsed = HashMap<(String, String), Value>;

/// Makes prompts at once, in one transaction, without an operation. Items fail alone. For commands, which
/// bring no more than a chunk at a time. With `rehearsed` it is a dry run, and nothing is changed.
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

async fn create_chunk(app: &App, caller: &Caller, items: Vec<Value>, on_conflict: OnConflict) -> Result<Vec<Outcome>> {
    let mut tx = app.begin(caller).await?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        outcomes.push(create_one(&mut tx, item, on_conflict, ChangeType::Import).await?);
    }
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
        let outcome = rehearse(&mut tx, earlier, item.clone(), on_conflict).await?;
        if let (Some(name), ItemState::Succeeded) = (name, outcome.state) {
            rehearsed.insert(name, item);
        }
        outcomes.push(outcome);
    }
    tx.commit().await?;
    Ok(outcomes)
}

async fn existing(conn: &mut Conn, id: OperationId) -> Result<OperationRow> {
    repository::find(conn, id).await?.ok_or_else(|| Error::not_found("bulk operation", id))
}

async fn create_one(tx: &mut Tx, item: Value, on_conflict: OnConflict, change_type: ChangeType) -> Result<Outcome> {
    let draft = match read(item) {
        Ok(draft) => draft,
        Err(error) => return failed(error),
    };
    match prompts::insert(tx, &draft, change_type, None).await {
        Ok(prompt) => Ok(Outcome::succeeded(Some(prompt.id))),
        Err(Error::Conflict { code: "prompt-name-taken", detail }) => match on_conflict {
            OnConflict::Fail => failed(Error::conflict("prompt-name-taken", detail)),
            OnConflict::Skip => Ok(Outcome::skipped(None, "prompt-name-taken", detail)),
            OnConflict::Update => overwrite(tx, draft, change_type).await,
        },
        Err(error) => failed(error),
    }
}

/// Makes one prompt stand elsewhere in its life, or says what would happen.
async fn change_one(tx: &mut Tx, item: Value, dry_run: bool) -> Result<Outcome> {
    let order: LifecycleOrder =
        objects::read(item).map_err(|error: serde_json::Error| Error::Internal(error.into()))?;
    let LifecycleOrder { prompt_id, status, reason } = order;
    let new = NewStatus { status, reason, sunset_at: None, successor_id: None };
    if dry_run {
        repository::save(tx).await?;
    }
    let changed = lifecycle::change_in(tx, prompt_id, &Precondition::None, new).await;
    let outcome = match changed {
        Ok(_) => Outcome::succeeded(Some(prompt_id)),
        Err(error) => Outcome { prompt_id: Some(prompt_id), ..failed(error)? },
    };
    if dry_run {
        repository::undo(tx).await?;
    }
    Ok(outcome)
}

/// Makes the prompt of the draft's name be as the draft says.
async fn overwrite(tx: &mut Tx, draft: Draft, change_type: ChangeType) -> Result<Outcome> {
    let Some(prompt) = prompts::hold_named(tx, &draft.category, &draft.name).await? else {
        return Err(Error::race("a taken name that nobody has any more"));
    };
    let (id, revision) = (prompt.id, prompt.revision);
    let change_type = if change_type == ChangeType::Create { ChangeType::Update } else { change_type };
    let changed = prompts::update_in(tx, prompt, all_of(draft), change_type).await;
    match changed {
        Ok(prompt) if prompt.revision == revision => {
            Ok(Outcome::skipped(Some(id), "no-change", "the prompt is that already".to_owned()))
        }
        Ok(_) => Ok(Outcome::succeeded(Some(id))),
        Err(error) => failed(error),
    }
}

/// A patch that leaves nothing as it was.
fn all_of(draft: Draft) -> PromptPatch {
    PromptPatch {
        description: draft.description.map_or(Change::Clear, Change::Set),
        kind: Some(draft.body.kind),
        content: draft.body.content.into(),
        messages: draft.body.messages.into(),
        template_format: Change::Set(draft.body.template_format),
        is_template: Change::Set(draft.is_template),
        variables: Change::Set(draft.body.variables),
        input_schema: Change::Set(draft.body.input_schema),
        tags: Change::Set(draft.tags),
        config: Change::Set(draft.body.config),
        change_summary: draft.change_summary,
        ..PromptPatch::default()
    }
}

/// What would become of an item: it is worked and undone, after the `earlier` one of its name if that would
/// have had an effect.
async fn rehearse(tx: &mut Tx, earlier: Option<Value>, item: Value, on_conflict: OnConflict) -> Result<Outcome> {
    repository::save(tx).await?;
    if let Some(earlier) = earlier {
        create_one(tx, earlier, on_conflict, ChangeType::Create).await?;
    }
    let outcome = create_one(tx, item, on_conflict, ChangeType::Create).await?;
    repository::undo(tx).await?;
    Ok(Outcome { prompt_id: None, ..outcome })
}

fn read(item: Value) -> Result<Draft> {
    let new: NewPrompt = objects::read(item).map_err(|error: serde_json::Error| Error::Invalid {
        code: "validation-failed",
        detail: error.to_string(),
        violations: Vec::new(),
    })?;
    new.check()
}

/// A refusal is the item's end; anything else is the chunk's.
fn failed(error: Error) -> Result<Outcome> {
    if !error.is_refusal() {
        return Err(error);
    }
    let mut detail = error.to_string();
    if let Error::Invalid { violations, .. } = &error
        && violations.len() > 1
    {
        let all: Vec<&str> = violations.iter().map(|violation| violation.detail.as_str()).collect();
        detail = all.join("; ");
    }
    Ok(Outcome::failed(error.code(), detail))
}

impl Outcome {
    fn succeeded(prompt_id: Option<PromptId>) -> Self {
        Self { state: ItemState::Succeeded, prompt_id, code: None, detail: None }
    }

    fn skipped(prompt_id: Option<PromptId>, code: &str, detail: String) -> Self {
        Self { state: ItemState::Skipped, prompt_id, code: Some(code.to_owned()), detail: Some(detail) }
    }

    fn failed(code: &str, detail: String) -> Self {
        Self { state: ItemState::Failed, prompt_id: None, code: Some(code.to_owned()), detail: Some(detail) }
    }
}
