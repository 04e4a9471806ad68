//! The database: which engine, its pools, and the connection everyone speaks to.
mod column;
mod conn;
mod error;
mod query;
mod sqlite;
mod tx;

use std::time::Instant;

use sqlx::SqlitePool;
pub use sqlx::{AssertSqlSafe, FromRow, types::Json};

pub(crate) use column::{column, text_column};
pub(crate) use conn::params;
pub use conn::{Conn, Param, Params, Row};
pub use query::Query;
pub use tx::Tx;

use crate::error::Result;
use conn::{
    Engine,
    Lease::{Open, Pooled},
    observe,
};

/// How the tables of a database stand against the ones this program was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// There are none yet.
    Empty,
    /// Made by an earlier version: `prompt-store migrate` brings them up to date.
    Older,
    /// As they should be.
    Current,
    /// Made by a later version: this program does not know what they mean.
    Newer,
}

/// The database of one store.
#[derive(Clone, Debug)]
pub enum Db {
    /// A file, shared by the processes of one host.
    Sqlite {
        /// A few connections that only read.
        reader: SqlitePool,
        /// The one connection of this process that writes.
        writer: SqlitePool,
    },
}

impl Db {
    /// Opens the database that `PROMPT_STORE_DB` names, and makes the file if there is none.
    pub async fn open(location: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !location.starts_with("postgres:") && !location.starts_with("postgresql:"),
            "PROMPT_STORE_DB is a PostgreSQL address, and this version keeps its data in SQLite only: name a file"
        );
        sqlite::open(location).await
    }

    /// Brings the tables up to date. One process at a time; the others wait for it.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::migrate(writer).await,
        }
    }

    /// How the tables stand.
    pub async fn schema(&self) -> Result<Schema> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::schema(writer).await,
        }
    }

    /// A connection for statements that need no transaction.
    pub async fn read(&self) -> Result<Conn> {
        Ok(Conn::new(match self {
            Self::Sqlite { reader, .. } => Engine::Sqlite(Pooled(reader.acquire().await?)),
        }))
    }

    /// A write transaction; dropped uncommitted, it rolls back.
    pub(crate) async fn begin(&self) -> Result<Conn> {
        let started = Instant::now();
        let transaction = match self {
            Self::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(|tx| Engine::Sqlite(Open(tx)))
            }
        };
        observe("BEGIN", started, transaction).map(Conn::new)
    }

    /// Closes every connection, after the last of them is given back.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { reader, writer } => {
                reader.close().await;
                writer.close().await;
            }
        }
    }

    /// What the store runs on, for people: `SQLite 3.51.3, prompt_store.db`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite { writer, .. } => sqlite::describe(writer),
        }
    }

    /// The folder the data lies in, where it lies in one of this machine.
    #[must_use]
    pub fn folder(&self) -> Option<std::path::PathBuf> {
        match self {
            Self::Sqlite { writer, .. } => Some(sqlite::folder(writer)),
        }
    }
}
