//! Lines that become items as they arrive.
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    BulkOperation, ItemState, OnConflict, OperationStatus, events, items, jobs,
    orders::{NewItem, Order},
    repository,
    service::{end, existing, refuse_pressure},
};
use crate::{
    app::{App, Begun},
    audit,
    caller::Caller,
    clock::Timestamp,
    db::Tx,
    error::{Error, Result},
    id::OperationId,
    notifications::EventType,
    retry, text,
};

/// Lines are written down when there are so many, when they are so long, or when the first has waited for so long.
const LINES: usize = 256;
const BYTES: usize = 1024 * 1024;
const WAIT: Duration = Duration::from_secs(5);
/// The most lines of one import.
const LINES_MAX: i64 = 1_000_000;
/// Whoever sends nothing for so long is gone.
const ABANDONED: Duration = Duration::from_mins(5);

/// An operation whose items are arriving. It is worked when all of them are there.
pub struct Import {
    app: App,
    caller: Caller,
    id: OperationId,
    waiting: Vec<NewItem>,
    bytes: usize,
    since: Instant,
}

impl Import {
    /// Opens an operation for items to come.
    pub async fn begin(app: &App, caller: &Caller, on_conflict: OnConflict, dry_run: bool) -> Result<Self> {
        let (app, caller) = (app.clone(), caller.clone());
        let mut tx = app.begin(&caller).await?;
        let (now, id) = (tx.now(), OperationId::generate(tx.now()));
        repository::insert(&mut tx, id, &Order::import(on_conflict, dry_run), Some(now + ABANDONED)).await?;
        refuse_pressure(&mut tx, LINES_MAX).await?;
        tx.commit().await?;
        Ok(Self { app, caller, id, waiting: Vec::new(), bytes: 0, since: Instant::now() })
    }

    /// Takes a line, by its number from 1. One that cannot be read is refused at once, and the others go on.
    pub async fn take(&mut self, number: i64, bytes: usize, line: Result<Value>) -> Result<()> {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        self.waiting.push(match line {
            Ok(payload) => NewItem::new(number - 1, payload),
            Err(error) => NewItem::settled(number - 1, items::failed(error)?),
        });
        self.bytes += bytes;
        if self.waiting.len() < LINES && self.bytes < BYTES && self.since.elapsed() < WAIT {
            return Ok(());
        }
        retry::races(|| self.write_down()).await?;
        (self.waiting, self.bytes) = (Vec::new(), 0);
        Ok(())
    }

    async fn write_down(&self) -> Result<()> {
        let mut tx = self.app.begin(&self.caller).await?;
        let receiving_until = Some(tx.now() + ABANDONED);
        self.receive(&mut tx, receiving_until).await?;
        tx.commit().await
    }

    /// Adds the lines that wait, if the operation still does.
    async fn receive(&self, tx: &mut Tx, receiving_until: Option<Timestamp>) -> Result<()> {
        let refused = self.waiting.iter().filter(|item| item.state == ItemState::Failed).count();
        let counts = [self.waiting.len(), refused].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        if !repository::receive(tx, self.id, (counts[0], counts[1]), receiving_until).await? {
            return Err(Error::conflict("operation-over", "the import was stopped while its lines came"));
        }
        repository::insert_items(tx, self.id, &self.waiting).await?;
        refuse_pressure(tx, LINES_MAX).await
    }

    /// All lines have come: the operation is accepted, and will be worked. `caller` may bring a fingerprint of them; if
    /// the same were accepted before, that operation is the answer, and this one is forgotten.
    pub async fn finish(self, caller: &Caller) -> Result<BulkOperation> {
        let accepted = retry::races(|| self.accept(caller)).await;
        if let Err(error) = &accepted {
            self.abandon(&error.to_string()).await?;
        }
        let (operation, is_new) = accepted?;
        if !is_new {
            let mut tx = self.app.begin(&self.caller).await?;
            repository::delete(&mut tx, self.id).await?;
            tx.commit().await?;
        }
        Ok(operation)
    }

    async fn accept(&self, caller: &Caller) -> Result<(BulkOperation, bool)> {
        let mut tx = match self.app.begin_once(caller).await? {
            Begun::Fresh(tx) => *tx,
            Begun::Answered(earlier) => return Ok((earlier, false)),
        };
        self.receive(&mut tx, None).await?;
        audit::record(&mut tx, "bulk_operation.created", self.id, None).await?;
        let operation = existing(&mut tx, self.id).await?;
        jobs::order(&mut tx, self.id, operation.round, operation.total_items).await?;
        let operation = operation.show(repository::errors(&mut tx, self.id).await?, tx.now());
        tx.commit_with(&operation).await?;
        Ok((operation, true))
    }

    /// Not all lines have come, so none is worked.
    pub async fn abandon(&self, why: &str) -> Result<()> {
        let mut tx = self.app.begin(&self.caller).await?;
        end(&mut tx, self.id, (OperationStatus::Failed, Some(text::quoted(why))), None).await?;
        audit::record(&mut tx, "bulk_operation.failed", self.id, None).await?;
        tx.commit().await
    }
}

/// Ends the imports whose senders are gone without a word.
pub async fn end_abandoned(app: &App, caller: &Caller) -> Result<u64> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    let error = "the lines of the import stopped coming, so none of them was worked";
    let ended = repository::end_abandoned(&mut tx, now, error).await?;
    for id in &ended {
        events::announce(&mut tx, EventType::BulkOperationFailed, *id).await?;
    }
    tx.commit().await?;
    Ok(ended.len() as u64)
}
