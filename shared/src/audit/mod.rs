//! The audit log: who did what to what, a row for each write, in the transaction of the write.
mod repository;

use std::fmt::Display;

use crate::{db::Tx, error::Result};

/// Writes down that the transaction's caller did `action` (`prompt.created`) to the object with this id.
/// `detail` tells what the object itself will not: which label, from where to where.
pub async fn record(tx: &mut Tx, action: &str, object_id: impl Display, detail: Option<String>) -> Result<()> {
    repository::insert(tx, action, &object_id.to_string(), detail).await
}

/// The same for many objects at once.
pub async fn record_many<T: Display>(tx: &mut Tx, action: &str, object_ids: &[T]) -> Result<()> {
    repository::insert_many(tx, action, object_ids).await
}
