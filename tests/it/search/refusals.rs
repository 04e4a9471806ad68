//! What a search refuses, and where it says the mistake is.
use serde_json::json;
use support::TestApp;

use super::{SEARCH, SUGGEST, made, search};

// row 51
#[tokio::test]
async fn row_51_a_search_for_nothing_is_refused_unless_there_is_a_filter() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "one" }), json!({ "name": "two", "tags": ["red"] })]).await;
    for query in ["", " ", "\t\r\n ", "\u{0}", " \u{0}\u{0} ", "\u{3000}\u{a0}"] {
        let violations = test.post(SEARCH, json!({ "query": query })).await.violations();
        assert_eq!(violations[0].0, "/query", "{query:?}");
        // Facets and pages are no filters.
        let asked = json!({ "query": query, "facets": ["tags"], "limit": 5, "highlight": true });
        assert_eq!(test.post(SEARCH, asked).await.violations()[0].0, "/query", "{query:?}");
        let answer = search(&test, json!({ "query": query, "tags": ["red"] })).await;
        assert_eq!(answer["total"], 1, "{query:?}");
    }
    let violations = test.post(SEARCH, json!({})).await.violations();
    assert_eq!(violations[0].0, "/query");
}

// row 53
#[tokio::test]
async fn row_53_a_query_of_more_than_512_bytes_or_32_terms_is_refused() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "one" })]).await;
    let terms = |number: usize| (0..number).map(|number| format!("t{number}")).collect::<Vec<_>>().join(" ");
    for query in ["x".repeat(513), "漢".repeat(171), terms(33), "a ".repeat(33), terms(1000), "a ".repeat(50_000)] {
        let violations = test.post(SEARCH, json!({ "query": query })).await.violations();
        assert_eq!(violations[0].0, "/query", "{} bytes", query.len());
    }
    for query in ["x".repeat(512), "漢".repeat(170), terms(32)] {
        search(&test, json!({ "query": query })).await;
    }
}

// row 47, 54
#[tokio::test]
async fn row_54_what_makes_no_sense_is_refused_with_a_pointer() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "one" })]).await;
    for (body, pointer) in [
        (json!({ "query": "one", "limit": 0 }), "/limit"),
        (json!({ "query": "one", "limit": 101 }), "/limit"),
        (json!({ "query": "one", "limit": -1 }), "/limit"),
        (json!({ "query": "one", "limit": "ten" }), "/limit"),
        (json!({ "query": "one", "limit": 1.5 }), "/limit"),
        (json!({ "query": "one", "offset": -1 }), "/offset"),
        (json!({ "query": "one", "offset": 1, "cursor": "x" }), "/cursor"),
        (json!({ "query": 1 }), "/query"),
        (json!({ "query": ["one"] }), "/query"),
        (json!({ "query": "one", "lifecycle_status": "retired" }), "/lifecycle_status"),
        (json!({ "query": "one", "template_format": "perl" }), "/template_format"),
        (json!({ "query": "one", "facets": ["owner"] }), "/facets"),
        (json!({ "query": "one", "facets": "category" }), "/facets"),
        (json!({ "query": "one", "highlight": "yes" }), "/highlight"),
        (json!({ "query": "one", "category": 7 }), "/category"),
        (json!({ "query": "one", "tags": 7 }), "/tags"),
        (json!({ "query": "one", "colour": "red" }), "/colour"),
    ] {
        let reply = test.post(SEARCH, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}");
        let violations = reply.violations();
        assert!(violations[0].0.starts_with(pointer), "{body}: {violations:?}");
    }
    // A field in the query is refused what the filter beside it would be.
    for query in ["one status:nonsense", "-status:Draft", "one format:perl", "updated:soon", "updated>2026-13-01 one"] {
        let violations = test.post(SEARCH, json!({ "query": query })).await.violations();
        assert_eq!(violations[0].0, "/query", "{query}");
    }
    for query in ["one status:", "status one", "one tag:nobody", "one model:none", "one colour:red"] {
        search(&test, json!({ "query": query })).await;
    }
    for query in ["one status:draft", "tag:x", "one variable:y", "format:none", "label:production"] {
        let violations = test.post("/api/v1/documents/search", json!({ "query": query })).await.violations();
        assert_eq!(violations[0].0, "/query", "documents have no such field: {query}");
    }
    for query in ["?q=a&limit=0", "?q=a&limit=11", "?q=a&colour=red"] {
        let reply = test.get(&format!("{SUGGEST}{query}")).await;
        assert_eq!(reply.status, 422, "{query}");
        assert!(!reply.violations().is_empty(), "{query}");
    }
    let long = format!("{SUGGEST}?q={}", "x".repeat(513));
    assert_eq!(test.get(&long).await.violations()[0].0, "/q");
}
