//! The audit log: who did what to what, a row for each write, in the transaction of the write; sealed into a chain soon
//! afterwards, so that writers do not wait for each other.
mod chain;
mod model;
mod repository;

use std::fmt::Display;

use serde::Serialize;

use crate::{
    app::App,
    db::Tx,
    error::Result,
    page::{Page, PageRequest, Position, SortKey},
};

pub use chain::{Fault, Verified, seal, verify};
pub use model::{AuditFilter, AuditRow};

/// Writes down that the transaction's caller did `action` (`prompt.created`) to the object with this id.
/// `detail` tells what the object itself will not: which label, from where to where.
pub async fn record(tx: &mut Tx, action: &str, object_id: impl Display, detail: Option<String>) -> Result<()> {
    repository::insert(tx, action, &object_id.to_string(), detail, None).await
}

/// The same, with a hash of the object as it is now: what it was before says the row before it.
pub async fn record_state(
    tx: &mut Tx,
    action: &str,
    object_id: impl Display,
    detail: Option<String>,
    object: &impl Serialize,
) -> Result<()> {
    repository::insert(tx, action, &object_id.to_string(), detail, Some(chain::state(object)?)).await
}

/// The same for many objects at once.
pub async fn record_many<T: Display>(
    tx: &mut Tx,
    action: &str,
    objects: impl Iterator<Item = (T, impl Serialize)>,
) -> Result<()> {
    let rows: Result<Vec<_>> = objects.map(|(id, object)| Ok((id.to_string(), chain::state(&object)?))).collect();
    repository::insert_many(tx, action, rows?).await
}

/// What was done, the last first.
pub async fn list(app: &App, filter: &AuditFilter, request: &PageRequest) -> Result<Page<AuditRow>> {
    filter.check()?;
    let name = format!("audit {filter:?}");
    let before = request.after(&app.secret, &name)?.map(|position| position.id);
    let (rows, total) = repository::list(&mut app.db.read().await?, filter, before, request).await?;
    let position = |row: &AuditRow| Position { key: SortKey::Number(row.at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// The rows after this place in the chain, in their order: for an export, page by page.
pub async fn after(app: &App, sequence: i64, most: i64) -> Result<Vec<AuditRow>> {
    repository::after(&mut app.db.read().await?, sequence, most).await
}
