//! The `PostgreSQL` engine: one database that every host can reach.
use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres, Transaction,
    error::DatabaseError,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{CannotOpen, Db, Lines, Location, Schema};
use crate::{config::Settings, error::Result};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// Those before it are no longer mended by their makers.
const OLDEST: u32 = 14;
/// A server that takes longer to let somebody in is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So long a request waits for a free connection, or for the server to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// So many clients stand in line for a connection.
const WAITING: usize = 128;
/// So long a statement waits for rows that another transaction has.
const LOCK_MILLIS: &str = "4500";
/// A connection that lay unused for longer is tried before it is trusted.
const TRUSTED: Duration = Duration::from_secs(1);
/// How often it is looked for a pooler that shares sessions: where others use it too, two connections may miss each other.
const SESSION_TRIES: usize = 3;
/// What the server does not end itself, we no longer wait for.
pub(super) const NETWORK: Duration = Duration::from_secs(2);

pub(super) async fn open(url: &str, settings: &Settings) -> Result<Db, CannotOpen> {
    let options: PgConnectOptions = url.parse().map_err(|error| CannotOpen::Lasting(no_address(&error)))?;
    // A pooler refuses what it does not know in the first message of a connection: settings are made afterwards.
    let options = options.application_name("prompt-store").extra_float_digits(None);
    // Not through the pool, which tries again until its time is up and then has no reason to give.
    let connecting = timeout(CONNECT_TIMEOUT, connect(&settings.db, &options));
    let Ok(connected) = connecting.await else {
        return Err(CannotOpen::Passing(away(&settings.db, "it took longer than 10 s")));
    };
    let (mut first, mut second) = connected?;
    let keeps = timeout(CONNECT_TIMEOUT, keeps_sessions(&mut first, &mut second)).await;
    match keeps {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err(CannotOpen::Setting(no_session(&settings.db))),
        Ok(Err(error)) => return Err(CannotOpen::Passing(away(&settings.db, &error.to_string()))),
        Err(_) => return Err(CannotOpen::Passing(away(&settings.db, "it took longer than 10 s"))),
    }
    let _ = second.close().await;
    let version = check(&mut first, &settings.db).await?;
    let _ = first.close().await;
    let bounds: Arc<str> = bounds(settings.db_timeout).into();
    let pool = PgPoolOptions::new()
        .max_connections(settings.db_connections)
        .after_connect(move |conn, _| {
            let bounds = Arc::clone(&bounds);
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(bounds.to_string())).execute(conn).await.map(drop) })
        })
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        // Reads what an abandoned statement still has to say. On a dead network that would take for ever.
        .after_release(|conn, _| {
            Box::pin(async move { super::conn::within(NETWORK, conn.ping()).await.map(|()| true) })
        })
        .connect_lazy_with(options);
    let description = format!("PostgreSQL {version}, {}", settings.db).into();
    // Some connections are left for those who read, whatever those who write wait for.
    let all = settings.db_connections;
    let lines = Lines::before((all, WAITING), ((all - all / 4).max(1), WAITING));
    Ok(Db::Postgres { pool, patience: settings.db_timeout + NETWORK, description, lines })
}

/// Two connections: whether something stands between them and the server shows only in two.
async fn connect(location: &Location, options: &PgConnectOptions) -> Result<(PgConnection, PgConnection), CannotOpen> {
    let connect = || PgConnection::connect_with(options);
    let first = connect().await.map_err(|error| refusal(location, options, &error))?;
    let second = connect().await.map_err(|error| refusal(location, options, &error))?;
    Ok((first, second))
}

/// What every connection of ours asks of its session.
fn bounds(db_timeout: Duration) -> String {
    let millis = db_timeout.as_millis();
    // A process that stopped in the middle of a transaction must not keep its rows from the others; rows that others have in
    // their hands are had soon, or not at all; and the server notices that a host is gone.
    format!(
        "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis};
         SET lock_timeout = {LOCK_MILLIS}; SET extra_float_digits = 2; SET tcp_keepalives_idle = 5;
         SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
    )
}

