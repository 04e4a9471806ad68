//! Prompts are served by name, filled.
mod batch;
mod by_name;
mod filling;
mod formats;
mod limits;
mod numbers;
mod render;

use serde_json::{Value, json};
use support::{Reply, TestApp};

const PROMPTS: &str = "/api/v1/prompts";
/// The prompt that [`kept`] makes, by its name.
const NAMED: &str = "/api/v1/prompts/search/a/b";

/// A store with one prompt, `a/b`, that has these fields besides.
async fn kept(fields: Value) -> TestApp {
    let test = TestApp::api().await;
    let mut body = fields;
    (body["category"], body["name"]) = (json!("a"), json!("b"));
    test.post(PROMPTS, body).await.expect(201);
    test
}

/// The prompt `a/b`, filled with these variables.
async fn fill(test: &TestApp, variables: Value) -> Reply {
    test.post(NAMED, json!({ "variables": variables })).await
}
