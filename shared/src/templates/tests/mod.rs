//! What templates promise, format by format, and what binding promises. The hostile ones are in `attacks`.
mod binding;
mod demands;
mod jinja;

use serde_json::{Map, Value, json};

use super::{Allowance, Bound, Fault, InputSchema, Template, TemplateFormat, Unfilled, is_plain, placeholders};
use crate::error::Error;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no map"),
    }
}

fn schema(value: Value) -> InputSchema {
    serde_json::from_value(value).unwrap()
}

async fn fill(format: TemplateFormat, text: &str, values: Value) -> Result<String, Fault> {
    fill_parsed(&Template::parse(format, text, None)?, values).await
}

async fn fill_parsed(template: &Template, values: Value) -> Result<String, Fault> {
    let bound = Bound { values: map(values), ..Bound::default() };
    template.fill(&bound, &mut Allowance::default()).await.map_err(|unfilled| match unfilled {
        Unfilled::Fault(fault) => fault,
        Unfilled::Refused(error) => panic!("{error}"),
    })
}

async fn simple(text: &str, values: Value) -> String {
    fill(TemplateFormat::Simple, text, values).await.unwrap()
}

async fn jinja(text: &str, values: Value) -> Result<String, Fault> {
    fill(TemplateFormat::Jinja2, text, values).await
}

fn variables(format: TemplateFormat, text: &str) -> Vec<String> {
    Template::parse(format, text, None).unwrap().variables().to_vec()
}

/// Each placeholder as it is written, and the variables it uses.
fn written(format: TemplateFormat, text: &str) -> Vec<(&str, String)> {
    let found = placeholders(format, text, None).unwrap();
    found.into_iter().map(|placeholder| (&text[placeholder.range], placeholder.variables.join(" "))).collect()
}

