//! Runs statements through sqlx, with nothing of the product between.
use std::hint::black_box;

use shared::db::{Db, FromRow, Json};
use sqlx::{Arguments, PgConnection, Row, SqliteConnection, postgres::PgArguments, sqlite::SqliteArguments};

use crate::statements::{Answer, Part, Statement, Value};

/// A row of which no column is left out: else the product, which reads more, would look slow.
struct Whole<T>(T);

trait Columns {
    const COLUMNS: usize;
}

impl<'r, R: Row, T: FromRow<'r, R> + Columns> FromRow<'r, R> for Whole<T> {
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        assert_eq!(row.len(), T::COLUMNS, "the product reads other columns than this bench");
        T::from_row(row).map(Self)
    }
}

impl Columns for PromptRow {
    const COLUMNS: usize = 27;
}

/// The columns of a prompt, in plain types.
#[derive(FromRow)]
#[expect(dead_code, reason = "what matters is that every column is read")]
struct PromptRow {
    id: String,
    category: String,
    name: String,
    description: Option<String>,
    is_template: bool,
    lifecycle_status: String,
    parent_id: Option<String>,
    parent_version: Option<i64>,
    version: i64,
    revision: i64,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    usage_count: Option<i64>,
    deleted_at: Option<i64>,
    status_changed_at: Option<i64>,
    sunset_at: Option<i64>,
    successor_id: Option<String>,
    #[sqlx(rename = "type")]
    kind: String,
    content: Option<String>,
    #[sqlx(json(nullable))]
    messages: Option<Vec<serde_json::Value>>,
    template_format: String,
    #[sqlx(json)]
    variables: Vec<String>,
    #[sqlx(json)]
    input_schema: serde_json::Map<String, serde_json::Value>,
    #[sqlx(json)]
    config: serde_json::Map<String, serde_json::Value>,
    tags: Option<String>,
    labels: Option<String>,
}

/// One body, compiled for each engine.
macro_rules! run_on {
    ($engine:ident, $connection:ty, $arguments:ty) => {
        mod $engine {
            use super::*;

            fn arguments(values: &[Value], last: i64) -> $arguments {
                let mut arguments = <$arguments>::default();
                for value in values {
                    let added = match value {
                        Value::Text(text) => arguments.add(text.as_str()),
                        Value::NoText => arguments.add(None::<&str>),
                        Value::Number(number) => arguments.add(*number),
                        Value::NoNumber => arguments.add(None::<i64>),
                        Value::Flag(flag) => arguments.add(*flag),
                        Value::Json(json) => arguments.add(json),
                        Value::NoJson => arguments.add(None::<Json<serde_json::Value>>),
                        Value::Last => arguments.add(last),
                    };
                    added.unwrap();
                }
                arguments
            }

            /// `last` is the number that was answered last.
            pub(super) async fn run(conn: &mut $connection, statement: &Statement, last: &mut i64) -> sqlx::Result<()> {
                let (sql, arguments) = (statement.sql, arguments(&statement.params, *last));
                match statement.answer {
                    Answer::Touched(rows) => {
                        let done = sqlx::query_with(sql, arguments).execute(conn).await?;
                        assert_eq!(done.rows_affected(), rows, "{sql}");
                    }
                    Answer::Prompt => {
                        let row: Option<Whole<PromptRow>> =
                            sqlx::query_as_with(sql, arguments).fetch_optional(conn).await?;
                        assert!(black_box(row).is_some(), "{sql}");
                    }
                    Answer::Number => *last = sqlx::query_with(sql, arguments).fetch_one(conn).await?.try_get(0)?,
                }
                Ok(())
            }
        }
    };
}

run_on!(sqlite, SqliteConnection, SqliteArguments);
run_on!(postgres, PgConnection, PgArguments);

/// Runs an operation.
pub(crate) async fn replay(db: &Db, parts: &[Part]) {
    for part in parts {
        let outcome = match db {
            Db::Sqlite { .. } => replay_on_sqlite(db, part).await,
            Db::Postgres { .. } => replay_on_postgres(db, part).await,
        };
        outcome.unwrap();
    }
}

async fn replay_on_sqlite(db: &Db, part: &Part) -> sqlx::Result<()> {
    let Db::Sqlite { reader, writer, .. } = db else { unreachable!("another engine") };
    match part {
        Part::Alone(statement) => sqlite::run(&mut *reader.acquire().await?, statement, &mut 0).await,
        Part::Together(statements) => {
            let (mut tx, mut last) = (writer.begin_with("BEGIN IMMEDIATE").await?, 0);
            for statement in statements {
                sqlite::run(&mut tx, statement, &mut last).await?;
            }
            tx.commit().await
        }
    }
}

async fn replay_on_postgres(db: &Db, part: &Part) -> sqlx::Result<()> {
    let Db::Postgres { pool, .. } = db else { unreachable!("another engine") };
    match part {
        Part::Alone(statement) => postgres::run(&mut *pool.acquire().await?, statement, &mut 0).await,
        Part::Together(statements) => {
            let (mut tx, mut last) = (pool.begin().await?, 0);
            for statement in statements {
                postgres::run(&mut tx, statement, &mut last).await?;
            }
            tx.commit().await
        }
    }
}
