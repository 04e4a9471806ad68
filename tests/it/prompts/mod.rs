//! Prompts: made, changed, listed, deleted and forked through the door.
mod bytes;
mod change;
mod create;
mod delete;
mod fork;
mod index;
mod list;
mod pages;
mod precondition;
mod race;

use serde_json::Value;
use support::TestApp;

const PROMPTS: &str = "/api/v1/prompts";

/// The path of a prompt.
fn at(prompt: &Value) -> String {
    format!("{PROMPTS}/{}", prompt["id"].as_str().unwrap())
}

/// A prompt as it is now.
async fn again(test: &TestApp, prompt: &Value) -> Value {
    test.get(&at(prompt)).await.expect(200)
}

async fn prompts(test: &TestApp) -> i64 {
    test.count("SELECT count(*) FROM prompts").await
}

async fn versions(test: &TestApp) -> i64 {
    test.count("SELECT count(*) FROM versions").await
}

/// One key of every item of a list.
fn column(page: &Value, key: &str) -> Vec<String> {
    let text = |item: &Value| item[key].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(text).collect()
}
