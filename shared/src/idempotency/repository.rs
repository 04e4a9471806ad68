//! The table `idempotency_keys`.
use crate::{
    caller::Idempotency,
    clock::Timestamp,
    db::{Conn, params},
    error::Result,
};

const FORGET_EXPIRED: &str = "DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2 AND expires_at <= $3";

pub(super) async fn forget_expired(conn: &mut Conn, actor: &str, key: &str, now: Timestamp) -> Result<()> {
    conn.execute(FORGET_EXPIRED, params![actor, key, now]).await.map(drop)
}

const INSERT: &str = "INSERT INTO idempotency_keys (actor, key, fingerprint, created_at, expires_at)
                      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

/// Answers whether the key was free.
pub(super) async fn insert(
    conn: &mut Conn,
    actor: &str,
    asked: &Idempotency,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool> {
    Ok(conn.execute(INSERT, params![actor, &*asked.key, &*asked.fingerprint, now, expires_at]).await? == 1)
}

const GET: &str = "SELECT fingerprint, answer FROM idempotency_keys WHERE actor = $1 AND key = $2";

pub(super) async fn get(conn: &mut Conn, actor: &str, key: &str) -> Result<(String, Option<String>)> {
    conn.fetch_one(GET, params![actor, key]).await
}

const SET_ANSWER: &str = "UPDATE idempotency_keys SET answer = $3 WHERE actor = $1 AND key = $2";

pub(super) async fn set_answer(conn: &mut Conn, actor: &str, key: &str, answer: &str) -> Result<()> {
    conn.execute(SET_ANSWER, params![actor, key, answer]).await.map(drop)
}

const PURGE: &str = "DELETE FROM idempotency_keys WHERE (actor, key) IN
                     (SELECT actor, key FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

pub(super) async fn purge(conn: &mut Conn, now: Timestamp, most: i64) -> Result<u64> {
    conn.execute(PURGE, params![now, most]).await
}
