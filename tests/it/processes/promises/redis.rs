//! Redis is emptied, killed, and away for a while: how long that keeps work waiting.
use std::time::{Duration, Instant};

use support::{Processes, RedisServer, figure, until};

use super::{
    super::{holds_exactly, order, rows},
    LEFT, as_shipped, count, drained, errand, of, workers_live,
};

#[tokio::test(flavor = "multi_thread")]
async fn redis_emptied_in_the_middle_costs_no_prompt() {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let _api = store.start_api().await;
    let mut all = Vec::new();
    for set in 0..30 {
        let rows = rows(&format!("set {set}"), 50, 0);
        order(&store, &rows).await;
        all.extend(rows);
    }
    let _workers = [store.start_worker(), store.start_worker()];
    until("some are done", async || (count(&store, LEFT).await < 1500).then_some(())).await;

    redis.flush().await;

    assert!(count(&store, LEFT).await > 0, "the flush came too late");
    let standstill = drained(&store, LEFT).await;
    figure("Redis emptied", format_args!("no prompt lost, no standstill longer than {standstill:.1?}"));
    until("all jobs are settled", async || {
        (count(&store, "SELECT count(*) FROM jobs WHERE state <> 'done'").await == 0).then_some(())
    })
    .await;
    holds_exactly(&store, &all).await;
}

/// One errand after the other for so long. Answers how many there were, and how long the slowest took.
async fn errands(store: &Processes, time: Duration) -> (i64, Duration) {
    let (began, mut number, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < time {
        let errand = errand(store, 1).await;
        (number, slowest) = (number + 1, slowest.max(errand.ended));
    }
    (number, slowest)
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_and_away_for_a_while_keeps_nobody_waiting_for_long() {
    let mut redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let _api = store.start_api().await;
    let _workers = [store.start_worker(), store.start_worker()];
    workers_live(&store, 2).await;
    let (before, usual) = errands(&store, Duration::from_secs(of(1, 10))).await;

    redis.kill();

    let away = Duration::from_secs(of(2, 60));
    let (meanwhile, without) = errands(&store, away).await;
    redis.revive();
    let (after, back) = errands(&store, Duration::from_secs(of(2, 30))).await;
    figure(
        "Redis killed",
        format_args!(
            "{before} errands before, the slowest {usual:.1?}; {meanwhile} in the {away:?} without it, the slowest \
             {without:.1?}; {after} afterwards, the slowest {back:.1?}; none lost"
        ),
    );
    assert_eq!(count(&store, "SELECT count(*) FROM prompts").await, before + meanwhile + after);
}
