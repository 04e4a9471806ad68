//! P-A1: after any number of kills each mutation has its row, the chain holds, and one byte that somebody changes is found.
use serde_json::json;
use shared::db::AssertSqlSafe;
use support::{Processes, caller, figure, in_full, open_for_bench, until};

use super::count;

/// Changes the store behind its back, as somebody would who has its file.
async fn tamper(store: &Processes, statements: &[&str]) {
    let app = open_for_bench(&store.location()).await;
    let mut tx = app.begin(&caller()).await.unwrap();
    for statement in statements {
        tx.execute(AssertSqlSafe(*statement), &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    app.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_has_its_row_and_a_changed_one_is_found() {
    let store = Processes::embedded();
    let rounds = if in_full() { 40 } else { 6 };
    let (mut made, mut kills) = (0, 0);
    for round in 0..rounds {
        let mut api = store.start_api().await;
        for n in 0..25 {
            let body = json!({ "category": "c", "name": format!("{round} {n}"), "content": "x" });
            let (status, prompt) = store.post("/api/v1/prompts", &body).await.unwrap();
            assert_eq!(status, 201, "{prompt}");
            made += 1;
        }
        api.kill();
        kills += 1;
    }
    let api = store.start_api().await;
    let unsealed = "SELECT count(*) FROM audit_log WHERE sequence IS NULL";
    until("all is sealed", async || (count(&store, unsealed).await == 0).then_some(())).await;
    drop(api);
    let rows = count(&store, "SELECT count(*) FROM audit_log WHERE action = 'prompt.created'").await;
    assert_eq!(rows, count(&store, "SELECT count(*) FROM prompts").await, "a row for each mutation, and no more");
    assert!(rows >= made);
    let (code, said, _) = store.run("prompt-store", &["audit", "verify"]);
    assert_eq!((code, said.contains("rows are as they were sealed")), (0, true), "{said}");
    let (code, lines, _) = store.run("prompt-store", &["audit", "export"]);
    assert_eq!((code, i64::try_from(lines.lines().count()).unwrap()), (0, rows));

    let (off, on): (&[&str], &[&str]) = if store.location().starts_with("postgres") {
        (&["ALTER TABLE audit_log DISABLE TRIGGER USER"], &["ALTER TABLE audit_log ENABLE TRIGGER USER"])
    } else {
        (&["DROP TRIGGER audit_log_keeps_its_rows", "DROP TRIGGER audit_log_loses_no_row"], &[])
    };
    tamper(&store, off).await;
    for (change, back, fault) in [
        (
            "UPDATE audit_log SET actor = 'anonymoux' WHERE sequence = 7",
            "UPDATE audit_log SET actor = 'anonymous' WHERE sequence = 7",
            "row 7",
        ),
        (
            "UPDATE audit_log SET sequence = -9 WHERE sequence = 9",
            "UPDATE audit_log SET sequence = 9 WHERE sequence = -9",
            "row 9 is missing",
        ),
    ] {
        tamper(&store, &[change]).await;
        let (code, _, said) = store.run("prompt-store", &["audit", "verify"]);
        assert_eq!((code, said.contains(fault)), (1, true), "{said}");
        tamper(&store, &[back]).await;
        assert_eq!(store.run("prompt-store", &["audit", "verify"]).0, 0);
    }
    tamper(&store, &["DELETE FROM audit_log WHERE sequence > 100"]).await;
    let (code, _, said) = store.run("prompt-store", &["audit", "verify"]);
    assert_eq!((code, said.contains("rows 101 to")), (1, true), "also where the end is missing: {said}");
    tamper(&store, on).await;
    figure(
        "P-A1",
        format!("{kills} kills, {rows} mutations, {rows} rows; a changed byte, a row and an end taken away: found"),
    );
}
