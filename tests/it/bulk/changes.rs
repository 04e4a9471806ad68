//! Many prompts changed, tagged and deleted: each item by itself.
use serde_json::{Value, json};
use support::TestApp;

use super::{BULK, OPERATIONS, miscounted, outcome, prompts, short};

const UNKNOWN: &str = "prm_01J9Z3N5T8QWERTYASDFGHZXCV";

async fn ids(test: &TestApp, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let body = json!({ "category": "bulk", "name": format!("p{number}"), "content": "old", "tags": ["a", "b"] });
        let prompt = test.post("/api/v1/prompts", body).await.expect(201);
        ids.push(prompt["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn prompt(test: &TestApp, id: &str) -> Value {
    test.get(&format!("/api/v1/prompts/{id}")).await.expect(200)
}

async fn worked(test: &TestApp, reply: support::Reply, kind: &str) -> (Value, Vec<Value>) {
    let path = reply.header("location").to_owned();
    assert_eq!(reply.expect(202)["operation_type"], kind);
    test.work().await;
    outcome(test, &path).await
}

async fn delete_many(test: &TestApp, body: Value) -> support::Reply {
    let json = [("content-type", "application/json")];
    test.request(axum::http::Method::DELETE, BULK, &json, body.to_string()).await
}

#[tokio::test]
async fn each_prompt_is_changed_or_fails_by_itself() {
    let test = TestApp::api().await;
    let ids = ids(&test, 3).await;
    let body = json!([
        { "prompt_id": ids[0], "content": "new", "change_summary": "why" },
        { "prompt_id": ids[1], "name": "p2" },
        { "prompt_id": ids[2], "description": "said", "tags": [] },
        { "prompt_id": ids[2], "description": "said" },
        { "prompt_id": UNKNOWN, "content": "x" },
        { "prompt_id": "prm_1", "content": "x" },
        { "prompt_id": ids[0], "colour": "red" },
        { "prompt_id": ids[0], "content": "" },
        { "content": "x" },
        17,
    ]);
    for dry_run in [true, false] {
        let reply = test.put(BULK, json!({ "prompts": body, "dry_run": dry_run })).await;
        let (operation, items) = worked(&test, reply, "update").await;
        let expected = [
            "succeeded",
            "failed prompt-name-taken",
            "succeeded",
            if dry_run { "succeeded" } else { "skipped no-change" },
            "failed not-found",
            "failed not-found",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
        ];
        assert_eq!(short(&items), expected, "dry run: {dry_run}");
        assert_eq!(operation["status"], "completed_with_errors");
        let first = prompt(&test, &ids[0]).await;
        let content = if dry_run { ("old", 1) } else { ("new", 2) };
        assert_eq!((first["content"].as_str(), first["version"].as_i64()), (Some(content.0), Some(content.1)));
    }
    assert_eq!(prompt(&test, &ids[2]).await["tags"], json!([]));
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.updated'").await, 2);
}

#[tokio::test]
async fn each_prompt_is_deleted_or_fails_by_itself() {
    let test = TestApp::api().await;
    let ids = ids(&test, 3).await;
    let body = json!([ids[0], ids[1], ids[0], UNKNOWN, "x", 7]);
    for dry_run in [true, false] {
        let reply = delete_many(&test, json!({ "prompt_ids": body, "dry_run": dry_run })).await;
        let (_, items) = worked(&test, reply, "delete").await;
        let again = if dry_run { "succeeded" } else { "failed not-found" };
        let refused = ["failed not-found", "failed not-found", "failed validation-failed"];
        assert_eq!(short(&items), [&["succeeded", "succeeded", again][..], &refused].concat(), "dry run: {dry_run}");
        assert_eq!(prompts(&test).await, if dry_run { 3 } else { 1 });
    }
    test.post(&format!("/api/v1/prompts/{}/restore", ids[0]), json!({})).await.expect(200);
    let (operation, _) = worked(&test, delete_many(&test, json!([ids[0]])).await, "delete").await;
    assert_eq!(operation["status"], "completed");
}

#[tokio::test]
async fn tags_are_given_and_taken_away() {
    let test = TestApp::api().await;
    let ids = ids(&test, 2).await;
    let order =
        json!({ "prompt_ids": [ids[0], UNKNOWN], "tags_to_add": ["c", "a", " c "], "tags_to_remove": ["b", "z"] });

    let (_, items) = worked(&test, test.put(&format!("{BULK}/tags"), order.clone()).await, "tags").await;
    let (again, _) = worked(&test, test.put(&format!("{BULK}/tags"), order).await, "tags").await;

    assert_eq!(short(&items), ["succeeded", "failed not-found"]);
    assert_eq!(again["skipped_items"], 1, "nothing changes twice");
    assert_eq!(prompt(&test, &ids[0]).await["tags"], json!(["a", "c"]));
    assert_eq!(prompt(&test, &ids[1]).await["tags"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_filter_names_the_prompts_that_match_when_the_order_is_taken() {
    let test = TestApp::api().await;
    let ids = ids(&test, 130).await;
    test.prompt("other", "p", "x").await;
    let order = json!({ "filter": { "category": "bulk", "tags": ["a"] }, "tags_to_add": ["new"] });

    let reply = test.put(&format!("{BULK}/tags"), order).await;
    test.prompt("bulk", "late", "x").await;
    let (operation, items) = worked(&test, reply, "tags").await;

    assert_eq!((operation["total_items"].as_i64(), operation["successful_items"].as_i64()), (Some(130), Some(130)));
    let named: Vec<&str> = items.iter().map(|item| item["prompt_id"].as_str().unwrap()).collect();
    assert_eq!(named, ids, "in the order in which they were made");
    assert_eq!(test.count("SELECT count(*) FROM prompt_tags WHERE tag = 'new'").await, 130);

    let none = json!({ "filter": { "category": "nobody" }, "tags_to_add": ["new"] });
    let (operation, _) = worked(&test, test.put(&format!("{BULK}/tags"), none).await, "tags").await;
    assert_eq!((operation["status"].as_str(), operation["total_items"].as_i64()), (Some("completed"), Some(0)));
    assert_eq!(operation["progress_percentage"], 100.0);
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let test = TestApp::api().await;
    for (body, pointer) in [(json!([]), "/prompts"), (json!({ "prompts": [] }), "/prompts"), (json!({}), "/prompts")] {
        assert_eq!(test.put(BULK, body.clone()).await.violations()[0].0, pointer, "{body}");
    }
    for (body, pointer) in [(json!([]), "/prompt_ids"), (json!({ "prompt_ids": 1 }), "/prompt_ids")] {
        assert_eq!(delete_many(&test, body.clone()).await.violations()[0].0, pointer, "{body}");
    }
    for (body, pointer) in [
        (json!({ "tags_to_add": ["a"] }), "/prompt_ids"),
        (json!({ "filter": {}, "tags_to_add": ["x".repeat(65)] }), "/tags_to_add/0"),
        (json!({ "filter": { "colour": "red" }, "tags_to_add": ["a"] }), "/filter/colour"),
        (json!({ "filter": {} }), "/tags_to_add"),
        (json!({ "prompt_ids": ["x"], "tags_to_add": ["a"] }), "/prompt_ids/0"),
    ] {
        assert_eq!(test.put(&format!("{BULK}/tags"), body.clone()).await.violations()[0].0, pointer, "{body}");
    }
    assert_eq!(test.get(OPERATIONS).await.expect(200)["total"], 0);
    assert_eq!(miscounted(&test).await, 0);
}
