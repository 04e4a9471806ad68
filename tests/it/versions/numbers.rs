//! Versions are listed and read, by number and by label.
use std::time::Duration;

use serde_json::{Value, json};
use support::{BEGINNING, TestApp};

use super::{MISSING, PROMPTS, with_contents};

fn numbers(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["version"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn versions_are_listed_newest_first() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two", "three"]).await;

    let page = test.get(&format!("{path}/versions")).await.expect(200);

    assert_eq!((numbers(&page), &page["total"]), (vec![3, 2, 1], &json!(3)));
    assert_eq!(page["items"][2], test.get(&format!("{path}/versions/1")).await.expect(200));
}

#[tokio::test]
async fn versions_are_walked_by_cursor_while_new_ones_come() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["1", "2", "3", "4", "5"]).await;
    let first = test.get(&format!("{path}/versions?limit=2")).await.expect(200);
    test.put(&format!("{path}/content"), json!({ "content": "6" })).await.expect(200);

    let cursor = first["next_cursor"].as_str().unwrap();
    let second = test.get(&format!("{path}/versions?limit=9&cursor={cursor}")).await.expect(200);

    assert_eq!((numbers(&first), numbers(&second)), (vec![5, 4], vec![3, 2, 1]));
    let other = with_contents_elsewhere(&test).await;
    let reply = test.get(&format!("{other}/versions?cursor={cursor}")).await;
    assert_eq!(reply.code(400), "bad-cursor");
}

async fn with_contents_elsewhere(test: &TestApp) -> String {
    super::at(&test.prompt("elsewhere", "b", "c").await)
}

#[tokio::test]
async fn a_version_says_what_it_was_and_who_made_it() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["{{x}}"]).await;
    test.advance(Duration::from_mins(1));
    test.put(&path, json!({ "content": "{{y}}", "change_summary": "y, not x" })).await.expect(200);

    let mut version = test.get(&format!("{path}/versions/2")).await.expect(200);

    for (key, prefix) in [("id", "ver_"), ("prompt_id", "prm_")] {
        assert!(version[key].as_str().unwrap().starts_with(prefix), "{version}");
        version.as_object_mut().unwrap().remove(key);
    }
    let hash = version.as_object_mut().unwrap().remove("content_hash").unwrap();
    assert!(hash.as_str().is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let expected = json!({
        "version": 2, "type": "text", "content": "{{y}}", "template_format": "mustache", "variables": ["y"],
        "input_schema": {}, "config": {}, "change_summary": "y, not x", "change_type": "update",
        "created_by": "anonymous", "created_at": "2026-01-01T12:01:00.000Z",
    });
    assert_eq!(version, expected);
    let first = test.get(&format!("{path}/versions/1")).await.expect(200);
    assert_eq!((&first["change_type"], &first["created_at"]), (&json!("create"), &json!(BEGINNING)));
}

#[tokio::test]
async fn equal_versions_have_equal_hashes() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two", "one"]).await;
    let page = test.get(&format!("{path}/versions")).await.expect(200);
    let hash = |index: usize| page["items"][index]["content_hash"].clone();
    assert_eq!(hash(0), hash(2));
    assert_ne!(hash(0), hash(1));
}

#[tokio::test]
async fn a_version_that_is_not_there_is_not_found() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for version in ["0", "2", "-1", "9223372036854775807", "99999999999999999999", "abc", "1.0", "%31%00"] {
        let reply = test.get(&format!("{path}/versions/{version}")).await;
        assert_eq!(reply.code(404), "not-found", "{version}");
    }
    for path in ["/versions", "/versions/1"] {
        assert_eq!(test.get(&format!("{MISSING}{path}")).await.code(404), "not-found");
    }
}

#[tokio::test]
async fn a_prompt_is_read_at_a_version_or_a_label() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two", "three"]).await;
    test.put(&format!("{path}/labels/stable"), json!({ "version": 2 })).await.expect(200);
    for (query, content) in [
        ("", "three"),
        ("?version=1", "one"),
        ("?label=stable", "two"),
        ("?label=latest", "three"),
        ("?version=3", "three"),
    ] {
        let prompt = test.get(&format!("{path}{query}")).await.expect(200);
        assert_eq!((&prompt["content"], &prompt["revision"]), (&json!(content), &json!(4)), "{query}");
        assert_eq!(prompt["labels"], json!({ "stable": 2 }));
    }
}

#[tokio::test]
async fn a_read_names_a_version_or_a_label_that_is_there() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for path in [path, format!("{PROMPTS}/search/a/b")] {
        for query in ["version=2", "version=0", "label=production", "label=' OR 1=1 --"] {
            let reply = test.get(&format!("{path}?{}", query.replace(' ', "+"))).await;
            assert_eq!(reply.code(404), "not-found", "{path} {query}");
        }
        for query in ["version=1&label=latest", "version=abc", "version=1e20", "version=99999999999999999999"] {
            let violations = test.get(&format!("{path}?{query}")).await.violations();
            assert_eq!(violations[0].0, "/version", "{path} {query}");
        }
        let violations = test.get(&format!("{path}?label=%00")).await.violations();
        assert_eq!(violations, [("/label".to_owned(), "nul-character".to_owned())], "{path}");
    }
}
