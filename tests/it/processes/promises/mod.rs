//! What is promised of jobs, by real processes and in figures: `make promises`.
mod backlog;
mod fairness;
mod lines;
mod poison;
mod recovery;
mod redis;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shared::clock::Timestamp;
use support::{Processes, in_full, settings, until};

use super::{count, finished, order, rows};

const LEFT: &str =
    "SELECT CAST(COALESCE(sum(total_items - successful_items - skipped_items - failed_items), 0) AS BIGINT)
                    FROM bulk_operations";

/// A number of the smoke, or of the promise.
fn of<T>(smoke: T, promised: T) -> T {
    if in_full() { promised } else { smoke }
}

/// In full: with the lease and the tick that a store has by itself.
fn as_shipped(store: Processes) -> Processes {
    if !in_full() {
        return store;
    }
    let (settings, _) = settings(&[]);
    let [lease, tick] = [settings.lease, settings.tick].map(|time| time.as_millis().to_string());
    store.with("PROMPT_STORE_LEASE_MS", lease).with("PROMPT_STORE_TICK_MS", tick)
}

/// Waits until so many workers say that they live.
async fn workers_live(store: &Processes, workers: i64) {
    until("the workers live", async || (count(store, "SELECT count(*) FROM workers").await == workers).then_some(()))
        .await;
}

/// What a few items cost whoever waits for them.
struct Errand {
    /// From the order until a worker had begun.
    begun: Duration,
    /// From the order to the end.
    ended: Duration,
}

/// Orders a few prompts to be made, and waits until they are.
async fn errand(store: &Processes, items: usize) -> Errand {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let path = order(store, &rows(&format!("errand {}", NEXT.fetch_add(1, Ordering::Relaxed)), items, 0)).await;
    let operation = finished(store, &path).await;
    assert_eq!(operation["status"], "completed", "{operation}");
    let at = |key: &str| operation[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let ordered = at("created_at");
    Errand { begun: at("started_at").since(ordered), ended: at("finished_at").since(ordered) }
}

/// Waits until nothing is left of what a statement counts, as long as it becomes less. Answers for how long it did not,
/// at most.
async fn drained(store: &Processes, left: &str) -> Duration {
    let (mut before, mut standstill) = (i64::MAX, Duration::ZERO);
    while before > 0 {
        let began = Instant::now();
        before = until("there is less to do", async || {
            let now = count(store, left).await;
            (now < before).then_some(now)
        })
        .await;
        standstill = standstill.max(began.elapsed());
    }
    standstill
}

/// All operations, as the API shows them.
async fn operations(store: &Processes) -> Vec<Value> {
    let (status, page) = store.get("/api/v1/bulk/operations?limit=500").await.unwrap();
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

/// Ends all operations before their time, and answers how many items they had done well.
async fn cancel_all(store: &Processes) -> i64 {
    let mut done = 0;
    for operation in operations(store).await.iter().filter(|it| it["finished_at"].is_null()) {
        let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
        until("it is canceled", async || {
            let (status, answer) = store.put(&format!("{path}/cancel"), &json!({})).await.unwrap();
            assert!(matches!(status, 200 | 202 | 409 | 503), "{answer}");
            (status != 503).then_some(())
        })
        .await;
    }
    for operation in operations(store).await {
        let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
        done += finished(store, &path).await["successful_items"].as_i64().unwrap();
    }
    done
}
