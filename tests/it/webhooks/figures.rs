//! How soon an event is told by real processes, and what one receiver costs the others.
//!
//! By hand with more events: `make figures EVENTS=3000`.
use std::{
    fmt,
    time::{Duration, Instant},
};

use axum::response::Response;
use serde_json::json;
use support::{Processes, Receiver, RedisServer, until_none_left, variable};

/// As by default: the harness looks more often.
const TICK: (&str, &str) = ("PROMPT_STORE_TICK_MS", "500");

pub(super) async fn hook(store: &Processes, receiver: &Receiver) {
    let body = json!({ "name": "h", "url": receiver.url(), "events": ["prompt.created"] });
    assert_eq!(store.post("/api/v1/webhooks", &body).await.unwrap().0, 201);
}

/// How long it took from the request that makes a prompt, which is before its commit, to each first attempt to tell of it.
struct Waits {
    sorted: Vec<Duration>,
    events_per_second: f64,
}

impl Waits {
    /// Makes prompts at this pace. The receiver has so many webhooks, and is told of each prompt so often.
    async fn of(store: &Processes, category: &str, pace: Duration, receiver: &Receiver, webhooks: usize) -> Self {
        // As many of each receiver's as of one alone would take too long.
        let (events, before) = (variable("WEBHOOK_EVENTS", 150) / if webhooks > 1 { 5 } else { 1 }, receiver.count());
        let (mut pace, mut asked) = (tokio::time::interval(pace), Vec::new());
        let began = Instant::now();
        for n in 0..events {
            pace.tick().await;
            asked.push(Instant::now());
            let body = json!({ "category": category, "name": n.to_string(), "content": "x" });
            assert_eq!(store.post("/api/v1/prompts", &body).await.unwrap().0, 201);
        }
        let events_per_second = f64::from(u32::try_from(events).unwrap()) / began.elapsed().as_secs_f64();
        let all = before + events * webhooks;
        until_none_left("all were told", async || all.saturating_sub(receiver.count())).await;
        let told = &receiver.received()[before..];
        let asked = |name: &str| asked[name.parse::<usize>().unwrap()];
        let mut sorted: Vec<_> =
            told.iter().map(|it| it.at - asked(it.json()["data"]["name"].as_str().unwrap())).collect();
        sorted.sort();
        Self { sorted, events_per_second }
    }

    fn percentile(&self, share: usize) -> Duration {
        self.sorted[(self.sorted.len() - 1) * share / 100]
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99] = [50, 95, 99].map(|share| self.percentile(share).as_millis());
        write!(f, "p50 {p50} ms, p95 {p95} ms, p99 {p99} ms of {}", self.sorted.len())?;
        write!(f, " at {:.1} events/s", self.events_per_second)
    }
}

const FIFTY_A_SECOND: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread")]
async fn how_soon_an_event_is_told_by_one_process() {
    let store = Processes::embedded().with(TICK.0, TICK.1);
    let (_api, receiver) = (store.start_api().await, Receiver::start().await);
    hook(&store, &receiver).await;
    let waits = Waits::of(&store, "a", FIFTY_A_SECOND, &receiver, 1).await;
    println!("embedded, to the first attempt: {waits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_soon_an_event_is_told_with_redis() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis).with(TICK.0, TICK.1);
    let (_api, _worker, receiver) = (store.start_api().await, store.start_worker(), Receiver::start().await);
    hook(&store, &receiver).await;
    let waits = Waits::of(&store, "a", FIFTY_A_SECOND, &receiver, 1).await;
    println!("with Redis, to the first attempt: {waits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_a_receiver_that_hangs_delays_twenty_others() {
    const HEALTHY: usize = 20;
    let pace = Duration::from_millis(variable("WEBHOOK_PACE_MS", 200));
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis).with(TICK.0, TICK.1);
    let (_api, _worker, healthy) = (store.start_api().await, store.start_worker(), Receiver::start().await);
    for _ in 0..HEALTHY {
        hook(&store, &healthy).await;
    }
    let alone = Waits::of(&store, "alone", pace, &healthy, HEALTHY).await;
    let hanging = Receiver::answering_later(|_, _| std::future::pending::<Response>()).await;
    hook(&store, &hanging).await;
    let beside = Waits::of(&store, "beside", pace, &healthy, HEALTHY).await;
    let p95 = [&alone, &beside].map(|waits| waits.percentile(95).as_secs_f64());
    println!("{HEALTHY} receivers alone: {alone}");
    println!("{HEALTHY} receivers beside one that hangs: {beside}; p95 {:+.1} %", (p95[1] / p95[0] - 1.0) * 100.0);
    assert!(hanging.count() > 0, "it was asked as well");
}
