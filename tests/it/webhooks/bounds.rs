//! Whatever a receiver does, it costs little, and nobody else.
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::response::Response;
use serde_json::json;
use support::{Receiver, TestApp, until, until_none_left, variable};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{deliveries, hook, hook_with, only, path};

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

/// Begins to answer whoever comes, and goes on with a few bytes at a time. Counts what leaves it.
async fn rude(opening: &'static str, bytes: usize, pace: Duration) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, sent) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(opening.as_bytes()).await;
        let (mut ticks, more) = (tokio::time::interval(pace), vec![b'x'; bytes]);
        while stream.write_all(&more).await.is_ok() {
            counted.fetch_add(bytes, Ordering::SeqCst);
            ticks.tick().await;
        }
    });
    (address, sent)
}

#[tokio::test]
async fn an_attempt_ends_in_the_time_of_its_webhook_and_reads_little() {
    let test = TestApp::api().await;
    let (drip, rush) = (Duration::from_millis(20), Duration::from_millis(1));
    for (what, scheme, opening, bytes, pace, outcome) in [
        ("hangs", "http", "", 0, drip, "timeout"),
        ("hangs before it speaks TLS", "https", "", 0, drip, "timeout"),
        ("drips its headers", "http", "HTTP/1.1 200 OK\r\nx: ", 1, drip, "timeout"),
        ("drips its body", "http", "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", 1, drip, "timeout"),
        ("sends 1 GiB", "http", "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n", 1024, rush, "delivered"),
    ] {
        let (address, sent) = rude(opening, bytes, pace).await;
        let fields = json!({ "name": what, "url": format!("{scheme}://{address}/"), "events": ["*"],
                             "timeout_seconds": 1, "retry_count": 0 });
        let hook = test.post(super::WEBHOOKS, fields).await.expect(201);
        test.prompt("a", what, "x").await;
        test.work().await;
        let id = deliveries(&test, &hook).await[0]["id"].as_str().unwrap().to_owned();
        let attempt = test.get(&format!("{}/deliveries/{id}", path(&hook))).await.expect(200)["log"][0].clone();
        let (took, sent) = (attempt["duration_ms"].as_i64().unwrap(), sent.load(Ordering::SeqCst));
        println!("a receiver that {what}: {outcome} after {took} ms of 1000, {sent} bytes left it");
        assert_eq!(attempt["error"].as_str().unwrap_or("delivered"), outcome, "{what}");
        assert!(took < 20_000 && sent < 16 * 1024 * 1024, "{what}: {took} ms, {sent} bytes");
        test.delete(&path(&hook)).await;
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
async fn of_one_process_no_more_than_sixty_four_requests_wait_for_answers() {
    const WEBHOOKS: usize = 20;
    const EVENTS: usize = 6;
    let mut test = TestApp::embedded().await;
    test.stop_worker().await;
    // Those that wait now. On a machine that is slow enough, some are given up before others come.
    let waiting = Arc::new(());
    let place = Arc::clone(&waiting);
    let hanging = Receiver::answering_later(move |_, _| {
        let place = Arc::clone(&place);
        async move {
            let never = std::future::pending::<Response>().await;
            drop(place);
            never
        }
    })
    .await;
    let at_once = || Arc::strong_count(&waiting) - 2;
    for _ in 0..WEBHOOKS {
        let _ = hook_with(&test, &hanging, json!({ "timeout_seconds": 30 })).await;
    }
    for n in 0..EVENTS {
        test.prompt("a", &n.to_string(), "x").await;
    }
    // Whoever finds little due waits for that first: so all of it is due before anybody looks.
    test.start_worker();
    until("all places are taken", async || (at_once() >= 64).then_some(())).await;
    test.prompt("a", "later", "x").await;
    let all = i64::try_from(WEBHOOKS * (EVENTS + 1)).unwrap();
    let ordered = async || test.count("SELECT count(*) FROM webhook_deliveries").await;
    until("there is more to send", async || (ordered().await == all).then_some(())).await;
    println!("{all} deliveries are due to {WEBHOOKS} webhooks that hang: {} requests wait", at_once());
    assert!(at_once() <= 64, "{} wait at once", at_once());
}

/// By hand with more: `make figures DELIVERIES=10000`.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_twice_when_nothing_breaks() {
    let all = variable("WEBHOOK_DELIVERIES", 400);
    let mut test = TestApp::embedded().await;
    let receivers = [Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        let _ = hook_with(&test, receiver, json!({ "events": ["prompt.created"] })).await;
    }
    let made = all / receivers.len();
    let items: Vec<_> =
        (0..made).map(|n| json!({ "category": "a", "name": format!("n{n}"), "content": "x" })).collect();
    let began = Instant::now();
    test.post("/api/v1/bulk/prompts", items.into()).await.expect(202);
    until_none_left("everything was taken", async || {
        let taken = test.count("SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'").await;
        all - usize::try_from(taken).unwrap()
    })
    .await;
    let took = began.elapsed();
    test.stop_worker().await;
    let received: Vec<_> = receivers.iter().flat_map(Receiver::received).collect();
    let ids: BTreeSet<_> = received.iter().map(|it| it.header("webhook-id")).collect();
    println!("{all} deliveries, {} requests, {} ids; {took:.0?}", received.len(), ids.len());
    assert_eq!((received.len(), ids.len()), (all, all));
}
