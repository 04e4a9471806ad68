//! `Conn`, through which every statement of the product goes, against sqlx itself on SQLite: the same connection is
//! held by the one and by the other.
use std::time::Duration;

use shared::{
    clock::Clock,
    db::{Db, FromRow, Param},
    id::{AuditId, PromptId},
};

use crate::{
    contest::{Figures, Length, contest_of_blocks, timed},
    recorder::record,
    store::{ACTOR, Store, caller, new_prompt},
};

const SEEDED: usize = 1000;
const LOOKUPS: Length = Length { pairs: 400, block: 200, most: Duration::from_secs(15) };
const INSERTS: Length = Length { pairs: 200, block: 200, most: Duration::from_secs(15) };

const LOOKUP: &str = "SELECT id, category, name, description, is_template, lifecycle_status, version, revision,
                             created_by, created_at, updated_at, deleted_at
                      FROM prompts WHERE category = 'seed' AND name = $1 AND deleted_at IS NULL";

#[derive(FromRow)]
#[expect(dead_code, reason = "what matters is that every column is read")]
struct Row {
    id: String,
    category: String,
    name: String,
    description: Option<String>,
    is_template: bool,
    lifecycle_status: String,
    version: i64,
    revision: i64,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
}

/// Both operations: their names, how many statements each has, and what was measured.
pub(crate) async fn measure(store: &Store) -> Vec<(&'static str, usize, Figures)> {
    store.seed(SEEDED).await;
    vec![("Conn: 12-column row", 1, lookups(store).await), ("Conn: insert", 1, inserts(store).await)]
}

fn names() -> impl Iterator<Item = String> {
    (0..SEEDED).cycle().map(|turn| format!("p{}", turn * 387 % SEEDED))
}

async fn lookups(store: &Store) -> Figures {
    let Db::Sqlite { reader, .. } = &store.app.db else { unreachable!("this is measured on SQLite") };
    let (mut asked, mut bare_asked) = (names(), names());
    let product = async |block| {
        let mut conn = store.app.db.read().await.unwrap();
        let mut took = Vec::with_capacity(block);
        for name in asked.by_ref().take(block) {
            let row = timed(async {
                let row: Option<Row> = conn.fetch_optional(LOOKUP, &[&name as &dyn Param]).await.unwrap();
                assert!(row.is_some());
                row
            });
            took.push(row.await);
        }
        took
    };
    let bare = async |block| {
        let mut conn = reader.acquire().await.unwrap();
        let mut took = Vec::with_capacity(block);
        for name in bare_asked.by_ref().take(block) {
            let row = timed(async {
                let row: Option<Row> = sqlx::query_as(LOOKUP).bind(&name).fetch_optional(&mut *conn).await.unwrap();
                assert!(row.is_some());
                row
            });
            took.push(row.await);
        }
        took
    };
    let figures = contest_of_blocks(LOOKUPS, async || store.settle().await, product, bare).await;
    assert_eq!(reader.size(), 1, "both sides must have had the same connection");
    figures
}

/// The values of a row of the audit log.
struct Audit {
    id: String,
    at: i64,
    object_id: String,
}

impl Audit {
    fn new(_: usize) -> Self {
        let now = Clock::System.now();
        Self {
            id: AuditId::generate(now).to_string(),
            at: now.millis(),
            object_id: PromptId::generate(now).to_string(),
        }
    }
}

async fn inserts(store: &Store) -> Figures {
    let Db::Sqlite { writer, .. } = &store.app.db else { unreachable!("this is measured on SQLite") };
    let recorded = record(async {
        let new = new_prompt("recorded", "p");
        shared::prompts::create(&store.app, &caller(), new).await.unwrap();
    });
    let insert = recorded.await.into_iter().find(|sql| sql.starts_with("INSERT INTO audit_log ")).unwrap();
    let (actor, request_id, action, detail) = (ACTOR.to_owned(), "-".to_owned(), "prompt.created", None::<String>);
    let product = async |block| {
        let rows: Vec<Audit> = (0..block).map(Audit::new).collect();
        let mut tx = store.app.begin(&caller()).await.unwrap();
        let mut took = Vec::with_capacity(block);
        for Audit { id, at, object_id } in &rows {
            let row: [&dyn Param; 7] = [id, at, &actor, &request_id, &action, object_id, &detail];
            took.push(timed(async { assert_eq!(tx.execute(insert, &row).await.unwrap(), 1) }).await);
        }
        tx.commit().await.unwrap();
        took
    };
    let bare = async |block| {
        let rows: Vec<Audit> = (0..block).map(Audit::new).collect();
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let mut took = Vec::with_capacity(block);
        for Audit { id, at, object_id } in &rows {
            let row = timed(async {
                let query = sqlx::query(insert).bind(id).bind(at).bind(&actor).bind(&request_id).bind(action);
                let done = query.bind(object_id).bind(&detail).execute(&mut *tx).await.unwrap();
                assert_eq!(done.rows_affected(), 1);
            });
            took.push(row.await);
        }
        tx.commit().await.unwrap();
        took
    };
    contest_of_blocks(INSERTS, async || store.settle().await, product, bare).await
}
