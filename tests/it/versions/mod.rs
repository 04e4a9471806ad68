//! Versions and labels: what a prompt was, how it differs, and what points there.
mod calls;
mod diff;
mod labels;
mod numbers;
mod rollback;

use serde_json::{Value, json};
use support::TestApp;

const PROMPTS: &str = "/api/v1/prompts";
const MISSING: &str = "/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV";

/// The path of a prompt.
fn at(prompt: &Value) -> String {
    format!("{PROMPTS}/{}", prompt["id"].as_str().unwrap())
}

/// The path of a new prompt `a/b` that had these contents, one after the other.
async fn with_contents(test: &TestApp, contents: &[&str]) -> String {
    let (first, rest) = contents.split_first().unwrap();
    let path = at(&test.prompt("a", "b", first).await);
    for content in rest {
        test.put(&format!("{path}/content"), json!({ "content": content })).await.expect(200);
    }
    path
}
