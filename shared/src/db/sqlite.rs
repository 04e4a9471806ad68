//! The `SQLite` engine: one writer and a few readers in each process, write-ahead log, every commit on disk.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use sqlx::{
    Connection, Executor, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode::Wal, SqlitePoolOptions, SqliteSynchronous::Full},
};

use super::{CannotOpen, Db, Lines, OpenFile, Reserve, Schema, backup::before_update};
use crate::{config::Settings, error::Result, output::Target};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Earlier ones can corrupt a file that two connections write and checkpoint at once (the WAL-reset bug).
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// Another process may hold the writer for a while, and `SQLite`'s waiting is not fair.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// So many clients stand in line for the writer, and for the readers: a commit takes a few milliseconds, and a read one, so
/// the last of them is soon served.
const WRITING: usize = 64;
const READING: usize = 128;

/// sqlx runs a thread for each connection: more readers than cores do not read faster.
const READERS: u32 = 4;

pub(super) async fn open(path: &Path, settings: &Settings) -> Result<Db, CannotOpen> {
    prepare(path, settings).map_err(|error| CannotOpen::Lasting(format!("{error:#}")))?;
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
    let file = OpenFile::new(path);
    let pool = || {
        let file = file.clone();
        let pool = SqlitePoolOptions::new().test_before_acquire(false).acquire_timeout(ACQUIRE_TIMEOUT);
        // A connection that is open stays with its file, wherever that is moved; a new one would go to what is there instead.
        pool.max_lifetime(None).idle_timeout(None).after_connect(move |_, _| {
            let is_the_same = file.was_opened();
            Box::pin(async move {
                match is_the_same {
                    true => Ok(()),
                    false => Err(sqlx::Error::Configuration("another file lies in the place of the database".into())),
                }
            })
        })
    };
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
    refuse_old(&writer).await.map_err(|error| CannotOpen::Lasting(format!("{error:#}")))?;
    let reader = pool()
        .max_connections(READERS)
        .min_connections(READERS)
        .connect_with(options.create_if_missing(false).pragma("query_only", "on"))
        .await
        .map_err(|error| cannot_open(path, &error))?;
    let lines = Lines::before((READERS, READING), (1, WRITING));
    let reserve = Reserve::new(folder(&writer), settings.disk_reserve_bytes);
    // Whatever happens to the file, no empty one is made in its place.
    writer.set_connect_options(writer.connect_options().as_ref().clone().create_if_missing(false));
    Ok(Db::Sqlite { reader, writer, reserve, file, lines })
}

fn prepare(path: &Path, settings: &Settings) -> anyhow::Result<()> {
    ensure!(
        !path.as_os_str().is_empty() && path != Path::new(":memory:"),
        "PROMPT_STORE_DB must name a file: a database in memory cannot be shared by two connections"
    );
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
    }
    if !settings.allow_network_fs {
        refuse_network(path)?;
    }
    refuse_strange(path)
}

/// A store is kept in a regular file. A log that lies there without its file holds what was written last, and `SQLite` would delete it.
fn refuse_strange(path: &Path) -> anyhow::Result<()> {
    let target = Target::of(path)?;
    let Some(file) = target.file() else {
        bail!("`{}` is a device or a pipe, so no store can be kept in it", path.display());
    };
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    ensure!(
        length(file) > 0 || length(Path::new(&log)) == 0,
        "there is no database `{}`, but `{}` holds what was written to one last. Put the database back beside it; or, if it is \
         not wanted any more, move that file away",
        path.display(),
        Path::new(&log).display()
    );
    Ok(())
}

fn cannot_open(path: &Path, error: &sqlx::Error) -> CannotOpen {
    let sentence = format!("cannot open the database `{}`: {}", path.display(), reason(error));
    match malformed(error) {
        true => CannotOpen::Damaged(sentence),
        false => CannotOpen::Lasting(sentence),
    }
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => refusal.message().to_owned(),
        other => other.to_string(),
    }
}

/// Does `SQLite` say that the file contradicts itself? Who names a file that is no database at all has perhaps named another.
fn malformed(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 11)
}

