//! One connection. Every statement of the house runs, is timed and fails here.
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use sqlx::{
    Arguments, Database, Encode, Executor, FromRow, Postgres, Sqlite, Transaction, Type,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{query::Statement, text};
use crate::{
    error::{Error, Result},
    line::Place,
    telemetry::STATEMENT_SECONDS,
};

/// What a statement carries: any type every engine can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored by every engine",
    note = "try i64, f64, String, Json(..), or give it a `column!`"
)]
pub trait Param: Sync {
    /// Adds the value to the arguments of a statement for `SQLite`.
    fn add_to_sqlite(&self, args: &mut SqliteArguments) -> Result<(), BoxDynError>;
    /// The same for `PostgreSQL`.
    fn add_to_postgres(&self, args: &mut PgArguments) -> Result<(), BoxDynError>;
}

impl<T: Sync> Param for T
where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    fn add_to_sqlite(&self, args: &mut SqliteArguments) -> Result<(), BoxDynError> {
        text::refuse_nul(self)?;
        args.add(self)
    }

    fn add_to_postgres(&self, args: &mut PgArguments) -> Result<(), BoxDynError> {
        text::refuse_nul(self)?;
        args.add(self)
    }
}

/// The values of a statement, in order.
pub type Params<'a> = &'a [&'a dyn Param];

/// `params![prompt.id, prompt.name]`: borrows, never moves.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$(&$value as &dyn $crate::db::Param),*] as &[&dyn $crate::db::Param] };
}
pub(crate) use params;

/// What a statement answers with: a tuple, or a struct that derives `FromRow`.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// Which SQL a connection speaks, for the few statements that every engine says in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `SQLite`'s.
    Sqlite,
    /// `PostgreSQL`'s.
    Postgres,
}

impl Dialect {
    /// The one of two statements that is in this dialect.
    #[must_use]
    pub fn choose(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// A connection, or an open transaction on one.
pub struct Conn {
    engine: Engine,
    /// Given back after it.
    _place: Place,
    /// `PostgreSQL` abandons a transaction at its first failed statement. So do we, on every engine.
    spoilt: bool,
}

pub(super) enum Engine {
    Sqlite(Lease<Sqlite>),
    /// With the longest a statement may take, as the network may swallow an answer.
    Postgres(Lease<Postgres>, Duration),
}

pub(super) enum Lease<DB: Database> {
    Pooled(PoolConnection<DB>),
    Open(Transaction<'static, DB>),
}

impl<DB: Database> Lease<DB> {
    fn conn(&mut self) -> &mut DB::Connection {
        match self {
            Self::Pooled(conn) => conn,
            Self::Open(tx) => tx,
        }
    }

    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Pooled(_) => Ok(()),
            Self::Open(tx) => tx.commit().await,
        }
    }
}

/// One body, compiled for each engine.
macro_rules! run {
    ($self:ident, $query:ident($sql:ident, $params:ident), |$statement:ident, $conn:ident| $run:expr) => {{
        let (sql, started) = ($sql.text($self.dialect()), Instant::now());
        let outcome = match &mut $self.engine {
            Engine::Sqlite(lease) => {
                let ($statement, $conn) = (sqlx::$query(sql.clone(), sqlite_args($params)?), lease.conn());
                $run
            }
            Engine::Postgres(lease, patience) => {
                let ($statement, $conn) = (sqlx::$query(sql.clone(), postgres_args($params)?), lease.conn());
                within(*patience, async { $run }).await
            }
        };
        $self.spoilt |= outcome.is_err();
        observe(sql.as_str(), started, outcome)
    }};
}

impl Conn {
    pub(super) fn at(place: Place, engine: Engine) -> Self {
        Self { engine, _place: place, spoilt: false }
    }

