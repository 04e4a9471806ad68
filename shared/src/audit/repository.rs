//! The table `audit_log`.
use std::fmt::Display;

use crate::{
    db::{Query, Tx, params, portions},
    error::Result,
    id::AuditId,
};

const INSERT: &str = "INSERT INTO audit_log (id, at, actor, request_id, action, object_id, detail)
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn insert(tx: &mut Tx, action: &str, object_id: &str, detail: Option<String>) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let id = AuditId::generate(now);
    let row = params![id, now, &*caller.actor, &*caller.request_id, action, object_id, detail];
    tx.execute(INSERT, row).await.map(drop)
}

pub(super) async fn insert_many<T: Display>(tx: &mut Tx, action: &str, object_ids: &[T]) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    let (actor, request_id) = (&*caller.actor, &*caller.request_id);
    let rows: Vec<_> = object_ids.iter().map(|object| (AuditId::generate(now), object.to_string())).collect();
    for rows in portions(&rows) {
        let start = "INSERT INTO audit_log (id, at, actor, request_id, action, object_id) VALUES";
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?, ?)", rows, |(id, object)| vec![id, &now, &actor, &request_id, &action, object]);
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}
