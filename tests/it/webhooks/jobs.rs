//! Dead jobs: seen, and tried again.
use serde_json::{Value, json};
use shared::db::AssertSqlSafe;
use support::{Engine, Receiver, TestApp, caller, engine};

use super::{hook, only};

const JOBS: &str = "/api/v1/jobs";

async fn meddle(test: &TestApp, sql: &'static str) {
    let mut tx = test.app.begin(&caller()).await.unwrap();
    tx.execute(AssertSqlSafe(sql), &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn dead(test: &TestApp) -> Vec<Value> {
    test.get(&format!("{JOBS}?state=dead")).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_job_that_fails_by_our_fault_is_among_the_dead_and_goes_on_when_it_is_mended() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    let sealed = "UPDATE webhooks SET name = secret, secret = 'nonsense'";
    meddle(&test, sealed).await;
    test.prompt("a", "b", "x").await;
    test.work().await;

    let jobs = dead(&test).await;
    assert_eq!(jobs.len(), 1, "and no other is ordered for as long as nobody mends it");
    assert_eq!((&jobs[0]["queue"], &jobs[0]["error"]), (&json!("webhook-deliveries"), &json!("internal")));
    assert_eq!(only(&test, &hook).await.0, "pending");
    meddle(&test, "UPDATE webhooks SET secret = name, name = 'h'").await;
    let retry = format!("{JOBS}/{}/retry", jobs[0]["id"].as_str().unwrap());
    let retried = test.post(&retry, json!({})).await.expect(200);
    assert_eq!((&retried["state"], &retried["attempts"]), (&json!("available"), &json!(0)));
    test.work().await;

    assert_eq!(only(&test, &hook).await, ("delivered".to_owned(), 1, Value::Null));
    assert_eq!(dead(&test).await, Vec::<Value>::new());
    assert_eq!(test.post(&retry, json!({})).await.code(409), "job-not-dead");
}

#[tokio::test]
async fn an_operation_goes_on_where_its_dead_job_left_it() {
    let test = TestApp::api().await;
    let items: Vec<_> = (0..250).map(|n| json!({ "category": "a", "name": format!("n{n}"), "content": "x" })).collect();
    let operation = test.post("/api/v1/bulk/prompts", items.into()).await.expect(202);
    let accident = support::Accident::Fails("an accident");
    test.accident("UPDATE ON bulk_items", "NEW.item = 150", accident).await;
    test.work().await;
    let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(test.get(&path).await.expect(200)["status"], "failed");
    assert_eq!(test.get(&format!("{JOBS}?queue=bulk-operations&state=dead")).await.expect(200)["total"], 1);
    assert_eq!(test.get(&format!("{JOBS}?queue=nothing")).await.violations()[0].0, "/queue");
    let retry = format!("{JOBS}/{}/retry", dead(&test).await[0]["id"].as_str().unwrap());

    let mended = match engine() {
        Engine::Sqlite => "DROP TRIGGER update_on_bulk_items",
        Engine::Postgres => "DROP FUNCTION update_on_bulk_items CASCADE",
    };
    meddle(&test, mended).await;
    test.post(&retry, json!({})).await.expect(200);
    assert_eq!(test.get(&path).await.expect(200)["status"], "processing");
    test.work().await;

    let after = test.get(&path).await.expect(200);
    assert_eq!((&after["status"], &after["successful_items"]), (&json!("completed"), &json!(250)), "{after}");
    assert_eq!(
        test.post(&format!("{JOBS}/job_01J9Z3N5T8QWERTYASDFGHZXCV/retry"), json!({})).await.code(404),
        "not-found"
    );
}
