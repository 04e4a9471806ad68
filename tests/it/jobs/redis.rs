//! Redis is emptied, killed and revived: it costs a moment, never a job.
use std::time::{Duration, Instant};

use serde_json::json;
use shared::jobs::Doorbell;
use support::{RedisServer, TestApp, until};

use super::{DONE, RUNNING, all_done, meddle, order};

#[tokio::test(flavor = "multi_thread")]
async fn redis_emptied_while_jobs_wait_loses_none() {
    let redis = RedisServer::start();
    let mut test = TestApp::distributed_over(&redis).await;
    test.stop_worker().await;
    order(&test.app, "waiting", 300).await;

    redis.flush().await;
    test.start_worker();

    all_done(&test, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_emptied_while_jobs_run_loses_none() {
    let redis = RedisServer::start();
    let test = TestApp::distributed_over(&redis).await;
    order(&test.app, "running", 300).await;
    until("some are done", async || (test.count(DONE).await > 20).then_some(())).await;

    redis.flush().await;

    assert!(test.count(DONE).await < 300);
    all_done(&test, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_76_with_redis_killed_the_api_answers_and_the_worker_goes_on_by_itself() {
    let mut redis = RedisServer::start();
    let test = TestApp::distributed_over(&redis).await;
    order(&test.app, "before", 60).await;
    until("some are done", async || (test.count(DONE).await > 0).then_some(())).await;

    redis.kill();

    // What was rung for does not wait to be rung for again: now it would wait for ever.
    meddle(&test, "UPDATE jobs SET rung_at = 9000000000000000").await;
    let body = json!([{ "category": "jobs", "name": "meanwhile", "content": "x" }]);
    let _ = test.post("/api/v1/bulk/prompts", body).await.expect(202);
    let health = test.get("/health").await.expect(200);
    assert_eq!(health["checks"]["redis"]["status"], "degraded", "{health}");
    all_done(&test, 61).await;

    redis.revive();
    order(&test.app, "after", 60).await;
    all_done(&test, 121).await;
    until("Redis is used again", async || {
        let health = test.get("/health").await.expect(200);
        (health["checks"]["redis"]["status"] == "healthy").then_some(())
    })
    .await;
    assert_eq!(test.count(RUNNING).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_while_redis_is_away_works_without_it() {
    let mut redis = RedisServer::start();
    let mut test = TestApp::distributed_over(&redis).await;
    test.stop_worker().await;
    redis.kill();
    order(&test.app, "alone", 20).await;

    test.start_worker();

    all_done(&test, 20).await;
    test.stop_worker().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_holds_up_nobody() {
    let redis = RedisServer::start();
    let test = TestApp::distributed_over(&redis).await;
    order(&test.app, "before", 1).await;
    all_done(&test, 1).await;

    redis.pause();

    for number in 0..3 {
        let began = Instant::now();
        let body = json!([{ "category": "jobs", "name": format!("n{number}"), "content": "x" }]);
        let _ = test.post("/api/v1/bulk/prompts", body).await.expect(202);
        assert!(began.elapsed() < Duration::from_secs(10), "a client does not wait for a bell");
    }
    all_done(&test, 4).await;
    redis.resume();
    order(&test.app, "after", 1).await;
    all_done(&test, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_leaves_nothing_in_redis() {
    let redis = RedisServer::start();
    let test = TestApp::distributed_over(&redis).await;
    order(&test.app, "heard", 100).await;
    all_done(&test, 100).await;

    let mut client = redis::Client::open(redis.url()).unwrap();
    until("Redis has forgotten what was heard", async || {
        test.app.doorbell.sweep().await.unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut client).unwrap();
        let left = keys.iter().filter(|key| ![":workers", ":apalis:", ":cache"].iter().any(|kept| key.contains(kept)));
        (left.count() == 0).then_some(())
    })
    .await;
}

/// As if nine thousand more had been rung for, by many who all saw that there was room.
const OVERFILL: &str = "
    local function key(name) return KEYS[1] .. ':bulk-operations:' .. name end
    local id, score = unpack(redis.call('zrange', key('scheduled'), 0, 0, 'withscores'))
    for n = 1, 9000 do
        local other = string.format('7%025d', n)
        redis.call('hset', key('data'), other, redis.call('hget', key('data'), id))
        redis.call('hset', key('meta:' .. other), unpack(redis.call('hgetall', key('meta:' .. id))))
        redis.call('zadd', key('scheduled'), score, other)
    end";

#[tokio::test(flavor = "multi_thread")]
async fn more_rings_than_redis_can_hand_over_at_once_are_heard_all_the_same() {
    let redis = RedisServer::start();
    let mut test = TestApp::distributed_over(&redis).await;
    test.stop_worker().await;
    order(&test.app, "among many", 5).await;
    let Doorbell::Redis { prefix, .. } = &test.app.doorbell else { unreachable!() };
    let mut client = redis::Client::open(redis.url()).unwrap();
    redis::cmd("EVAL").arg(OVERFILL).arg(1).arg(&**prefix).exec(&mut client).unwrap();

    test.start_worker();

    all_done(&test, 5).await;
}
