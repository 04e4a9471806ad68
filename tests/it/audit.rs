//! Every write leaves its row in the audit log, and nothing else does.
use std::time::Duration;

use serde_json::{Value, json};
use shared::audit;
use support::{TestApp, caller};

const ROWS: &str = "SELECT count(*) FROM audit_log";

fn at<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

#[tokio::test]
async fn every_write_leaves_one_row_that_says_who_did_what() {
    let test = TestApp::api().await;
    let created = test.post_with(
        "/api/v1/prompts",
        &[("x-request-id", "request-7")],
        json!({ "category": "a", "name": "b", "content": "one" }),
    );
    let prompt = created.await.expect(201);
    let path = format!("/api/v1/prompts/{}", at(&prompt, "id"));
    test.put(&path, json!({ "description": "new" })).await.expect(200);
    test.put(&format!("{path}/content"), json!({ "content": "two" })).await.expect(200);
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    test.delete(&format!("{path}/labels/production")).await;
    test.post(&format!("{path}/versions/1/rollback"), json!({})).await.expect(200);
    test.post(&format!("{path}/fork"), json!({ "new_name": "c" })).await.expect(201);
    test.delete(&path).await;
    test.post(&format!("{path}/restore"), json!({})).await.expect(200);
    test.post("/api/v1/bulk/prompts", json!([{ "category": "a", "name": "d", "content": "x" }])).await.expect(202);

    let mut conn = test.app.db.read().await.unwrap();
    let sql = "SELECT action, actor, request_id FROM audit_log ORDER BY at, id";
    let rows: Vec<(String, String, String)> = conn.fetch_all(sql, &[]).await.unwrap();
    let actions: Vec<&str> = rows.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "prompt.created",
            "prompt.updated",
            "prompt.updated",
            "prompt.label_moved",
            "prompt.label_deleted",
            "prompt.updated",
            "prompt.created",
            "prompt.deleted",
            "prompt.restored",
            "bulk_operation.created",
        ]
    );
    assert_eq!((rows[0].1.as_str(), rows[0].2.as_str()), ("anonymous", "request-7"));
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_row() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", at(&prompt, "id"));
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    let before = test.count(ROWS).await;

    test.get(&path).await.expect(200);
    test.put(&path, json!({ "content": "one" })).await.expect(200);
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    test.put_with(&path, &[("if-match", "\"99\"")], json!({ "name": "x" })).await.expect(412);
    test.post("/api/v1/prompts", json!({ "category": "a", "name": "b", "content": "x" })).await.expect(409);
    test.post("/api/v1/prompts", json!({ "category": "a" })).await.expect(422);

    assert_eq!(test.count(ROWS).await, before);
}

#[tokio::test]
async fn a_replayed_answer_leaves_no_second_row() {
    let test = TestApp::api().await;
    let body = json!({ "category": "a", "name": "b", "content": "one" });
    for _ in 0..2 {
        test.post_with("/api/v1/prompts", &[("idempotency-key", "k")], body.clone()).await.expect(201);
    }
    assert_eq!(test.count(ROWS).await, 1);
}

#[tokio::test]
async fn rows_of_the_log_and_versions_cannot_be_changed() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "one").await;
    for sql in ["UPDATE audit_log SET actor = 'nobody'", "UPDATE versions SET content = 'forged'"] {
        let mut tx = test.app.begin(&support::caller()).await.unwrap();
        assert!(tx.execute(shared::db::AssertSqlSafe(sql), &[]).await.is_err(), "{sql}");
    }
    assert_eq!(test.count("SELECT count(*) FROM versions WHERE content = 'one'").await, 1);
}

#[tokio::test]
async fn worked_items_are_logged_under_the_request_that_ordered_them() {
    let test = TestApp::api().await;
    let items =
        json!([{ "category": "a", "name": "x", "content": "x" }, { "category": "a", "name": "y", "content": "y" }]);
    test.post_with("/api/v1/bulk/prompts", &[("x-request-id", "order-9")], items).await.expect(202);
    test.work().await;
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE request_id = 'order-9'").await, 3);
}

const AUDIT: &str = "/api/v1/audit";

#[tokio::test]
async fn the_log_is_listed_by_who_what_and_when() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", at(&prompt, "id"));
    let since = test.now() + Duration::from_secs(1);
    test.advance(Duration::from_secs(2));
    test.put_with(&path, &[("x-request-id", "request-8")], json!({ "content": "two" })).await.expect(200);
    test.prompt("a", "other", "x").await;

    let list = async |query: &str| test.get(&format!("{AUDIT}{query}")).await.expect(200);
    let all = list("").await;
    assert_eq!((&all["total"], at(&all["items"][0], "object_id") > at(&prompt, "id")), (&json!(3), true), "{all}");
    let of_one = list(&format!("?object_id={}", at(&prompt, "id"))).await;
    let [updated, created] = [0, 1].map(|n| &of_one["items"][n]);
    assert_eq!((at(updated, "action"), at(updated, "request_id")), ("prompt.updated", "request-8"));
    assert_eq!((&updated["before_hash"], &created["before_hash"]), (&created["after_hash"], &Value::Null));
    assert!(created["after_hash"].is_string() && updated["after_hash"] != created["after_hash"]);
    for (query, total) in [
        ("?action=prompt.created", 2),
        ("?actor=anonymous", 3),
        ("?actor=nobody", 0),
        ("?request_id=request-8", 1),
        (&format!("?since={since}"), 2),
        (&format!("?until={since}"), 1),
    ] {
        assert_eq!(list(query).await["total"], total, "{query}");
    }
    test.get(&format!("{AUDIT}?since={since}&until={since}")).await.expect(422);

    let first = list("?limit=2").await;
    let second = list(&format!("?limit=2&cursor={}", at(&first, "next_cursor"))).await;
    assert_eq!(second["items"], json!([all["items"][2]]));
}

#[tokio::test]
async fn rows_are_never_changed_and_never_go_away() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "one").await;
    let refused = async |statement: &'static str| {
        let mut tx = test.app.begin(&caller()).await.unwrap();
        let refused = tx.execute(statement, &[]).await.is_err();
        drop(tx);
        refused
    };
    for sealed in [false, true] {
        assert!(refused("UPDATE audit_log SET actor = 'somebody else'").await, "sealed: {sealed}");
        assert!(refused("UPDATE audit_log SET state = NULL").await, "sealed: {sealed}");
        assert!(refused("DELETE FROM audit_log").await, "sealed: {sealed}");
        audit::seal(&test.app, &caller()).await.unwrap();
    }
    assert!(refused("UPDATE audit_log SET seal = 'x'").await);
    assert!(refused("UPDATE audit_log SET sequence = 7").await);
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE sequence = 1 AND actor = 'anonymous'").await, 1);
}

#[tokio::test]
async fn two_who_seal_at_once_make_one_chain() {
    let test = TestApp::api().await;
    let other = test.another().await;
    for n in 0..20 {
        test.prompt("a", &format!("n{n}"), "one").await;
    }
    let who = caller();
    let (one, two) = tokio::join!(audit::seal(&test.app, &who), audit::seal(&other.app, &who));
    one.and(two).unwrap();
    let verified = audit::verify(&test.app, |_| {}).await.unwrap();
    assert_eq!((verified.rows, verified.unsealed, verified.fault), (20, 0, None));
}
