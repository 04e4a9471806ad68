//! How soon the work of a worker goes on without it.
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Process, Processes, RedisServer, figure, until};

use super::{as_shipped, cancel_all, count, operations, order, rows, workers_live};

/// Of one operation: so many that none is over before its worker is, unless the machine is very busy.
const ITEMS: usize = 10_000;
/// So often it is tried to be in time.
const TRIES: usize = 5;

/// A worker has a long operation at each of its places when it ends, and another has nothing to do. Answers how long the
/// last of the operations stood still afterwards.
async fn standstill(mut end: impl FnMut(&mut Process)) -> Duration {
    for _ in 0..TRIES {
        if let Some(standstill) = standstill_once(&mut end).await {
            return standstill;
        }
    }
    panic!("whatever is ordered is over before its worker ends");
}

/// Nothing, if an operation was over before.
async fn standstill_once(end: &mut impl FnMut(&mut Process)) -> Option<Duration> {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let _api = store.start_api().await;
    let mut lost = store.start_worker();
    for set in 0..2 {
        order(&store, &rows(&format!("set {set}"), ITEMS, 0)).await;
    }
    until("both are begun", async || operations(&store).await.iter().all(|it| processed(it) > 0).then_some(())).await;
    let _other = store.start_worker();
    workers_live(&store, 2).await;

    end(&mut lost);

    let ended = Instant::now();
    let before = operations(&store).await;
    if before.iter().any(is_over) {
        return None;
    }
    until("both go on", async || {
        let now = operations(&store).await;
        now.iter().zip(&before).all(|(now, before)| processed(now) > processed(before)).then_some(())
    })
    .await;
    let standstill = ended.elapsed();
    let made = cancel_all(&store).await;
    assert_eq!(count(&store, "SELECT count(*) FROM prompts").await, made);
    Some(standstill)
}

fn processed(operation: &Value) -> i64 {
    operation["processed_items"].as_i64().unwrap()
}

fn is_over(operation: &Value) -> bool {
    operation["finished_at"].is_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_a_worker_that_was_killed_goes_on_after_its_lease() {
    let standstill = standstill(Process::kill).await;

    figure("recovery after SIGKILL", format_args!("{standstill:.1?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_a_worker_that_was_asked_to_end_goes_on_at_once() {
    let mut ending = Duration::ZERO;
    let standstill = standstill(|worker| {
        let asked = Instant::now();
        assert_eq!(worker.terminate().code(), Some(0));
        ending = asked.elapsed();
    })
    .await;

    figure("recovery after SIGTERM", format_args!("{standstill:.1?}; the worker had ended {ending:.1?} after it"));
}
