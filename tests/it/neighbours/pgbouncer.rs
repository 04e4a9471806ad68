//! `PgBouncer` before PostgreSQL: with sessions a store is as it is without, and without sessions it does not start.
use serde_json::json;
use shared::db::Db;
use support::{Neighbour, PostgresServer, Processes, settings};

use crate::processes::{self, start::refuses};

fn address(pooler: &Neighbour) -> String {
    format!("postgres://store:secret@127.0.0.1:{}/prompts", pooler.port())
}

fn store(pooler: &Neighbour) -> Processes {
    Processes::embedded().with("PROMPT_STORE_DB", address(pooler)).with("PROMPT_STORE_SECRET_KEY", "s".repeat(40))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_behind_a_pooler_of_sessions_works_and_is_bounded_by_the_server() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let pooler = Neighbour::pgbouncer(&server, "session");
    let store = store(&pooler);
    let _api = store.start_api().await;
    let made = json!({ "category": "a", "name": "b", "content": "x" });
    assert_eq!(store.post("/api/v1/prompts", &made).await.unwrap().0, 201);
    let path = processes::order(&store, &processes::rows("pooled", 20, 0)).await;
    assert_eq!(processes::finished(&store, &path).await["status"], "completed");

    let (settings, _) = settings(&["--db", &address(&pooler), "--db-timeout-ms", "7000"]);
    let db = Db::open(&settings).await.unwrap();
    // Each of its connections, not only the first.
    let conns = [db.read().await.unwrap(), db.read().await.unwrap(), db.read().await.unwrap()];
    for mut conn in conns {
        for (name, value) in
            [("statement_timeout", "7s"), ("idle_in_transaction_session_timeout", "7s"), ("lock_timeout", "4500ms")]
        {
            let (found,): (String,) = conn.fetch_one("SELECT current_setting($1)", &[&name]).await.unwrap();
            assert_eq!(found, value, "{name}");
        }
    }
    db.close().await;
    // What one store sets of its sessions is gone when they go to another.
    assert!(server.log().lines().all(|line| !line.contains("FATAL")), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_shares_sessions_is_refused_with_the_setting_to_change() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    for mode in ["transaction", "statement"] {
        let pooler = Neighbour::pgbouncer(&server, mode);
        let store = store(&pooler);
        for _ in 0..3 {
            for command in [&["migrate"][..], &[]] {
                let said = refuses(
                    &mut store.command("prompt-store", command),
                    78,
                    &["pool_mode = session", "PROMPT_STORE_DB", "transaction"],
                );
                assert!(!said.contains("secret"), "{said}");
            }
        }
        // Nothing was left behind for whoever gets these connections next.
        let mine = server.sql(
            "prompts",
            &["SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%_timeout%' AND pid <> pg_backend_pid()"],
        );
        assert_eq!(mine, "0");
    }
    assert_eq!(server.sql("prompts", &["SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"]), "0");
}

#[test]
fn what_a_pooler_does_not_pass_on_is_named() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let pooler = Neighbour::pgbouncer(&server, "session");
    let store = store(&pooler);
    let mut command = store.command("prompt-store", &["migrate"]);
    command.env("PROMPT_STORE_DB", format!("{}?options=-c%20search_path%3Dpublic", address(&pooler)));
    refuses(&mut command, 78, &["options", "PROMPT_STORE_DB"]);
}
