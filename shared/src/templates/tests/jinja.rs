//! What Jinja2 templates can do.
use serde_json::json;

use super::jinja;

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
