//! A store of either engine as production has it, every commit on disk.
use shared::{App, db::Db};
use tempfile::TempDir;

use crate::{PostgresServer, open_for_bench};

/// A store for measurements.
pub struct BenchStore {
    /// The store.
    pub app: App,
    _folder: TempDir,
    _server: Option<PostgresServer>,
}

impl BenchStore {
    /// In a file.
    pub async fn sqlite() -> Self {
        let folder = TempDir::with_prefix("prompt-store-bench-").unwrap();
        let app = open_for_bench(folder.path().join("store.db").to_str().unwrap()).await;
        Self { app, _folder: folder, _server: None }
    }

    /// On a server of its own.
    pub async fn postgres() -> Self {
        let server = PostgresServer::start(&["fsync=on", "synchronous_commit=on", "full_page_writes=on"]);
        server.create("bench");
        let app = open_for_bench(&server.url("bench")).await;
        Self { app, _folder: TempDir::new().unwrap(), _server: Some(server) }
    }

    /// Of its engine.
    pub fn name(&self) -> &'static str {
        match self.app.db {
            Db::Sqlite { .. } => "SQLite",
            Db::Postgres { .. } => "PostgreSQL",
        }
    }
}
