//! `Idempotency-Key`: what a key may be, and what another request with it gets.
use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request},
};
use serde_json::{Value, json};
use support::{Reply, TestApp};

use super::{PROMPTS, at, rows};

fn body() -> Value {
    json!({ "category": "a", "name": "b", "content": "c" })
}

async fn keyed(test: &TestApp, key: &str, body: Value) -> Reply {
    test.post_with(PROMPTS, &[("idempotency-key", key)], body).await
}

#[tokio::test]
async fn row_41_a_key_is_1_to_255_visible_characters() {
    let test = TestApp::api().await;
    let long = "k".repeat(256);
    // row 41
    for key in [b"".as_slice(), long.as_bytes(), "clé".as_bytes(), b"a\tb", b"\xff"] {
        let request = Request::post(PROMPTS).header("content-type", "application/json");
        let request = request.header("idempotency-key", HeaderValue::from_bytes(key).unwrap());
        let reply = test.send(request.body(Body::from(body().to_string())).unwrap()).await;
        assert_eq!(reply.code(400), "bad-idempotency-key", "{key:?}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
    keyed(&test, &long[1..], body()).await.expect(201);
}

#[tokio::test]
async fn row_42_another_body_under_the_same_key_is_refused() {
    let test = TestApp::api().await;
    let made = keyed(&test, "k", body()).await.expect(201);
    let before = rows(&test).await;
    // row 42
    let mut other = body();
    other["name"] = json!("other");
    assert_eq!(keyed(&test, "k", other).await.code(422), "idempotency-mismatch");
    // Another path and another method are another request too.
    let key = [("idempotency-key", "k")];
    let put = test.put_with(&at(&made), &key, body()).await;
    assert_eq!(put.code(422), "idempotency-mismatch");
    let delete = test.request(Method::DELETE, &at(&made), &key, Body::empty()).await;
    assert_eq!(delete.code(422), "idempotency-mismatch");
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let test = TestApp::api().await;
    let made = keyed(&test, "k", body()).await.expect(201);
    test.delete(&at(&made)).await.expect(204);

    test.advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!(keyed(&test, "k", body()).await.expect(201), made);

    test.advance(Duration::from_millis(1));
    let reply = keyed(&test, "k", body()).await;
    assert_eq!(reply.headers.get("idempotency-replayed"), None);
    assert_ne!(reply.expect(201)["id"], made["id"]);
}

#[tokio::test]
async fn an_expired_key_takes_another_request() {
    let test = TestApp::api().await;
    keyed(&test, "k", body()).await.expect(201);
    test.advance(Duration::from_hours(24));
    let mut other = body();
    other["name"] = json!("other");
    keyed(&test, "k", other).await.expect(201);
    assert_eq!(rows(&test).await[4], 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_key() {
    let test = TestApp::api().await;
    let taken = test.prompt("a", "b", "c").await;
    assert_eq!(keyed(&test, "k", body()).await.code(409), "prompt-name-taken");
    assert_eq!(rows(&test).await[4], 0);
    test.delete(&at(&taken)).await.expect(204);
    let reply = keyed(&test, "k", body()).await;
    assert_eq!(reply.headers.get("idempotency-replayed"), None);
    reply.expect(201);
}

#[tokio::test]
async fn a_read_by_post_takes_a_key_and_keeps_nothing() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "{{x}}").await;
    for value in [1, 2] {
        let body = json!({ "variables": { "x": value } });
        let reply = test.post_with(&format!("{PROMPTS}/search/a/b"), &[("idempotency-key", "k")], body).await;
        assert_eq!(reply.expect(200)["filled_content"], value.to_string());
    }
    assert_eq!(rows(&test).await[4], 0);
}
