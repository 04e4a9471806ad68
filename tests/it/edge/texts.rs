//! A text that one engine cannot keep is refused by all of them: where it stands is told, and nothing else fails with it.
use axum::http::Method;
use serde_json::{Value, json};
use support::{Reply, TestApp};

use super::{PROMPTS, at};

/// Five good ones, and one that is not.
fn with_one_bad(good: impl Fn(usize) -> Value, bad: Value) -> Vec<Value> {
    (0..5).map(good).chain([bad]).collect()
}

fn new(n: usize) -> Value {
    json!({ "category": "a", "name": format!("n{n}"), "content": "c" })
}

async fn send(test: &TestApp, method: Method, path: &str, body: &Value) -> Reply {
    test.request(method, path, &[("content-type", "application/json")], body.to_string()).await
}

/// How an operation ended: its status, how many were well, how many were not, and why those were not.
async fn ended(test: &TestApp, operation: &Value) -> (String, i64, i64, String) {
    test.work().await;
    let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
    let over = test.get(&path).await.expect(200);
    let items = test.get(&format!("{path}/items")).await.expect(200);
    let failed = items["items"].as_array().unwrap().iter().find(|item| item["state"] == "failed");
    let detail = failed.and_then(|item| item["detail"].as_str()).unwrap_or_default().to_owned();
    let number = |key: &str| over[key].as_i64().unwrap();
    (over["status"].as_str().unwrap().to_owned(), number("successful_items"), number("failed_items"), detail)
}

#[tokio::test]
async fn row_95_an_item_with_a_nul_fails_alone_and_is_told_of() {
    let bads = [
        json!({ "category": "a", "name": "bad", "content": "c", "a\0b": 1 }),
        json!({ "category": "a", "name": "bad", "content": "c", "template_format": "a\0" }),
        json!({ "category": "a", "name": "bad", "content": "c", "input_schema": { "a\0": {} } }),
        json!({ "category": "a", "name": "a\0b", "content": "c" }),
        json!({ "category": "a", "name": "bad", "content": "c\0" }),
        json!("a\0b"),
    ];
    // row 95
    for bad in bads {
        let test = TestApp::api().await;
        let items = with_one_bad(new, bad.clone());
        let operation = test.post("/api/v1/bulk/prompts", json!(items)).await.expect(202);
        let (status, well, failed, detail) = ended(&test, &operation).await;
        assert_eq!((status.as_str(), well, failed), ("completed_with_errors", 5, 1), "{bad}: {detail}");
        assert!(!detail.is_empty() && !detail.contains('\0'), "{bad}: {detail:?}");
    }
}

#[tokio::test]
async fn row_95_so_does_an_id_with_a_nul() {
    let test = TestApp::api().await;
    let mut made = Vec::new();
    for n in 0..10 {
        made.push(test.prompt("a", &format!("n{n}"), "c").await["id"].clone());
    }
    // row 95
    let changes = with_one_bad(|n| json!({ "prompt_id": made[n], "description": "d" }), json!({ "prompt_id": "a\0b" }));
    for (method, items) in [
        (Method::PUT, changes),
        (Method::DELETE, with_one_bad(|n| made[n].clone(), json!("a\0b"))),
        (Method::DELETE, with_one_bad(|n| made[n + 5].clone(), json!("a\0b".repeat(10_000)))),
    ] {
        let operation = send(&test, method.clone(), "/api/v1/bulk/prompts", &json!(items)).await.expect(202);
        let (status, well, failed, detail) = ended(&test, &operation).await;
        assert_eq!((status.as_str(), well, failed), ("completed_with_errors", 5, 1), "{method}: {detail}");
        assert!(detail.starts_with("there is no prompt `a\\u{0}b") && detail.len() < 1000, "{detail}");
    }
}

#[tokio::test]
async fn row_95_a_text_with_a_nul_is_refused_where_it_stands() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "{{x}}").await;
    let other = test.prompt("a", "c", "{{x}}").await;
    let prompt = at(&made);
    let key = |more: Value| support::merged(json!({ "name": "k", "scopes": ["prompts:read"] }), more);
    // row 95
    let of_prompt = |rest: &str| format!("{prompt}/{rest}");
    let keys = "/api/v1/keys".to_owned();
    let plan = json!({ "name": "t", "prompt_a_id": made["id"], "prompt_b_id": other["id"], "description": "\0" });
    let refinement = json!({ "refinement_instructions": "a\0" });
    for (method, path, body, pointer) in [
        (Method::POST, keys.clone(), key(json!({ "default_label": "\0" })), "/default_label"),
        (Method::POST, keys.clone(), key(json!({ "labels": ["a", "b\0"] })), "/labels/1"),
        (Method::POST, keys.clone(), key(json!({ "folders": ["a\0"] })), "/folders/0"),
        (Method::PUT, of_prompt("labels/x"), json!({ "version": 1, "reason": "\0" }), "/reason"),
        (Method::PUT, of_prompt("lifecycle"), json!({ "status": "archived", "reason": "\0" }), "/reason"),
        (Method::PUT, of_prompt("suggestions/C08/suppression"), json!({ "reason": "a\0" }), "/reason"),
        (Method::POST, of_prompt("refine"), refinement, "/refinement_instructions"),
        (Method::POST, "/api/v1/ab-tests".to_owned(), plan, "/description"),
    ] {
        let violations = send(&test, method, &path, &body).await.violations();
        assert_eq!(violations[0].0, pointer, "{path} {body}");
    }
    for query in ["actor=%00", "action=%00", "object_id=%00", "request_id=%00"] {
        let name = query.split('=').next().unwrap();
        let violations = test.get(&format!("/api/v1/audit?{query}")).await.violations();
        assert_eq!(violations, [(format!("/{name}"), "nul-character".to_owned())]);
    }
    let long = "x".repeat(100_000);
    for more in [json!({ "default_label": long }), json!({ "default_label": "BAD LABEL" }), json!({ "labels": [".."] })]
    {
        assert_eq!(test.post("/api/v1/keys", key(more.clone())).await.violations().len(), 1);
    }
}

#[tokio::test]
async fn what_a_config_says_of_its_model_may_hold_anything() {
    let test = TestApp::api().await;
    let body = json!({ "category": "a", "name": "b", "content": "c", "config": { "model": "a\0b" } });
    let made = test.post(PROMPTS, body).await.expect(201);
    assert_eq!(test.get(&at(&made)).await.expect(200)["config"]["model"], "a\0b");
}
