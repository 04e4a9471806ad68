//! What bulk operations tell of themselves.
use serde_json::json;

use super::repository;
use crate::{
    db::Tx,
    error::Result,
    id::OperationId,
    notifications::{self, EventType},
};

/// Tells how an operation stands now.
pub(super) async fn announce(tx: &mut Tx, event_type: EventType, id: OperationId) -> Result<()> {
    let Some(row) = repository::find(tx, id).await? else { return Ok(()) };
    let operation = row.show(Vec::new(), tx.now());
    let data = json!({
        "id": id,
        "operation_type": operation.operation_type,
        "status": operation.status,
        "dry_run": operation.dry_run,
        "total_items": operation.total_items,
        "successful_items": operation.successful_items,
        "skipped_items": operation.skipped_items,
        "failed_items": operation.failed_items,
    });
    notifications::announce(tx, event_type, id, data, &operation).await
}
