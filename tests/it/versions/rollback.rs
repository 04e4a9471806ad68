//! An earlier version is brought back, as a new one.
use axum::{body::Body, http::Method};
use serde_json::json;
use support::TestApp;

use super::{MISSING, PROMPTS, with_contents};

async fn versions(test: &TestApp) -> i64 {
    test.count("SELECT count(*) FROM versions").await
}

#[tokio::test]
async fn a_rollback_makes_a_new_version_of_the_old_content() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;

    let prompt =
        test.post(&format!("{path}/versions/1/rollback"), json!({ "reason": "two is wrong" })).await.expect(200);

    assert_eq!((&prompt["version"], &prompt["content"]), (&json!(3), &json!("one")));
    assert_eq!(test.get(&path).await.expect(200), prompt);
    let version = test.get(&format!("{path}/versions/3")).await.expect(200);
    assert_eq!((&version["change_type"], &version["change_summary"]), (&json!("rollback"), &json!("two is wrong")));
    assert_eq!(test.get(&format!("{path}/versions/2")).await.expect(200)["content"], "two");
}

#[tokio::test]
async fn a_rollback_brings_back_everything_a_version_holds() {
    let test = TestApp::api().await;
    let body = json!({
        "category": "a", "name": "b", "messages": [{ "role": "user", "content": "{x}" }], "config": { "k": 1 },
        "template_format": "fstring", "input_schema": { "x": { "default": 1 } }, "tags": ["t"], "description": "d",
    });
    let made = test.post(PROMPTS, body).await.expect(201);
    let path = super::at(&made);
    let other = json!({
        "content": "{{y}}", "config": {}, "template_format": null, "input_schema": null, "tags": [], "name": "c",
    });
    let changed = test.put(&path, other).await.expect(200);

    let back = test.post(&format!("{path}/versions/1/rollback"), json!({})).await.expect(200);

    for key in ["type", "messages", "config", "template_format", "input_schema", "variables"] {
        assert_eq!(back[key], made[key], "{key}");
    }
    for key in ["tags", "name", "description"] {
        assert_eq!(back[key], changed[key], "{key}");
    }
}

#[tokio::test]
async fn a_rollback_to_a_template_is_a_template() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["Dear {{name}}", "Dear reader"]).await;

    let prompt = test.post(&format!("{path}/versions/1/rollback"), json!({})).await.expect(200);

    assert_eq!(prompt["is_template"], true);
    let filled = test.get(&format!("{PROMPTS}/search/a/b?name=Ada")).await.expect(200);
    assert_eq!(filled["filled_content"], "Dear Ada");
}

#[tokio::test]
async fn a_rollback_needs_no_body() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;
    let path = format!("{path}/versions/1/rollback");
    assert_eq!(test.request(Method::POST, &path, &[], Body::empty()).await.expect(200)["content"], "one");
}

#[tokio::test]
async fn row_46_a_rollback_to_the_current_version_changes_nothing() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two", "one"]).await;
    // row 46
    for version in [3, 1] {
        let reply = test.post(&format!("{path}/versions/{version}/rollback"), json!({})).await;
        assert_eq!(reply.code(409), "no-change", "{version}");
    }
    assert_eq!(versions(&test).await, 3);
}

#[tokio::test]
async fn row_46_a_rollback_to_an_unknown_version_is_not_found() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;
    // row 46
    for path in [format!("{path}/versions/3"), format!("{path}/versions/0"), format!("{MISSING}/versions/1")] {
        assert_eq!(test.post(&format!("{path}/rollback"), json!({})).await.code(404), "not-found", "{path}");
    }
    assert_eq!(versions(&test).await, 2);
}

#[tokio::test]
async fn a_reason_has_rules() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;
    for body in [json!({ "reason": "x".repeat(4097) }), json!({ "reason": "a\u{0}" }), json!({ "reason": 1 })] {
        let violations = test.post(&format!("{path}/versions/1/rollback"), body).await.violations();
        assert_eq!(violations[0].0, "/reason");
    }
    let violations = test.post(&format!("{path}/versions/1/rollback"), json!({ "why": "x" })).await.violations();
    assert_eq!(violations, [("/why".to_owned(), "unknown-field".to_owned())]);
    assert_eq!(versions(&test).await, 2);
}
