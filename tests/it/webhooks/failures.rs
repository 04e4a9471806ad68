//! Receivers that do not take what they are sent.
use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use support::{Receiver, TestApp};

use super::{deliveries, hook, hook_with, next_attempt, only, path};

const STEPS: [u64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

#[tokio::test]
async fn what_is_not_taken_is_sent_again_after_the_steps_of_the_standard_and_then_no_more() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering(|_, _| StatusCode::INTERNAL_SERVER_ERROR).await;
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "b", "x").await;
    test.work().await;
    for (n, step) in STEPS.into_iter().enumerate() {
        assert_eq!(only(&test, &hook).await, ("pending".to_owned(), i64::try_from(n).unwrap() + 1, json!("status")));
        let wait = next_attempt(&test, &hook).await.as_secs_f64();
        let step = Duration::from_secs(step).as_secs_f64();
        assert!((step * 0.79..=step * 1.21).contains(&wait), "{n}: {wait} s");
    }
    assert_eq!(only(&test, &hook).await, ("failed".to_owned(), 10, json!("status")));
    let received = receiver.received();
    assert_eq!(received.len(), 10);
    assert!(received.iter().all(|it| it.header("webhook-id") == received[0].header("webhook-id")));
    assert!(received.iter().all(|it| it.body == received[0].body), "the same bytes each time");
    let id = deliveries(&test, &hook).await[0]["id"].as_str().unwrap().to_owned();
    let log = test.get(&format!("{}/deliveries/{id}", path(&hook))).await.expect(200)["log"].clone();
    assert_eq!((log.as_array().unwrap().len(), &log[0]["attempt"], &log[0]["status"]), (10, &json!(10), &json!(500)));
}

#[tokio::test]
async fn it_is_delivered_when_the_receiver_is_back() {
    let test = TestApp::api().await;
    let receiver =
        Receiver::answering(|n, _| if n < 2 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }).await;
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "b", "x").await;
    test.work().await;
    next_attempt(&test, &hook).await;
    assert_eq!(test.get(&path(&hook)).await.expect(200)["consecutive_failures"], 2);
    next_attempt(&test, &hook).await;
    assert_eq!(only(&test, &hook).await, ("delivered".to_owned(), 3, Value::Null));
    let hook = test.get(&path(&hook)).await.expect(200);
    assert_eq!((&hook["consecutive_failures"], &hook["failing_since"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_receiver_may_ask_for_up_to_twice_as_long_and_an_overloaded_one_gets_a_minute() {
    for (status, retry_after, expected) in [
        (503, "8", 8..=8),
        (503, "1", 5..=5),
        (503, "3600", 10..=10),
        (503, "Thu, 01 Jan 2026 12:00:07 GMT", 7..=7),
        (503, "soon", 4..=6),
        (429, "8", 60..=60),
        (502, "", 60..=60),
        (504, "", 60..=60),
    ] {
        let test = TestApp::api().await;
        let answer = (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, retry_after)]);
        let receiver = Receiver::answering(move |_, _| answer.clone()).await;
        let hook = hook(&test, &receiver).await;
        test.prompt("a", "b", "x").await;
        test.work().await;
        let wait = next_attempt(&test, &hook).await.as_millis().div_ceil(1000);
        assert!(expected.contains(&u64::try_from(wait).unwrap()), "{status} {retry_after}: {wait} s");
    }
}

#[tokio::test]
async fn a_redirect_is_no_success_and_is_not_followed() {
    let (test, elsewhere) = (TestApp::api().await, Receiver::start().await);
    let location = elsewhere.url();
    let receiver = Receiver::answering(move |_, _| (StatusCode::FOUND, [(header::LOCATION, location.clone())])).await;
    let hook = hook_with(&test, &receiver, json!({ "retry_count": 0 })).await;
    test.prompt("a", "b", "x").await;
    test.work().await;
    assert_eq!(only(&test, &hook).await, ("failed".to_owned(), 1, json!("status")));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn whoever_is_gone_is_switched_off_at_once_and_others_are_told() {
    let (test, watcher) = (TestApp::api().await, Receiver::start().await);
    let receiver = Receiver::answering(|_, _| StatusCode::GONE).await;
    let gone = hook_with(&test, &receiver, json!({ "events": ["prompt.*"] })).await;
    let _ = hook_with(&test, &watcher, json!({ "events": ["webhook.disabled"] })).await;
    test.prompt("a", "b", "x").await;
    test.work().await;

    assert_eq!(only(&test, &gone).await, ("failed".to_owned(), 1, json!("gone")));
    let shown = test.get(&path(&gone)).await.expect(200);
    assert_eq!((&shown["is_active"], &shown["disabled_reason"]), (&json!(false), &json!("gone")));
    let told = watcher.received();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].json()["data"]["id"], &told[0].json()["data"]["reason"]), (&gone["id"], &json!("gone")));
}

