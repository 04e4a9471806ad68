//! The life of a key: made, used, rotated, ended, taken back.
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use shared::access;
use support::{TestApp, caller, until};

use super::{ADMIN, ask, closed, made, with_scopes};

const KEYS: &str = "/api/v1/keys";
const PROMPTS: &str = "/api/v1/prompts";

async fn reads(test: &TestApp, key: &str) -> u16 {
    ask(test, key, Method::GET, PROMPTS, Value::Null).await.status.as_u16()
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_digest() {
    let test = closed().await;
    let (id, text) = made(&test, json!({ "scopes": ["prompts:read"], "name": "the blog" })).await;
    assert_eq!(reads(&test, &text).await, 200);
    let shown = ask(&test, ADMIN, Method::GET, &format!("{KEYS}/{id}"), Value::Null).await.expect(200);
    assert_eq!((&shown["name"], &shown["scopes"]), (&json!("the blog"), &json!(["prompts:read"])));
    assert_eq!((&shown["created_by"], &shown["expires_at"]), (&json!("admin"), &Value::Null));
    assert!(!shown.to_string().contains(&text[30..60]) && shown.get("digest").is_none());
    let page = ask(&test, ADMIN, Method::GET, KEYS, Value::Null).await.expect(200);
    assert_eq!((page["total"].clone(), page["items"][0].clone()), (json!(1), shown));
}

#[tokio::test]
async fn a_repeated_request_does_not_tell_the_key_again() {
    let test = closed().await;
    let headers = [("authorization", "Bearer 0123456789abcdef0123456789abcdef"), ("idempotency-key", "once")];
    let body = json!({ "name": "k", "scopes": ["bulk"] });
    let first = test.post_with(KEYS, &headers, body.clone()).await.expect(201);
    let second = test.post_with(KEYS, &headers, body).await.expect(201);
    assert_eq!((&first["id"], &second["text"]), (&second["id"], &Value::Null));
    let kept = test.count("SELECT count(*) FROM idempotency_keys WHERE answer LIKE '%ps\\_%' ESCAPE '\\'").await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_refused_in_every_process() {
    let test = closed().await;
    let other = test.another().await;
    let (id, text) = made(&test, json!({ "scopes": ["prompts:read"] })).await;
    assert_eq!((reads(&test, &text).await, reads(&other, &text).await), (200, 200));
    let path = format!("{KEYS}/{id}");
    ask(&test, ADMIN, Method::DELETE, &path, Value::Null).await.expect(204);
    assert_eq!(reads(&test, &text).await, 401, "here at once");
    let since = std::time::Instant::now();
    until("it is refused elsewhere", async || (reads(&other, &text).await == 401).then_some(())).await;
    support::figure("a key taken back is refused elsewhere", format!("after {:?}", since.elapsed()));
    ask(&test, ADMIN, Method::DELETE, &path, Value::Null).await.problem(409, "key-revoked");
}

#[tokio::test]
async fn a_key_ends_when_it_was_said() {
    let test = closed().await;
    let end = (test.now() + Duration::from_hours(1)).to_string();
    let (_, text) = made(&test, json!({ "scopes": ["prompts:read"], "expires_at": end })).await;
    assert_eq!(reads(&test, &text).await, 200);
    test.advance(Duration::from_hours(1));
    assert_eq!(reads(&test, &text).await, 401);
}

#[tokio::test]
async fn a_rotated_key_works_for_as_long_as_was_said() {
    let test = closed().await;
    let (id, old) = made(&test, json!({ "scopes": ["prompts:read"], "folders": ["a/*"], "name": "app" })).await;
    let path = format!("{KEYS}/{id}/rotate");
    let new = ask(&test, ADMIN, Method::POST, &path, json!({ "overlap_seconds": 60 })).await.expect(201);
    assert_eq!((&new["replaces"], &new["folders"]), (&json!(id), &json!(["a/*"])));
    let new = new["text"].as_str().unwrap();
    let list =
        async |key| ask(&test, key, Method::GET, "/api/v1/prompts?category=a", Value::Null).await.status.as_u16();
    assert_eq!((list(&old).await, list(new).await), (200, 200));
    test.advance(Duration::from_secs(61));
    assert_eq!((list(&old).await, list(new).await), (401, 200));
    ask(&test, ADMIN, Method::POST, &path, Value::Null).await.problem(409, "key-ended");
}

#[tokio::test]
async fn the_last_use_is_written_down_once_a_minute() {
    let test = closed().await;
    let (id, text) = made(&test, json!({ "scopes": ["prompts:read"] })).await;
    let last = async || {
        access::note_uses(&test.app, &caller()).await.unwrap();
        let key = ask(&test, ADMIN, Method::GET, &format!("{KEYS}/{id}"), Value::Null).await.expect(200);
        key["last_used_at"].clone()
    };
    assert_eq!(last().await, Value::Null);
    let first = test.now().to_string();
    reads(&test, &text).await;
    assert_eq!(last().await, json!(first));
    test.advance(Duration::from_secs(30));
    reads(&test, &text).await;
    assert_eq!(last().await, json!(first), "not yet");
    test.advance(Duration::from_secs(31));
    let later = test.now().to_string();
    reads(&test, &text).await;
    assert_eq!(last().await, json!(later));
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused() {
    let test = closed().await;
    let good = json!({ "name": "k", "scopes": ["prompts:read"] });
    for (change, pointer) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(101) }), "/name"),
        (json!({ "scopes": [] }), "/scopes"),
        (json!({ "scopes": ["everything"] }), "/scopes/0"),
        (json!({ "scopes": ["admin"], "folders": ["a"] }), "/scopes"),
        (json!({ "folders": ["*"] }), "/folders/0"),
        (json!({ "folders": ["a", "a*/b"] }), "/folders/1"),
        (json!({ "folders": vec!["a"; 51] }), "/folders"),
        (json!({ "labels": ["a"], "default_label": "b" }), "/default_label"),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "/expires_at"),
        (json!({ "digest": "x" }), "/digest"),
    ] {
        let refused = ask(&test, ADMIN, Method::POST, KEYS, support::merged(good.clone(), change)).await;
        let violations = refused.violations();
        assert!(violations.iter().any(|(at, _)| at == pointer), "{pointer}: {violations:?}");
    }
    assert_eq!(test.count("SELECT count(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn only_an_administrator_manages_keys_and_by_a_key_of_the_store_too() {
    let test = closed().await;
    let (reader, admin) = (with_scopes(&test, &["prompts:read"]).await, with_scopes(&test, &["admin"]).await);
    let body = json!({ "name": "k", "scopes": ["admin"] });
    ask(&test, &reader, Method::POST, KEYS, body.clone()).await.problem(403, "forbidden");
    ask(&test, &admin, Method::POST, KEYS, body).await.expect(201);
    let by = test.count("SELECT count(*) FROM audit_log WHERE action = 'key.created' AND actor LIKE 'key%'").await;
    assert_eq!(by, 1, "the audit log names the key that made it");
}

#[tokio::test]
async fn an_open_store_still_looks_at_a_key_that_it_is_given() {
    let test = TestApp::api().await;
    let made = test.post(KEYS, json!({ "name": "k", "scopes": ["prompts:read"] })).await.expect(201);
    let key = made["text"].as_str().unwrap();
    assert_eq!(reads(&test, key).await, 200);
    ask(&test, key, Method::POST, PROMPTS, json!({})).await.problem(403, "forbidden");
    assert_eq!(reads(&test, "ps_nonsense").await, 401);
}