    /// Which SQL it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(..) => Dialect::Postgres,
        }
    }

    /// Answers how many rows it touched.
    pub async fn execute(&mut self, sql: impl Statement, params: Params<'_>) -> Result<u64> {
        run!(self, query_with(sql, params), |it, conn| it.execute(conn).await.map(|done| done.rows_affected()))
    }

    /// For a row that cannot be missing, as of an aggregate.
    pub async fn fetch_one<T: Row>(&mut self, sql: impl Statement, params: Params<'_>) -> Result<T> {
        run!(self, query_as_with(sql, params), |it, conn| it.fetch_one(conn).await)
    }

    /// For a row that may be missing.
    pub async fn fetch_optional<T: Row>(&mut self, sql: impl Statement, params: Params<'_>) -> Result<Option<T>> {
        run!(self, query_as_with(sql, params), |it, conn| it.fetch_optional(conn).await)
    }

    /// For rows of a bounded number.
    pub async fn fetch_all<T: Row>(&mut self, sql: impl Statement, params: Params<'_>) -> Result<Vec<T>> {
        run!(self, query_as_with(sql, params), |it, conn| it.fetch_all(conn).await)
    }

    /// Row by row, for what has no bound. Not timed: the reader sets the pace.
    pub fn fetch<'c, T: Row + 'c>(
        &'c mut self,
        sql: impl Statement,
        params: Params<'_>,
    ) -> Result<BoxStream<'c, Result<T>>> {
        let sql = sql.text(self.dialect());
        let Self { engine, spoilt, .. } = self;
        let rows = match engine {
            Engine::Sqlite(lease) => sqlx::query_as_with(sql, sqlite_args(params)?).fetch(lease.conn()),
            Engine::Postgres(lease, _) => sqlx::query_as_with(sql, postgres_args(params)?).fetch(lease.conn()),
        };
        Ok(rows.inspect_err(|_| *spoilt = true).err_into().boxed())
    }

    /// Prepares a statement without running it: does this database understand it?
    pub async fn prepare(&mut self, sql: impl Statement) -> Result<()> {
        let sql = sql.text(self.dialect());
        match &mut self.engine {
            Engine::Sqlite(lease) => lease.conn().prepare(sql).await.map(drop).map_err(Error::from),
            Engine::Postgres(lease, _) => lease.conn().prepare(sql).await.map(drop).map_err(Error::from),
        }
    }

    pub(super) async fn commit(self) -> Result<()> {
        if self.spoilt {
            return Err(Error::internal("commit after one of the transaction's statements had failed"));
        }
        let started = Instant::now();
        let outcome = match self.engine {
            Engine::Sqlite(lease) => lease.commit().await,
            Engine::Postgres(lease, patience) => within(patience, lease.commit()).await,
        };
        observe("COMMIT", started, outcome)
    }
}

/// Sees every statement, and the wait for the writer (`BEGIN`) and the disk (`COMMIT`).
pub(super) fn observe<T>(sql: &str, started: Instant, outcome: sqlx::Result<T>) -> Result<T> {
    let (elapsed, failed) = (started.elapsed(), outcome.is_err());
    metrics::histogram!(STATEMENT_SECONDS).record(elapsed);
    tracing::trace!(sql, ?elapsed, failed, "statement");
    Ok(outcome?)
}

fn sqlite_args(params: Params<'_>) -> sqlx::Result<SqliteArguments> {
    let mut args = SqliteArguments::default();
    params.iter().try_for_each(|param| param.add_to_sqlite(&mut args)).map_err(sqlx::Error::Encode)?;
    Ok(args)
}

fn postgres_args(params: Params<'_>) -> sqlx::Result<PgArguments> {
    let mut args = PgArguments::default();
    params.iter().try_for_each(|param| param.add_to_postgres(&mut args)).map_err(sqlx::Error::Encode)?;
    Ok(args)
}

/// The server ends a statement that takes too long, but a network may swallow both question and answer.
pub(super) async fn within<T>(patience: Duration, statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match tokio::time::timeout(patience, statement).await {
        Ok(outcome) => outcome,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}
