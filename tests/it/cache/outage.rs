//! P-C4: Redis dies, hangs and comes back, and nobody who reads or writes notices.
use std::time::{Duration, Instant};

use support::{RedisServer, TestApp, figure, percentile, until};

use super::{content, told, write};

/// Reads and writes, and how long the reads took.
async fn use_it(test: &TestApp, prompt: &serde_json::Value, rounds: usize, from: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in from..from + rounds {
        if number % 5 == 0 {
            write(test, prompt, &number.to_string()).await;
        }
        let began = Instant::now();
        let read: usize = content(test).await.parse().unwrap();
        took.push(began.elapsed());
        assert_eq!(read, number / 5 * 5, "who writes reads it at once");
    }
    took.sort_unstable();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_redis_is_away() {
    let mut redis = RedisServer::start();
    let mut test = TestApp::distributed_over(&redis).await;
    test.stop_worker().await;
    told(&test).await;
    let prompt = test.prompt("a", "b", "0").await;
    let well = use_it(&test, &prompt, 300, 0).await;

    redis.pause();
    let hangs = use_it(&test, &prompt, 300, 300).await;
    let degraded = test.get("/api/v1/cache/stats").await.expect(200);
    assert_eq!(degraded["redis_available"], false, "{degraded}");
    redis.resume();
    redis.kill();
    let dead = use_it(&test, &prompt, 300, 600).await;
    until("it is known that nobody tells of changes", async || {
        let stats = test.get("/api/v1/cache/stats").await.expect(200);
        (stats["is_told"] == false).then_some(())
    })
    .await;

    redis.revive();
    told(&test).await;
    until("Redis is used again", async || {
        let _ = use_it(&test, &prompt, 5, 900).await;
        (test.get("/api/v1/cache/stats").await.expect(200)["redis_available"] == true).then_some(())
    })
    .await;
    let [well, hangs, dead] = [well, hangs, dead].map(|took| percentile(&took, 99));
    figure(
        "P-C4",
        format_args!("reads at p99: {well:?} with Redis, {hangs:?} while it hangs, {dead:?} without; 0 x 5xx"),
    );
}
