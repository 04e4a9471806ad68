//! How jobs fail: again later, or dead.
use std::time::Duration;

use serde_json::{Value, json};
use shared::{bulk::RunBulkOperation, id::OperationId, jobs::Queue};
use support::{Accident, Engine, TestApp, caller, engine};

use super::{PROMPTS, QUEUE, RUNNING, meddle, only_due, order, row};

/// So many prompts that a full disk cannot take them, and that they are no small operation.
fn large() -> Value {
    let item =
        |number: usize| json!({ "category": "large", "name": format!("n{number}"), "content": "x".repeat(4096) });
    (0..150).map(item).collect()
}

/// Works what waits while the disk is full. Afterwards there is space again.
async fn work_with_a_full_disk(test: &TestApp) {
    match engine() {
        Engine::Sqlite => {
            // That may cost the writer its connection, and the next one has all the space again.
            let mut tx = test.app.begin(&caller()).await.unwrap();
            let _: (i64,) = tx.fetch_one("PRAGMA max_page_count = 1", &[]).await.unwrap();
            drop(tx);
            test.work().await;
            let mut tx = test.app.begin(&caller()).await.unwrap();
            let _: (i64,) = tx.fetch_one("PRAGMA max_page_count = 4294967294", &[]).await.unwrap();
        }
        Engine::Postgres => {
            meddle(
                test,
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$",
            )
            .await;
            meddle(test, "CREATE TRIGGER full_disk BEFORE INSERT ON prompts FOR EACH ROW EXECUTE FUNCTION full_disk()")
                .await;
            test.work().await;
            meddle(test, "DROP FUNCTION full_disk CASCADE").await;
        }
    }
}

async fn operation(test: &TestApp) -> Value {
    let list = test.get("/api/v1/bulk/operations").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    test.get(&format!("/api/v1/bulk/operations/{id}")).await.expect(200)
}

#[tokio::test]
async fn a_transient_error_is_tried_again_later_and_later_and_at_last_no_more() {
    let test = TestApp::api().await;
    let _ = test.post("/api/v1/bulk/prompts", large()).await.expect(202);
    let job = only_due(&test).await;

    for attempt in 1..Queue::ATTEMPTS {
        work_with_a_full_disk(&test).await;
        let row = row(&test, job).await;
        assert_eq!((row.state.as_str(), row.attempts, row.claims), ("available", attempt, 0), "{row:?}");
        assert!(row.last_error.as_ref().unwrap().contains("storage-full"), "{row:?}");
        let wait = u64::try_from(row.run_at - test.now().millis()).unwrap();
        let about = (500 << attempt.min(11)).min(600_000);
        assert!((about * 8 / 10..=about * 12 / 10).contains(&wait), "attempt {attempt} waits {wait} ms");
        test.advance(Duration::from_millis(wait - 1));
        assert_eq!(shared::jobs::due(&test.app, QUEUE, 10).await.unwrap(), [], "attempt {attempt}");
        test.advance(Duration::from_millis(1));
    }
    assert_eq!(operation(&test).await["status"], "pending");
    work_with_a_full_disk(&test).await;

    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.attempts), ("dead", Queue::ATTEMPTS));
    assert_eq!(operation(&test).await["status"], "failed");
    assert_eq!(test.count(PROMPTS).await, 0);
}

#[tokio::test]
async fn a_job_goes_on_when_the_trouble_has_passed() {
    let test = TestApp::api().await;
    let _ = test.post("/api/v1/bulk/prompts", large()).await.expect(202);
    let job = only_due(&test).await;
    work_with_a_full_disk(&test).await;
    test.advance(Duration::from_secs(2));

    test.work().await;

    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.attempts, row.last_error), ("done", 1, None));
    assert_eq!((operation(&test).await["status"].as_str(), test.count(PROMPTS).await), (Some("completed"), 150));
}

#[tokio::test]
async fn a_refusal_ends_the_job_at_once() {
    let test = TestApp::api().await;
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let operation_id = OperationId::generate(tx.now());
    tx.enqueue(&RunBulkOperation { operation_id, round: 0 }).await.unwrap();
    tx.commit().await.unwrap();
    let job = only_due(&test).await;

    test.work().await;

    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.attempts), ("dead", 1));
    assert!(row.last_error.as_ref().unwrap().contains(&operation_id.to_string()), "{row:?}");
}

#[tokio::test]
async fn an_internal_error_ends_the_job_at_once_and_keeps_the_chunks_before_it() {
    let test = TestApp::api().await;
    let item = |number: usize| json!({ "category": "a", "name": format!("n{number}"), "content": "x" });
    let items: Vec<_> = (0..250).map(item).collect();
    let _ = test.post("/api/v1/bulk/prompts", items.into()).await.expect(202);
    let job = only_due(&test).await;
    test.accident("UPDATE ON bulk_items", "NEW.item = 150", Accident::Fails("an accident")).await;

    test.work().await;

    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.attempts), ("dead", 1));
    assert!(row.last_error.as_ref().unwrap().contains("an accident"), "{row:?}");
    let operation = operation(&test).await;
    assert_eq!((operation["status"].as_str(), operation["processed_items"].as_i64()), (Some("failed"), Some(100)));
    assert!(!operation.to_string().contains("accident"), "what went wrong is for the log: {operation}");
    assert_eq!(test.count(PROMPTS).await, 100);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_ends_the_job_at_once() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let job = only_due(&test).await;
    meddle(&test, "UPDATE jobs SET payload = '{\"what\": 1}'").await;

    worker::work(&test.app, job).await.unwrap();

    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.attempts, test.count(RUNNING).await), ("dead", 1, 0));
    assert!(row.last_error.as_ref().unwrap().contains("operation_id"), "{row:?}");
}
