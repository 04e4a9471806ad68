//! Many prompts at once: every item is worked by itself, and the counts are always those of the tables.
mod changes;
mod claims;
mod conflicts;
mod damaged;
mod items;
mod orders;
mod real;
mod rounds;
pub(crate) mod transfer;

use std::fmt::Display;

use serde_json::{Value, json};
use support::TestApp;

const BULK: &str = "/api/v1/bulk/prompts";
const OPERATIONS: &str = "/api/v1/bulk/operations";

/// An item that can be made.
fn item(name: impl Display + Copy, content: &str) -> Value {
    json!({ "category": "bulk", "name": name.to_string(), "content": content })
}

/// As many different items.
fn items(count: usize) -> Vec<Value> {
    (0..count).map(|number| item(number, "x")).collect()
}

/// Orders an operation, and answers where it can be looked at.
async fn order(test: &TestApp, body: Value) -> String {
    let operation = test.post(BULK, body).await.expect(202);
    format!("{OPERATIONS}/{}", operation["id"].as_str().unwrap())
}

/// Orders an operation and works it: the operation, and what became of each item.
async fn run(test: &TestApp, body: Value) -> (Value, Vec<Value>) {
    let path = order(test, body).await;
    test.work().await;
    outcome(test, &path).await
}

async fn outcome(test: &TestApp, path: &str) -> (Value, Vec<Value>) {
    assert_eq!(miscounted(test).await, 0);
    let operation = test.get(path).await.expect(200);
    let items = test.get(&format!("{path}/items?limit=1000")).await.expect(200);
    (operation, items["items"].as_array().unwrap().clone())
}

/// State and code of each item: `succeeded`, `failed duplicate`.
fn short(items: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items.iter().map(|item| format!("{} {}", text(&item["state"]), text(&item["code"])).trim().to_owned()).collect()
}

/// How many operations do not count what their items are. One statement, so one moment.
async fn miscounted(test: &TestApp) -> i64 {
    test.count(
        "SELECT count(*) FROM bulk_operations o
         WHERE (successful_items, skipped_items, failed_items, total_items) <>
               (SELECT count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'skipped'),
                       count(*) FILTER (WHERE state = 'failed'), count(*)
                FROM bulk_items i WHERE i.operation_id = o.id)",
    )
    .await
}

async fn prompts(test: &TestApp) -> i64 {
    test.count("SELECT count(*) FROM prompts WHERE deleted_at IS NULL").await
}
