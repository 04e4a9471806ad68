//! Whatever a receiver does, it costs little, and nobody else.
use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use support::{Receiver, TestApp, until};

use super::{deliveries, hook, hook_with, only};

#[tokio::test]
async fn what_a_receiver_answers_is_kept_in_part_and_without_what_a_terminal_obeys() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering(|_, _| format!("\u{1b}[31mred\0\r\n{}", "x".repeat(100_000))).await;
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "b", "x").await;
    test.work().await;
    assert_eq!(only(&test, &hook).await.0, "delivered");
    let id = deliveries(&test, &hook).await[0]["id"].as_str().unwrap().to_owned();
    let log = test.get(&format!("{}/deliveries/{id}", super::path(&hook))).await.expect(200);
    let response = log["log"][0]["response"].as_str().unwrap();
    assert!(response.chars().count() == 4096 && response.contains("red"), "{}", response.len());
    assert!(response.chars().all(|char| char == '\n' || !char.is_control()));
}

#[tokio::test]
async fn an_attempt_ends_in_the_time_of_its_webhook() {
    let test = TestApp::api().await;
    let receiver = Receiver::answering_later(|_, _| std::future::pending::<Response>()).await;
    let dripping = Receiver::answering_later(|_, _| async {
        let drops = futures::stream::unfold(tokio::time::interval(Duration::from_millis(200)), |mut ticks| async {
            ticks.tick().await;
            Some((Ok::<_, std::io::Error>("x"), ticks))
        });
        Body::from_stream(drops).into_response()
    })
    .await;
    for receiver in [&receiver, &dripping] {
        let hook = hook_with(&test, receiver, json!({ "timeout_seconds": 1, "retry_count": 0 })).await;
        test.prompt("a", receiver.url().as_str().rsplit(':').next().unwrap(), "x").await;
        let started = Instant::now();
        test.work().await;
        println!("an attempt with 1 s to go took {:?}", started.elapsed());
        assert_eq!(only(&test, &hook).await, ("failed".to_owned(), 1, json!("timeout")));
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        test.delete(&super::path(&hook)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_keeps_nobody_else_waiting() {
    let test = TestApp::embedded().await;
    let hanging = Receiver::answering_later(|_, _| std::future::pending::<Response>()).await;
    let healthy = Receiver::start().await;
    let _ = hook_with(&test, &hanging, json!({ "timeout_seconds": 30 })).await;
    let _ = hook(&test, &healthy).await;
    for n in 0..30 {
        test.prompt("a", &n.to_string(), "x").await;
    }
    let started = Instant::now();
    until("the healthy one has all", async || (healthy.received().len() >= 30).then_some(())).await;
    println!("30 deliveries beside a receiver that hangs: {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(29), "{:?}", started.elapsed());
    assert!(hanging.received().len() <= 4, "{} in flight", hanging.received().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_twice_when_nothing_breaks() {
    let mut test = TestApp::embedded().await;
    let receiver =
        Receiver::answering(|n, _| if n % 7 == 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }).await;
    let steady = Receiver::start().await;
    let _ = hook_with(&test, &receiver, json!({ "retry_count": 1 })).await;
    let _ = hook(&test, &steady).await;
    let items: Vec<_> = (0..200).map(|n| json!({ "category": "a", "name": format!("n{n}"), "content": "x" })).collect();
    test.post("/api/v1/bulk/prompts", items.into()).await.expect(202);
    until("everything was sent", async || (steady.received().len() >= 202).then_some(())).await;
    test.stop_worker().await;
    let mut ids: Vec<_> = steady.received().iter().map(|it| it.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 202);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 202, "each once");
    assert_eq!(test.count("SELECT count(*) FROM webhook_deliveries").await, 404);
}
