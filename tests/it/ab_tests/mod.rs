//! A/B tests: which arm a unit gets, what became of it, and what that shows.
mod analyze;
mod behind;
mod dealing;
mod failing;
mod making;
mod methods;
mod observing;
mod reporting;
mod results;

use serde_json::{Value, json};
use support::{TestApp, merged};

const TESTS: &str = "/api/v1/ab-tests";

/// Two prompts, `A` and `B`.
async fn two_prompts(test: &TestApp) -> (Value, Value) {
    (test.prompt("greeting", "plain", "Say hello.").await, test.prompt("greeting", "warm", "Say a warm hello.").await)
}

/// A test of them, with more.
fn of_two(prompts: &(Value, Value), more: Value) -> Value {
    merged(json!({ "name": "Warm or plain?", "prompt_a_id": prompts.0["id"], "prompt_b_id": prompts.1["id"] }), more)
}

/// Makes a test of two new prompts, and answers its path.
async fn running(test: &TestApp, more: Value) -> String {
    let prompts = two_prompts(test).await;
    path(&test.post(TESTS, of_two(&prompts, more)).await.expect(201))
}

fn path(made: &Value) -> String {
    format!("{TESTS}/{}", made["id"].as_str().unwrap())
}

/// The arm of a user.
async fn arm(test: &TestApp, path: &str, user: &str) -> Value {
    test.get(&format!("{path}/select?user_id={user}")).await.expect(200)
}
