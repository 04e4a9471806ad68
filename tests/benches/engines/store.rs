//! A store of either engine: as the product opens it, and what sqlx has of it.
use std::path::Path;

use serde_json::{Value, json};
use shared::{
    App, Caller,
    bulk::{self, OnConflict},
    db::Db,
    prompts::NewPrompt,
};
use sqlx::pool::PoolOptions;
use support::PostgresServer;
use tempfile::TempDir;

/// Who writes, on both sides.
pub(crate) const ACTOR: &str = "bench";
pub(crate) const TAGS: [&str; 2] = ["support", "tier-1"];
pub(crate) const DESCRIPTION: &str = "Answers a question that came in by mail, in the tone of the house";
pub(crate) const CONTENT: &str = "You are the assistant of {{company}}. Answer the customer {{name}} politely, in at most \
    five sentences, and never promise what the handbook does not. If the question is about an invoice, name its number \
    and the day it is due. If it cannot be answered from what is below, say so, and tell the customer that a person will \
    write within one working day.\n\nHandbook:\n{{handbook}}\n\nQuestion:\n{{question}}\n\nAnswer in {{language}}.";

/// The model settings of every prompt.
pub(crate) fn config() -> Value {
    json!({ "model": "some-model-4", "temperature": 0.2, "max_tokens": 600 })
}

/// What a client sends to make a prompt.
pub(crate) fn order(category: &str, name: &str) -> Value {
    json!({ "category": category, "name": name, "description": DESCRIPTION, "content": CONTENT, "tags": TAGS,
            "config": config() })
}

/// The same, read.
pub(crate) fn new_prompt(category: &str, name: &str) -> NewPrompt {
    shared::objects::read(order(category, name)).unwrap()
}

pub(crate) fn caller() -> Caller {
    Caller::system(ACTOR)
}

/// One that is as production has it, every commit on disk.
pub(crate) struct Store {
    pub(crate) app: App,
    /// The same database over pools as sqlx makes them.
    pub(crate) bare: App,
    folder: TempDir,
    _server: Option<PostgresServer>,
}

impl Store {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::with_prefix("prompt-store-bench-").unwrap();
        let app = support::open_for_bench(folder.path().join("store.db").to_str().unwrap()).await;
        let Db::Sqlite { writer, .. } = &app.db else { unreachable!("a file is SQLite") };
        let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(writer).await.unwrap();
        assert_eq!(synchronous, 2, "FULL");
        Self { bare: bare(&app).await, app, folder, _server: None }
    }

    pub(crate) async fn postgres() -> Self {
        let server = PostgresServer::start(&["fsync=on", "synchronous_commit=on", "full_page_writes=on"]);
        server.create("bench");
        let app = support::open_for_bench(&server.url("bench")).await;
        let Db::Postgres { pool, .. } = &app.db else { unreachable!("an address is PostgreSQL") };
        let durable: (String, String) =
            sqlx::query_as("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
                .fetch_one(pool)
                .await
                .unwrap();
        assert_eq!(durable, ("on".to_owned(), "on".to_owned()));
        Self { bare: bare(&app).await, app, folder: TempDir::new().unwrap(), _server: Some(server) }
    }

    /// Where it writes. The server keeps its folder beside it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path().parent().unwrap()
    }

    /// What it is.
    pub(crate) fn name(&self) -> &'static str {
        match self.app.db {
            Db::Sqlite { .. } => "SQLite",
            Db::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Makes prompts to read: `seed/p0`, `seed/p1` and so on.
    pub(crate) async fn seed(&self, prompts: usize) {
        let orders: Vec<Value> = (0..prompts).map(|number| order("seed", &format!("p{number}"))).collect();
        for chunk in orders.chunks(100) {
            let made = bulk::create_now(&self.app, &caller(), chunk.to_vec(), OnConflict::Fail).await.unwrap();
            assert!(made.iter().all(|outcome| outcome.prompt_id.is_some()), "{made:?}");
        }
    }

    /// Waits until every connection was given back, which happens after the answer.
    pub(crate) async fn settle(&self) {
        fn given_back<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> bool {
            pool.num_idle() == pool.size() as usize
        }
        let busy = || {
            [&self.app.db, &self.bare.db].into_iter().any(|db| match db {
                Db::Sqlite { reader, writer, .. } => !given_back(reader) || !given_back(writer),
                Db::Postgres { pool, .. } => !given_back(pool),
            })
        };
        while busy() {
            tokio::time::sleep(std::time::Duration::from_micros(200)).await;
        }
    }

    /// Closes every connection, before the server goes.
    pub(crate) async fn close(self) {
        self.app.db.close().await;
        self.bare.db.close().await;
    }

    /// What stands in the tables that prompts of a category fill: as many rows for both sides, if they did the same.
    pub(crate) async fn rows_of(&self, category: &str) -> Vec<i64> {
        const COUNTS: [&str; 4] = [
            "SELECT count(*) FROM prompts WHERE category = $1",
            "SELECT count(*) FROM versions v JOIN prompts p ON p.id = v.prompt_id WHERE p.category = $1",
            "SELECT count(*) FROM prompt_tags t JOIN prompts p ON p.id = t.prompt_id WHERE p.category = $1",
            "SELECT count(*) FROM audit_log a JOIN prompts p ON p.id = a.object_id WHERE p.category = $1",
        ];
        let mut counts = Vec::new();
        for count in COUNTS {
            let mut conn = self.app.db.read().await.unwrap();
            let (rows,): (i64,) = conn.fetch_one(count, &[&category.to_owned()]).await.unwrap();
            counts.push(rows);
        }
        counts
    }
}

/// With the connections the product has, as many and set up alike, but without what its pools do when one is taken or
/// given back: that is the product's own cost.
async fn bare(app: &App) -> App {
    fn alike<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> PoolOptions<DB> {
        PoolOptions::new().max_connections(pool.options().get_max_connections()).test_before_acquire(false)
    }
    let db = match &app.db {
        Db::Sqlite { reader, writer, reserve, file, lines } => Db::Sqlite {
            lines: lines.clone(),
            file: file.clone(),
            reserve: reserve.clone(),
            reader: alike(reader).connect_with((*reader.connect_options()).clone()).await.unwrap(),
            writer: alike(writer).connect_with((*writer.connect_options()).clone()).await.unwrap(),
        },
        Db::Postgres { pool, patience, description, lines } => Db::Postgres {
            lines: lines.clone(),
            pool: alike(pool).connect_with((*pool.connect_options()).clone()).await.unwrap(),
            patience: *patience,
            description: description.clone(),
        },
    };
    App { db, ..app.clone() }
}
