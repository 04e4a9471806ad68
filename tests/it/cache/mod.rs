//! What reads keep: never older than promised, never mixed, and never missed when Redis is away.
mod coherence;
mod differential;
mod outage;
mod pressure;
mod routes;

use serde_json::{Value, json};
use support::{Reply, TestApp};

/// Where the prompt `a/b` is read.
const AB: &str = "/api/v1/prompts/search/a/b";

/// Writes the prompt's content anew.
async fn write(test: &TestApp, prompt: &Value, content: &str) {
    let path = format!("/api/v1/prompts/{}/content", prompt["id"].as_str().unwrap());
    let _ = test.put(&path, json!({ "content": content })).await.expect(200);
}

/// The content that `a/b` is read with.
async fn content(test: &TestApp) -> String {
    text(&test.get(AB).await.expect(200)["content"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Who answered a read.
fn status(reply: &Reply) -> &str {
    reply.header("cache-status")
}

const HIT: &str = "prompt-store; hit";
const READ: &str = "prompt-store; fwd=miss";
const SHARED: &str = "prompt-store; fwd=miss; detail=redis";

/// A number of `GET /cache/stats`.
async fn stat(test: &TestApp, pointer: &str) -> u64 {
    let stats = test.get("/api/v1/cache/stats").await.expect(200);
    stats.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {stats}"))
}

/// Waits until others tell the process what they change.
async fn told(test: &TestApp) {
    support::until("the process is told of changes", async || {
        let stats = test.get("/api/v1/cache/stats").await.expect(200);
        (stats["is_told"] == true).then_some(())
    })
    .await;
}