#[test]
fn placeholders_are_found_where_they_stand() {
    let pairs = |pairs: &[(&'static str, &str)]| -> Vec<(&str, String)> {
        pairs.iter().map(|(range, names)| (*range, (*names).to_owned())).collect()
    };
    assert_eq!(written(TemplateFormat::Simple, "é {{ a }} {{{b}}}"), pairs(&[("{{ a }}", "a"), ("{{b}}", "b")]));
    assert_eq!(written(TemplateFormat::SimpleFstring, "é {a} {{b}}"), pairs(&[("{a}", "a"), ("{b}", "b")]));
    assert_eq!(
        written(TemplateFormat::Mustache, "é {{ a }} {{{b}}} {{#c.d}}{{.}}{{/c.d}}"),
        pairs(&[("{{ a }}", "a"), ("{{{b}}}", "b"), ("{{#c.d}}", "c")])
    );
    assert_eq!(written(TemplateFormat::Fstring, "é {a!r:>3} {{b}}"), pairs(&[("{a!r:>3}", "a")]));
    assert_eq!(written(TemplateFormat::None, "{{a}}"), []);
    assert_eq!(
        written(TemplateFormat::Jinja2, "é {% for d in docs %}{{- d.docs + user.name }}{% endfor %}{{ 1 }}"),
        pairs(&[("{% for d in docs %}", "docs"), ("{{- d.docs + user.name }}", "user"), ("{{ 1 }}", "")])
    );
    let filtered = placeholders(TemplateFormat::Jinja2, "{{ doc | trim | e }}", None).unwrap();
    assert_eq!((filtered[0].filters.join(" "), filtered[0].inserts), ("trim e".to_owned(), true));
    assert!(placeholders(TemplateFormat::Jinja2, "{{ a", None).is_err());
}

#[test]
fn a_format_is_written_as_it_is_read() {
    for format in TemplateFormat::ALL {
        let name = format.name();
        assert_eq!(name.parse::<TemplateFormat>().unwrap(), format);
        assert_eq!(format.to_string(), name);
        assert_eq!(serde_json::to_value(format).unwrap(), json!(name));
        assert_eq!(serde_json::from_value::<TemplateFormat>(json!(name)).unwrap(), format);
    }
    assert_eq!(TemplateFormat::default(), TemplateFormat::Mustache);
    assert!("Jinja2".parse::<TemplateFormat>().is_err());
}

#[tokio::test]
async fn the_simple_format_replaces_names_and_nothing_else() {
    let values = || json!({"name": "Ada", "n": 2, "é": "accent", "_x1": true});
    for (text, filled) in [
        ("Hi {{name}}, {{ name }}, {{\tname  }}!", "Hi Ada, Ada, Ada!"),
        ("{{{name}}}", "{Ada}"),
        ("{{{{name}}}}", "{{Ada}}"),
        ("{{é}} {{_x1}} {{n}}", "accent true 2"),
        ("{{absent}}|", "|"),
        ("{{name", "{{name"),
        ("{{na me}} {{1a}} {{}} {{ }}", "{{na me}} {{1a}} {{}} {{ }}"),
        ("{{#if name}}x{{/if}} {{name|upper}}", "{{#if name}}x{{/if}} {{name|upper}}"),
        ("{{\nname}}", "{{\nname}}"),
        ("{name} {% if %} }} {", "{name} {% if %} }} {"),
    ] {
        assert_eq!(simple(text, values()).await, filled, "{text}");
    }
}

#[tokio::test]
async fn values_are_inserted_as_they_are_and_once() {
    let values = json!({"a": "{{ b }} {b} <&>", "b": "secret", "c": [1, {"k": "\u{e9}"}], "d": null, "e": 1.5});
    assert_eq!(simple("{{a}}|{{c}}|{{d}}|{{e}}", values.clone()).await, "{{ b }} {b} <&>|[1,{\"k\":\"\u{e9}\"}]||1.5");
    assert_eq!(fill(TemplateFormat::SimpleFstring, "{a}{d}", values.clone()).await.unwrap(), "{{ b }} {b} <&>");
    assert_eq!(fill(TemplateFormat::Fstring, "{a}{d}", values.clone()).await.unwrap(), "{{ b }} {b} <&>None");
    assert_eq!(fill(TemplateFormat::Mustache, "{{a}}", values.clone()).await.unwrap(), "{{ b }} {b} <&>");
    assert_eq!(jinja("{{ a }}", values).await.unwrap(), "{{ b }} {b} <&>");
}

#[tokio::test]
async fn text_without_variables_stays_byte_for_byte() {
    let texts = [
        "",
        "\n",
        "\u{feff}text\r\n",
        "{ {",
        "}}{{",
        "fn main() { println!(\"{{}}\"); }\n\n",
        "{\"a\": {\"b\": {}}}",
        "\u{4f60}\u{597d} \u{1F600}\u{200d}\u{1F4BB} \0 {{ \u{1F600} }} { \u{1F600} }",
        "{{{{{{ }}}}}}",
    ];
    for text in texts {
        for format in
            [TemplateFormat::Simple, TemplateFormat::SimpleFstring, TemplateFormat::Mustache, TemplateFormat::None]
        {
            assert!(variables(format, text).is_empty(), "{format}: {text}");
            assert!(is_plain(format, text), "{format}: {text}");
            assert_eq!(fill(format, text, json!({})).await.unwrap(), text, "{format}");
        }
    }
    assert_eq!(fill(TemplateFormat::None, "{{x}} {x}", json!({"x": 1})).await.unwrap(), "{{x}} {x}");
}

#[tokio::test]
async fn a_simple_fstring_replaces_declared_names_only_where_they_are_declared() {
    let text = "{\"user\": {name}, \"raw\": {other}, \"f\": {name:>3}, {{name}}}";
    let declared = ["name".to_owned()];
    let template = Template::parse(TemplateFormat::SimpleFstring, text, Some(&declared)).unwrap();
    assert_eq!(template.variables(), ["name"]);
    let filled = fill_parsed(&template, json!({"name": 1, "other": 2})).await.unwrap();
    assert_eq!(filled, "{\"user\": 1, \"raw\": {other}, \"f\": {name:>3}, {1}}");
    assert_eq!(variables(TemplateFormat::SimpleFstring, text), ["name", "other"]);
}

#[test]
fn variables_are_in_order_of_first_use_and_once() {
    assert_eq!(variables(TemplateFormat::Mustache, "{{b}}{{a}}{{b}}"), ["b", "a"]);
    assert_eq!(variables(TemplateFormat::Fstring, "{b}{a}{b}"), ["b", "a"]);
    let text = "{{ b }}{% for x in list %}{{ x }}{{ loop.index }}{{ a[start:] }}{% endfor %}{{ x }}\
                {% set c = b %}{{ c }}{% macro f(p, q=d) %}{{ p }}{{ q }}{{ e }}{% endmacro %}{{ f(g) }}{{ range(3) }}\
                {% if h %}{% set i = 1 %}{% endif %}{{ i }}{% with j = k %}{{ j }}{% endwith %}{{ j }}\
                {{ y.z|default(w) }}";
    let found = ["b", "list", "a", "start", "x", "d", "e", "g", "h", "i", "k", "j", "y", "w"];
    assert_eq!(variables(TemplateFormat::Jinja2, text), found);
}

#[test]
fn hostile_text_of_braces_does_not_take_for_ever() {
    for text in [
        "{",
        "{{",
        "{{ a",
        "{{    ",
        "{{{a}",
        "{{a}} ",
        "{{#a}}",
        "{{#a}}{{/a}}",
        "{{!",
        "{{!}}",
        "{{a.",
        "{a:",
        "{a!r",
        "}}",
    ] {
        let text = text.repeat(256 * 1024 / text.len());
        for format in TemplateFormat::ALL {
            // In quadratic time this would take minutes. Some of it is refused.
            let _ = Template::parse(format, &text, None);
        }
    }
}

#[tokio::test]
async fn values_cannot_add_more_than_a_mebibyte() {
    let fault =
        fill(TemplateFormat::Simple, &"{{a}}".repeat(9), json!({"a": "x".repeat(128 * 1024)})).await.unwrap_err();
    assert_eq!(fault.code, "template-limit");
    let many = json!({ "a": vec![json!({ "b": vec![1; 1000] }); 1000] });
    for (format, text) in [
        (TemplateFormat::Mustache, "{{#a}}{{#b}}{{/b}}{{/a}}"),
        (TemplateFormat::Mustache, "{{#a}}{{#b}}0123456789{{/b}}{{/a}}"),
    ] {
        assert_eq!(fill(format, text, many.clone()).await.unwrap_err().code, "template-limit", "{text}");
    }
}

#[test]
fn a_fault_says_where_in_lines_and_characters() {
    for (text, code, line, column) in [
        ("\u{4f60}\u{1F600}\n\u{4f60} {% if %}", "template-syntax", 2, 9),
        ("ok\n\n\u{1F600}{{ a|shell }}", "template-forbidden", 3, 7),
        ("{{ a is evil }}", "template-forbidden", 1, 9),
        ("{{ os.system('x') }}", "template-forbidden", 1, 6),
        ("{{ a", "template-syntax", 1, 4),
    ] {
        let fault = Template::parse(TemplateFormat::Jinja2, text, None).unwrap_err();
        assert_eq!((fault.code, fault.line, fault.column), (code, line, column), "{text}: {}", fault.detail);
    }
    let fault = Template::parse(TemplateFormat::Jinja2, "{{ a|shell }}", None).unwrap_err();
    assert!(fault.detail.contains("`shell`") && fault.detail.contains("upper"), "{}", fault.detail);
}

#[test]
fn a_fault_becomes_an_error_of_its_field() {
    for (code, expected) in [("template-limit", "template-limit"), ("template-syntax", "validation-failed")] {
        let error = Fault { code, line: 2, column: 7, detail: "it is wrong".into() }.into_error("/content");
        let Error::Invalid { code: of_error, detail, violations } = error else { panic!("not invalid") };
        assert_eq!((of_error, detail.as_str()), (expected, "line 2, column 7: it is wrong"));
        assert_eq!((violations[0].pointer.as_str(), violations[0].code), ("/content", code));
        assert_eq!(violations[0].detail, detail);
    }
}
