//! Keys: who may ask, for what, and how far that reaches.
mod commands;
mod keys;
mod limits;
mod matrix;
mod narrow;
mod protected;
mod revoked;
mod second_lock;
mod spellings;

use axum::http::Method;
use serde_json::{Value, json};
use support::{Reply, TestApp};

/// The key of the operator.
const ADMIN: &str = "0123456789abcdef0123456789abcdef";

/// A store that is closed.
async fn closed() -> TestApp {
    TestApp::with(&["--admin-key", ADMIN]).await
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// Asks with a key.
async fn ask(test: &TestApp, key: &str, method: Method, path: &str, body: Value) -> Reply {
    let (json, key) = (("content-type", "application/json"), bearer(key));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    test.request(method, path, &[json, ("authorization", &key)], body).await
}

/// A key like this: its id, and its text.
async fn made(test: &TestApp, like: Value) -> (String, String) {
    let like = support::merged(json!({ "name": "k" }), like);
    let made = ask(test, ADMIN, Method::POST, "/api/v1/keys", like).await.expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["text"].as_str().unwrap().to_owned())
}

/// A key with these scopes.
async fn with_scopes(test: &TestApp, scopes: &[&str]) -> String {
    made(test, json!({ "scopes": scopes })).await.1
}

/// A prompt of the operator.
async fn prompt(test: &TestApp, category: &str, name: &str) -> String {
    let body = json!({ "category": category, "name": name, "content": format!("{name} in {category}") });
    let made = ask(test, ADMIN, Method::POST, "/api/v1/prompts", body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}
