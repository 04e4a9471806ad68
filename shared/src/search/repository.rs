//! The table `search_documents`, as far as every engine has it alike.
use super::index::Header;
use crate::{
    db::{Conn, Tx, params},
    error::Result,
};

const FIND: &str = "SELECT doc, text_hash, live FROM search_documents WHERE id = $1";

/// A document: its number, the hash of its texts, and whether it can be found.
pub(super) async fn find(conn: &mut Conn, id: &str) -> Result<Option<(i64, String, bool)>> {
    conn.fetch_optional(FIND, params![id]).await
}

const HOLDS: &str = "SELECT count(*) FROM search_documents
                     WHERE id = $1 AND live = $2 AND analysis = $3 AND text_hash = $4 AND name = $5 AND category = $6
                       AND tags = $7 AND labels = $8 AND lifecycle_status = $9 AND template_format = $10
                       AND created_by = $11 AND model = $12 AND variables = $13 AND updated_at = $14";

/// Is that what is known of the document?
pub(super) async fn holds(conn: &mut Conn, header: &Header) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(HOLDS, &header.params()).await?;
    Ok(found == 1)
}

const UNSET_HASH: &str = "UPDATE search_documents SET text_hash = '' WHERE id = $1";

/// Lets the next `put` write everything.
pub(super) async fn forget(tx: &mut Tx, id: &str) -> Result<()> {
    tx.execute(UNSET_HASH, params![id]).await.map(drop)
}
