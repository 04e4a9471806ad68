//! Values: their types, their defaults, and that they are text and nothing more.
use serde_json::{Value, json};

use super::{NAMED, fill, kept};

#[tokio::test]
async fn row_60_values_are_inserted_once_and_never_rendered() {
    for (format, content) in [("mustache", "{{a}}|{{b}}"), ("fstring", "{a}|{b}"), ("jinja2", "{{ a }}|{{ b }}")] {
        let test = kept(json!({ "content": content, "template_format": format })).await;
        let value = "{{ b }} {b} {% if 1 %}{{ secret }}{% endif %} {{ 7*7 }} <b>&\"' \\n $1 é";
        // row 60
        let served = fill(&test, json!({ "a": value, "b": "B" })).await.expect(200);
        assert_eq!(served["filled_content"], format!("{value}|B"), "{format}");
    }
}

#[tokio::test]
async fn values_that_are_not_text_are_written_as_json() {
    let test = kept(json!({ "content": "{{x}}", "input_schema": { "x": { "required": false } } })).await;
    for (value, filled) in [
        (json!(1), "1"),
        (json!(1.5), "1.5"),
        (json!(true), "true"),
        (json!(null), ""),
        (json!(""), ""),
        (json!([1, "a"]), "[1,\"a\"]"),
        (json!({ "b": 1, "a": [] }), "{\"b\":1,\"a\":[]}"),
    ] {
        let served = fill(&test, json!({ "x": value })).await.expect(200);
        assert_eq!(served["filled_content"], filled, "{value}");
    }
}

#[tokio::test]
async fn a_default_stands_in_for_a_value() {
    let schema = json!({ "who": { "default": "you" }, "mood": { "required": false }, "n": { "default": 0 } });
    let test = kept(json!({ "content": "{{who}} {{mood}} {{n}}", "input_schema": schema })).await;
    for (variables, filled) in [
        (json!({}), "you  0"),
        (json!({ "who": "Ada", "mood": "glad" }), "Ada glad 0"),
        (json!({ "who": "", "n": 7 }), "  7"),
    ] {
        assert_eq!(fill(&test, variables).await.expect(200)["filled_content"], filled);
    }
    assert_eq!(test.get(&format!("{NAMED}?mood=sad")).await.expect(200)["filled_content"], "you sad 0");
}

#[tokio::test]
async fn a_declared_variable_that_stands_nowhere_needs_no_value() {
    let test = kept(json!({ "content": "{{x}}", "variables": ["x", "spare"] })).await;
    assert_eq!(fill(&test, json!({ "x": 1 })).await.expect(200)["filled_content"], "1");
}

fn typed(kind: &str) -> Value {
    json!({ "content": "{{x}}", "input_schema": { "x": { "type": kind } } })
}

#[tokio::test]
async fn a_value_has_the_type_its_schema_says() {
    for (kind, good, bad) in [
        ("string", json!("a"), json!(1)),
        ("number", json!(1.5), json!("1.5")),
        ("integer", json!(2.0), json!(2.5)),
        ("boolean", json!(false), json!("false")),
        ("array", json!([1]), json!({})),
        ("object", json!({}), json!([])),
        ("integer", json!(-3), json!(null)),
    ] {
        let test = kept(typed(kind)).await;
        fill(&test, json!({ "x": good })).await.expect(200);
        let violations = fill(&test, json!({ "x": bad })).await.violations();
        assert_eq!(violations, [("/variables/x".to_owned(), "wrong-type".to_owned())], "{kind}");
    }
}

#[tokio::test]
async fn a_query_is_read_as_the_type_the_schema_says() {
    for (kind, good, filled, bad) in [
        ("string", "007", "007", None),
        ("number", "1.50", "1.5", Some("abc")),
        ("integer", "7", "7", Some("7.5")),
        ("boolean", "true", "true", Some("yes")),
        ("array", "[1,%202]", "[1,2]", Some("1")),
        ("object", "%7B%22a%22:1%7D", "{\"a\":1}", Some("[]")),
    ] {
        let test = kept(typed(kind)).await;
        let served = test.get(&format!("{NAMED}?x={good}")).await.expect(200);
        assert_eq!(served["filled_content"], filled, "{kind}");
        if let Some(bad) = bad {
            let violations = test.get(&format!("{NAMED}?x={bad}")).await.violations();
            assert_eq!(violations, [("/variables/x".to_owned(), "wrong-type".to_owned())], "{kind}");
        }
    }
}

#[tokio::test]
async fn a_query_without_a_schema_is_text() {
    let test = kept(json!({ "content": "{{x}}" })).await;
    for (query, filled) in [("x=1e3", "1e3"), ("x=", ""), ("x", ""), ("x=a+b%2Bc", "a b+c"), ("x=%F0%9F%9A%80", "🚀")]
    {
        assert_eq!(test.get(&format!("{NAMED}?{query}")).await.expect(200)["filled_content"], filled, "{query}");
    }
}

#[tokio::test]
async fn row_60_a_value_may_be_256_kib_and_all_of_them_1_mib() {
    let test = kept(json!({ "content": "{{a}}", "variables": ["a", "b"] })).await;
    let most = "x".repeat(256 * 1024);
    assert_eq!(fill(&test, json!({ "a": most })).await.expect(200)["filled_content"], most);
    // row 60
    let violations = fill(&test, json!({ "a": format!("{most}x") })).await.violations();
    assert_eq!(violations, [("/variables/a".to_owned(), "too-long".to_owned())]);

    let names = ["a", "b", "c", "d", "e"];
    let content: String = names.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    let test = kept(json!({ "content": content })).await;
    let variables: Value = names.iter().map(|name| ((*name).to_owned(), json!(most))).collect();
    assert_eq!(fill(&test, variables).await.violations(), [("/variables".to_owned(), "too-long".to_owned())]);
}

#[tokio::test]
async fn a_schema_has_rules() {
    for (schema, pointer) in [
        (json!({ "x!": {} }), "/input_schema/x!"),
        (json!({ "a b": {} }), "/input_schema/a b"),
        (json!({ "x": { "type": "text" } }), "/input_schema/x/type"),
        (json!({ "x": { "type": "integer", "default": "1" } }), "/input_schema/x/default"),
        (json!({ "x": { "required": "yes" } }), "/input_schema/x/required"),
        (json!({ "x": { "kind": "string" } }), "/input_schema/x/kind"),
        (json!({ "x": "string" }), "/input_schema/x"),
        (json!({ "x": ["string", true, null, null] }), "/input_schema/x"),
    ] {
        let test = support::TestApp::api().await;
        let body = json!({ "category": "a", "name": "b", "content": "{{x}}", "input_schema": schema });
        let violations = test.post(super::PROMPTS, body).await.violations();
        assert_eq!(violations[0].0, pointer, "{schema}");
    }
}

#[tokio::test]
async fn a_chat_prompt_is_filled_message_by_message() {
    let messages =
        json!([{ "role": "system", "content": "Be {{mood}}." }, { "role": "user", "content": "{{q}} {{mood}}" }]);
    let test = kept(json!({ "messages": messages })).await;

    let served = test.get(&format!("{NAMED}?mood=kind&q=Why%3F&z=1")).await.expect(200);

    let filled = json!([{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "Why? kind" }]);
    assert_eq!((&served["filled_messages"], &served["messages"]), (&filled, &messages));
    assert_eq!((&served["filled_content"], &served["unused"]), (&Value::Null, &json!(["z"])));
    let unfilled = test.get(NAMED).await.expect(200);
    assert!(unfilled["filled_messages"].is_null() && unfilled["filled_content"].is_null(), "{unfilled}");
}
