//! Bulk requests: how many items, and one bad one among good ones.
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, rows};

const BULK: &str = "/api/v1/bulk/prompts";

fn item(name: &str) -> Value {
    json!({ "category": "a", "name": name, "content": "c" })
}

/// Sends a bulk request, works it, and reads the operation.
async fn worked(test: &TestApp, body: Value) -> Value {
    let reply = test.post(BULK, body).await;
    let location = reply.header("location").to_owned();
    assert_eq!(reply.expect(202)["status"], "pending");
    test.work().await;
    test.get(&location).await.expect(200)
}

fn counts(operation: &Value) -> [i64; 5] {
    ["total_items", "processed_items", "successful_items", "skipped_items", "failed_items"]
        .map(|key| operation[key].as_i64().unwrap())
}

#[tokio::test]
async fn row_61_a_request_has_1_to_10_000_items() {
    let test = TestApp::api().await;
    // row 61
    for body in [json!([]), json!({ "prompts": [] })] {
        assert_eq!(test.post(BULK, body).await.violations(), [("/prompts".to_owned(), "out-of-range".to_owned())]);
    }
    let many = vec![item("x"); 10_001];
    for body in [json!(many), json!({ "prompts": many })] {
        assert_eq!(test.post(BULK, body).await.violations()[0].1, "too-many");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_61_one_bad_item_fails_alone() {
    let test = TestApp::api().await;
    test.prompt("a", "taken", "c").await;
    // row 61
    let bad = [
        json!({ "category": "a", "name": "", "content": "c" }),
        json!({ "category": "a", "name": "x" }),
        json!({ "category": "a", "name": "x", "content": "c", "extra": 1 }),
        json!({ "category": "a", "name": "x", "content": 1 }),
        json!({ "category": "a", "name": "x", "content": "{% if", "template_format": "jinja2" }),
        json!({ "category": "a", "name": "x", "content": "x".repeat(512 * 1024 + 1) }),
        json!(["a", "x", null, null, "c", null, null, null, null, null, null, null, null]),
        json!("x"),
        json!(null),
        item("taken"),
    ];
    let mut items = vec![item("first")];
    items.extend(bad.clone());
    items.push(item("last"));

    let operation = worked(&test, json!(items)).await;

    assert_eq!((counts(&operation), &operation["status"]), ([12, 12, 2, 0, 10], &json!("completed_with_errors")));
    for (place, error) in (1..).zip(operation["errors"].as_array().unwrap()) {
        let code = if place == 10 { "prompt-name-taken" } else { "validation-failed" };
        assert_eq!((&error["index"], &error["code"]), (&json!(place), &json!(code)), "{error}");
    }
    let page = test.get(&format!("{PROMPTS}?sort=name")).await.expect(200);
    assert_eq!(names(&page), ["first", "last", "taken"]);
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn row_61_a_name_that_stands_twice_fails_the_second_time() {
    let test = TestApp::api().await;
    // row 61
    let operation = worked(&test, json!([item("x"), item(" x "), item("e\u{301}"), item("é"), item("X")])).await;
    assert_eq!(counts(&operation), [5, 5, 3, 0, 2]);
    for (error, index) in operation["errors"].as_array().unwrap().iter().zip([1, 3]) {
        assert_eq!((&error["index"], &error["code"]), (&json!(index), &json!("duplicate")), "{error}");
    }
}

#[tokio::test]
async fn a_taken_name_is_passed_over_or_updated_where_that_is_asked_for() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "x", "old").await;
    let skip = worked(&test, json!({ "prompts": [item("x")], "on_conflict": "skip" })).await;
    assert_eq!((counts(&skip), &skip["status"]), ([1, 1, 0, 1, 0], &json!("completed")));
    let update = worked(&test, json!({ "prompts": [item("x")], "on_conflict": "update" })).await;
    assert_eq!(counts(&update), [1, 1, 1, 0, 0]);
    let now = test.get(&super::at(&made)).await.expect(200);
    assert_eq!((&now["content"], &now["version"]), (&json!("c"), &json!(2)));
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let test = TestApp::api().await;
    test.prompt("a", "taken", "c").await;
    let items = [item("x"), item("taken"), item("x"), item("")];
    let operation = worked(&test, json!({ "prompts": items, "dry_run": true })).await;
    assert_eq!(counts(&operation), [4, 4, 1, 0, 3]);
    assert_eq!(rows(&test).await[..2], [1, 1]);
}

#[tokio::test]
async fn a_request_says_only_what_is_known() {
    let test = TestApp::api().await;
    for (body, pointer) in [
        (json!({ "prompts": [item("x")], "on_conflict": "replace" }), "/on_conflict"),
        (json!({ "prompts": [item("x")], "dry_run": "yes" }), "/dry_run"),
        (json!({ "prompts": [item("x")], "extra": 1 }), "/extra"),
        (json!({ "prompts": {} }), "/prompts"),
        (json!("x"), ""),
    ] {
        assert_eq!(test.post(BULK, body.clone()).await.violations()[0].0, pointer, "{body}");
    }
    for (query, pointer) in [("status=gone", "/status"), ("limit=0", "/limit")] {
        let violations = test.get(&format!("/api/v1/bulk/operations?{query}")).await.violations();
        assert_eq!(violations[0].0, pointer);
    }
    assert_eq!(rows(&test).await, [0; 6]);
}
