//! What happens is told: each event in the transaction of its change, in an order that a reader can follow.
mod order;
mod stream;
mod writing;

use serde_json::Value;
use support::TestApp;

/// Everything that was told so far, oldest first.
async fn told(test: &TestApp) -> Vec<shared::notifications::Event> {
    test.work().await;
    shared::notifications::after(&test.app, 0, 1000).await.unwrap()
}

/// The types of what was told, oldest first.
async fn types(test: &TestApp) -> Vec<String> {
    told(test).await.iter().map(|event| event.event_type.to_string()).collect()
}

fn path(prompt: &Value) -> String {
    format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap())
}
