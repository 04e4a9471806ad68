//! The table `store_secret`, and what was made with the secret.
use crate::{
    clock::Timestamp,
    db::{Conn, params},
    error::Result,
};

const FINGERPRINT: &str = "SELECT fingerprint FROM store_secret WHERE id = 1";

pub(super) async fn fingerprint(conn: &mut Conn) -> Result<Option<String>> {
    let row: Option<(String,)> = conn.fetch_optional(FINGERPRINT, params![]).await?;
    Ok(row.map(|(fingerprint,)| fingerprint))
}

const ADOPT: &str = "INSERT INTO store_secret (id, fingerprint, since) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";

/// The first to come decides.
pub(super) async fn adopt(conn: &mut Conn, fingerprint: &str, now: Timestamp) -> Result<()> {
    conn.execute(ADOPT, params![fingerprint, now]).await.map(drop)
}

const REPLACE: &str = "INSERT INTO store_secret (id, fingerprint, since) VALUES (1, $1, $2)
                       ON CONFLICT (id) DO UPDATE SET fingerprint = $1, since = $2";

pub(super) async fn replace(conn: &mut Conn, fingerprint: &str, now: Timestamp) -> Result<()> {
    conn.execute(REPLACE, params![fingerprint, now]).await.map(drop)
}

const KEYS: &str = "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL";

/// How many keys of the API have not been taken back.
pub(super) async fn keys(conn: &mut Conn) -> Result<i64> {
    let (keys,) = conn.fetch_one(KEYS, params![]).await?;
    Ok(keys)
}

const SEALED: &str = "SELECT secret FROM webhooks ORDER BY id";

/// The secrets of webhooks, as they are kept.
pub(super) async fn sealed(conn: &mut Conn) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = conn.fetch_all(SEALED, params![]).await?;
    Ok(rows.into_iter().map(|(secret,)| secret).collect())
}