/// The write-ahead log is shared memory: on a network file system two hosts would each have their own.
fn refuse_network(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kind = rustix::fs::statfs(folder).with_context(|| format!("cannot look at `{}`", folder.display()))?.f_type;
    if let Some(name) = network_name(kind) {
        bail!(
            "`{}` lies on a network file system ({name}), which corrupts an SQLite database sooner or later. Keep it on a \
             local disk, or use PostgreSQL (PROMPT_STORE_DB=postgres://…), which many hosts can share. If only this one \
             host ever opens the file and the file system locks it soundly, PROMPT_STORE_ALLOW_NETWORK_FS=true takes your word",
            path.display()
        );
    }
    Ok(())
}

/// What Linux calls file systems that others can reach, by the numbers of statfs(2).
fn network_name(kind: impl TryInto<i64>) -> Option<&'static str> {
    // Some of them are negative where the field has 32 bits.
    let kind = kind.try_into().unwrap_or(0) & 0xffff_ffff;
    Some(match kind {
        0x6969 => "NFS",
        0x517b => "SMB",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB 2",
        0x0102_1997 => "9p",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x5346_414f => "AFS",
        0x7375_7245 => "Coda",
        0x7461_636f => "OCFS2",
        0x0116_1970 => "GFS2",
        0x4750_4653 => "GPFS",
        0x786f_4256 => "VirtualBox shared folder",
        _ => return None,
    })
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

pub(super) async fn migrate(writer: &SqlitePool, copy_first: bool) -> anyhow::Result<()> {
    // Two processes that start together must not both create the tables. The lock ends with the file handle.
    let folder = folder(writer);
    let lock = std::fs::File::open(&folder).with_context(|| format!("cannot open `{}`", folder.display()))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if copy_first && schema(writer).await? == Schema::Older {
        let last = last_migration(writer).await?.unwrap_or(0);
        before_update(writer, &file(writer), last).await?;
    }
    MIGRATIONS.run(writer).await.context("cannot bring the tables of the database up to date")?;
    drop(lock);
    Ok(())
}

pub(super) async fn schema(pool: &SqlitePool) -> Result<Schema> {
    let (made,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'").fetch_one(pool).await?;
    match made {
        0 => Ok(Schema::Empty),
        _ => Ok(Schema::compare(last_migration(pool).await?, &MIGRATIONS)),
    }
}

async fn last_migration(pool: &SqlitePool) -> sqlx::Result<Option<i64>> {
    let sql = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    sqlx::query_as(sql).fetch_one(pool).await.map(|(found,)| found)
}

/// Reads the whole file, on a connection of its own.
pub(super) async fn fault(pool: &SqlitePool) -> Result<Option<String>> {
    let looked = async {
        let mut conn = SqliteConnection::connect_with(&pool.connect_options()).await?;
        let found = first_fault(&mut conn).await?;
        conn.close().await?;
        Ok(found)
    };
    match looked.await {
        Err(error) if malformed(&error) => Ok(Some(reason(&error))),
        found => Ok(found?),
    }
}

async fn first_fault(conn: &mut SqliteConnection) -> sqlx::Result<Option<String>> {
    let found: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check").fetch_all(conn).await?;
    // The index of words can be made anew, and is searched without harm to anything else.
    let (index, store): (Vec<_>, Vec<_>) =
        found.into_iter().map(|(row,)| row).partition(|row| row.contains("FTS5 table"));
    if let Some(fault) = index.first() {
        tracing::warn!(fault, "the search index is damaged; `prompt-store check` makes it anew");
    }
    // A row begins with the name of the database, `*** in database main ***`, where it speaks of pages.
    let lines = store.iter().flat_map(|row| row.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(lines.map(str::to_owned).next())
}

/// A transaction whose references are looked at when it commits.
pub(super) async fn begin_load(writer: &SqlitePool) -> sqlx::Result<Transaction<'static, Sqlite>> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    tx.execute("PRAGMA defer_foreign_keys = ON").await?;
    Ok(tx)
}

/// Writes everything as of one moment to a file. It is a connection of its own: others read and write meanwhile.
pub(super) async fn backup(pool: &SqlitePool, file: &Path) -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect_with(&pool.connect_options()).await?;
    let file = file.to_str().context("the name of the file is not UTF-8")?;
    sqlx::query("VACUUM INTO $1").bind(file).execute(&mut conn).await.context("cannot write the file")?;
    conn.close().await?;
    Ok(())
}

