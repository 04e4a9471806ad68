//! What templates promise, format by format, and what binding promises. The hostile ones are in `attacks`.
use serde_json::{Map, Value, json};

use super::{
    Allowance, Bound, Fault, Given, InputSchema, Template, TemplateFormat, Unfilled, VariableSpec, VariableType,
};
use super::{bind, check_schema, placeholders};
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
    template.fill(&map(values), &mut Allowance::default()).await.map_err(|unfilled| match unfilled {
        Unfilled::Fault(fault) => fault,
        Unfilled::Refused(error) => panic!("{error}"),
    })
}

async fn mustache(text: &str, values: Value) -> String {
    fill(TemplateFormat::Mustache, text, values).await.unwrap()
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
    assert_eq!(written(TemplateFormat::Mustache, "é {{ a }} {{{b}}}"), pairs(&[("{{ a }}", "a"), ("{{b}}", "b")]));
    assert_eq!(written(TemplateFormat::Fstring, "é {a} {{b}}"), pairs(&[("{a}", "a"), ("{b}", "b")]));
    assert_eq!(written(TemplateFormat::None, "{{a}}"), []);
    assert_eq!(
        written(TemplateFormat::Jinja2, "é {% for d in docs %}{{- d.docs + user.name }}{% endfor %}{{ 1 }}"),
        pairs(&[("{% for d in docs %}", "docs"), ("{{- d.docs + user.name }}", "user"), ("{{ 1 }}", "")])
    );
    let filtered = placeholders(TemplateFormat::Jinja2, "{{ doc | trim | e }}", None).unwrap();
    assert_eq!((filtered[0].filters.join(" "), filtered[0].inserts), ("trim e".to_owned(), true));
    assert!(placeholders(TemplateFormat::Jinja2, "{{ a", None).is_err());
}

