//! The table `api_keys`.
use super::{Key, NewKey};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Tx, params},
    error::Result,
    id::KeyId,
    page::PageRequest,
};

const INSERT: &str = "INSERT INTO api_keys (id, name, digest, scopes, folders, labels, default_label, created_by,
                                            created_at, expires_at, replaces)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) async fn insert(tx: &mut Tx, id: KeyId, new: &NewKey, digest: &str, replaces: Option<KeyId>) -> Result<()> {
    let (actor, now) = (tx.caller().actor.clone(), tx.now());
    let row = params![
        id,
        new.name,
        digest,
        Json(&new.scopes),
        Json(&new.folders),
        Json(&new.labels),
        new.default_label,
        &*actor,
        now,
        new.expires_at,
        replaces
    ];
    tx.execute(INSERT, row).await.map(drop)
}

const FIND: &str =
    "SELECT id, name, scopes, folders, labels, default_label, created_by, created_at, expires_at, revoked_at,
                           last_used_at, replaces
                    FROM api_keys WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: KeyId) -> Result<Option<Key>> {
    conn.fetch_optional(FIND, params![id]).await
}

const DIGEST: &str = "SELECT digest FROM api_keys WHERE id = $1";

pub(super) async fn digest(conn: &mut Conn, id: KeyId) -> Result<Option<String>> {
    let row: Option<(String,)> = conn.fetch_optional(DIGEST, params![id]).await?;
    Ok(row.map(|(digest,)| digest))
}

const LOCK: &str = "UPDATE api_keys SET revoked_at = revoked_at WHERE id = $1";

/// A key that nobody else writes to until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: KeyId) -> Result<Option<Key>> {
    match tx.execute(LOCK, params![id]).await? {
        0 => Ok(None),
        _ => find(tx, id).await,
    }
}

const COUNT: &str = "SELECT count(*) FROM api_keys";

pub(super) async fn count(conn: &mut Conn) -> Result<i64> {
    let (count,) = conn.fetch_one(COUNT, params![]).await?;
    Ok(count)
}

const LIST: &str =
    "SELECT id, name, scopes, folders, labels, default_label, created_by, created_at, expires_at, revoked_at,
                           last_used_at, replaces
                    FROM api_keys WHERE id < $1 ORDER BY id DESC LIMIT $2 OFFSET $3";

pub(super) async fn list(conn: &mut Conn, before: &str, request: &PageRequest) -> Result<(Vec<Key>, i64)> {
    let total = count(conn).await?;
    let rows = conn.fetch_all(LIST, params![before, request.limit_and_one(), request.offset()]).await?;
    Ok((rows, total))
}

const REVOKE: &str = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";

pub(super) async fn revoke(tx: &mut Tx, id: KeyId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(REVOKE, params![id, now]).await? == 1)
}

const REVOKE_ALL: &str = "UPDATE api_keys SET revoked_at = $1 WHERE revoked_at IS NULL";

/// Answers how many there were.
pub(super) async fn revoke_all(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    tx.execute(REVOKE_ALL, params![now]).await
}

const EXPIRE: &str = "UPDATE api_keys SET expires_at = $2 WHERE id = $1";

pub(super) async fn expire(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<()> {
    tx.execute(EXPIRE, params![id, at]).await.map(drop)
}

const USED: &str =
    "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";

pub(super) async fn used(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<()> {
    tx.execute(USED, params![id, at]).await.map(drop)
}

const COUNT_ADMINISTRATORS: &str = "SELECT count(*) FROM api_keys
                                    WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
                                      AND CAST(scopes AS TEXT) LIKE '%\"admin\"%'";

pub(super) async fn administrators(conn: &mut Conn, now: Timestamp) -> Result<i64> {
    let (count,) = conn.fetch_one(COUNT_ADMINISTRATORS, params![now]).await?;
    Ok(count)
}