#[tokio::test]
async fn after_five_days_of_failures_only_it_is_switched_off() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering(|_, _| StatusCode::INTERNAL_SERVER_ERROR).await;
    let hook = hook_with(&test, &receiver, json!({ "retry_count": 0 })).await;
    let mut days = 0;
    for n in 0..30 {
        test.prompt("a", &n.to_string(), "x").await;
        test.work().await;
        if test.get(&path(&hook)).await.expect(200)["is_active"] == false {
            break;
        }
        test.advance(Duration::from_hours(12));
        days = n / 2;
    }
    assert_eq!(days, 4, "at the first failure after five days");
    assert_eq!(test.get(&path(&hook)).await.expect(200)["disabled_reason"], "failing");
    assert_eq!(deliveries(&test, &hook).await.last().unwrap()["state"], "endpoint_disabled");
    assert_eq!(test.count("SELECT count(*) FROM events WHERE event_type = 'webhook.disabled'").await, 1);
}

#[tokio::test]
async fn after_ten_failures_in_a_row_one_attempt_at_a_time_finds_out_whether_it_is_back() {
    let test = TestApp::api().await;
    let receiver =
        Receiver::answering(|n, _| if n < 14 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }).await;
    let hook = hook(&test, &receiver).await;
    for n in 0..40 {
        test.prompt("a", &n.to_string(), "x").await;
    }
    test.work().await;
    let before = receiver.received().len();
    assert!((10..=12).contains(&before), "of 40 only {before} were tried");
    let paused = async || test.get(&path(&hook)).await.expect(200)["paused_until"].clone();
    assert!(paused().await.is_string());

    test.work().await;
    assert_eq!(receiver.received().len(), before, "left alone");
    while receiver.received().len() < 14 {
        let (until, tried) =
            (paused().await.as_str().unwrap().parse::<shared::clock::Timestamp>(), receiver.received().len());
        test.advance(until.unwrap().since(test.now()));
        test.work().await;
        assert_eq!(receiver.received().len(), tried + 1, "one attempt");
    }
    for _ in 0..5 {
        test.advance(Duration::from_hours(1));
        test.work().await;
    }
    assert!(deliveries(&test, &hook).await.iter().all(|it| it["state"] == "delivered"));
}

#[tokio::test]
async fn row_70_a_name_that_leads_inside_is_blocked_and_not_tried_again() {
    let test = TestApp::in_production().await;
    let hook = json!({ "name": "h", "url": "https://receiver.example/", "events": ["*"] });
    let hook = test.post(super::WEBHOOKS, hook).await.expect(201);
    test.prompt("a", "b", "x").await;
    let names = shared::http::Names::told_by(|_| vec!["10.0.0.1:443".parse().unwrap()]);
    let http = shared::http::Outgoing::with_names(&test.app.settings, names).unwrap();
    let app = shared::App { http, ..test.app.clone() };
    shared::webhooks::publish(&app, &support::caller()).await.unwrap();
    for id in shared::jobs::due(&app, shared::jobs::Queue::WebhookDeliveries, 10).await.unwrap() {
        worker::work(&app, id).await.unwrap();
    }

    assert_eq!(only(&test, &hook).await, ("failed".to_owned(), 1, json!("blocked")));
    assert_eq!(test.get(&path(&hook)).await.expect(200)["consecutive_failures"], 0, "nobody was asked");
}
