//! Others are told what happens: signed, again until they take it, and without keeping anybody else waiting.
mod bounds;
mod crud;
mod failures;
mod figures;
mod jobs;
mod kills;
mod replay;
mod signature;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Receiver, TestApp};

const WEBHOOKS: &str = "/api/v1/webhooks";

/// A webhook that is sent everything.
async fn hook(test: &TestApp, receiver: &Receiver) -> Value {
    hook_with(test, receiver, json!({})).await
}

/// The same, with other fields.
async fn hook_with(test: &TestApp, receiver: &Receiver, fields: Value) -> Value {
    let mut body = json!({ "name": "hook", "url": receiver.url(), "events": ["*"] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    test.post(WEBHOOKS, body).await.expect(201)
}

fn path(hook: &Value) -> String {
    format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap())
}

/// Its deliveries, oldest first.
async fn deliveries(test: &TestApp, hook: &Value) -> Vec<Value> {
    let page = test.get(&format!("{}/deliveries?limit=1000", path(hook))).await.expect(200);
    let mut items = page["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

/// Where its only delivery stands: state, attempts, error.
async fn only(test: &TestApp, hook: &Value) -> (String, i64, Value) {
    let all = deliveries(test, hook).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let it = &all[0];
    (it["state"].as_str().unwrap().to_owned(), it["attempts"].as_i64().unwrap(), it["last_error"].clone())
}

/// Lets the time pass until the next attempt of the only delivery, and works.
async fn next_attempt(test: &TestApp, hook: &Value) -> Duration {
    let at: shared::clock::Timestamp =
        deliveries(test, hook).await[0]["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let wait = at.since(test.now());
    test.advance(wait);
    test.work().await;
    wait
}
