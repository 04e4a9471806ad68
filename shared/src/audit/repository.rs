//! The table `audit_log`.
use crate::{
    db::{Tx, params},
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
