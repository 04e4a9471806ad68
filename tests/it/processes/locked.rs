//! Somebody else has the database in their hands: writes are told to come back, soon; reads go on.
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use support::{Engine, Processes, caller, engine, figure, in_full, open_for_bench, until};

/// What a write is told at the latest, and what a busy machine may add.
const AT_MOST: Duration = Duration::from_secs(5);
const SLACK: Duration = Duration::from_secs(3);

/// A write: its status, what it is told to wait, and how long that took.
async fn write(store: &Processes, name: &str) -> (u16, Option<String>, Duration) {
    let body = json!({ "category": "c", "name": name, "content": "x" });
    let began = Instant::now();
    let answer = store.client().post(store.url("/api/v1/prompts")).json(&body).send().await.unwrap();
    let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
    (answer.status().as_u16(), wait, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn row_78_while_a_stranger_has_the_writer_writes_are_told_to_come_back_and_reads_go_on() {
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    assert_eq!(write(&store, "before").await.0, 201);
    let stranger = open_for_bench(&store.location()).await;
    let mut held = stranger.begin(&caller()).await.unwrap();
    // On SQLite whoever writes has it all. A server has tables.
    if engine() == Engine::Postgres {
        held.execute("LOCK TABLE prompts IN EXCLUSIVE MODE", &[]).await.unwrap();
    }

    let for_so_long = if in_full() { Duration::from_mins(1) } else { Duration::ZERO };
    let (began, mut writes, mut reads, mut slowest) = (Instant::now(), 0, 0, Duration::ZERO);
    while writes == 0 || began.elapsed() < for_so_long {
        let names: Vec<String> = (0..4).map(|n| format!("meanwhile {writes} {n}")).collect();
        let refused = join_all(names.iter().map(|name| write(&store, name)));
        let reading = async {
            for _ in 0..100 {
                for path in ["/api/v1/prompts/search/c/before", "/api/v1/prompts", "/health/ready"] {
                    assert_eq!(store.get(path).await.unwrap().0, 200, "{path}");
                    reads += 1;
                }
            }
        };
        let (refused, ()) = tokio::join!(refused, reading);
        for (status, wait, took) in refused {
            assert_eq!((status, wait.as_deref()), (503, Some("1")));
            assert!(took < AT_MOST + SLACK, "{took:?}");
            slowest = slowest.max(took);
            writes += 1;
        }
    }
    drop(held);
    stranger.db.close().await;

    let since = Instant::now();
    until("it is written again", async || (write(&store, "after").await.0 == 201).then_some(())).await;
    let again = since.elapsed();
    let count = super::count(&store, "SELECT count(*) FROM prompts").await;
    assert_eq!(count, 2, "what was refused had no effect");
    assert!(api.terminate().success());
    figure(
        "row 78",
        format!(
            "{writes} writes refused after {slowest:?} at most, {reads} of {reads} reads, writes again after {again:?}"
        ),
    );
}
