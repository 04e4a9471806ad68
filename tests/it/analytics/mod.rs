//! How prompts are used: what is taken in, what it adds up to, and what is said of it.
mod intake;
mod roll_up;
mod windows;

use serde_json::{Value, json};
use support::{TestApp, caller, merged};

const USAGE: &str = "/api/v1/analytics/usage";

/// An event of the first version of a prompt, with more.
fn event(prompt: &Value, more: Value) -> Value {
    merged(json!({ "prompt_id": prompt["id"], "version": 1 }), more)
}

/// Rolls up what waits.
async fn roll_up(test: &TestApp) {
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;
    assert_eq!(test.count("SELECT count(*) FROM usage_batches").await, 0);
}
