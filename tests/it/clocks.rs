//! A clock that jumps: nothing is done twice, nothing is lost, and nothing waits for longer than its next step.
use std::{collections::HashSet, time::Duration};

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::{
    audit,
    bulk::RunBulkOperation,
    jobs::{self, Queue},
};
use support::{Receiver, TestApp, caller, until};

const HOUR: Duration = Duration::from_hours(1);
const LEASE: Duration = Duration::from_secs(1);

/// The clock is set back.
fn set_back(test: &TestApp, by: Duration) {
    test.app.clock.set(test.now() - by);
}

#[tokio::test]
async fn row_79_a_clock_set_forward_ends_every_lease_and_the_fence_lets_one_worker_write() {
    let (test, rows) = (TestApp::api().await, 250);
    let other = test.another().await;
    let order: Value = (0..rows).map(|n| json!({ "category": "a", "name": format!("n{n}"), "content": "x" })).collect();
    test.post("/api/v1/bulk/prompts", order).await.expect(202);
    let job = jobs::due(&test.app, Queue::BulkOperations, 10).await.unwrap()[0];
    let claim = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
    let order: RunBulkOperation = claim.order().unwrap();

    test.advance(HOUR);
    worker::work(&other.app, job).await.unwrap();
    let late = shared::bulk::run(&test.app, &claim, order.operation_id).await;

    // The first comes too late: either nothing is left to do, or the lease is another's.
    assert!(late.is_ok() || late.is_err_and(|error| error.code() == "lease-lost"));
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, rows);
    assert_eq!(test.count("SELECT count(*) FROM bulk_items WHERE state = 'succeeded'").await, rows);
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.created'").await, rows);
    let mut tx = test.app.begin(&caller()).await.unwrap();
    assert_eq!(claim.hold(&mut tx, LEASE).await.unwrap_err().code(), "lease-lost");
}

#[tokio::test]
async fn row_79_a_clock_set_back_keeps_nothing_waiting() {
    let receiver =
        Receiver::answering(|n, _| if n == 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }).await;
    let mut test = TestApp::embedded_with_its_own_clock().await;
    let hook = json!({ "name": "hook", "url": receiver.url(), "events": ["prompt.created"] });
    test.post("/api/v1/webhooks", hook).await.expect(201);
    // A first attempt has failed, so the delivery waits for its second; and an operation that nobody works waits too.
    test.prompt("a", "told", "x").await;
    until("the first attempt was made", async || (receiver.received().len() == 1).then_some(())).await;
    let waits = "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending' AND attempts = 1";
    until("it is written down", async || (test.count(waits).await == 1).then_some(())).await;
    test.stop_worker().await;
    let order = json!([{ "category": "a", "name": "ordered", "content": "x" }]);
    test.post("/api/v1/bulk/prompts", order).await.expect(202);
    test.start_worker();
    let looked = "SELECT count(*) FROM prompts";
    until("what was ordered is done", async || (test.count(looked).await == 2).then_some(())).await;

    set_back(&test, HOUR);
    // It was due in five seconds, and still is: not in an hour and five seconds.
    until("it is due as soon as it was", async || {
        test.advance(Duration::from_millis(500));
        (receiver.received().len() >= 2).then_some(())
    })
    .await;
    assert!(test.now() - Duration::from_secs(30) < support::BEGINNING.parse().unwrap(), "{}", test.now());

    // Whoever has a job when the clock is set back loses it no later than else.
    test.stop_worker().await;
    let order = json!([{ "category": "a", "name": "taken", "content": "x" }]);
    test.post("/api/v1/bulk/prompts", order).await.expect(202);
    let job = jobs::due(&test.app, Queue::SmallBulkOperations, 10).await.unwrap()[0];
    jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
    test.start_worker();
    let seen = "SELECT count(*) FROM workers";
    until("the worker has said that it lives", async || (test.count(seen).await == 1).then_some(())).await;
    set_back(&test, HOUR);
    until("the job goes on", async || {
        test.advance(Duration::from_millis(500));
        (test.count(looked).await == 3).then_some(())
    })
    .await;
    assert!(test.now() < support::BEGINNING.parse().unwrap(), "{}", test.now());
    until("everything is told", async || {
        test.advance(Duration::from_millis(500));
        (receiver.received().len() == 4).then_some(())
    })
    .await;
    let ids: HashSet<String> = receiver.received().iter().map(|it| it.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 3, "each once, but the one that failed");
}

#[tokio::test]
async fn row_79_deliveries_are_made_once_whichever_way_the_clock_goes() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering(|_, _| StatusCode::INTERNAL_SERVER_ERROR).await;
    let hook = json!({ "name": "hook", "url": receiver.url(), "events": ["*"] });
    let hook = test.post("/api/v1/webhooks", hook).await.expect(201);
    let log = format!("/api/v1/webhooks/{}/deliveries", hook["id"].as_str().unwrap());
    let attempts = async || test.get(&log).await.expect(200)["items"][0]["attempts"].as_u64().unwrap();
    test.prompt("a", "b", "x").await;
    test.work().await;
    assert_eq!((attempts().await, receiver.received().len()), (1, 1));
    for (n, back) in [(2, false), (2, true), (3, false), (3, true), (4, false)] {
        if back {
            set_back(&test, HOUR);
        } else {
            // Due after 5 s, 5 min, 30 min: an hour is one step, however many hours there were.
            test.advance(HOUR);
        }
        test.work().await;
        test.work().await;
        let made = receiver.received().len();
        assert!(attempts().await == n && made == usize::try_from(n).unwrap(), "{n}: {made}");
        if back {
            // As the workers of a store do when they see it.
            test.advance(HOUR);
        }
    }
}

#[tokio::test]
async fn row_79_tags_versions_and_the_audit_log_do_not_go_by_the_clock() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "v1").await;
    let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
    let mut tag = test.get(&path).await.header("etag").to_owned();
    for (version, forward) in [(2, true), (3, false), (4, false), (5, true)] {
        if forward {
            test.advance(HOUR);
        } else {
            set_back(&test, HOUR);
        }
        let content = json!({ "content": format!("v{version}") });
        let written = test.put_with(&path, &[("if-match", &tag)], content.clone()).await;
        let next = written.header("etag").to_owned();
        assert_eq!(written.expect(200)["version"], version);
        test.put_with(&path, &[("if-match", &tag)], content).await.problem(412, "version-mismatch");
        tag = next;
        audit::seal(&test.app, &caller()).await.unwrap();
    }
    let numbers = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|item| item["version"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&test.get(&format!("{path}/versions")).await.expect(200)), [5, 4, 3, 2, 1]);
    assert_eq!(test.get(&path).await.expect(200)["content"], "v5");

    let verified = audit::verify(&test.app, |_| {}).await.unwrap();
    assert_eq!((verified.rows, verified.fault), (5, None));
    let mut rows =
        test.get("/api/v1/audit?action=prompt.updated").await.expect(200)["items"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["sequence"].as_i64());
    for pair in rows.windows(2) {
        assert_eq!(pair[1]["before_hash"], pair[0]["after_hash"], "each begins where the one before it ended");
    }
}