/// The code of a refusal, and the pointer and code of each violation.
fn refusal(result: Result<Bound, Error>) -> (&'static str, Vec<(String, &'static str)>) {
    match result {
        Err(Error::Invalid { code, violations, .. }) => {
            (code, violations.into_iter().map(|violation| (violation.pointer, violation.code)).collect())
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_format_is_written_as_it_is_read() {
    for name in ["mustache", "jinja2", "fstring", "none"] {
        let format: TemplateFormat = name.parse().unwrap();
        assert_eq!(format.to_string(), name);
        assert_eq!(serde_json::to_value(format).unwrap(), json!(name));
        assert_eq!(serde_json::from_value::<TemplateFormat>(json!(name)).unwrap(), format);
    }
    assert_eq!(TemplateFormat::default(), TemplateFormat::Mustache);
    assert!("Jinja2".parse::<TemplateFormat>().is_err());
}

#[tokio::test]
async fn mustache_replaces_names_and_nothing_else() {
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
        assert_eq!(mustache(text, values()).await, filled, "{text}");
    }
}

#[tokio::test]
async fn values_are_inserted_as_they_are_and_once() {
    let values = json!({"a": "{{ b }} {b} <&>", "b": "secret", "c": [1, {"k": "\u{e9}"}], "d": null, "e": 1.5});
    assert_eq!(
        mustache("{{a}}|{{c}}|{{d}}|{{e}}", values.clone()).await,
        "{{ b }} {b} <&>|[1,{\"k\":\"\u{e9}\"}]||1.5"
    );
    assert_eq!(fill(TemplateFormat::Fstring, "{a}{d}", values.clone()).await.unwrap(), "{{ b }} {b} <&>");
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
        for format in [TemplateFormat::Mustache, TemplateFormat::Fstring, TemplateFormat::None] {
            assert!(variables(format, text).is_empty(), "{format}: {text}");
            assert_eq!(fill(format, text, json!({})).await.unwrap(), text, "{format}");
        }
    }
    assert_eq!(fill(TemplateFormat::None, "{{x}} {x}", json!({"x": 1})).await.unwrap(), "{{x}} {x}");
}

#[tokio::test]
async fn an_fstring_replaces_declared_names_only_where_they_are_declared() {
    let text = "{\"user\": {name}, \"raw\": {other}, \"f\": {name:>3}, {{name}}}";
    let declared = ["name".to_owned()];
    let template = Template::parse(TemplateFormat::Fstring, text, Some(&declared)).unwrap();
    assert_eq!(template.variables(), ["name"]);
    let filled = fill_parsed(&template, json!({"name": 1, "other": 2})).await.unwrap();
    assert_eq!(filled, "{\"user\": 1, \"raw\": {other}, \"f\": {name:>3}, {1}}");
    assert_eq!(variables(TemplateFormat::Fstring, text), ["name", "other"]);
}

#[test]
fn variables_are_in_order_of_first_use_and_once() {
    assert_eq!(variables(TemplateFormat::Mustache, "{{b}}{{a}}{{b}}"), ["b", "a"]);
    assert_eq!(variables(TemplateFormat::Fstring, "{b}{a}{b}"), ["b", "a"]);
    let text = "{{ b }}{% for x in list %}{{ x }}{{ loop.index }}{{ a[start:] }}{% endfor %}{{ x }}\
                {% set c = b %}{{ c }}{% macro f(p, q=d) %}{{ p }}{{ q }}{{ e }}{% endmacro %}{{ f(g) }}{{ range(3) }}\
                {% if h %}{% set i = 1 %}{% endif %}{{ i }}{% with j = k %}{{ j }}{% endwith %}{{ j }}\
                {{ y.z|default(w) }}";
    let found = ["b", "list", "a", "start", "x", "d", "e", "g", "h", "k", "j", "y", "w"];
    assert_eq!(variables(TemplateFormat::Jinja2, text), found);
}

#[test]
fn hostile_mustache_and_fstring_text_does_not_take_for_ever() {
    for text in ["{", "{{", "{{ a", "{{    ", "{{{a}", "{{a}} "] {
        let text = text.repeat(1024 * 1024 / text.len());
        for format in [TemplateFormat::Mustache, TemplateFormat::Fstring] {
            // In quadratic time this would take hours.
            Template::parse(format, &text, None).unwrap();
        }
    }
}

#[tokio::test]
async fn values_cannot_add_more_than_a_mebibyte() {
    let fault =
        fill(TemplateFormat::Mustache, &"{{a}}".repeat(9), json!({"a": "x".repeat(128 * 1024)})).await.unwrap_err();
    assert_eq!(fault.code, "template-limit");
}

#[tokio::test]
async fn ordinary_jinja_works() {
    let values = json!({
        "user": {"name": "\u{5c0f}\u{660e} \u{1F600}", "tags": ["b", "a"], "address": {"city": "Bern"}},
        "docs": [{"title": "One", "score": 0.5}, {"title": "Two", "score": 2}],
        "n": 3, "none": null, "price": 2.5, "html": "<b>",
    });
    for (text, filled) in [
        ("{{ user.name }} in {{ user['address'].city }}", "\u{5c0f}\u{660e} \u{1F600} in Bern"),
        ("{% if n > 2 and docs %}yes{% elif n %}some{% else %}no{% endif %}", "yes"),
        ("{% for d in docs %}{{ loop.index }}. {{ d.title }}{{ ', ' if not loop.last }}{% endfor %}", "1. One, 2. Two"),
        ("{% for d in docs if d.score > 1 %}{{ d.title }}{% else %}none{% endfor %}", "Two"),
        ("{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in user.address|items %}{{ k }}={{ v }}{% endfor %}", "city=Bern"),
        ("{{ user.nick|default('no nick') }}", "no nick"),
        (
            "{% macro item(d, mark='-') %}{{ mark }} {{ d.title }}\n{% endmacro %}\
             {{ item(docs[0]) }}{{ item(docs[1], mark='*') }}",
            "- One\n* Two\n",
        ),
        ("{{ user.tags|sort|join(', ')|upper }} {{ docs|map(attribute='title')|join('/') }}", "A, B One/Two"),
        ("{{ docs|selectattr('score', '>', 1)|map(attribute='title')|first }}", "Two"),
        (
            "{{ n * price }} {{ n + 1 }} {{ n // 2 }} {{ n % 2 }} {{ 2 ** n }} {{ -n }} {{ (n / 2)|round|int }}",
            "7.5 4 1 1 8 -3 2",
        ),
        (
            "{{ 'a' + 'b' }} {{ 'a' ~ n }} {{ '=' * 3 }} {{ [1] + [2] }} {{ user.tags[::-1] }} {{ 'abc'[1:] }}",
            "ab a3 === [1, 2] ['a', 'b'] bc",
        ),
        (
            "{{ 'a' in user.tags }} {{ 'x' not in 'abc' }} {{ n == 3 }} {{ none is none }} {{ n is odd }}",
            "True True True True True",
        ),
        ("a\n  {%- if true -%}  b  {%- endif %}\n\nc\n", "ab\n\nc\n"),
        ("{% raw %}{{ n }}{% endraw %}{# a comment #}{{ html }}", "{{ n }}<b>"),
        ("{% set total = n * 2 %}{{ total }}{% set text %}<{{ n }}>{% endset %}{{ text }}", "6<3>"),
        ("{% filter upper %}a{{ n }}b{% endfilter %}{% with x = n %}{{ x }}{% endwith %}", "A3B3"),
        (
            "{{ docs[0]|tojson }} {{ none|tojson }} {{ user.tags|length }}",
            "{\"title\": \"One\", \"score\": 0.5} null 2",
        ),
        ("{% for i in range(1, 7, 2) %}{{ i }}{{ loop.cycle('a', 'b') }}{% endfor %}", "1a3b5a"),
        ("\u{1F600}\r\n{{ n }}\r\n", "\u{1F600}\r\n3\r\n"),
    ] {
        assert_eq!(jinja(text, values.clone()).await.as_deref(), Ok(filled), "{text}");
    }
}

#[tokio::test]
async fn json_is_written_for_a_model_and_not_for_html() {
    let values = || json!({ "data": { "html": "<b> & 'c'", "list": [1, 2] } });
    assert_eq!(jinja("{{ data|tojson }}", values()).await.unwrap(), r#"{"html": "<b> & 'c'", "list": [1, 2]}"#);
    let pretty = "{\n  \"html\": \"<b> & 'c'\",\n  \"list\": [\n    1,\n    2\n  ]\n}";
    assert_eq!(jinja("{{ data|tojson(2) }}", values()).await.unwrap(), pretty);
    assert_eq!(jinja("{{ data|tojson(indent=2) }}", values()).await.unwrap(), pretty);
}

#[tokio::test]
async fn a_loop_over_two_thousand_documents_works() {
    let docs: Vec<_> = (0..2000)
        .map(|i| json!({"title": format!("Title {i}"), "url": "https://example.org", "text": "x".repeat(300)}))
        .collect();
    let text = "{% for d in docs %}## {{ loop.index }}. {{ d.title|trim }}\n{% if d.url %}<{{ d.url }}>\n{% endif %}\
                {{ d.text }}\n{% endfor %}";
    let filled = jinja(text, json!({"docs": docs})).await.unwrap();
    assert_eq!(filled.lines().count(), 6000);
}

#[tokio::test]
async fn an_optional_value_may_be_absent_and_a_wrong_attribute_may_not() {
    let template =
        Template::parse(TemplateFormat::Jinja2, "{{ a }}{% if b %}{{ b.c }}{% endif %}[{{ b }}]", None).unwrap();
    assert_eq!(fill_parsed(&template, json!({"a": 1})).await.unwrap(), "1[]");
    let fault = jinja("{{ a.x }}", json!({"a": {}})).await.unwrap_err();
    assert_eq!((fault.code, fault.detail.as_str()), ("template-render", "`a.x` is undefined"));
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

#[test]
fn a_schema_is_read_with_its_defaults_and_refuses_unknown_fields() {
    let spec: VariableSpec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(spec, VariableSpec::default());
    assert!(spec.required);
    assert_eq!(serde_json::to_value(&spec).unwrap(), json!({"required": true}));
    let spec: VariableSpec = serde_json::from_value(json!({"type": "integer", "default": 2})).unwrap();
    assert_eq!(spec.kind, Some(VariableType::Integer));
    assert!(serde_json::from_value::<VariableSpec>(json!({"typ": "integer"})).is_err());
    assert!(serde_json::from_value::<VariableSpec>(json!({"type": "date"})).is_err());
}

#[test]
fn a_schema_must_have_identifiers_and_defaults_of_their_type() {
    assert!(check_schema(&schema(json!({"a": {"type": "number", "default": 1}, "_b": {}, "é1": {}}))).is_empty());
    let violations = check_schema(&schema(json!({"a": {"type": "integer", "default": 1.5}, "b/~c": {}, "": {}})));
    let found: Vec<_> = violations.iter().map(|violation| (violation.pointer.as_str(), violation.code)).collect();
    let expected = [
        ("/input_schema/", "not-an-identifier"),
        ("/input_schema/a/default", "wrong-type"),
        ("/input_schema/b~1~0c", "not-an-identifier"),
    ];
    assert_eq!(found, expected);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn binding_takes_values_then_defaults_and_lists_what_is_unused() {
    let schema = schema(json!({"b": {"type": "integer", "default": 2}, "c": {"required": false}}));
    let given = Given::Json(map(json!({"z": 1, "a": null, "y": 2})));
    let bound = bind(&names(&["a", "b", "c"]), &schema, given).unwrap();
    assert_eq!(Value::from(bound.values), json!({"a": null, "b": 2}));
    assert_eq!(bound.unused, ["z", "y"]);
}

#[test]
fn every_missing_variable_is_named() {
    let given = Given::Json(map(json!({"c": 1})));
    let result = bind(&names(&["a", "c", "b"]), &InputSchema::new(), given);
    assert!(result.as_ref().is_err_and(|error| error.to_string() == "no value for: a, b"));
    let (code, violations) = refusal(result);
    assert_eq!(code, "missing-variables");
    assert_eq!(violations, [("/variables/a".into(), "missing-variable"), ("/variables/b".into(), "missing-variable")]);
}

#[test]
fn every_value_of_a_wrong_type_is_named() {
    let schema = schema(json!({"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "number"}}));
    let given = Given::Json(map(json!({"a": 1, "b": 1.5, "c": 1})));
    let (code, violations) = refusal(bind(&names(&["a", "b", "c"]), &schema, given));
    assert_eq!(code, "validation-failed");
    assert_eq!(violations, [("/variables/a".into(), "wrong-type"), ("/variables/b".into(), "wrong-type")]);
}

#[test]
fn a_query_is_read_as_the_declared_type_and_the_last_of_a_name_counts() {
    let schema = schema(json!({
        "s": {"type": "string"}, "i": {"type": "integer"}, "b": {"type": "boolean"}, "l": {"type": "array"},
        "n": {"type": "number"},
    }));
    let query = |pairs: &[(&str, &str)]| {
        Given::Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let given = query(&[("s", "7"), ("i", "6"), ("i", "7"), ("b", "true"), ("l", "[1]"), ("x", "8")]);
    let bound = bind(&names(&["s", "i", "b", "l", "x"]), &schema, given).unwrap();
    assert_eq!(Value::from(bound.values), json!({"s": "7", "i": 7, "b": true, "l": [1], "x": "8"}));
    let (_, violations) = refusal(bind(&names(&["i", "n"]), &schema, query(&[("i", "seven"), ("n", "true")])));
    assert_eq!(violations, [("/variables/i".into(), "wrong-type"), ("/variables/n".into(), "wrong-type")]);
}

#[test]
fn a_value_has_256_kibibytes_and_all_have_one_mebibyte() {
    let fits = "x".repeat(256 * 1024);
    let all = names(&["a", "b", "c", "d", "e"]);
    let four = json!({"a": fits, "b": fits, "c": fits, "d": fits});
    assert!(bind(&all[..4], &InputSchema::new(), Given::Json(map(four.clone()))).is_ok());

    let one_more = Given::Json(map(json!({"a": format!("{fits}x")})));
    let (code, violations) = refusal(bind(&all[..1], &InputSchema::new(), one_more));
    assert_eq!((code, violations), ("validation-failed", vec![("/variables/a".into(), "too-long")]));

    let mut five = map(four);
    five.insert("e".into(), json!(1));
    let (_, violations) = refusal(bind(&all, &InputSchema::new(), Given::Json(five)));
    assert_eq!(violations, [("/variables".into(), "too-long")]);
}
