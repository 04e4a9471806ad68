//! Making keys, taking them back, and following one by another.
use std::time::Duration;

use super::{Key, KeyText, MadeKey, NewKey, Rotation, presented, repository};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    clock::Timestamp,
    db::{Db, Tx},
    error::{Error, Result},
    id::KeyId,
    page::{Page, PageRequest, Position, SortKey},
    secret::{self, Lost, SecretKey},
};

/// Somebody has to look them through.
const KEYS_MAX: i64 = 10_000;

/// Makes a key. Its text is in this answer, and in no other: also a repeated request is answered without it.
pub async fn create(app: &App, caller: &Caller, new: NewKey) -> Result<MadeKey> {
    new.check(app.clock.now())?;
    let mut tx = begin!(app, caller);
    let (key, text) = make(&app.secret, &mut tx, &new, None).await?;
    let made = MadeKey { key, text: None };
    tx.commit_with(&made).await?;
    Ok(MadeKey { text: Some(text), ..made })
}

async fn make(secret: &SecretKey, tx: &mut Tx, new: &NewKey, replaces: Option<KeyId>) -> Result<(Key, String)> {
    if repository::count(tx).await? >= KEYS_MAX {
        return Err(Error::conflict("key-limit", format!("there are {KEYS_MAX} keys already")));
    }
    let id = KeyId::generate(tx.now());
    let text = KeyText::generate(id);
    repository::insert(tx, id, new, &text.digest(secret), replaces).await?;
    let key = repository::find(tx, id).await?.ok_or_else(|| Error::internal("a key that was just made is gone"))?;
    audit::record_state(tx, "key.created", id, None, &key).await?;
    Ok((key, text.reveal()))
}

/// A key.
pub async fn get(app: &App, id: KeyId) -> Result<Key> {
    repository::find(&mut app.db.read().await?, id).await?.ok_or_else(|| missing(id))
}

/// All keys, the newest first.
pub async fn list(app: &App, request: &PageRequest) -> Result<Page<Key>> {
    let before = match request.after(&app.secret, "keys")? {
        Some(Position { id, .. }) => id,
        // Behind every id.
        None => "key_~".to_owned(),
    };
    let (keys, total) = repository::list(&mut app.db.read().await?, &before, request).await?;
    let position = |key: &Key| Position { key: SortKey::Number(key.created_at.millis()), id: key.id.to_string() };
    Ok(request.page(&app.secret, "keys", total, keys, position))
}

/// Takes a key back: every process refuses it within a second. 409 `key-revoked`, if it was taken back before.
pub async fn revoke(app: &App, caller: &Caller, id: KeyId) -> Result<()> {
    let mut tx = begin!(app, caller);
    repository::hold(&mut tx, id).await?.ok_or_else(|| missing(id))?;
    if !repository::revoke(&mut tx, id).await? {
        return Err(Error::conflict("key-revoked", "the key was taken back before"));
    }
    audit::record(&mut tx, "key.revoked", id, None).await?;
    tx.commit_with(&()).await?;
    presented::forget(app, id);
    Ok(())
}

/// Makes a key that may do the same, and lets the old one end after a while. Like [`create`], it tells the text once.
pub async fn rotate(app: &App, caller: &Caller, id: KeyId, rotation: &Rotation) -> Result<MadeKey> {
    rotation.check()?;
    let mut tx = begin!(app, caller);
    let old = repository::hold(&mut tx, id).await?.ok_or_else(|| missing(id))?;
    if old.grant(tx.now()).is_none() {
        return Err(Error::conflict("key-ended", "the key has ended; make a new one instead"));
    }
    let end = tx.now() + Duration::from_secs(rotation.overlap_seconds.unsigned_abs());
    let end = old.expires_at.map_or(end, |earlier| earlier.min(end));
    let new = NewKey {
        name: old.name,
        scopes: old.scopes,
        folders: old.folders,
        labels: old.labels,
        default_label: old.default_label,
        expires_at: old.expires_at,
    };
    let (key, text) = make(&app.secret, &mut tx, &new, Some(id)).await?;
    repository::expire(&mut tx, id, end).await?;
    audit::record(&mut tx, "key.rotated", id, Some(format!("followed by {}", key.id))).await?;
    let made = MadeKey { key, text: None };
    tx.commit_with(&made).await?;
    presented::forget(app, id);
    Ok(MadeKey { text: Some(text), ..made })
}

/// Lets the store belong to the secret of this process, whose own is lost. Whatever key of the API there was is taken back, as it
/// would never be let in again. Answers what was lost.
pub async fn adopt_secret(app: &App, caller: &Caller) -> Result<Lost> {
    let lost = secret::at_stake(&app.db).await?;
    let mut tx = app.begin(caller).await?;
    secret::replace(&mut tx, &app.secret).await?;
    let keys = repository::revoke_all(&mut tx).await?;
    let detail = format!("{keys} keys were taken back, and {} webhooks need a new secret", lost.webhooks);
    audit::record(&mut tx, "secret.adopted", app.secret.fingerprint(), Some(detail)).await?;
    tx.commit().await?;
    Ok(Lost { keys: i64::try_from(keys).unwrap_or(i64::MAX), ..lost })
}

/// Could somebody manage this store by a key that it knows?
pub async fn any_administrator(db: &Db, now: Timestamp) -> Result<bool> {
    Ok(repository::administrators(&mut db.read().await?, now).await? > 0)
}

fn missing(id: KeyId) -> Error {
    Error::not_found("key", id)
}
