//! Fields that are unknown, read-only, of the wrong type or out of range.
use axum::http::Method;
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, at, rows, send};

fn valid(extra: &Value) -> Value {
    let mut body = json!({ "category": "a", "name": "b", "content": "c" });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn row_08_unknown_fields_are_refused() {
    let test = TestApp::api().await;
    // row 8
    for (extra, pointer) in [
        (json!({ "extra": 1 }), "/extra"),
        (json!({ "Name": "b" }), "/Name"),
        (json!({ "": 1 }), "/"),
        (json!({ "a/b~c": 1 }), "/a~1b~0c"),
        (json!({ "__proto__": {} }), "/__proto__"),
        (json!({ "input_schema": { "x": { "extra": 1 } } }), "/input_schema/x/extra"),
    ] {
        let violations = test.post(PROMPTS, valid(&extra)).await.violations();
        assert_eq!(violations, [(pointer.to_owned(), "unknown-field".to_owned())], "{extra}");
    }
    let body = json!({ "category": "a", "name": "b", "messages": [{ "role": "user", "content": "c", "extra": 1 }] });
    let violations = test.post(PROMPTS, body).await.violations();
    assert_eq!(violations, [("/messages/0/extra".to_owned(), "unknown-field".to_owned())]);
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_09_read_only_fields_are_refused() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "taken", "c").await;
    let before = rows(&test).await;
    // row 9
    for key in [
        "id",
        "tenant",
        "version",
        "revision",
        "labels",
        "lifecycle_status",
        "parent_id",
        "parent_version",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
        "usage_count",
        "performance_score",
    ] {
        let refused = [(format!("/{key}"), "unknown-field".to_owned())];
        let extra = json!({ key: made.get(key).cloned().unwrap_or_default() });
        assert_eq!(test.post(PROMPTS, valid(&extra)).await.violations(), refused);
        assert_eq!(test.put(&at(&made), extra.clone()).await.violations(), refused);
        assert_eq!(test.put(&format!("{}/content", at(&made)), extra).await.violations(), refused);
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn row_10_wrong_types_are_refused() {
    let test = TestApp::api().await;
    let wrong = |key: &str, value: Value| (json!({ key: value }), format!("/{key}"));
    // row 10
    for (extra, pointer) in [
        wrong("category", json!(1)),
        wrong("name", json!(["b"])),
        wrong("name", json!(null)),
        wrong("description", json!(false)),
        wrong("type", json!(0)),
        wrong("content", json!({ "text": "c" })),
        wrong("messages", json!("hi")),
        wrong("template_format", json!(1.5)),
        wrong("is_template", json!("true")),
        wrong("is_template", json!(1)),
        wrong("variables", json!({ "x": 1 })),
        wrong("input_schema", json!("x")),
        wrong("tags", json!("a,b")),
        wrong("config", json!("{}")),
        wrong("change_summary", json!(9)),
        (json!({ "tags": ["a", 2] }), "/tags/1".to_owned()),
        (json!({ "tags": ["a", null] }), "/tags/1".to_owned()),
        (json!({ "variables": ["a", ["b"]] }), "/variables/1".to_owned()),
    ] {
        let violations = test.post(PROMPTS, valid(&extra)).await.violations();
        assert_eq!(violations, [(pointer, "wrong-type".to_owned())], "{extra}");
    }
    for (key, value) in [("type", "image"), ("template_format", "Mustache"), ("template_format", "erb")] {
        assert_eq!(test.post(PROMPTS, valid(&json!({ key: value }))).await.violations()[0].0, format!("/{key}"));
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_10_numbers_are_whole_where_they_count() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let before = rows(&test).await;
    let label = format!("{}/labels/x", at(&made));
    // row 10
    for number in ["1.5", "1.0", "1e20", "1e0", "-0.0", "99999999999999999999", "9223372036854775808", "\"1\"", "true"]
    {
        for (method, path) in [(Method::PUT, label.clone()), (Method::POST, format!("{PROMPTS}/search/a/b"))] {
            let violations = send(&test, method, &path, format!("{{\"version\": {number}}}")).await.violations();
            assert_eq!(violations[0].0, "/version", "{path} {number}");
        }
    }
    for number in ["1e400", "-1e400", "0x1", "+1", "1.", ".5", "Infinity"] {
        let reply = send(&test, Method::PUT, &label, format!("{{\"version\": {number}}}")).await;
        assert_eq!(reply.code(400), "json-syntax", "{number}");
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn row_11_what_is_required_must_be_there() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "taken", "c").await;
    let before = rows(&test).await;
    // row 11
    for key in ["category", "name", "content"] {
        let mut body = valid(&json!({}));
        body.as_object_mut().unwrap().remove(key);
        assert_eq!(test.post(PROMPTS, body).await.violations(), [(format!("/{key}"), "required".to_owned())]);
    }
    for (method, path, key) in [
        (Method::POST, format!("{}/fork", at(&made)), "new_name"),
        (Method::PUT, format!("{}/labels/x", at(&made)), "version"),
        (Method::POST, format!("{PROMPTS}/batch-get"), "items"),
        (Method::POST, "/api/v1/bulk/prompts".to_owned(), "prompts"),
    ] {
        let violations = send(&test, method, &path, "{}").await.violations();
        assert_eq!(violations, [(format!("/{key}"), "required".to_owned())], "{path}");
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn query_parameters_are_known_ones() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    for path in [
        PROMPTS.to_owned(),
        format!("{PROMPTS}/categories"),
        format!("{PROMPTS}/tags"),
        at(&made),
        format!("{}/versions", at(&made)),
        format!("{}/diff", at(&made)),
        format!("{}/labels", at(&made)),
        format!("{}/labels/history", at(&made)),
        "/api/v1/bulk/operations".to_owned(),
    ] {
        // row 8
        let violations = test.get(&format!("{path}?extra=1")).await.violations();
        assert_eq!(violations, [("/extra".to_owned(), "unknown-field".to_owned())], "{path}");
    }
}
