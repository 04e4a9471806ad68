//! A database of a test's own, on the engine that the run is about: `TEST_STORE=postgres`, or a `SQLite` file.
use std::{
    iter::once,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
};

use shared::db::Db;
use tempfile::TempDir;

use crate::{PostgresServer, settings};

/// What the stores of this run are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file for each.
    Sqlite,
    /// A database for each, on one server.
    Postgres,
}

/// What this run is about. A test that is about one engine only asks, and says why.
pub fn engine() -> Engine {
    match std::env::var("TEST_STORE").as_deref() {
        Err(_) | Ok("" | "sqlite") => Engine::Sqlite,
        Ok("postgres") => Engine::Postgres,
        Ok(other) => panic!("TEST_STORE is `{other}`; it may be `sqlite` or `postgres`"),
    }
}

/// Gone with the value.
pub(crate) struct Database {
    /// For the files of the test, and for the database where it is one.
    pub(crate) folder: TempDir,
    name: Option<String>,
}

/// Where every migrated database is copied from.
const TEMPLATE: &str = "migrated";

impl Database {
    /// One without tables: a file that is not there yet, or an empty database.
    pub(crate) fn empty() -> Self {
        Self::make(engine(), |name| PostgresServer::shared().create(name))
    }

    /// One with its tables; a file gets them from whoever opens it.
    pub(crate) fn migrated_on(engine: Engine) -> Self {
        Self::make(engine, |name| {
            migrate_template();
            PostgresServer::shared().copy(TEMPLATE, name);
        })
    }

    /// A file like this one, whatever the run is about.
    pub(crate) fn copy_of(file: &std::path::Path) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::copy(file, folder.path().join("store.db")).unwrap();
        Self { folder, name: None }
    }

    fn make(engine: Engine, make: impl FnOnce(&str)) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = (engine == Engine::Postgres).then(|| format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed)));
        if let Some(name) = &name {
            make(name);
        }
        Self { folder: TempDir::new().unwrap(), name }
    }

    /// What it is kept in.
    pub(crate) fn engine(&self) -> Engine {
        if self.name.is_none() { Engine::Sqlite } else { Engine::Postgres }
    }

    /// Has anyone made the file, or tables in the database?
    pub(crate) fn is_made(&self) -> bool {
        match &self.name {
            None => self.folder.path().join("store.db").exists(),
            Some(name) => {
                let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
                PostgresServer::shared().sql(name, &[tables]) != "0"
            }
        }
    }

    /// As `PROMPT_STORE_DB` says it.
    pub(crate) fn location(&self) -> String {
        match &self.name {
            None => self.folder.path().join("store.db").to_str().unwrap().to_owned(),
            Some(name) => PostgresServer::shared().url(name),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            // Should that thread have ended, the server takes its databases with it.
            let _ = dropped().send(name);
        }
    }
}

/// Makes the tables once for the whole process: a copy takes a fraction of the time.
fn migrate_template() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let server = PostgresServer::shared();
        server.create(TEMPLATE);
        let migrate = async || {
            let db = Db::open(&settings(&["--db", &server.url(TEMPLATE)]).0).await.unwrap();
            db.migrate(false).await.unwrap();
            db.close().await;
        };
        // The test that comes first is in a runtime of its own, which must not own what all of them need.
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(migrate())).join().unwrap());
    });
}

/// Who drops databases, so that no test waits for it.
fn dropped() -> &'static mpsc::Sender<String> {
    static DROPPED: OnceLock<mpsc::Sender<String>> = OnceLock::new();
    DROPPED.get_or_init(|| {
        let (sender, names) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(first) = names.recv() {
                PostgresServer::shared().drop(&once(first).chain(names.try_iter()).collect::<Vec<_>>());
            }
        });
        sender
    })
}
