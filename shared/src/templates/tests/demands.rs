//! What templates refuse, and what they ask of their variables.
use serde_json::{Value, json};

use super::{jinja, map, schema};
use crate::templates::{Allowance, Given, InputSchema, Template, TemplateFormat, Unfilled, bind};

#[tokio::test]
async fn a_missing_attribute_is_a_fault_whatever_else_is_optional() {
    let text = "{{ a.x }}{% if b %}{{ b.c }}{% endif %}[{{ b }}{% for c in b %}{% endfor %}]";
    let template = Template::parse(TemplateFormat::Jinja2, text, None).unwrap();
    let optional = schema(json!({ "b": { "required": false } }));
    let given = |values: Value| bind(template.demands(), &optional, Given::Json(map(values))).unwrap();
    let filled = async |values| {
        template.fill(&given(values), &mut Allowance::default()).await.map_err(|unfilled| match unfilled {
            Unfilled::Fault(fault) => (fault.code, fault.detail),
            Unfilled::Refused(error) => panic!("{error}"),
        })
    };
    assert_eq!(filled(json!({ "a": { "x": 1 } })).await.unwrap(), "1[]");
    for values in [json!({ "a": {} }), json!({ "a": {}, "b": { "c": 1 } })] {
        assert_eq!(filled(values).await.unwrap_err(), ("template-render", "`a.x` is undefined".to_owned()));
    }
}

#[tokio::test]
async fn what_has_no_order_is_refused_with_what_to_do() {
    let fault = jinja("{% if age >= 18 %}adult{% endif %}", json!({ "age": "17" })).await.unwrap_err();
    assert_eq!(fault.code, "template-render");
    assert!(fault.detail.contains("declare `age` as an integer"), "{}", fault.detail);
    for text in [
        "{{ text < 1 }}",
        "{{ 1 <= text }}",
        "{{ none > 1 }}",
        "{{ text >= none }}",
        "{{ list < 1 }}",
        "{{ map < map }}",
        "{{ [1] < ['a'] }}",
        "{{ [1, 'a']|sort }}",
        "{{ ['a', none]|min }}",
        "{{ [1, 'a']|max }}",
        "{{ 1 in text }}",
        "{{ 1 in 1 }}",
        "{{ 'a' in none }}",
        "{{ rows|sort(attribute='x') }}",
        "{{ ['a']|select('>', 1)|list }}",
        "{{ text is gt 1 }}",
        "{% for x in none %}{% endfor %}",
    ] {
        let values = json!({ "text": "a", "list": [1], "map": {}, "rows": [{ "x": 1 }, { "x": "b" }, { "y": 1 }] });
        assert_eq!(jinja(text, values).await.map_err(|fault| fault.code), Err("template-render"), "{text}");
    }
}

#[test]
fn what_can_never_be_filled_is_refused_when_it_is_read() {
    for text in [
        "{{ '%.2f' % price }}",
        "{{ x|upper(1) }}",
        "{{ x|sort(attr='a') }}",
        "{{ x|map }}",
        "{{ x|replace('a') }}",
        "{{ x|tojson(ensure_ascii=false) }}",
        "{{ x|indent('> ') }}",
        "{{ x|round(1, 'up') }}",
        "{{ x|default(1, 2, 3) }}",
        "{{ x|selectattr }}",
        "{{ x|select('odd', 1) }}",
        "{{ x|map('upper', 1) }}",
        "{{ x is divisibleby }}",
        "{{ x is odd(1) }}",
        "{{ range() }}",
        "{{ x|dictsort(by='size') }}",
        "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
        "{% macro f(a) %}{% endmacro %}{{ f(b=1) }}",
        "{{ x.items() }}",
        "{{ 1 +}}",
    ] {
        assert!(Template::parse(TemplateFormat::Jinja2, text, None).is_err(), "{text}");
    }
    for text in [
        "{{#a}}",
        "{{/a}}",
        "{{#a}}{{/b}}",
        "{{> part}}",
        "{{=<% %>=}}",
        "{{! open",
        "{{{a}}",
        "{{.}}",
        "{{else}}",
        "{{this}}",
        "{{#if a}}b{{/if}}",
        "{{#each a}}{{this}}{{/each}}",
    ] {
        assert!(Template::parse(TemplateFormat::Mustache, text, None).is_err(), "{text}");
    }
    for text in [
        "{",
        "}",
        "{a",
        "{}",
        "{0}",
        "{a.b}",
        "{a[0]}",
        "{ a }",
        "{a!x}",
        "{a:{b}}",
        "{\"a\": 1}",
        "{a:q}",
        "{a:n}",
        "{a:9999}",
        "{a:.9999}",
        "{user-name}",
    ] {
        assert!(Template::parse(TemplateFormat::Fstring, text, None).is_err(), "{text}");
    }
}

