//! Every write leaves its row in the audit log, and nothing else does.
use serde_json::{Value, json};
use support::TestApp;

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
