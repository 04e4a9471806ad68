//! Stopping an operation, trying its refused items again, following it, and how much may wait.
use serde_json::{Value, json};
use shared::jobs::{self, Queue};
use support::{Accident, TestApp, Told, until};

use super::{BULK, OPERATIONS, item, items, miscounted, order, outcome, prompts, short};

async fn cancel(test: &TestApp, path: &str) -> support::Reply {
    test.put(&format!("{path}/cancel"), json!({})).await
}

async fn retry(test: &TestApp, path: &str) -> support::Reply {
    test.post(&format!("{path}/retry"), json!({})).await
}

/// Works one turn of one job of the queue.
async fn one_turn(test: &TestApp, queue: Queue) {
    let due = jobs::due(&test.app, queue, 1).await.unwrap();
    worker::work(&test.app, due[0]).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_operation_leaves_exactly_what_it_says() {
    let test = TestApp::api().await;
    let path = order(&test, items(250).into()).await;
    // The second chunk fails as if the database were away, so the first stands alone.
    test.accident("UPDATE ON bulk_items", "NEW.item = 150 AND NEW.state <> OLD.state", Accident::Fails("stop")).await;
    test.accident("UPDATE ON bulk_operations", "NEW.status = 'failed'", Accident::Ignored).await;
    one_turn(&test, Queue::BulkOperations).await;
    assert_eq!(test.get(&path).await.expect(200)["processed_items"], 100);

    let cancelled = cancel(&test, &path).await.expect(200);
    test.work().await;

    assert_eq!((&cancelled["status"], &cancelled["processed_items"]), (&json!("cancelled"), &json!(100)));
    assert!(cancelled["finished_at"].is_string());
    assert_eq!(test.get(&path).await.expect(200), cancelled);
    assert_eq!(prompts(&test).await, 100);
    assert_eq!(cancel(&test, &path).await.code(409), "operation-over");
    assert_eq!(retry(&test, &path).await.code(409), "operation-unfinished");
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'bulk_operation.cancelled'").await, 1);
}

#[tokio::test]
async fn row_62_an_operation_that_nobody_has_begun_can_be_cancelled_and_one_that_is_over_cannot() {
    let test = TestApp::api().await;
    let path = order(&test, items(3).into()).await;
    cancel(&test, &path).await.expect(200);
    test.work().await;
    assert_eq!(prompts(&test).await, 0);
    // row 62
    let over = order(&test, items(3).into()).await;
    test.work().await;
    assert_eq!(cancel(&test, &over).await.code(409), "operation-over");
    for id in ["op_01J9Z3N5T8QWERTYASDFGHZXCV", "op_1"] {
        assert_eq!(cancel(&test, &format!("{OPERATIONS}/{id}")).await.code(404), "not-found");
        assert_eq!(retry(&test, &format!("{OPERATIONS}/{id}")).await.code(404), "not-found");
        assert_eq!(test.get(&format!("{OPERATIONS}/{id}/events")).await.code(404), "not-found");
    }
}

#[tokio::test]
async fn only_refused_items_are_tried_again() {
    let test = TestApp::api().await;
    let taken = test.prompt("bulk", "1", "mine").await;
    let path = order(&test, json!([item(0, "x"), item(1, "x"), item(2, "")])).await;
    assert_eq!(retry(&test, &path).await.code(409), "operation-unfinished");
    test.work().await;
    let (before, _) = outcome(&test, &path).await;
    assert_eq!(before["failed_items"], 2);
    test.delete(&format!("/api/v1/prompts/{}", taken["id"].as_str().unwrap())).await;

    let reply = retry(&test, &path).await;

    assert_eq!(reply.header("location"), path);
    let open = reply.expect(202);
    assert_eq!(
        (&open["status"], &open["processed_items"], &open["finished_at"]),
        (&json!("pending"), &json!(1), &Value::Null)
    );
    assert_eq!(miscounted(&test).await, 0);
    test.work().await;
    let (operation, items) = outcome(&test, &path).await;
    assert_eq!(short(&items), ["succeeded", "succeeded", "failed validation-failed"]);
    assert_eq!((&operation["status"], prompts(&test).await), (&json!("completed_with_errors"), 2));

    let good = order(&test, json!([item("good", "x")])).await;
    test.work().await;
    assert_eq!(retry(&test, &good).await.code(409), "nothing-to-retry");
}

#[tokio::test]
async fn a_retry_while_the_last_job_is_not_yet_settled_is_worked_all_the_same() {
    let test = TestApp::api().await;
    let path = order(&test, json!([item(0, "")])).await;
    let due = jobs::due(&test.app, Queue::SmallBulkOperations, 1).await.unwrap();
    let claim = jobs::claim(&test.app, &support::caller(), due[0]).await.unwrap().unwrap();
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    shared::bulk::run(&test.app, &claim, id).await.unwrap();
    retry(&test, &path).await.expect(202);
    jobs::settle_done(&test.app, &support::caller(), &claim).await.unwrap();

    test.work().await;

    assert_eq!(test.get(&path).await.expect(200)["status"], "completed_with_errors");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_followed_until_it_is_over() {
    let test = TestApp::embedded().await;
    let path = order(&test, items(400).into()).await;

    let mut stream = test.follow_at(&format!("{path}/events"), None).await;
    let mut events: Vec<Told> = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event);
    }

    let seen: Vec<i64> = events.iter().map(|(_, _, data)| data["processed_items"].as_i64().unwrap()).collect();
    assert!(seen.is_sorted() && seen.last() == Some(&400), "{seen:?}");
    let (last, before) = events.split_last().unwrap();
    assert_eq!((last.1.as_str(), last.2["status"].as_str()), ("done", Some("completed")));
    assert!(before.iter().all(|(_, name, data)| name == "progress" && data["finished_at"].is_null()));
}

