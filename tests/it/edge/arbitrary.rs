//! Whatever is written where a text is read as more than a text, the answer is an answer: never an error of ours, never one
//! that takes long. Cases are made at random, and made smaller when one fails.
use axum::http::Method;
use proptest::{
    prelude::{Strategy, prop},
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use support::{Reply, TestApp, in_full, merged};
use tokio::runtime::Runtime;

/// So many cases of each kind.
fn cases() -> u32 {
    if in_full() { 10_000 } else { 300 }
}

/// Text in which the words of a language stand more often than chance would have it.
fn words(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop::sample::select(of).prop_map(str::to_owned);
    let any = prop::string::string_regex("\\PC{0,6}").unwrap();
    prop::collection::vec(prop::strategy::Union::new_weighted(vec![(3, word.boxed()), (1, any.boxed())]), 0..24)
        .prop_map(|words| words.concat())
}

/// Asks with each of the texts.
fn each(texts: impl Strategy<Value = String>, ask: &impl AsyncFn(&TestApp, &str) -> Reply) {
    let runtime = Runtime::new().unwrap();
    let test = runtime.block_on(TestApp::api());
    let mut runner = TestRunner::new(Config { cases: cases(), failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&texts, |text| {
        let reply = runtime.block_on(ask(&test, &text));
        let status = reply.status.as_u16();
        assert!(status < 500, "{text:?}: {status} {}", reply.body);
        if status >= 400 {
            reply.expect(status);
        }
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { drop(test) });
}

const TEMPLATE: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{ x }}",
    "{% if x %}",
    "{% else %}",
    "{% endif %}",
    "{% for y in x %}",
    "{% endfor %}",
    "{% macro m() %}",
    "{% endmacro %}",
    "{% set a = x %}",
    "{% raw %}",
    "{% endraw %}",
    "{% include 'x' %}",
    "x",
    "loop",
    "self",
    "|upper",
    "|join",
    "|tojson",
    "range(9)",
    "x.y",
    "x[0]",
    "'a'",
    "\"",
    "\\",
    "-",
    "~",
    "*",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\n",
    " ",
    "999999999999999999999",
    "not",
    "is defined",
    "|",
    "{x}",
    "{{{",
    "}}}",
];

#[test]
fn any_template_is_filled_or_refused() {
    for format in ["mustache", "fstring", "jinja2", "simple", "simple_fstring"] {
        each(words(TEMPLATE), &async |test, text| {
            let body = json!({ "content": text, "template_format": format, "variables": { "x": [1, 2], "y": "z" } });
            test.post("/api/v1/prompts/render", body).await
        });
    }
}

const QUERY: &[&str] = &[
    "\"",
    "'",
    "(",
    ")",
    "*",
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    "NEAR/3",
    ":",
    "name:",
    "-",
    "+",
    "^",
    "~",
    "{",
    "}",
    "translate",
    "text",
    "c++",
    "it's",
    "user@x.com",
    " ",
    "  ",
    "%",
    "_",
    "\\",
    ";",
    "--",
    "日本語",
    "é",
    "e\u{301}",
    "\u{200b}",
    "𝕏",
    "🙂",
];

#[test]
fn any_query_is_searched_for_or_refused() {
    each(words(QUERY), &async |test, text| {
        let query = json!({ "query": text, "highlight": true, "facets": ["tags"] });
        let bare = test.post("/api/v1/prompts/search", merged(query, json!({}))).await;
        if bare.status.is_server_error() {
            return bare;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        test.get(&format!("/api/v1/prompts/suggest?q={encoded}")).await
    });
}

const CURSOR: &[&str] =
    &["eyJ", "AAAA", "=", "-", "_", "1", "null", "{}", "[]", "%00", ".", "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "/", "+"];

#[test]
fn any_cursor_leads_on_or_is_refused() {
    each(words(CURSOR), &async |test, text| {
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        test.get(&format!("/api/v1/prompts?cursor={encoded}")).await
    });
}

const KEY: &[&str] = &[
    "ps_",
    "Bearer ",
    "_",
    "01J9Z3N5T8QWERTYASDFGHZXCV",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "00000000",
    "Basic ",
    ":",
    " ",
];

#[test]
fn any_key_is_none() {
    each(words(KEY), &async |test, text| {
        let visible: String = text.chars().filter(|char| char.is_ascii_graphic() || *char == ' ').collect();
        let header = format!("Bearer {visible}");
        let reply = test.request(Method::GET, "/api/v1/prompts", &[("authorization", &header)], "").await;
        assert_eq!(reply.status, 401, "{header}");
        reply
    });
}
