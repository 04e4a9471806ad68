//! What the door refuses: every bad input has its answer, and no effect.
mod access;
mod arbitrary;
mod bulk;
mod contract;
mod engines;
mod fields;
mod headers;
mod idempotency;
mod json;
mod literal;
mod media;
mod messages;
mod names;
mod paths;
mod queries;
mod repeats;
mod schema;
mod sizes;
mod slow;
mod texts;
mod wire;

use axum::{body::Body, http::Method};
use serde_json::Value;
use support::{Reply, TestApp};

const PROMPTS: &str = "/api/v1/prompts";
/// An id nobody has.
const NOBODY: &str = "prm_01J9Z3N5T8QWERTYASDFGHZXCV";

/// How many rows there are, of everything a request could have made.
async fn rows(test: &TestApp) -> [i64; 6] {
    [
        test.count("SELECT count(*) FROM prompts").await,
        test.count("SELECT count(*) FROM versions").await,
        test.count("SELECT count(*) FROM prompt_tags").await,
        test.count("SELECT count(*) FROM bulk_operations").await,
        test.count("SELECT count(*) FROM idempotency_keys").await,
        test.count("SELECT count(*) FROM audit_log").await,
    ]
}

/// Sends bytes as JSON.
async fn send(test: &TestApp, method: Method, path: &str, body: impl Into<Body>) -> Reply {
    test.request(method, path, &[("content-type", "application/json")], body).await
}

/// The path of a prompt.
fn at(prompt: &Value) -> String {
    format!("{PROMPTS}/{}", prompt["id"].as_str().unwrap())
}
