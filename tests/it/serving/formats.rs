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
async fn the_simple_format_knows_identifiers_in_double_braces_only() {
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
        assert_eq!(found_and_filled("simple", content).await, (variables, json!(filled)), "{content}");
    }
}

#[tokio::test]
async fn a_simple_fstring_knows_identifiers_in_single_braces_only() {
    for (content, variables, filled) in [
        ("{x} {{x}}", json!(["x"]), "1 {1}"),
        ("{ x } {x:>10} {x!r} {x + 1} {}", json!([]), "{ x } {x:>10} {x!r} {x + 1} {}"),
        ("{\"a\": {x}, \"b\": {\"c\": 1}}", json!(["x"]), "{\"a\": 1, \"b\": {\"c\": 1}}"),
    ] {
        assert_eq!(found_and_filled("simple_fstring", content).await, (variables, json!(filled)), "{content}");
    }
}

#[tokio::test]
async fn a_simple_fstring_replaces_only_declared_names_where_some_are() {
    let test =
        kept(json!({ "content": "{x} {set} {y}", "template_format": "simple_fstring", "variables": ["x"] })).await;
    let served = fill(&test, json!({ "x": 1, "set": 2 })).await.expect(200);
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("1 {set} {y}"), &json!(["set"])));
}

#[tokio::test]
async fn mustache_knows_sections_dotted_names_and_comments() {
    let test = kept(json!({
        "content": "Dear {{user.name}},{{! a note }}\n{{#docs}}\n- {{title}} for {{user.name}}\n{{/docs}}\n{{^docs}}\nnone\n\
                    {{/docs}}\n{{{raw}}} {{&raw}} {\"a\": {{\"b\": 1}}}",
    }))
    .await;
    let values = json!({ "user": { "name": "Ada" }, "docs": [{ "title": "A" }, { "title": "B" }], "raw": "<b>" });
    let served = fill(&test, values).await.expect(200);
    let filled = "Dear Ada,\n- A for Ada\n- B for Ada\n<b> <b> {\"a\": {{\"b\": 1}}}";
    assert_eq!(served["filled_content"], filled);
    assert_eq!(served["variables"], json!(["user", "docs", "title", "raw"]), "an item may lack `title`");
    assert_eq!(served["optional_variables"], json!(["docs", "title"]));
    let without = fill(&test, json!({ "user": { "name": "Ada" }, "raw": "" })).await.expect(200);
    assert_eq!(without["filled_content"], "Dear Ada,\nnone\n  {\"a\": {{\"b\": 1}}}");
    assert_eq!(fill(&test, json!({ "user": {}, "raw": "" })).await.code(422), "missing-variables");
    let missing = fill(&test, json!({ "user": {}, "raw": "" })).await.violations();
    assert_eq!(missing, [("/variables/user.name".to_owned(), "missing-variable".to_owned())]);
}

#[tokio::test]
async fn mustache_names_may_have_dashes_and_begin_with_digits() {
    let body = json!({
        "content": "{{user-name}} {{1st}}", "variables": ["user-name", "1st"],
        "input_schema": { "user-name": { "type": "string" } },
    });
    let test = kept(body).await;
    let served = fill(&test, json!({ "user-name": "Ada", "1st": 2 })).await.expect(200);
    assert_eq!(served["filled_content"], "Ada 2");
}

#[tokio::test]
async fn fstring_is_the_format_of_python() {
    let content = "Return {{\"name\": \"{name}\"}} {n:>6,.1f}|{flag}|{list!r}|{name!r:>8}";
    let test = kept(json!({ "content": content, "template_format": "fstring" })).await;
    let served =
        fill(&test, json!({ "name": "Ada", "n": 1234.5, "flag": true, "list": [1, null, "a"] })).await.expect(200);
    assert_eq!(served["filled_content"], "Return {\"name\": \"Ada\"} 1,234.5|True|[1, None, 'a']|   'Ada'");
    let wrong = fill(&test, json!({ "name": "Ada", "n": "x", "flag": true, "list": [] })).await.violations();
    assert_eq!(wrong, [("/content".to_owned(), "template-render".to_owned())]);
}

#[tokio::test]
async fn what_can_never_be_filled_is_refused_when_it_is_saved() {
    let test = TestApp::api().await;
    for (format, content, code) in [
        ("mustache", "{{#a}}", "template-syntax"),
        ("mustache", "{{> part}}", "template-forbidden"),
        ("mustache", "{{=<% %>=}}", "template-forbidden"),
        ("mustache", "{{#if x}}a{{else}}b{{/if}}", "template-forbidden"),
        ("fstring", "{\"a\": 1}", "template-syntax"),
        ("fstring", "{user.name}", "template-forbidden"),
        ("jinja2", "{{ '%.2f' % price }}", "template-forbidden"),
        ("jinja2", "{{ x|upper(1) }}", "template-forbidden"),
    ] {
        let body = json!({ "category": "a", "name": "b", "content": content, "template_format": format });
        let violations = test.post(PROMPTS, body).await.violations();
        assert_eq!(violations, [("/content".to_owned(), code.to_owned())], "{content}");
    }
}