/// Does each connection keep its session? A pooler that shares sessions gives one that is free to whoever asks next, so two
/// connections meet in one, or one goes to another while somebody else has it in a transaction. Nothing is prepared here:
/// of that such a pooler knows nothing.
async fn keeps_sessions(first: &mut PgConnection, second: &mut PgConnection) -> sqlx::Result<bool> {
    for _ in 0..SESSION_TRIES {
        let before = session(first).await?;
        match sqlx::raw_sql("BEGIN").execute(&mut *second).await {
            // One that shares sessions between statements says so itself.
            Err(sqlx::Error::Database(error)) if error.message().contains("pooling mode") => return Ok(false),
            begun => begun?,
        };
        if session(second).await? == before || session(first).await? != before {
            return Ok(false);
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut *second).await?;
    }
    Ok(true)
}

/// Which process of the server answers.
async fn session(conn: &mut PgConnection) -> sqlx::Result<i32> {
    use sqlx::Row;
    sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(conn).await?.try_get(0)
}

fn no_session(location: &Location) -> String {
    format!(
        "`{location}` is a pooler that shares its connections between transactions, and a store needs sessions: it prepares \
         statements, sets time limits and holds a lock as the leader; set `pool_mode = session` for this database in the \
         pooler, or name the server itself in PROMPT_STORE_DB"
    )
}

/// What the server is, if it is one that a store can be kept in.
async fn check(conn: &mut PgConnection, location: &Location) -> Result<String, CannotOpen> {
    let cannot = |error: sqlx::Error| match error.as_database_error().and_then(DatabaseError::code).as_deref() {
        Some("42P05" | "26000") => CannotOpen::Setting(no_session(location)),
        _ => CannotOpen::Passing(away(location, &error.to_string())),
    };
    let (version, encoding, replica, read_only): (String, String, bool, String) = sqlx::query_as(
        "SELECT current_setting('server_version'), current_setting('server_encoding'), pg_is_in_recovery(),
                current_setting('default_transaction_read_only')",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(cannot)?;
    let version = version.split(' ').next().unwrap_or_default().to_owned();
    let refuse = |reason: String| Err(CannotOpen::Lasting(format!("`{location}` cannot keep a store: {reason}")));
    if is_old(&version) {
        return refuse(format!("it runs on PostgreSQL {version}, and {OLDEST} or later is needed"));
    }
    if encoding != "UTF8" {
        return refuse(format!("its encoding is {encoding}; make the database with `createdb --encoding UTF8`"));
    }
    if replica {
        return refuse("it is a replica, which can only be read; name the primary in PROMPT_STORE_DB".to_owned());
    }
    if read_only == "on" {
        return refuse("it is read-only (`default_transaction_read_only` is on)".to_owned());
    }
    Ok(version)
}

fn is_old(version: &str) -> bool {
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|major| major.parse().ok())
        .is_none_or(|major: u32| major < OLDEST)
}

fn no_address(error: &sqlx::Error) -> String {
    let reason = match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    };
    format!(
        "PROMPT_STORE_DB is no PostgreSQL address ({reason}); it looks like postgres://user:password@host:5432/database"
    )
}

fn away(location: &Location, reason: &str) -> String {
    format!("`{location}` does not answer ({reason}); start PostgreSQL there, or correct PROMPT_STORE_DB")
}

fn no_tls(location: &Location, reason: &dyn std::fmt::Display) -> CannotOpen {
    CannotOpen::Lasting(format!(
        "`{location}` and this program do not agree on TLS ({reason}); `?sslmode=` in PROMPT_STORE_DB says what is \
         wanted: disable, prefer, require, verify-ca or verify-full, and `sslrootcert=` names the file of the authority"
    ))
}

/// Why the server did not let us in, and who can change it.
fn refusal(location: &Location, options: &PgConnectOptions, error: &sqlx::Error) -> CannotOpen {
    let refusal = match error {
        sqlx::Error::Database(refusal) => refusal,
        sqlx::Error::Tls(reason) => return no_tls(location, reason),
        sqlx::Error::Io(reason)
            if reason.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
        {
            return no_tls(location, reason);
        }
        sqlx::Error::Configuration(reason) => {
            return CannotOpen::Lasting(format!("`{location}` cannot be used: {reason}"));
        }
        sqlx::Error::Io(reason) => return CannotOpen::Passing(away(location, &reason.to_string())),
        other => return CannotOpen::Passing(away(location, &other.to_string())),
    };
    let (user, database) = (options.get_username(), options.get_database().unwrap_or(options.get_username()));
    match refusal.code().as_deref() {
        Some("28P01" | "28000") => CannotOpen::Lasting(format!(
            "`{location}` does not let `{user}` in ({}); correct user and password in PROMPT_STORE_DB, or the server's pg_hba.conf",
            refusal.message()
        )),
        Some("3D000") => CannotOpen::Lasting(format!(
            "there is no database `{database}` at `{location}`; make it with `createdb {database}`, or correct PROMPT_STORE_DB"
        )),
        Some("42501") => CannotOpen::Lasting(format!("`{location}` does not let `{user}` in: {}", refusal.message())),
        Some("53300") => CannotOpen::Passing(format!(
            "`{location}` has no connection left ({}); lower PROMPT_STORE_DB_CONNECTIONS of its processes, or raise \
             `max_connections` of the server",
            refusal.message()
        )),
        _ if refusal.message().contains("unsupported startup parameter") => CannotOpen::Setting(format!(
            "`{location}` is a pooler and does not pass on what a connection is to begin with ({}); remove `options` from \
             PROMPT_STORE_DB and the surroundings (PGOPTIONS), or have the pooler pass it on: `ignore_startup_parameters`",
            refusal.message()
        )),
        _ => CannotOpen::Passing(away(location, refusal.message())),
    }
}

