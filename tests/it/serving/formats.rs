//! The template formats: what is a variable in each, and what is text.
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, fill, kept};

/// The variables found in a content, and the content filled with `x = 1`.
async fn found_and_filled(format: &str, content: &str) -> (Value, Value) {
    let test = kept(json!({ "content": content, "template_format": format })).await;
    let served = fill(&test, json!({ "x": "1" })).await.expect(200);
    (served["variables"].clone(), served["filled_content"].clone())
}

#[tokio::test]
async fn mustache_knows_identifiers_in_double_braces_only() {
    for (content, variables, filled) in [
        ("{{x}} {{ x }} {{\tx\t}}", json!(["x"]), "1 1 1"),
        ("{{{x}}}", json!(["x"]), "{1}"),
        (
            "{{code here}} {{#if}} {{/if}} {{}} {{ }} {x} {{1x}} {{x.y}}",
            json!([]),
            "{{code here}} {{#if}} {{/if}} {{}} {{ }} {x} {{1x}} {{x.y}}",
        ),
        ("{\"a\": {\"b\": {}}}", json!([]), "{\"a\": {\"b\": {}}}"),
        ("{{\nx\n}}", json!([]), "{{\nx\n}}"),
        ("{{x", json!([]), "{{x"),
        ("{% if x %}{{x}}{% endif %}", json!(["x"]), "{% if x %}1{% endif %}"),
    ] {
        assert_eq!(found_and_filled("mustache", content).await, (variables, json!(filled)), "{content}");
    }
}

#[tokio::test]
async fn fstring_knows_identifiers_in_single_braces_only() {
    for (content, variables, filled) in [
        ("{x} {{x}}", json!(["x"]), "1 {1}"),
        ("{ x } {x:>10} {x!r} {x + 1} {}", json!([]), "{ x } {x:>10} {x!r} {x + 1} {}"),
        ("{\"a\": {x}, \"b\": {\"c\": 1}}", json!(["x"]), "{\"a\": 1, \"b\": {\"c\": 1}}"),
    ] {
        assert_eq!(found_and_filled("fstring", content).await, (variables, json!(filled)), "{content}");
    }
}

#[tokio::test]
async fn fstring_replaces_only_declared_names_where_some_are() {
    let test = kept(json!({ "content": "{x} {set} {y}", "template_format": "fstring", "variables": ["x"] })).await;
    let served = fill(&test, json!({ "x": 1, "set": 2 })).await.expect(200);
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("1 {set} {y}"), &json!(["set"])));
}

#[tokio::test]
async fn none_knows_no_variables() {
    let content = "{{x}} {x} {% x %}";
    assert_eq!(found_and_filled("none", content).await, (json!([]), json!(content)));
}

#[tokio::test]
async fn jinja2_has_logic() {
    let content =
        "{% for d in docs if d.good %}{{ loop.index }}. {{ d.title|upper }}\n{% endfor %}{% if not docs %}-{% endif %}";
    let test = kept(json!({ "content": content, "template_format": "jinja2" })).await;
    let docs =
        json!([{ "title": "a", "good": true }, { "title": "b", "good": false }, { "title": "<c>", "good": true }]);

    let served = fill(&test, json!({ "docs": docs })).await.expect(200);

    assert_eq!((&served["variables"], &served["filled_content"]), (&json!(["docs"]), &json!("1. A\n2. <C>\n")));
    assert_eq!(fill(&test, json!({ "docs": [] })).await.expect(200)["filled_content"], "-");
    assert_eq!(fill(&test, json!({})).await.code(422), "missing-variables");
}

#[tokio::test]
async fn jinja2_keeps_what_is_not_a_tag_byte_for_byte() {
    let content = "\n  {x} \r\n{# gone #}{% raw %}{{ y }}{% endraw %}{{ x }}\t\n\n";
    assert_eq!(found_and_filled("jinja2", content).await, (json!(["x"]), json!("\n  {x} \r\n{{ y }}1\t\n\n")));
}

#[tokio::test]
async fn every_message_is_a_template_of_the_format() {
    let test = TestApp::api().await;
    let messages = json!([{ "role": "user", "content": "fine {{ x }}" }, { "role": "user", "content": "{% if %}" }]);
    let body = json!({ "category": "a", "name": "b", "messages": messages, "template_format": "jinja2" });
    let violations = test.post(PROMPTS, body).await.violations();
    assert_eq!(violations, [("/messages/1/content".to_owned(), "template-syntax".to_owned())]);
}

#[tokio::test]
async fn a_change_of_the_format_is_checked_and_finds_other_variables() {
    let test = kept(json!({ "content": "{a} {{ b }} {% if %}" })).await;
    let id = test.get(super::NAMED).await.expect(200)["id"].as_str().unwrap().to_owned();
    let path = format!("{PROMPTS}/{id}");

    assert_eq!(test.put(&path, json!({ "template_format": "fstring" })).await.expect(200)["variables"], json!(["a"]));
    let refused = test.put(&path, json!({ "template_format": "jinja2" })).await;
    assert_eq!(refused.violations(), [("/content".to_owned(), "template-syntax".to_owned())]);
}
