//! The same request, sent twice, has one effect and one answer.
//!
//! A key is claimed and answered in the transaction of the effect, so it never stands without it.
mod repository;

use std::time::Duration;

use crate::{
    caller::{Caller, Idempotency},
    db::Tx,
    error::{Error, Result},
};

/// How long an answer can be had again.
const KEPT: Duration = Duration::from_hours(24);

/// Claims a key, or finds the answer it was given before.
pub(crate) async fn claim(tx: &mut Tx, asked: &Idempotency) -> Result<Option<String>> {
    let (caller, now) = (tx.caller().clone(), tx.now());
    repository::forget_expired(tx, &caller.actor, &asked.key, now).await?;
    if repository::insert(tx, &caller.actor, asked, now, now + KEPT).await? {
        return Ok(None);
    }
    let (fingerprint, answer) = repository::get(tx, &caller.actor, &asked.key).await?;
    if *fingerprint != *asked.fingerprint {
        return Err(Error::Invalid {
            code: "idempotency-mismatch",
            detail: "this Idempotency-Key was used for another request; use a new key for a new request".to_owned(),
            violations: Vec::new(),
        });
    }
    Ok(answer)
}

/// Keeps the answer to a claimed key beside its effect.
pub(crate) async fn answer(tx: &mut Tx, key: &str, answer: &impl serde::Serialize) -> Result<()> {
    let actor = tx.caller().actor.clone();
    let answer = serde_json::to_string(answer).map_err(|error| Error::Internal(error.into()))?;
    repository::set_answer(tx, &actor, key, &answer).await
}

/// Throws away at most `most` answers whose time is over.
pub async fn purge(app: &crate::App, caller: &Caller, most: i64) -> Result<u64> {
    let mut tx = app.begin(caller).await?;
    let now = tx.now();
    let purged = repository::purge(&mut tx, now, most).await?;
    tx.commit().await?;
    Ok(purged)
}
