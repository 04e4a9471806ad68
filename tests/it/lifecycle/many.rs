//! Many prompts at once.
use serde_json::{Value, json};
use support::TestApp;

use super::{prompt, prompt_at, set};

/// Orders a change of many, and works it: the operation and its items.
async fn change(test: &TestApp, body: Value) -> (Value, Value) {
    let reply = test.put("/api/v1/bulk/prompts/lifecycle", body).await;
    let path = reply.header("location").to_owned();
    assert_eq!(reply.expect(202)["operation_type"], "lifecycle");
    test.work().await;
    (
        test.get(&path).await.expect(200),
        test.get(&format!("{path}/items?limit=1000")).await.expect(200)["items"].clone(),
    )
}

#[tokio::test]
async fn each_prompt_changes_or_fails_by_itself() {
    let test = TestApp::api().await;
    let mut ids = Vec::new();
    for n in 0..120 {
        ids.push(prompt(&test, &format!("many-{n}")).await);
    }
    let tiny = test.prompt("c", "tiny", "x").await["id"].as_str().unwrap().to_owned();
    let there = prompt_at(&test, "there", "published").await;
    ids.extend([tiny, there, "prm_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned()]);

    let (operation, items) =
        change(&test, json!({ "prompt_ids": ids, "status": "published", "reason": "release" })).await;

    assert_eq!((&operation["status"], &operation["successful_items"]), (&json!("completed_with_errors"), &json!(120)));
    let codes: Vec<&Value> = items.as_array().unwrap()[120..].iter().map(|item| &item["code"]).collect();
    assert_eq!(codes, ["not-publishable", "lifecycle-transition", "not-found"]);
    assert_eq!(items[120]["prompt_id"], ids[120]);
    assert_eq!(test.get("/api/v1/lifecycle/counts").await.expect(200)["published"], 121);
    let history = test.get(&format!("/api/v1/prompts/{}/lifecycle/history", ids[0])).await.expect(200);
    assert_eq!(history["items"][0]["reason"], "release");
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "aaa").await, prompt(&test, "bbb").await);
    set(&test, &b, "published").await.expect(200);

    let (operation, _) = change(&test, json!({ "prompt_ids": [a, b], "status": "published", "dry_run": true })).await;

    assert_eq!((&operation["successful_items"], &operation["failed_items"]), (&json!(1), &json!(1)));
    let shown = test.get(&format!("/api/v1/prompts/{a}")).await.expect(200);
    assert_eq!((&shown["lifecycle_status"], &shown["revision"]), (&json!("draft"), &json!(1)));
    assert_eq!(test.count("SELECT count(*) FROM lifecycle_changes").await, 1);
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let test = TestApp::api().await;
    let id = prompt(&test, "one").await;
    for (body, pointer) in [
        (json!({ "prompt_ids": [], "status": "published" }), "/prompt_ids"),
        (json!({ "prompt_ids": [id, id], "status": "published" }), "/prompt_ids/1"),
        (json!({ "prompt_ids": ["x"], "status": "published" }), "/prompt_ids/0"),
        (json!({ "prompt_ids": [id], "status": "gone" }), "/status"),
        (json!({ "prompt_ids": [id], "status": "published", "reason": "x".repeat(5000) }), "/reason"),
    ] {
        let violations = test.put("/api/v1/bulk/prompts/lifecycle", body.clone()).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}");
    }
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations").await, 0);
}
