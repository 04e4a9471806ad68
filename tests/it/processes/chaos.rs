//! Whatever is killed, stopped or emptied while work comes in: nothing is lost, and nothing done twice.
//!
//! By hand as long as one likes: `make chaos SEED=7 SECONDS=1200`. `make chaos CONTROL=1` runs it over workers that trust
//! their memory instead of the fence, and wants to see things done twice: else all of this would show nothing.
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Accidents, Processes, RedisServer, chaos, until, variable};

use super::count;

/// So long the smoke goes on.
const SECONDS: u64 = 60;

/// How much more was done than there was to do.
const TWICE: &str = "SELECT CAST(COALESCE(sum(successful_items + skipped_items + failed_items), 0) AS BIGINT) -
                         (SELECT count(*) FROM bulk_items WHERE state <> 'pending') FROM bulk_operations";

/// What must be nothing, whatever has happened.
const FAULTS: [(&str, &str); 12] = [
    ("items that were worked twice", TWICE),
    // Nothing is ordered that would be refused or would change nothing, unless it was done before.
    ("items that nobody worked, or somebody did before", "SELECT count(*) FROM bulk_items WHERE state <> 'succeeded'"),
    ("operations that are not over", "SELECT count(*) FROM bulk_operations WHERE status <> 'completed'"),
    ("jobs that are not over", "SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'dead')"),
    (
        "operations that count what their items are not",
        "SELECT count(*) FROM bulk_operations o WHERE (successful_items, total_items) <>
             (SELECT count(*) FILTER (WHERE state = 'succeeded'), count(*) FROM bulk_items i WHERE i.operation_id = o.id)",
    ),
    (
        "items without a prompt of their own",
        "SELECT count(*) - count(DISTINCT prompt_id) FROM bulk_items i
         JOIN bulk_operations o ON o.id = i.operation_id WHERE o.operation_type = 'create'",
    ),
    (
        "prompts to which something else was done than their items say",
        "SELECT count(*) FROM prompts p
         LEFT JOIN (SELECT prompt_id, count(*) AS items FROM bulk_items WHERE state = 'succeeded' GROUP BY prompt_id) i
         ON i.prompt_id = p.id WHERE p.revision <> COALESCE(i.items, 0)",
    ),
    (
        "prompts without exactly one row in the audit log",
        "SELECT count(*) FROM prompts p
         WHERE (SELECT count(*) FROM audit_log a WHERE a.object_id = p.id AND a.action = 'prompt.created') <> 1",
    ),
    (
        "prompts that were not told of exactly once",
        "SELECT (SELECT count(*) FROM prompts) - count(DISTINCT subject_id) + 2 * (count(*) - count(DISTINCT subject_id))
         FROM events WHERE event_type = 'prompt.created'",
    ),
    (
        "prompts that cannot be found",
        "SELECT count(*) FROM prompts p WHERE NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.id = p.id AND d.live)",
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

    let control = std::env::var_os("CHAOS_CONTROL").is_some();
    let accidents = if control { Accidents::Stops } else { Accidents::All };
    let (seen, _processes) = chaos(&store, &redis, seed, time, accidents).await;

    let began = Instant::now();
    let given_up = all_done(&store).await;
    println!("chaos: {seen:?}, {given_up} given up and retried; all done {:.1} s later", began.elapsed().as_secs_f32());
    if control {
        let twice = count(&store, TWICE).await;
        println!("chaos: without the fence {twice} items were worked twice");
        assert!(twice > 0, "nothing was done twice without the fence, so this test shows nothing (CHAOS_SEED={seed})");
        return;
    }
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
