//! Which process of a store does what only one of them needs to do.
use sqlx::{Connection, Postgres, pool::PoolConnection};

use super::{Db, conn::within, postgres};
use crate::error::Result;

/// The right to lead. It ends when it is dropped, or with the connection it hangs on; for a moment two processes
/// may think that they lead, so whatever a leader does must be harmless when done twice.
pub struct Leadership(Option<PoolConnection<Postgres>>);

impl Db {
    /// Takes the lead, if no other process has it. Of the processes of one host, as on `SQLite`, each may lead.
    pub async fn lead(&self) -> Result<Option<Leadership>> {
        match self {
            Self::Sqlite { .. } => Ok(Some(Leadership(None))),
            Self::Postgres { pool, .. } => Ok(postgres::lead(pool).await?.map(|conn| Leadership(Some(conn)))),
        }
    }
}

impl Leadership {
    /// Does this process still lead?
    pub async fn lasts(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(conn) => within(postgres::NETWORK, conn.ping()).await.is_ok(),
        }
    }
}
