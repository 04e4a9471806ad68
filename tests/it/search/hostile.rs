//! What means something to an index, to SQL or to JSON is looked for as it is, and breaks nothing.
use axum::http::Method;
use serde_json::{Value, json};
use support::TestApp;

use super::{SEARCH, SUGGEST, found, judged, made, search};

/// Anything a person, a program or an attacker may type within the limits: it is answered, with or without hits.
const TYPED: [&str; 84] = [
    "c++",
    "it's",
    "a-b",
    "user@x.com",
    "C#",
    ".NET",
    "foo_bar",
    "node.js",
    "AT&T",
    "50%",
    "$5.00",
    "#hashtag",
    "\"",
    "\"\"",
    "\"unclosed",
    "un\"closed",
    "\"a\" \"b",
    "'",
    "''",
    "\\",
    "\\\"",
    "`",
    "´",
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(",
    "NEAR(a b, 2)",
    "a AND",
    "AND b",
    "a AND OR b",
    "NOT a",
    "a NOT b",
    "or not to be",
    "*",
    "**",
    "a*b",
    "*a",
    "^",
    "^a",
    "a^2",
    "(",
    ")",
    "(((",
    "()",
    "(a",
    "a)",
    "{",
    "{}",
    "{a}:b",
    "[",
    "[a]",
    "+",
    "-",
    "--",
    "- -",
    "-a",
    "--a",
    "-\"a b\"",
    "|",
    "||",
    "&",
    "&&",
    "!",
    "!a",
    "<->",
    "a <-> b",
    "a & !b:*",
    ":",
    "::",
    "col:x",
    "name:x",
    "body:x",
    "content:x",
    "cjk:x",
    "rowid:1",
    "rank:1",
    "prompt_fts:x",
    "{name body}:x",
    "- {a b} : c",
    "a:b:c",
    "http://example.com/?q=a&b=c",
    "😀 👩‍👩‍👧",
];

/// More of the same: scripts, controls, statements.
const WRITTEN: [&str; 38] = [
    "🙂",
    "👍🏽 thumbs",
    "שלום עולם",
    "مرحبا بالعالم",
    "\u{202e}desrever",
    "\u{200b}zero\u{200b}width",
    "e\u{301}te\u{301}",
    "ﬁligree",
    "İstanbul",
    "ǅungla",
    "Straße STRASSE",
    "\u{feff}marked",
    "tab\tand\nline",
    "\u{1b}[31mred",
    "\u{fffd}",
    "\u{e000}\u{f8ff}",
    "\u{10ffff}",
    "\u{fffe}",
    "１２３",
    "ｆｕｌｌ",
    "漢",
    "漢字かなカナ한글",
    "한",
    "เปิดภาษาไทย",
    "'; DROP TABLE prompts; --",
    "' OR '1'='1",
    "\" OR 1=1 /*",
    "1; SELECT pg_backend_pid()",
    "') UNION SELECT secret FROM keys --",
    "%_%",
    "$1 ?1 :name @name",
    "to_tsquery('a')",
    "a:*",
    "a:*A & b",
    "bm25(prompt_fts)",
    "highlight(x, 0, '<b>', '</b>')",
    "{{x}} {% if x %}",
    "<script>alert(1)</script>",
];

/// Filters within a query that make little sense, and characters that nobody sees. Each is refused, or finds nothing.
const SENSELESS: [&str; 19] = [
    "\u{1}\u{2}\u{3}",
    "tag:",
    "tag:\"",
    "tag:*",
    "category:",
    "category:/*",
    "category:*",
    "status:nonsense",
    "status:",
    "format:x",
    "updated>",
    "updated>tomorrow",
    "updated>9999-99-99",
    "updated>=2026-01-01 updated<2025-01-01",
    "updated:2026",
    "owner:'",
    "label:LABEL",
    "variable:{{x}}",
    "model:\\",
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_typed_is_answered() {
    let (test, _) = judged::filled().await;
    for query in TYPED.into_iter().chain(WRITTEN) {
        for (highlight, explain) in [(false, false), (true, true)] {
            let body = json!({ "query": query, "highlight": highlight, "explain": explain, "facets": ["tags"] });
            let reply = test.post(SEARCH, body).await;
            assert_eq!(reply.status, 200, "{query:?}: {}", reply.body);
            let answer = reply.expect(200);
            let items = answer["items"].as_array().unwrap();
            assert!(answer["total"].as_u64().unwrap() >= items.len() as u64, "{query:?}");
        }
        let reply = test.get(&format!("{SUGGEST}?q={}", encoded(query))).await;
        assert_eq!(reply.status, 200, "{query:?}: {}", reply.body);
        let suggestions = reply.expect(200)["suggestions"].as_array().unwrap().len();
        assert!(suggestions <= 10, "{query:?}");
    }
    test.post(SEARCH, json!({ "query": "a\u{0}b" })).await.expect(200);
    let nul = test.get(&format!("{SUGGEST}?q=a%00b")).await.violations();
    assert_eq!(nul, [("/q".to_owned(), "nul-character".to_owned())]);
    for query in SENSELESS {
        let reply = test.post(SEARCH, json!({ "query": query })).await;
        let status = reply.status.as_u16();
        assert!([200, 422].contains(&status), "{query:?}: {status}");
        reply.expect(status);
    }
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, i64::try_from(judged::prompts().len()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_limits_at_their_edges_are_answered() {
    let (test, _) = judged::filled().await;
    for query in [
        "a".repeat(512),
        "é".repeat(256),
        "漢".repeat(170),
        "refund ".repeat(32),
        "r* ".repeat(32),
        format!("\"{}\"", "refund ".repeat(31)),
        "(".repeat(512),
        "\"".repeat(511),
        "-".repeat(512),
        "a-".repeat(256),
        "a_".repeat(256),
        "😀".repeat(128),
        "e\u{301}".repeat(170),
    ] {
        let reply = test.post(SEARCH, json!({ "query": query, "highlight": true })).await;
        let status = reply.status.as_u16();
        assert!([200, 422].contains(&status), "{query:?}: {status}");
        reply.expect(status);
    }
}

#[tokio::test]
async fn half_a_character_is_no_json() {
    let test = TestApp::api().await;
    let json = [("content-type", "application/json")];
    for body in [r#"{"query": "\ud800"}"#, r#"{"query": "\udc00\ud800 a"}"#, "{\"query\": \"\u{0}\"}"] {
        assert_eq!(test.request(Method::POST, SEARCH, &json, body).await.code(400), "json-syntax", "{body}");
    }
}

/// Prompts whose names are the very texts, and one that has none of them.
async fn literal(texts: &[&str]) -> TestApp {
    let test = TestApp::api().await;
    let mut prompts: Vec<Value> = vec![json!({ "name": "other", "content": "Nobody knows.", "category": "q" })];
    for text in texts {
        let content = format!("About {text} and no more.");
        prompts.push(json!({ "name": text, "content": content, "template_format": "none" }));
    }
    made(&test, &prompts).await;
    test
}

// row 52
#[tokio::test]
async fn row_52_what_looks_like_an_operator_is_looked_for_as_it_is() {
    let texts = [
        "c++",
        "it's",
        "a-b",
        "col:x",
        "user@x.com",
        "AND",
        "NEAR(",
        "foo_bar",
        "node.js",
        "O'Brien",
        "50%_off",
        "C#",
        "R&D",
        "x^2",
        "name:value",
        "(brackets)",
        "NOT",
        "--force",
        "v2.1.3",
    ];
    let test = literal(&texts).await;
    for text in texts {
        // A dash in front would exclude.
        let query = if text.starts_with('-') { format!("\"{text}\"") } else { text.to_owned() };
        let answer = search(&test, json!({ "query": query })).await;
        let first = answer["items"].as_array().unwrap().first().map(|item| item["prompt"]["name"].clone());
        assert_eq!(first, Some(json!(text)), "`{query}`: {answer}");
        assert!(!found(&test, &query).await.contains(&"other".to_owned()), "`{query}`");
    }
}

// row 52
#[tokio::test]
async fn punctuation_alone_finds_nothing_and_is_no_mistake() {
    let test = literal(&["c++"]).await;
    for query in ["\"", "\"\"", "(((", "*", "+", "-", "...", "?!", "\\", "- * -", ":", "«»", "—", "'"] {
        let answer = search(&test, json!({ "query": query, "facets": ["category"] })).await;
        assert_eq!((&answer["total"], &answer["items"]), (&json!(0), &json!([])), "{query}");
        assert_eq!(answer["facets"]["category"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn what_is_not_for_searching_is_not_found() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "plain", "config": { "api_key": "sekretwort" } })]).await;
    for query in ["sekretwort", "rowid:1", "id:1", "config:sekretwort", "rank:0", "revision:1", "prm_*"] {
        let answer = search(&test, json!({ "query": query })).await;
        assert_eq!(answer["total"], 0, "`{query}`: {answer}");
    }
}

pub(super) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
