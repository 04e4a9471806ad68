//! Accidents in the database, at the row where a test wants them.
use shared::db::AssertSqlSafe;

use crate::{Engine, TestApp, caller, engine};

/// What becomes of the row.
#[derive(Clone, Copy, Debug)]
pub enum Accident {
    /// The statement fails, with these words.
    Fails(&'static str),
    /// Nothing, and nobody is told.
    Ignored,
}

impl TestApp {
    /// From now on this happens to rows that are changed so: `("UPDATE ON bulk_items", "NEW.item = 150", …)`.
    pub async fn accident(&self, change: &str, row: &str, accident: Accident) {
        let name = change.to_lowercase().replace(' ', "_");
        let statements = match (engine(), accident) {
            (Engine::Sqlite, Accident::Fails(words)) => {
                vec![format!(
                    "CREATE TRIGGER {name} BEFORE {change} WHEN {row} BEGIN SELECT RAISE(ABORT, '{words}'); END"
                )]
            }
            (Engine::Sqlite, Accident::Ignored) => {
                vec![format!("CREATE TRIGGER {name} BEFORE {change} WHEN {row} BEGIN SELECT RAISE(IGNORE); END")]
            }
            (Engine::Postgres, accident) => {
                let body = match accident {
                    Accident::Fails(words) => format!("RAISE EXCEPTION '{words}'"),
                    Accident::Ignored => "RETURN NULL".to_owned(),
                };
                vec![
                    format!("CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$"),
                    format!(
                        "CREATE TRIGGER {name} BEFORE {change} FOR EACH ROW WHEN ({row}) EXECUTE FUNCTION {name}()"
                    ),
                ]
            }
        };
        let mut tx = self.app.begin(&caller()).await.unwrap();
        for statement in statements {
            tx.execute(AssertSqlSafe(statement), &[]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}
