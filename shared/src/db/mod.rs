//! The database: which engine, its pools, and the connection everyone speaks to.
mod backup;
mod cell;
mod column;
mod conn;
mod copy;
mod error;
mod json;
mod leader;
mod location;
mod open_file;
mod postgres;
mod query;
mod readable;
mod reserve;
mod sqlite;
mod tables;
mod text;
mod tx;

use std::{
    cmp::Ordering,
    sync::Arc,
    time::{Duration, Instant},
};

pub use sqlx::{AssertSqlSafe, FromRow};
use sqlx::{PgPool, SqlitePool, migrate::Migrator};

pub use backup::{BackedUp, backup, copy_aside, restore, verify};
pub(crate) use column::{column, text_column};
pub(crate) use conn::params;
pub use conn::{Conn, Dialect, Param, Params, Row};
pub use copy::{Copied, Step, copy};
pub use json::Json;
pub use leader::Leadership;
pub use location::Location;
pub use open_file::OpenFile;
pub use query::{Query, Statement, portions};
pub use readable::Readable;
pub use reserve::{Reserve, Room};
pub use tx::Tx;

use crate::{
    config::Settings,
    error::Result,
    line::{self, Line, Place},
};
use conn::{
    Engine,
    Lease::{Open, Pooled},
    observe,
};

/// Why a database cannot be opened: one sentence, with the way out.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// It stays so until someone changes a setting.
    #[error("{0}")]
    Lasting(String),
    /// Later it may work.
    #[error("{0}")]
    Passing(String),
    /// What stands between us and the database is set up otherwise than a store needs.
    #[error("{0}")]
    Setting(String),
    /// What it holds is not what was written.
    #[error("{0}")]
    Damaged(String),
}

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

impl Schema {
    fn compare(found: Option<i64>, migrations: &Migrator) -> Self {
        let known = migrations.iter().map(|migration| migration.version).max();
        match found.cmp(&known) {
            Ordering::Less => Self::Older,
            Ordering::Equal => Self::Current,
            Ordering::Greater => Self::Newer,
        }
    }
}

/// Where clients stand that wait for a connection. Those who only read do not wait behind those who write.
#[derive(Clone, Debug)]
pub struct Lines {
    reading: Arc<Line>,
    writing: Arc<Line>,
}

impl Lines {
    /// Before so many connections that read, and so many that write; so many may stand in each.
    fn before((readers, reading): (u32, usize), (writers, writing): (u32, usize)) -> Self {
        let reading = Arc::new(Line::new("a connection that reads", readers as usize, reading));
        let writing = Arc::new(Line::new("a connection that writes", writers as usize, writing));
        Self { reading, writing }
    }
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
        /// What is kept free on its disk.
        reserve: Reserve,
        /// Which file it is.
        file: OpenFile,
        /// Where clients stand that wait for them.
        lines: Lines,
    },
    /// A server, shared by the processes of many hosts.
    Postgres {
        /// Its connections, all alike.
        pool: PgPool,
        /// How long a statement may take, the way through the network included.
        patience: Duration,
        /// What it is, for people.
        description: Arc<str>,
        /// Where clients stand that wait for a connection.
        lines: Lines,
    },
}

impl Db {
    /// Opens the database that the settings name. A file that is not there is made; a database on a server is not.
    pub async fn open(settings: &Settings) -> Result<Self, CannotOpen> {
        match &settings.db {
            Location::File(path) => sqlite::open(path, settings).await,
            Location::Server(url) => postgres::open(url, settings).await,
        }
    }

