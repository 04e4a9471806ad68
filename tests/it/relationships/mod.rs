//! What prompts have to do with each other.
mod circles;
mod views;
mod writes;

use serde_json::{Value, json};
use support::{Reply, TestApp};

/// A prompt of this name: its id.
async fn prompt(test: &TestApp, name: &str) -> String {
    test.prompt("c", name, "some content").await["id"].as_str().unwrap().to_owned()
}

async fn relate(test: &TestApp, source: &str, kind: &str, target: &str, strength: f64) -> Reply {
    let body = json!({ "target_prompt_id": target, "relationship_type": kind, "strength": strength });
    test.post(&format!("/api/v1/prompts/{source}/relationships"), body).await
}

/// What the items say under this key, in their order.
fn each(items: &Value, key: &str) -> Vec<String> {
    let text = |item: &Value| item[key].as_str().map_or_else(|| item[key].to_string(), str::to_owned);
    items.as_array().unwrap().iter().map(text).collect()
}
