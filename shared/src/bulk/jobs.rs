//! What bulk operations order from workers.
use serde::{Deserialize, Serialize};

use crate::{
    id::OperationId,
    jobs::{Job, Queue},
};

/// Work the items of an operation, to the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunBulkOperation {
    /// Which one.
    pub operation_id: OperationId,
}

impl Job for RunBulkOperation {
    const QUEUE: Queue = Queue::BulkOperations;

    fn unique_key(&self) -> Option<String> {
        Some(self.operation_id.to_string())
    }
}
