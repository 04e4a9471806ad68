//! Every SQL constant is understood by the database it is for.
use shared::db::{AssertSqlSafe, Dialect};
use support::TestApp;

use crate::sources::product;

fn is_statement(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first)
}

#[tokio::test]
async fn every_constant_statement_is_understood() {
    let test = TestApp::api().await;
    let mut conn = test.app.db.read().await.unwrap();
    let (mut prepared, mut wrong) = (0, Vec::new());
    for source in product().iter().filter(|source| source.may_hold_sql()) {
        // What one engine says in its own way is for that one.
        let other = if conn.dialect() == Dialect::Sqlite { "postgres.rs" } else { "sqlite.rs" };
        if source.name() == other {
            continue;
        }
        for (name, text) in source.text_constants().into_iter().filter(|(_, text)| is_statement(text)) {
            prepared += 1;
            if let Err(error) = conn.prepare(AssertSqlSafe(text)).await {
                wrong.push(format!("{} {name}: {}", source.path, error.for_log()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(prepared >= 50, "only {prepared} statements were found: does this test still see them?");
}

#[tokio::test]
async fn a_statement_with_a_wrong_column_would_be_noticed() {
    let test = TestApp::api().await;
    let mut conn = test.app.db.read().await.unwrap();
    assert!(conn.prepare("SELECT no_such_column FROM prompts").await.is_err());
}