#[test]
fn what_a_template_can_do_without_is_optional() {
    for (format, text, required, optional) in [
        (TemplateFormat::Jinja2, "{{ a|default('x') }} {{ b|d('y', true) }} {{ c }}", "c", "a b"),
        (TemplateFormat::Jinja2, "{{ a|default('x') }} {{ a }}", "a", ""),
        (TemplateFormat::Jinja2, "{% if a is defined and a > b %}{{ a }}{% endif %}", "b", "a"),
        (TemplateFormat::Jinja2, "{% if a is not defined or a %}{% endif %}", "", "a"),
        (TemplateFormat::Jinja2, "{% if a is undefined %}x{% else %}{{ a }}{% endif %}", "", "a"),
        (TemplateFormat::Jinja2, "{% if a is defined %}x{% else %}{{ a }}{% endif %}", "a", ""),
        (TemplateFormat::Jinja2, "{{ a if a is defined else b }}", "b", "a"),
        (TemplateFormat::Jinja2, "{% if a is undefined %}{% set a = 1 %}{% endif %}{{ a }}", "", "a"),
        (TemplateFormat::Jinja2, "{% if b %}{% set a = 1 %}{% endif %}{{ a }}", "b a", ""),
        (TemplateFormat::Jinja2, "{% if loop is defined %}{{ größe }}{% endif %}", "größe", ""),
        (TemplateFormat::Mustache, "{{a}} {{#b}}{{c}}{{/b}} {{^d.e}}{{f.g}}{{/d.e}} {{&h.i}}", "a h", "b c d f"),
        (TemplateFormat::Mustache, "{{#a}}{{b}}{{/a}} {{b}}", "b", "a"),
        (TemplateFormat::Fstring, "{a} {{b}} {c!r:>3}", "a c", ""),
        (TemplateFormat::Simple, "{{a}} {{#b}}", "a", ""),
        (TemplateFormat::SimpleFstring, "{a} {{b}}", "a b", ""),
    ] {
        let template = Template::parse(format, text, None).unwrap();
        let demands = template.demands();
        let names = |wanted: bool| -> Vec<&str> {
            let names = demands.names().iter().map(String::as_str);
            names.filter(|name| demands.of(name).is_some_and(|demand| demand.required == wanted)).collect()
        };
        assert_eq!(
            (names(true).join(" "), names(false).join(" ")),
            (required.to_owned(), optional.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn null_is_no_value_of_a_variable_that_must_have_one() {
    for (format, text, fits) in [
        (TemplateFormat::Simple, "{{a}}", false),
        (TemplateFormat::SimpleFstring, "{a}", false),
        (TemplateFormat::Mustache, "{{a}}", false),
        (TemplateFormat::Mustache, "{{#a}}{{a}}{{/a}}", true),
        (TemplateFormat::Fstring, "{a}", false),
        (TemplateFormat::Jinja2, "{{ a }}", false),
        (TemplateFormat::Jinja2, "{% if a is none %}{% endif %}{{ a }}", true),
        (TemplateFormat::Jinja2, "{% if a %}{{ a }}{% endif %}", true),
        (TemplateFormat::Jinja2, "{{ 'x' if not a }}", true),
        (TemplateFormat::Jinja2, "{% if a == none or b %}{% endif %}", true),
    ] {
        let template = Template::parse(format, text, None).unwrap();
        let given = || Given::Json(map(json!({ "a": null, "b": 1 })));
        let bound = bind(template.demands(), &InputSchema::new(), given());
        assert_eq!(bound.is_ok(), fits, "{text}");
        let optional = schema(json!({ "a": { "required": false } }));
        assert!(bind(template.demands(), &optional, given()).is_ok(), "{text}");
    }
}
