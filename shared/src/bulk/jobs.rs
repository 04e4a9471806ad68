//! What bulk operations order from workers.
use serde::{Deserialize, Serialize};

use crate::{
    db::Tx,
    error::Result,
    id::OperationId,
    jobs::{Job, Queue},
};

/// What one chunk holds is over at once, and does not stand in line behind what takes long.
const SMALL: i64 = super::work::CHUNK;

/// Work the items of an operation, to the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunBulkOperation {
    /// Which one.
    pub operation_id: OperationId,
    /// Which round of it: refused items can be tried again.
    #[serde(default)]
    pub round: i64,
}

/// The same for an operation of a few items.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunSmallBulkOperation(pub RunBulkOperation);

impl Job for RunBulkOperation {
    const QUEUE: Queue = Queue::BulkOperations;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{} {}", self.operation_id, self.round))
    }
}

impl Job for RunSmallBulkOperation {
    const QUEUE: Queue = Queue::SmallBulkOperations;

    fn unique_key(&self) -> Option<String> {
        self.0.unique_key()
    }
}

/// Orders the work of an operation with so many items.
pub(super) async fn order(tx: &mut Tx, operation_id: OperationId, round: i64, items: i64) -> Result<()> {
    let job = RunBulkOperation { operation_id, round };
    if items <= SMALL { tx.enqueue(&RunSmallBulkOperation(job)).await } else { tx.enqueue(&job).await }
}
