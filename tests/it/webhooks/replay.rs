//! Sending again, by hand, and the test button.
use axum::http::StatusCode;
use serde_json::{Value, json};
use support::{Receiver, TestApp};

use super::{deliveries, hook, hook_with, only, path};

#[tokio::test]
async fn a_test_is_sent_like_everything_else_and_tells_of_nothing() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook_with(&test, &receiver, json!({ "events": ["prompt.deleted"] })).await;
    let reply = test.post(&format!("{}/test", path(&hook)), json!({})).await;
    let location = reply.header("location").to_owned();
    let delivery = reply.expect(202);
    assert_eq!((&delivery["state"], &delivery["event_type"]), (&json!("pending"), &json!("webhook.test")));
    test.work().await;

    let log = test.get(&location).await.expect(200);
    assert_eq!(
        (&log["state"], &log["last_status"], &log["log"][0]["status"]),
        (&json!("delivered"), &json!(204), &json!(204))
    );
    let received = &receiver.received()[0];
    assert_eq!((received.header("x-event-type"), &received.json()["type"]), ("webhook.test", &json!("webhook.test")));
    assert_eq!(received.json()["data"]["webhook_id"], hook["id"]);
    assert_eq!(test.count("SELECT count(*) FROM events").await, 0);
}

#[tokio::test]
async fn what_failed_is_replayed_under_its_id_with_all_its_tries() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering(|n, _| if n < 2 { StatusCode::BAD_REQUEST } else { StatusCode::OK }).await;
    let hook = hook_with(&test, &receiver, json!({ "retry_count": 0 })).await;
    test.prompt("a", "b", "x").await;
    test.work().await;
    let id = deliveries(&test, &hook).await[0]["id"].as_str().unwrap().to_owned();
    let replay = format!("{}/deliveries/{id}/replay", path(&hook));

    test.post(&replay, json!({})).await.expect(202);
    assert_eq!(test.post(&replay, json!({})).await.code(409), "delivery-pending");
    test.work().await;
    assert_eq!(only(&test, &hook).await, ("failed".to_owned(), 2, json!("status")));
    test.post(&replay, json!({})).await.expect(202);
    test.work().await;

    assert_eq!(only(&test, &hook).await, ("delivered".to_owned(), 3, Value::Null));
    assert!(receiver.received().iter().all(|it| it.header("webhook-id") == id));
    let nobody = format!("{}/deliveries/dlv_01J9Z3N5T8QWERTYASDFGHZXCV/replay", path(&hook));
    assert_eq!(test.post(&nobody, json!({})).await.code(404), "not-found");
}

#[tokio::test]
async fn a_time_is_replayed_with_what_was_taken_and_what_was_never_sent() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let second = std::time::Duration::from_secs(1);
    let since = test.now();
    test.prompt("a", "before", "x").await;
    test.work().await;
    test.advance(second);
    let hook = hook_with(&test, &receiver, json!({ "events": ["prompt.*"] })).await;
    test.prompt("a", "after", "x").await;
    test.work().await;
    test.advance(second);
    test.prompt("a", "later", "x").await;
    test.work().await;
    let names = || receiver.received().iter().map(|it| it.json()["data"]["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(), ["after", "later"]);
    let replay = format!("{}/replay", path(&hook));

    let replayed = test.post(&replay, json!({ "since": since, "until": test.now() })).await.expect(202);
    assert_eq!(replayed["replayed_count"], 2, "all of that time but the last, which is not before its end");
    test.work().await;

    let mut again = names().split_off(2);
    again.sort_by_key(ToString::to_string);
    assert_eq!(again, ["after", "before"]);
    for body in [json!({}), json!({ "since": "yesterday" }), json!({ "since": since, "until": since })] {
        test.post(&replay, body).await.expect(422);
    }
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_by_state_and_type_and_in_pages() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    for n in 0..7 {
        test.prompt("a", &n.to_string(), "x").await;
        test.advance(std::time::Duration::from_secs(1));
    }
    test.work().await;
    let list = format!("{}/deliveries", path(&hook));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = test.get(&format!("{list}?limit=2{cursor}")).await.expect(200);
        assert_eq!(page["total"], 7);
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(seen.len() == 7 && seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    for (query, total) in
        [("state=delivered", 7), ("state=failed", 0), ("event_type=prompt.created", 7), ("event_type=x", 0)]
    {
        assert_eq!(test.get(&format!("{list}?{query}")).await.expect(200)["total"], total, "{query}");
    }
    assert_eq!(test.get(&format!("{list}?state=lost")).await.violations()[0].0, "/state");
}