/// Migrations take their time, whatever the role or the database is set to.
const UNBOUNDED: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0";

/// Under a lock of the database, so that processes which start together do it one at a time.
pub(super) async fn migrate(pool: &PgPool) -> anyhow::Result<()> {
    let options = pool.connect_options();
    let mut conn =
        PgConnection::connect_with(&options).await.context("cannot connect to bring the tables up to date")?;
    sqlx::raw_sql(UNBOUNDED).execute(&mut conn).await?;
    let (may_create,): (bool,) =
        sqlx::query_as("SELECT has_schema_privilege(current_schema(), 'CREATE')").fetch_one(&mut conn).await?;
    ensure!(
        may_create,
        "`{user}` may not make tables; let it own the database: `ALTER DATABASE {database} OWNER TO {user}`",
        user = options.get_username(),
        database = options.get_database().unwrap_or(options.get_username()),
    );
    MIGRATIONS.run(&mut conn).await.context("cannot bring the tables of the database up to date")?;
    Ok(conn.close().await?)
}

pub(super) async fn schema(pool: &PgPool) -> Result<Schema> {
    let (made,): (bool,) = sqlx::query_as("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(pool).await?;
    if !made {
        return Ok(Schema::Empty);
    }
    let (found,): (Option<i64>,) =
        sqlx::query_as("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(pool).await?;
    Ok(Schema::compare(found, &MIGRATIONS))
}

/// Begins a transaction that reads as of one moment.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Takes its time limits from a transaction.
pub(super) async fn unbounded(mut tx: Transaction<'static, Postgres>) -> sqlx::Result<Transaction<'static, Postgres>> {
    tx.execute("SET LOCAL statement_timeout = 0").await?;
    tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    tx.execute("SET LOCAL lock_timeout = 0").await?;
    Ok(tx)
}

/// A transaction that takes its time, and whose references are looked at when it commits.
pub(super) async fn begin_load(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut tx = unbounded(pool.begin().await?).await?;
    tx.execute("SET CONSTRAINTS ALL DEFERRED").await?;
    Ok(tx)
}

/// Every column of every table that holds the store: table, column, type, place in the primary key. What is searched is
/// made anew from it.
pub(super) const COLUMNS: &str = "
    SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, NULL),
           CAST(COALESCE(array_position(CAST(i.indkey AS SMALLINT[]), a.attnum) + 1, 0) AS BIGINT)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind = 'r' AND c.relname <> '_sqlx_migrations' AND c.relname NOT LIKE 'search#_%' ESCAPE '#'
    ORDER BY c.relname COLLATE \"C\", a.attnum";

/// The connection that holds the leader's lock, if no other process has it. The lock ends with the connection.
pub(super) async fn lead(pool: &PgPool) -> Result<Option<PoolConnection<Postgres>>> {
    let mut conn = pool.acquire().await?;
    let (leads,): (bool,) = super::conn::within(
        ACQUIRE_TIMEOUT,
        sqlx::query_as("SELECT pg_try_advisory_lock(hashtext('prompt-store scheduler'), hashtext(current_schema()))")
            .fetch_one(&mut *conn),
    )
    .await?;
    if !leads {
        return Ok(None);
    }
    conn.close_on_drop();
    Ok(Some(conn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_14_are_old() {
        for (version, old) in
            [("9.6.24", true), ("13.14", true), ("14.0", false), ("15.18", false), ("18beta1", false), ("", true)]
        {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