    /// Brings the tables up to date. One process at a time; the others wait for it. With `copy_first`, a file of an earlier version
    /// is copied beside itself before it is changed.
    pub async fn migrate(&self, copy_first: bool) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::migrate(writer, copy_first).await,
            Self::Postgres { pool, .. } => postgres::migrate(pool).await,
        }
    }

    /// What is wrong with the file as it lies on the disk, if anything is: all of it is read. A server looks after its own.
    pub async fn fault(&self) -> Result<Option<String>> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::fault(writer).await,
            Self::Postgres { .. } => Ok(None),
        }
    }

    /// Columns of a file with texts that hold U+0000, which no other engine can keep: the table, the column, and how many.
    pub async fn texts_with_nul(&self) -> anyhow::Result<Vec<(String, String, i64)>> {
        match self {
            Self::Sqlite { .. } => tables::texts_with_nul(&mut self.snapshot().await?).await,
            Self::Postgres { .. } => Ok(Vec::new()),
        }
    }

    /// How the tables stand.
    pub async fn schema(&self) -> Result<Schema> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::schema(writer).await,
            Self::Postgres { pool, .. } => postgres::schema(pool).await,
        }
    }

    fn lines(&self) -> &Lines {
        match self {
            Self::Sqlite { lines, .. } | Self::Postgres { lines, .. } => lines,
        }
    }

    /// A connection for statements that need no transaction.
    pub async fn read(&self) -> Result<Conn> {
        let place = self.place_to_read().await?;
        let engine = match self {
            Self::Sqlite { reader, .. } => Engine::Sqlite(Pooled(reader.acquire().await?)),
            Self::Postgres { pool, patience, .. } => Engine::Postgres(Pooled(pool.acquire().await?), *patience),
        };
        Ok(Conn::at(place, engine))
    }

    /// A write transaction; dropped uncommitted, it rolls back. Where a client waits for it, it comes soon or not at all.
    pub(crate) async fn begin(&self) -> Result<Conn> {
        let started = Instant::now();
        if let Self::Sqlite { reserve, file, .. } = self {
            file.check()?;
            reserve.check()?;
        }
        let (place, left) = self.lines().writing.stand().await?;
        let transaction = match self {
            Self::Sqlite { writer, .. } => {
                let begun = conn::within(left, writer.begin_with("BEGIN IMMEDIATE")).await;
                begun.map(|tx| Engine::Sqlite(Open(tx)))
            }
            Self::Postgres { pool, patience, .. } => {
                let begun = conn::within(left.min(*patience), pool.begin()).await;
                begun.map(|tx| Engine::Postgres(Open(tx), *patience))
            }
        };
        line::has_begun_to_write();
        observe("BEGIN", started, transaction).map(|engine| Conn::at(place, engine))
    }

    /// A connection whose statements all read as of one moment.
    pub(crate) async fn read_at_once(&self) -> Result<Conn> {
        self.read_at_once_from(self.place_to_read().await?).await
    }

    /// Stands in line to read, for who has to wait for something else as well once it is their turn.
    pub(crate) async fn place_to_read(&self) -> Result<Place> {
        self.lines().reading.stand().await.map(|(place, _)| place)
    }

    /// A connection whose statements all read as of one moment, for who has stood in line.
    pub(crate) async fn read_at_once_from(&self, place: Place) -> Result<Conn> {
        let engine = match self {
            Self::Sqlite { reader, .. } => Engine::Sqlite(Open(reader.begin().await?)),
            Self::Postgres { pool, patience, .. } => {
                let begun = conn::within(*patience, pool.begin_with(postgres::SNAPSHOT)).await?;
                Engine::Postgres(Open(begun), *patience)
            }
        };
        Ok(Conn::at(place, engine))
    }

    /// Everything as of one moment, however long it takes to read.
    pub(crate) async fn snapshot(&self) -> Result<Conn> {
        Ok(Conn::at(
            None,
            match self {
                Self::Sqlite { reader, .. } => Engine::Sqlite(Open(reader.begin().await?)),
                Self::Postgres { pool, .. } => {
                    let begun = pool.begin_with(postgres::SNAPSHOT).await?;
                    Engine::Postgres(Open(postgres::unbounded(begun).await?), Duration::MAX)
                }
            },
        ))
    }

    /// A write transaction that may take long, and looks at references when it commits.
    async fn begin_load(&self) -> Result<Conn> {
        Ok(Conn::at(
            None,
            match self {
                Self::Sqlite { writer, .. } => Engine::Sqlite(Open(sqlite::begin_load(writer).await?)),
                Self::Postgres { pool, .. } => Engine::Postgres(Open(postgres::begin_load(pool).await?), Duration::MAX),
            },
        ))
    }

    /// Closes every connection, after the last of them is given back.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { reader, writer, .. } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// How many connections of this process wait, and how many are used.
    #[must_use]
    pub fn connections(&self) -> [(&'static str, u32); 2] {
        let (open, idle) = match self {
            Self::Sqlite { reader, writer, .. } => {
                (reader.size() + writer.size(), reader.num_idle() + writer.num_idle())
            }
            Self::Postgres { pool, .. } => (pool.size(), pool.num_idle()),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        [("idle", idle), ("used", open.saturating_sub(idle))]
    }

    /// How long the files are that the data lies in, where it lies in some of this machine.
    #[must_use]
    pub fn file_bytes(&self) -> Vec<(&'static str, u64)> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::file_bytes(writer),
            Self::Postgres { .. } => Vec::new(),
        }
    }

    /// What the store runs on, for people: `SQLite, prompt_store.db`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite { writer, .. } => sqlite::describe(writer),
            Self::Postgres { description, .. } => description.to_string(),
        }
    }

    /// Is the file still where it was opened? A server looks after its own.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        match self {
            Self::Sqlite { file, .. } => file.is_in_place(),
            Self::Postgres { .. } => true,
        }
    }

    /// How much room there is on the disk of the data, where it lies on one of this machine.
    #[must_use]
    pub fn room(&self) -> Option<std::io::Result<Room>> {
        match self {
            Self::Sqlite { reserve, .. } => Some(reserve.room()),
            Self::Postgres { .. } => None,
        }
    }
}
