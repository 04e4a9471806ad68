//! A template is tried without storing it.
use serde_json::{Value, json};
use support::{Reply, TestApp};

use super::PROMPTS;

async fn render(test: &TestApp, body: Value) -> Reply {
    test.post(&format!("{PROMPTS}/render"), body).await
}

#[tokio::test]
async fn a_text_is_rendered_and_nothing_is_stored() {
    let test = TestApp::api().await;

    let rendered = render(&test, json!({ "content": "Dear {{name}}", "variables": { "name": "Ada", "z": 1 } })).await;

    let expected = json!({ "filled_content": "Dear Ada", "variables": ["name"], "unused": ["z"] });
    assert_eq!(rendered.expect(200), expected);
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 0);
}

#[tokio::test]
async fn messages_are_rendered_in_any_format() {
    let test = TestApp::api().await;
    let messages = json!([{ "role": "user", "content": "{x} {y}" }]);
    let body = json!({
        "messages": messages, "template_format": "simple_fstring", "declared": ["x"],
        "input_schema": { "x": { "type": "integer", "default": 7 } },
    });
    let rendered = render(&test, body).await.expect(200);
    assert_eq!(rendered["filled_messages"], json!([{ "role": "user", "content": "7 {y}" }]));
    assert_eq!((&rendered["variables"], &rendered["filled_content"]), (&json!(["x"]), &Value::Null));
}

#[tokio::test]
async fn rendering_is_as_strict_as_serving() {
    let test = TestApp::api().await;
    for (body, pointer, code) in [
        (json!({ "content": "{{a}}" }), "/variables/a", "missing-variable"),
        (
            json!({ "content": "{{a}}", "variables": { "a": 1 }, "input_schema": { "a": { "type": "string" } } }),
            "/variables/a",
            "wrong-type",
        ),
        (json!({ "content": "{{ a", "template_format": "jinja2" }), "/content", "template-syntax"),
        (json!({ "content": "" }), "/content", "required"),
        (json!({}), "/content", "required"),
        (json!({ "content": "x", "name": "b" }), "/name", "unknown-field"),
        (json!({ "content": "x", "variables": [] }), "/variables", "wrong-type"),
    ] {
        let violations = render(&test, body.clone()).await.violations();
        assert_eq!(violations, [(pointer.to_owned(), code.to_owned())], "{body}");
    }
}
