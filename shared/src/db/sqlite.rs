//! The `SQLite` engine: one writer and a few readers in each process, write-ahead log, every commit on disk.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use sqlx::{
    Connection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode::Wal, SqlitePoolOptions, SqliteSynchronous::Full},
};

use super::{Db, Schema};
use crate::error::Result;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Earlier ones can corrupt a file that two connections write and checkpoint at once (the WAL-reset bug).
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// Another process may hold the writer for a while, and `SQLite`'s waiting is not fair.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);

/// sqlx runs a thread for each connection: more readers than cores do not read faster.
const READERS: u32 = 4;

pub(super) async fn open(location: &str) -> anyhow::Result<Db> {
    let path = Path::new(location.strip_prefix("sqlite:").unwrap_or(location));
    ensure!(
        !path.as_os_str().is_empty() && path != Path::new(":memory:"),
        "PROMPT_STORE_DB must name a file: a database in memory cannot be shared by two connections"
    );
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(Wal)
        .synchronous(Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-16000")
        .pragma("mmap_size", "0")
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .pragma("journal_size_limit", "67108864");
    let pool = || SqlitePoolOptions::new().test_before_acquire(false).acquire_timeout(ACQUIRE_TIMEOUT);
    // After some errors, a full disk among them, SQLite rolls back by itself. sqlx's own ROLLBACK then fails, it
    // thinks itself in a transaction for ever, and would refuse every other: such a connection is replaced.
    let writer = pool()
        .max_connections(1)
        .after_release(|conn, _| {
            Box::pin(async {
                conn.ping().await?;
                Ok(!conn.is_in_transaction())
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(|error| cannot_open(path, &error))?;
    refuse_old(&writer).await?;
    let reader = pool()
        .max_connections(READERS)
        .connect_with(options.pragma("query_only", "on"))
        .await
        .map_err(|error| cannot_open(path, &error))?;
    Ok(Db::Sqlite { reader, writer })
}

fn cannot_open(path: &Path, error: &sqlx::Error) -> anyhow::Error {
    let reason = match error {
        sqlx::Error::Database(refusal) => refusal.message().to_owned(),
        other => other.to_string(),
    };
    anyhow::anyhow!("cannot open the database `{}`: {reason}", path.display())
}

async fn refuse_old(pool: &SqlitePool) -> anyhow::Result<()> {
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(pool).await?;
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST {
        bail!("SQLite {version} can corrupt a database that several processes write; 3.51.3 or later is needed");
    }
    Ok(())
}

pub(super) async fn migrate(writer: &SqlitePool) -> anyhow::Result<()> {
    // Two processes that start together must not both create the tables. The lock ends with the file handle.
    let folder = folder(writer);
    let lock = std::fs::File::open(&folder).with_context(|| format!("cannot open `{}`", folder.display()))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    MIGRATIONS.run(writer).await.context("cannot bring the tables of the database up to date")?;
    drop(lock);
    Ok(())
}

pub(super) async fn schema(pool: &SqlitePool) -> Result<Schema> {
    let (made,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'").fetch_one(pool).await?;
    if made == 0 {
        return Ok(Schema::Empty);
    }
    let (found,): (Option<i64>,) =
        sqlx::query_as("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(pool).await?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max();
    Ok(match found.cmp(&known) {
        std::cmp::Ordering::Less => Schema::Older,
        std::cmp::Ordering::Equal => Schema::Current,
        std::cmp::Ordering::Greater => Schema::Newer,
    })
}

pub(super) fn describe(pool: &SqlitePool) -> String {
    format!("SQLite, {}", file(pool).display())
}

pub(super) fn folder(pool: &SqlitePool) -> PathBuf {
    match file(pool).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn file(pool: &SqlitePool) -> PathBuf {
    pool.connect_options().get_filename().to_owned()
}
