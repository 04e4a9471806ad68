//! Whatever is killed, stopped or emptied while work comes in: nothing is lost, and nothing done twice.
//!
//! By hand as long as one likes: `make chaos SEED=7 SECONDS=1200`.
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Processes, RedisServer, chaos, until};

use super::count;

/// So long the smoke goes on.
const SECONDS: u64 = 30;

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What must be nothing, whatever has happened.
const FAULTS: [(&str, &str); 9] = [
    ("items that nobody worked", "SELECT count(*) FROM bulk_items WHERE state <> 'succeeded'"),
    ("operations that are not over", "SELECT count(*) FROM bulk_operations WHERE status <> 'completed'"),
    ("jobs that are not over", "SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'dead')"),
    (
        "operations that count what their items are not",
        "SELECT count(*) FROM bulk_operations o WHERE (successful_items, total_items) <>
             (SELECT count(*) FILTER (WHERE state = 'succeeded'), count(*) FROM bulk_items i WHERE i.operation_id = o.id)",
    ),
    (
        "items without a prompt of their own",
        "SELECT count(*) - count(DISTINCT prompt_id) FROM bulk_items",
    ),
    (
        "prompts that no item made",
        "SELECT count(*) - (SELECT count(DISTINCT prompt_id) FROM bulk_items) FROM prompts",
    ),
    (
        "prompts without exactly one row in the audit log",
        "SELECT count(*) FROM prompts p
         WHERE (SELECT count(*) FROM audit_log a WHERE a.object_id = p.id AND a.action = 'prompt.created') <> 1",
    ),
    (
        "prompts whose versions have a gap",
        "SELECT count(*) FROM prompts p WHERE (SELECT count(*) FROM versions v WHERE v.prompt_id = p.id) <> p.version",
    ),
    (
        "operations that were ordered twice",
        "SELECT count(*) - (SELECT count(*) FROM idempotency_keys) FROM bulk_operations",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_nothing_is_lost_and_nothing_done_twice() {
    let seed = variable("CHAOS_SEED", u64::from(std::process::id()));
    let time = Duration::from_secs(variable("CHAOS_SECONDS", SECONDS));
    println!("chaos: CHAOS_SEED={seed} CHAOS_SECONDS={}", time.as_secs());
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    drop(store.start_api().await);

    let (seen, _processes) = chaos(&store, &redis, seed, time).await;

    let began = Instant::now();
    let given_up = all_done(&store).await;
    println!("chaos: {seen:?}, {given_up} given up and retried; all done {:.1} s later", began.elapsed().as_secs_f32());
    for (what, sql) in FAULTS {
        assert_eq!(count(&store, sql).await, 0, "{what} (CHAOS_SEED={seed})");
    }
    for (what, sql) in
        [(seen.orders, "SELECT count(*) FROM bulk_operations"), (seen.items, "SELECT count(*) FROM prompts")]
    {
        assert_eq!(count(&store, sql).await, i64::try_from(what).unwrap(), "{sql} (CHAOS_SEED={seed})");
    }
}

/// Waits for the end of everything, as long as there is progress. What was given up, because three workers in a row were
/// killed over it, is tried again, as an operator would. Answers how often that was so.
async fn all_done(store: &Processes) -> usize {
    let mut given_up = 0;
    // A job that was lost twice is left alone for a minute.
    for _ in 0..20 {
        let mut looks = 0;
        let left = until("it was looked at often enough", async || {
            looks += 1;
            let left = count(store, "SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'dead')").await;
            (left == 0 || looks == 100).then_some(left)
        })
        .await;
        let (_, failed) = store.get("/api/v1/bulk/operations?status=failed").await.unwrap();
        let failed = failed["items"].as_array().unwrap().clone();
        if left == 0 && failed.is_empty() {
            return given_up;
        }
        for operation in failed {
            given_up += 1;
            let path = format!("/api/v1/bulk/operations/{}/retry", operation["id"].as_str().unwrap());
            assert_eq!(store.post(&path, &json!({})).await.unwrap().0, 202);
        }
    }
    panic!("it does not come to an end");
}