#[tokio::test]
async fn row_63_the_51st_unfinished_operation_waits_for_another_to_end() {
    let test = TestApp::api().await;
    let mut paths = Vec::new();
    for number in 0..50 {
        paths.push(order(&test, json!([item(number, "x")])).await);
    }
    // row 63
    let reply = test.post(BULK, json!([item("more", "x")])).await;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.code(429), "too-many-operations");
    assert_eq!(test.get(OPERATIONS).await.expect(200)["total"], 50);

    cancel(&test, &paths[0]).await.expect(200);
    order(&test, json!([item("more", "x")])).await;
}

#[tokio::test]
async fn so_many_items_may_wait_and_no_more() {
    let test = TestApp::api().await;
    let path = order(&test, items(10).into()).await;
    let pretend = async |sql: &'static str| {
        let mut tx = test.app.begin(&support::caller()).await.unwrap();
        tx.execute(sql, &[]).await.unwrap();
        tx.commit().await.unwrap();
    };
    pretend("UPDATE bulk_operations SET total_items = 99999").await;
    test.post(BULK, json!([item("last", "x")])).await.expect(202);
    assert_eq!(test.post(BULK, json!([item("more", "x")])).await.code(429), "too-many-items");
    pretend("UPDATE bulk_operations SET total_items = 1000000, created_by = 'another'").await;
    let reply = test.post(BULK, json!([item("more", "x")])).await;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.code(503), "overloaded");
    pretend("UPDATE bulk_operations SET total_items = 10").await;
    order(&test, json!([item("more", "x")])).await;
    assert_eq!(test.get(&path).await.expect(200)["total_items"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_items_do_not_stand_in_line_behind_many() {
    let test = TestApp::embedded().await;
    let mut large = Vec::new();
    for set in 0..4 {
        let body: Vec<Value> = (0..5000).map(|number| item(format_args!("{set} {number}"), "x")).collect();
        large.push(order(&test, body.into()).await);
    }
    until("the many are begun", async || {
        (test.count("SELECT count(*) FROM bulk_operations WHERE status = 'processing'").await > 0).then_some(())
    })
    .await;

    let small = order(&test, (0..10).map(|number| item(format_args!("few {number}"), "x")).collect()).await;
    let few = until("the few are done", async || {
        let few = test.get(&small).await.expect(200);
        few["finished_at"].is_string().then_some(few)
    })
    .await;

    assert_eq!(few["status"], "completed");
    let waiting = test.count("SELECT count(*) FROM bulk_items WHERE state = 'pending'").await;
    assert!(waiting > 0, "nothing was left of the many, so this shows nothing");
    for path in large {
        cancel(&test, &path).await;
    }
}