#[tokio::test]
async fn a_text_without_variables_is_filled_as_its_format_says() {
    for (format, content, filled) in [
        ("jinja2", "{# internal #}{% set n = 3 %}Give {{ n }} ideas.", "Give 3 ideas."),
        ("jinja2", "{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("jinja2", "plain", "plain"),
        ("mustache", "a{{! note }}b", "ab"),
        ("fstring", "{{\"a\": 1}}", "{\"a\": 1}"),
        ("simple", "{{! note }}", "{{! note }}"),
    ] {
        for said in [None, Some(false)] {
            let test = kept(json!({ "content": content, "template_format": format, "is_template": said })).await;
            let read = test.get(super::NAMED).await.expect(200);
            assert_eq!((&read["filled_content"], &read["unused"]), (&json!(filled), &json!([])), "{content}");
            assert_eq!(read["is_template"], content != filled, "{content}");
            let batch = json!({ "items": [{ "category": "a", "name": "b" }] });
            let batch = test.post(&format!("{PROMPTS}/batch-get"), batch).await.expect(200);
            assert_eq!(batch["results"][0]["filled_content"], filled, "{content}");
        }
    }
}

#[tokio::test]
async fn a_version_without_variables_is_filled_beside_one_that_has_some() {
    let test = kept(json!({ "content": "{# note #}one {{ x }}", "template_format": "jinja2" })).await;
    let id = test.get(super::NAMED).await.expect(200)["id"].as_str().unwrap().to_owned();
    test.put(&format!("{PROMPTS}/{id}"), json!({ "content": "{# note #}two" })).await.expect(200);
    assert_eq!(test.get(super::NAMED).await.expect(200)["filled_content"], "two");
    let first = test.get(&format!("{}?version=1&x=7", super::NAMED)).await.expect(200);
    assert_eq!(first["filled_content"], "one 7");
    let chat = json!([{ "role": "system", "content": "{# note #}Be kind." }, { "role": "user", "content": "Hi" }]);
    test.put(&format!("{PROMPTS}/{id}"), json!({ "messages": chat })).await.expect(200);
    let read = test.get(super::NAMED).await.expect(200);
    assert_eq!(read["filled_messages"][0]["content"], "Be kind.");
}

#[tokio::test]
async fn a_query_is_compared_as_the_type_that_is_declared() {
    let content = "{% if age >= 18 %}adult{% else %}minor{% endif %}";
    let test = kept(json!({ "content": content, "template_format": "jinja2" })).await;
    let refused = test.get(&format!("{}?age=17", super::NAMED)).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "template-render");
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("declare `age` as an integer"), "{refused}");
    let declared = json!({ "age": { "type": "integer" } });
    let test = kept(json!({ "content": content, "template_format": "jinja2", "input_schema": declared })).await;
    assert_eq!(test.get(&format!("{}?age=17", super::NAMED)).await.expect(200)["filled_content"], "minor");
}

#[tokio::test]
async fn what_the_template_guards_needs_no_value() {
    let content = "Hi {{ name|default('you') }}{% if tone is defined %}, {{ tone }}{% endif %} {{ topic }}";
    let test = kept(json!({ "content": content, "template_format": "jinja2" })).await;
    let served = fill(&test, json!({ "topic": "x" })).await.expect(200);
    assert_eq!(
        (&served["filled_content"], &served["optional_variables"]),
        (&json!("Hi you x"), &json!(["name", "tone"]))
    );
    let missing = fill(&test, json!({ "name": "Ada" })).await.violations();
    assert_eq!(missing, [("/variables/topic".to_owned(), "missing-variable".to_owned())]);
}

#[tokio::test]
async fn null_is_refused_alike_in_every_format() {
    for (format, content) in [
        ("mustache", "{{x}}"),
        ("simple", "{{x}}"),
        ("jinja2", "{{ x }}"),
        ("fstring", "{x}"),
        ("simple_fstring", "{x}"),
    ] {
        let test = kept(json!({ "content": content, "template_format": format })).await;
        let violations = fill(&test, json!({ "x": null })).await.violations();
        assert_eq!(violations, [("/variables/x".to_owned(), "missing-variable".to_owned())], "{format}");
        let schema = json!({ "x": { "required": false } });
        let test = kept(json!({ "content": content, "template_format": format, "input_schema": schema })).await;
        fill(&test, json!({ "x": null })).await.expect(200);
    }
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
    let test = kept(json!({ "content": "{a} {{ b }} {% if %}", "template_format": "simple" })).await;
    let id = test.get(super::NAMED).await.expect(200)["id"].as_str().unwrap().to_owned();
    let path = format!("{PROMPTS}/{id}");

    let single = test.put(&path, json!({ "template_format": "simple_fstring" })).await.expect(200);
    assert_eq!(single["variables"], json!(["a"]));
    let refused = test.put(&path, json!({ "template_format": "jinja2" })).await;
    assert_eq!(refused.violations(), [("/content".to_owned(), "template-syntax".to_owned())]);
}
