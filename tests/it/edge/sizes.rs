//! Bodies that are too large are refused before they are read.
use std::time::{Duration, Instant};

use axum::{body::Body, http::Method};
use futures::stream;
use serde_json::json;
use support::TestApp;

use super::{PROMPTS, at, rows, send};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn row_20_content_of_more_than_512_kib_is_refused() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "taken", "c").await;
    let before = rows(&test).await;
    let content = "x".repeat(512 * 1024 + 1);
    // row 20
    let expected = [("/content".to_owned(), "too-long".to_owned())];
    let body = json!({ "category": "a", "name": "b", "content": content });
    assert_eq!(test.post(PROMPTS, body).await.violations(), expected);
    let body = json!({ "content": content });
    assert_eq!(test.put(&format!("{}/content", at(&made)), body).await.violations(), expected);
    let messages = vec![json!({ "role": "user", "content": "x".repeat(256 * 1024 + 1) }); 2];
    let violations = test.put(&at(&made), json!({ "messages": messages })).await.violations();
    assert_eq!(violations, [("/messages".to_owned(), "too-long".to_owned())]);
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn a_config_of_more_than_64_kib_is_refused() {
    let test = TestApp::api().await;
    let config = json!({ "x": "y".repeat(64 * 1024) });
    let body = json!({ "category": "a", "name": "b", "content": "c", "config": config });
    assert_eq!(test.post(PROMPTS, body).await.violations(), [("/config".to_owned(), "too-long".to_owned())]);
}

/// A prompt with spaces around it, so many bytes in all.
fn padded(bytes: usize) -> String {
    let body = json!({ "category": "a", "name": bytes.to_string(), "content": "c" }).to_string();
    format!("{body}{}", " ".repeat(bytes - body.len()))
}

#[tokio::test]
async fn row_20_a_body_of_more_than_4_mib_is_refused() {
    let test = TestApp::api().await;
    send(&test, Method::POST, PROMPTS, padded(4 * MIB)).await.expect(201);
    let before = rows(&test).await;
    // row 20
    assert_eq!(send(&test, Method::POST, PROMPTS, padded(4 * MIB + 1)).await.code(413), "too-large");
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn a_body_without_an_end_is_refused_where_it_is_too_large() {
    let test = TestApp::api().await;
    for (path, most) in [(PROMPTS, 4 * MIB), ("/api/v1/bulk/prompts", 32 * MIB)] {
        for key in [None, Some(("idempotency-key", "k"))] {
            let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(key);
            let problem = test.request(Method::POST, path, &headers, Body::from_stream(endless)).await.expect(413);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("{} MiB", most / MIB)), "{detail}");
        }
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_21_a_length_that_is_too_large_is_refused_at_once() {
    let test = TestApp::api().await;
    for (path, length) in [
        (PROMPTS, (10_u64 << 30).to_string()), // row 21
        (PROMPTS, (4 * MIB + 1).to_string()),
        ("/api/v1/bulk/prompts", (32 * MIB + 1).to_string()),
        (PROMPTS, u64::MAX.to_string()),
    ] {
        let stalled = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let headers = [("content-type", "application/json"), ("content-length", length.as_str())];
        let before = Instant::now();
        let reply = test.request(Method::POST, path, &headers, stalled).await;
        assert!(before.elapsed() < Duration::from_secs(10));
        assert_eq!(reply.header("connection"), "close");
        assert_eq!(reply.code(413), "too-large");
    }
}

#[tokio::test]
async fn a_bulk_body_may_be_larger() {
    let test = TestApp::api().await;
    let items: Vec<_> = (0..10)
        .map(|number| json!({ "category": "a", "name": number.to_string(), "content": "x".repeat(500_000) }))
        .collect();
    test.post("/api/v1/bulk/prompts", json!(items)).await.expect(202);
    test.work().await;
    assert_eq!(rows(&test).await[0], 10);
}

#[tokio::test]
async fn a_prompt_has_at_most_256_variables() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "taken", "c").await;
    let before = rows(&test).await;
    let content = |count: usize| (0..count).map(|number| format!("{{{{v{number}}}}}")).collect::<String>();
    let names = |count: usize| (0..count).map(|number| format!("v{number}")).collect::<Vec<_>>();
    let started = Instant::now();
    for count in [257, 50_000] {
        for (body, pointer) in [
            (json!({ "content": content(count) }), "/content"),
            (json!({ "content": content(count), "variables": ["v0"] }), "/content"),
            (json!({ "content": content(10), "variables": names(count.min(10_000)) }), "/variables"),
        ] {
            let violations = test.put(&at(&made), body).await.violations();
            assert_eq!(violations, [(pointer.to_owned(), "too-many".to_owned())], "{count}");
        }
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(rows(&test).await, before);
    let body = json!({ "content": content(256), "variables": names(256) });
    assert_eq!(test.put(&at(&made), body).await.expect(200)["variables"].as_array().unwrap().len(), 256);
}

#[tokio::test]
async fn an_object_has_at_most_256_keys_and_a_list_10_000_items() {
    let test = TestApp::api().await;
    let keys: serde_json::Map<_, _> = (0..257).map(|number| (number.to_string(), json!(1))).collect();
    for config in [json!(keys), json!({ "x": vec![0; 10_001] })] {
        let body = json!({ "category": "a", "name": "b", "content": "c", "config": config });
        assert_eq!(test.post(PROMPTS, body).await.violations()[0].1, "too-many");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}
