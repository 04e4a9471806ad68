//! What real processes do: how soon an event is told, and what is lost when they are killed.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::json;
use support::{Processes, Receiver, RedisServer, until};

const EVENTS: usize = 150;
const PACE: Duration = Duration::from_millis(20);

async fn hook(store: &Processes, receiver: &Receiver) {
    let body = json!({ "name": "h", "url": receiver.url(), "events": ["prompt.created"] });
    assert_eq!(store.post("/api/v1/webhooks", &body).await.unwrap().0, 201);
}

async fn make(store: &Processes, name: &str) -> Instant {
    let body = json!({ "category": "a", "name": name, "content": "x" });
    assert_eq!(store.post("/api/v1/prompts", &body).await.unwrap().0, 201);
    Instant::now()
}

/// From commit to the first attempt, at fifty events a second.
#[expect(clippy::print_stdout, reason = "a figure is for whoever reads the log of a run")]
async fn first_attempts(store: &Processes, what: &str) {
    let arrived: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let kept = Arc::clone(&arrived);
    let receiver = Receiver::answering(move |_, it| {
        kept.lock().unwrap().insert(it.json()["data"]["name"].as_str().unwrap().to_owned(), Instant::now());
        StatusCode::OK
    })
    .await;
    hook(store, &receiver).await;
    let mut pace = tokio::time::interval(PACE);
    let mut committed = Vec::new();
    for n in 0..EVENTS {
        pace.tick().await;
        let name = n.to_string();
        committed.push((name.clone(), make(store, &name).await));
    }
    until("all were told", async || (arrived.lock().unwrap().len() == EVENTS).then_some(())).await;
    let arrived = arrived.lock().unwrap();
    let mut waits: Vec<_> = committed.iter().map(|(name, at)| arrived[name].saturating_duration_since(*at)).collect();
    waits.sort();
    let of = |share: usize| waits[(waits.len() - 1) * share / 100];
    println!("{what}: commit to first attempt p50 {:?}, p95 {:?}, p99 {:?} of {EVENTS}", of(50), of(95), of(99));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_soon_an_event_is_told_by_one_process() {
    let store = Processes::embedded().with("PROMPT_STORE_TICK_MS", "500");
    let _api = store.start_api().await;
    first_attempts(&store, "embedded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_soon_an_event_is_told_with_redis() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis).with("PROMPT_STORE_TICK_MS", "500");
    let _api = store.start_api().await;
    let _worker = store.start_worker();
    first_attempts(&store, "with Redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_lose_nothing() {
    const KILLS: usize = 8;
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let mut workers = vec![store.start_worker(), store.start_worker()];
    let receivers = [Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        hook(&store, receiver).await;
    }
    let mut made = 0;
    for kill in 0..KILLS {
        let seen = receivers.each_ref().map(|it| it.received().len());
        for _ in 0..15 {
            make(&store, &made.to_string()).await;
            made += 1;
        }
        // More than are in hand at once, so that what became of the first is written down. Workers that are lost before
        // that are lost over the job, and it is soon left alone.
        until("some more were sent to each", async || {
            let now = receivers.each_ref().map(|it| it.received().len());
            now.iter().zip(seen).all(|(now, seen)| *now >= seen + 5).then_some(())
        })
        .await;
        workers.remove(0).kill();
        workers.push(store.start_worker());
        if kill == KILLS / 2 {
            redis.flush().await;
        }
    }

    let (mut sent, mut twice) = (0, 0);
    for receiver in &receivers {
        let ids = async || {
            let mut ids: Vec<_> = receiver.received().iter().map(|it| it.header("webhook-id").to_owned()).collect();
            let all = ids.len();
            ids.sort();
            ids.dedup();
            (all, ids.len())
        };
        let (all, different) = until("all were told", async || {
            let (all, different) = ids().await;
            (different == made).then_some((all, different))
        })
        .await;
        sent += different;
        twice += all - different;
    }
    println!("{KILLS} SIGKILLs, one FLUSHALL: {sent} of {} deliveries, {twice} of them twice", made * 2);
    assert!(twice <= KILLS * 4, "{twice} deliveries came twice");
}
