//! Draft, published, deprecated, archived.
mod many;
mod reads;
mod transitions;

use serde_json::json;
use support::{Reply, TestApp};

const STATUSES: [&str; 4] = ["draft", "published", "deprecated", "archived"];

async fn prompt(test: &TestApp, name: &str) -> String {
    test.prompt("c", name, "Say {{what}} politely.").await["id"].as_str().unwrap().to_owned()
}

async fn set(test: &TestApp, id: &str, status: &str) -> Reply {
    test.put(&format!("/api/v1/prompts/{id}/lifecycle"), json!({ "status": status })).await
}

/// A prompt that stands there.
async fn prompt_at(test: &TestApp, name: &str, status: &str) -> String {
    let id = prompt(test, name).await;
    let way: &[&str] = match status {
        "draft" => &[],
        "deprecated" => &["published", "deprecated"],
        other => &[other],
    };
    for step in way {
        set(test, &id, step).await.expect(200);
    }
    id
}
