//! Templates that ask for too much: refused where they are saved, stopped where they are filled.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, fill, kept};

/// A refusal must come soon, even in an unoptimised build on a busy machine.
const SOON: Duration = Duration::from_secs(10);

async fn refusal_of(test: &TestApp, content: &str) -> (String, String, String) {
    let body = json!({ "category": "a", "name": "b", "content": content, "template_format": "jinja2" });
    let before = Instant::now();
    let problem = test.post(PROMPTS, body).await.expect(422);
    assert!(before.elapsed() < SOON, "{:?}", before.elapsed());
    let text = |key: &str| problem["errors"][0][key].as_str().unwrap().to_owned();
    (text("pointer"), text("code"), text("detail"))
}

#[tokio::test]
async fn row_57_what_is_wrong_with_a_template_is_told_with_line_and_column() {
    let test = TestApp::api().await;
    // row 57
    for (content, code, place) in [
        ("a\nb {% if x %}", "template-syntax", "line 2, column"),
        ("{{ x", "template-syntax", "line 1, column"),
        ("a\n\n  {{ x|nosuch }}", "template-forbidden", "line 3, column"),
        ("{% include '/etc/passwd' %}", "template-forbidden", "line 1, column"),
        ("{% import 'x' as y %}", "template-forbidden", "line 1, column"),
        ("{% extends 'x' %}", "template-forbidden", "line 1, column"),
        ("{{ x.__class__() }}", "template-forbidden", "line 1, column"),
        ("{{ lipsum() }}", "template-forbidden", "line 1, column"),
        ("{{ x|safe }}", "template-forbidden", "line 1, column"),
        ("{{ 'a'|center(1000000000) }}", "template-forbidden", "line 1, column"),
    ] {
        let (pointer, found, detail) = refusal_of(&test, content).await;
        assert_eq!((pointer.as_str(), found.as_str()), ("/content", code), "{content}");
        assert!(detail.starts_with(place), "{content}: {detail}");
    }
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 0);
}

#[tokio::test]
async fn row_58_a_template_that_is_a_bomb_by_its_size_is_refused_where_it_is_saved() {
    let test = TestApp::api().await;
    // row 58
    for content in [
        "x".repeat(64 * 1024 + 1),
        format!("{{{{ {} }}}}", "(".repeat(60_000)),
        "{% if 1 %}".repeat(6_000),
        format!("{{{{ {}1 }}}}", "not ".repeat(15_000)),
        format!("{{{{ 1{} }}}}", "+1".repeat(30_000)),
    ] {
        let (_, code, _) = refusal_of(&test, &content).await;
        assert_eq!(code, "template-limit", "{}", &content[..40]);
    }
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 0);
}

const BOMBS: [&str; 9] = [
    "{{ 'a' * 100000000 }}",
    "{{ 1 in [0] * 100000000 }}",
    "{{ range(100000000) }}",
    "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
    "{% for i in range(10000) %}{{ range(10000) }}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(a) %}{{ f([a, a]) }}{% endmacro %}{{ f([1]) }}",
    "{{ x|replace('a', x) }}",
    "{% for i in range(10000) %}{% for j in range(10) %}{% if x|upper %}{% endif %}{% endfor %}{% endfor %}",
];

#[tokio::test(flavor = "multi_thread")]
async fn row_58_a_bomb_is_stopped_where_it_is_filled() {
    let variables = json!({ "x": "a".repeat(200_000) });
    // rows 57, 58
    for bomb in BOMBS {
        let test = kept(json!({ "content": bomb, "template_format": "jinja2", "is_template": true })).await;
        let before = Instant::now();
        let problem = fill(&test, variables.clone()).await.expect(422);
        assert!(before.elapsed() < SOON, "{bomb}: {:?}", before.elapsed());
        assert_eq!(
            (&problem["code"], &problem["errors"][0]["pointer"]),
            (&json!("template-limit"), &json!("/content"))
        );
        let body = json!({ "content": bomb, "template_format": "jinja2", "variables": variables });
        let rendered = test.post(&format!("{PROMPTS}/render"), body).await;
        assert_eq!(rendered.code(422), "template-limit", "{bomb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_bombed_answers_others() {
    let test = kept(json!({ "content": BOMBS[3], "template_format": "jinja2", "is_template": true })).await;
    test.prompt("a", "plain", "Dear {{x}}").await;
    let bombs = futures::future::join_all((0..12).map(|_| fill(&test, json!({ "x": 1 }))));
    let before = Instant::now();
    let plain = async {
        let path = format!("{PROMPTS}/search/a/plain?x=Ada");
        (test.get(&path).await.expect(200)["filled_content"].clone(), before.elapsed())
    };
    let (bombs, (filled, took)) = futures::future::join(bombs, plain).await;
    for bomb in bombs {
        assert_eq!(bomb.code(422), "template-limit");
    }
    assert_eq!(filled, "Dear Ada");
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn values_may_not_make_a_text_too_long() {
    for (format, variable) in [("mustache", "{{x}}"), ("fstring", "{x}")] {
        let test = kept(json!({ "content": variable.repeat(5), "template_format": format })).await;
        let filled = |bytes: usize| fill(&test, json!({ "x": "a".repeat(bytes) }));
        filled(200 * 1024).await.expect(200);
        assert_eq!(filled(256 * 1024).await.code(422), "template-limit");
    }
}

#[tokio::test]
async fn a_template_that_fails_on_its_values_says_where() {
    let test = kept(json!({ "content": "\n{{ x.y.z }}", "template_format": "jinja2" })).await;
    let problem = fill(&test, json!({ "x": 1 })).await.expect(422);
    let error: &Value = &problem["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/content"), &json!("template-render")));
    assert!(error["detail"].as_str().unwrap().starts_with("line 2"), "{problem}");
}