/// Looks through a file that nobody writes to: what its tables are, and how many prompts it holds.
pub(super) async fn verify(file: &Path) -> anyhow::Result<(Schema, i64)> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let faults: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(10)").fetch_all(&pool).await?;
    ensure!(faults == [("ok".to_owned(),)], "it is damaged: {}", faults[0].0);
    let loose = sqlx::query("PRAGMA foreign_key_check").fetch_all(&pool).await?.len();
    ensure!(loose == 0, "{loose} rows point at rows that are not there");
    let schema = schema(&pool).await?;
    // The first start may have ended before it came to them.
    let table = "SELECT name FROM sqlite_master WHERE name = 'prompts'";
    let prompts = match sqlx::query(table).fetch_optional(&pool).await? {
        None => 0,
        Some(_) => sqlx::query_as("SELECT count(*) FROM prompts").fetch_one(&pool).await.map(|(count,)| count)?,
    };
    pool.close().await;
    Ok((schema, prompts))
}

/// Every column of every table that holds the store: table, column, type, place in the primary key. What is searched is
/// made anew from it.
pub(super) const COLUMNS: &str = "
    SELECT t.name, c.name, c.type, c.pk
    FROM pragma_table_list t JOIN pragma_table_info(t.name) c
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> '_sqlx_migrations' AND t.name NOT LIKE 'sqlite#_%' ESCAPE '#'
      AND t.name NOT LIKE 'search#_%' ESCAPE '#'
    ORDER BY t.name, c.cid";

pub(super) fn describe(pool: &SqlitePool) -> String {
    format!("SQLite, {}", file(pool).display())
}

fn folder(pool: &SqlitePool) -> PathBuf {
    match file(pool).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

pub(super) fn file_bytes(pool: &SqlitePool) -> Vec<(&'static str, u64)> {
    let main = file(pool);
    let mut wal = main.clone().into_os_string();
    wal.push("-wal");
    let length = |path: PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    vec![("main", length(main)), ("wal", length(wal.into()))]
}

fn file(pool: &SqlitePool) -> PathBuf {
    pool.connect_options().get_filename().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: &Path) -> Settings {
        use clap::{Args, FromArgMatches};
        let command = Settings::augment_args(clap::Command::new("test").no_binary_name(true));
        Settings::from_arg_matches(&command.get_matches_from(["--db", file.to_str().unwrap()])).unwrap()
    }

    #[tokio::test]
    async fn a_store_of_an_earlier_version_is_copied_before_it_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.db");
        let Ok(Db::Sqlite { writer, .. }) = open(&file, &settings(&file)).await else { panic!("it opens") };
        let copy = |name: &str| folder.path().join(format!("store.db.before-update-{name}"));
        let copies = || {
            std::fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("before"))
                .count()
        };
        migrate(&writer, true).await.unwrap();
        assert_eq!(copies(), 0, "there was nothing to copy");

        let last = last_migration(&writer).await.unwrap().unwrap();
        let forget = "DELETE FROM _sqlx_migrations WHERE version = $1";
        sqlx::query(forget).bind(last).execute(&writer).await.unwrap();
        let before = last_migration(&writer).await.unwrap().unwrap();
        std::fs::write(copy(&before.to_string()), "of somebody else").unwrap();
        assert_eq!(schema(&writer).await.unwrap(), Schema::Older);
        // What is undone here by hand cannot be done again; but the copy comes first.
        let _ = migrate(&writer, true).await;
        assert_eq!(std::fs::read(copy(&before.to_string())).unwrap(), b"of somebody else", "nothing is written over");
        assert_eq!(verify(&copy(&format!("{before}.2"))).await.unwrap().0, Schema::Older);
        let _ = migrate(&writer, false).await;
        assert_eq!(copies(), 2, "unless it is not wanted");
    }

    #[test]
    fn file_systems_that_others_can_reach_are_known() {
        for (kind, name) in [
            (0x6969_i64, Some("NFS")),
            (i64::from(0xff53_4d42_u32.cast_signed()), Some("CIFS")),
            (0x6573_5546, Some("FUSE")),
        ] {
            assert_eq!(network_name(kind), name);
        }
        for local in [0xef53_i64, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0x794c_7630, 0x2fc1_2fc1] {
            assert_eq!(network_name(local), None, "{local:x}: ext, tmpfs, xfs, btrfs, overlay, zfs");
        }
    }
}
