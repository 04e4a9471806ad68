//! Very many items wait: what it costs whoever reads, and how much memory.
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Processes, RedisServer, figure, in_full, percentile};

use super::{LEFT, as_shipped, count, drained, lines::import, of, workers_live};

const IMPORTS: usize = 10;

/// So many items wait. `PROMISES_ITEMS` may say another number.
fn items() -> usize {
    let said = std::env::var("PROMISES_ITEMS").ok().filter(|_| in_full());
    said.map_or(of(4000, 1_000_000), |text| text.parse().unwrap())
}

/// Within which time 99 of 100 reads were answered.
async fn reads(store: &Processes, prompt: &str) -> Duration {
    let paths = [prompt, "/api/v1/prompts?limit=50", "/api/v1/bulk/operations"];
    let mut times = Vec::new();
    for number in 0..of(100, 1000) {
        let began = Instant::now();
        assert_eq!(store.get(paths[number % paths.len()]).await.unwrap().0, 200);
        times.push(began.elapsed());
    }
    percentile(&times, 99)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_items_that_wait_keep_no_reader_waiting_and_are_all_worked() {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let api = store.start_api().await;
    let mut first = store.start_worker();
    workers_live(&store, 1).await;
    let body = json!({ "category": "read", "name": "often", "content": "x" });
    let (_, prompt) = store.post("/api/v1/prompts", &body).await.unwrap();
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());

    let idle = reads(&store, &path).await;
    let level = [api.peak_mib(), first.peak_mib()];
    assert_eq!(first.terminate().code(), Some(0));
    for set in 0..IMPORTS {
        import(&store, &set.to_string(), items() / IMPORTS).await;
    }
    let waiting = reads(&store, &path).await;
    let worker = store.start_worker();
    let began = Instant::now();
    let worked = reads(&store, &path).await;
    let standstill = drained(&store, LEFT).await;
    let time = began.elapsed();
    let afterwards = reads(&store, &path).await;

    let peak = [api.peak_mib(), worker.peak_mib()];
    figure(
        "backlog",
        format_args!(
            "{} items; p99 of reads {idle:.1?} before, {waiting:.1?} while they wait, {worked:.1?} while they are worked, \
             {afterwards:.1?} afterwards; worked in {time:.0?}, no standstill longer than {standstill:.1?}; API {:.0} to \
             {:.0} MiB, worker {:.0} to {:.0} MiB",
            items(),
            level[0],
            peak[0],
            level[1],
            peak[1]
        ),
    );
    assert_eq!(count(&store, "SELECT count(*) FROM prompts").await, i64::try_from(items() + 1).unwrap());
}
