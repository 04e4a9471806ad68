//! Usage that was acknowledged adds up to what was reported, whatever was killed meanwhile and however late it came.
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use shared::clock::Clock;
use support::{Processes, RedisServer, figure, in_full, until};

use super::count;

const LIST: usize = 50;

/// Events of two prompts and a test, of the last ten days in no order.
fn list(random: &mut StdRng, prompts: &[Value], ab_test: &Value, from: usize) -> Value {
    let now = Clock::System.now();
    (from..from + LIST)
        .map(|n| {
            let (model, variant) = (["small", "large"][n % 2], ["A", "B"][n % 97 % 2]);
            let late = Duration::from_secs(random.random_range(0..864_000));
            json!({ "event_id": format!("event-{n}"), "prompt_id": prompts[n % 97 % 2]["id"], "version": 1,
                    "success": random.random_bool(0.9), "response_time_ms": random.random_range(1..5000),
                    "input_tokens": random.random_range(1..1000), "output_tokens": random.random_range(1..1000),
                    "cost_usd": 0.001, "model": model, "user_id": format!("user-{}", n % 97),
                    "variant": variant, "ab_test_id": ab_test["id"],
                    "occurred_at": (now - late).to_string() })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn roll_ups_are_a_recount_of_the_events_after_random_kills() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let (mut api, mut worker) = (store.start_api().await, store.start_worker());
    let make = async |path: &str, body: Value| {
        let (status, made) = store.post(path, &body).await.unwrap();
        assert_eq!(status, 201, "{made}");
        made
    };
    let mut prompts = Vec::new();
    for name in ["a", "b"] {
        prompts.push(make("/api/v1/prompts", json!({ "category": "c", "name": name, "content": "x" })).await);
    }
    let metrics = json!([{ "name": "success_rate" }, { "name": "token_usage" }]);
    let ab_test = make(
        "/api/v1/ab-tests",
        json!({ "name": "t", "prompt_a_id": prompts[0]["id"], "prompt_b_id": prompts[1]["id"], "metrics": metrics }),
    )
    .await;
    let lists = if in_full() { 1000 } else { 120 };
    let mut random = StdRng::seed_from_u64(7);
    let (mut kills, mut repeated) = (0, 0);

    for number in 0..lists {
        if random.random_bool(0.15) {
            kills += 1;
            if random.random_bool(0.5) {
                worker.kill();
                worker = store.start_worker();
            } else {
                api.kill();
                api = store.start_api().await;
            }
        }
        let events = list(&mut random, &prompts, &ab_test, number * LIST);
        // Whoever got no answer asks again, and so do some who did.
        let again = random.random_bool(0.1);
        let send = async || store.post("/api/v1/analytics/usage", &events).await.filter(|(status, _)| *status == 202);
        until("the events are taken", send).await;
        if again {
            repeated += 1;
            until("the events are taken again", send).await;
        }
        if random.random_bool(0.1) {
            api.kill();
            kills += 1;
            api = store.start_api().await;
        }
    }
    until("all is rolled up", async || (count(&store, "SELECT count(*) FROM usage_batches").await == 0).then_some(()))
        .await;

    let events = i64::try_from(lists * LIST).unwrap();
    is_a_recount(&store, events).await;
    are_percentiles(&store, events).await;
    figure(
        "usage",
        format_args!("{events} events, {kills} kills, {repeated} lists sent twice: every sum is a recount"),
    );
    drop((api, worker));
}

async fn is_a_recount(store: &Processes, events: i64) {
    assert_eq!(count(store, "SELECT count(*) FROM usage_events").await, events);
    for grain in ["'hour'", "'day'"] {
        for series in ["prompt_id = ''", "prompt_id <> '' AND version = 0", "version = 1"] {
            for (rolled, raw) in [
                ("events", "count(*)"),
                ("successes", "sum(success)"),
                ("latency_us", "sum(response_time_us)"),
                ("input_tokens", "sum(input_tokens)"),
                ("output_tokens", "sum(output_tokens)"),
                ("cost_nanos", "sum(cost_nanos)"),
            ] {
                let rolled = format!(
                    "SELECT CAST(sum({rolled}) AS BIGINT) FROM usage_rollups WHERE grain = {grain} AND {series}"
                );
                let raw = format!("SELECT CAST({raw} AS BIGINT) FROM usage_events");
                assert_eq!(count(store, &rolled).await, count(store, &raw).await, "{rolled}");
            }
        }
        let length = if grain == "'hour'" { 3_600_000 } else { 86_400_000 };
        let differing = format!(
            "SELECT count(*) FROM usage_rollups r
             WHERE r.grain = {grain} AND r.version = 1
               AND r.events <> (SELECT count(*) FROM usage_events e
                                WHERE e.prompt_id = r.prompt_id AND e.version = 1 AND e.model = r.model
                                  AND e.occurred_at - e.occurred_at % {length} = r.bucket)"
        );
        assert_eq!(count(store, &differing).await, 0, "{grain}");
    }
    for metric in ["success_rate", "token_usage"] {
        let observed = format!("SELECT CAST(sum(n) AS BIGINT) FROM ab_observations WHERE metric = '{metric}'");
        assert_eq!(count(store, &observed).await, events, "{metric}");
    }
    let tokens = "SELECT CAST(sum(total) AS BIGINT) FROM ab_observations WHERE metric = 'token_usage'";
    let raw = "SELECT CAST(sum(input_tokens + output_tokens) AS BIGINT) FROM usage_events";
    assert_eq!(count(store, tokens).await, count(store, raw).await);
    assert_eq!(count(store, "SELECT count(*) FROM ab_assignments").await, 97);
}

/// Every percentile is within 1 % of the value at its rank.
async fn are_percentiles(store: &Processes, events: i64) {
    let (_, summary) = store.get("/api/v1/analytics/summary?days_back=30").await.unwrap();
    let told = &summary["totals"]["response_time_ms"];
    assert_eq!(told["n"], events);
    for (name, percent) in [("p50", 50), ("p95", 95), ("p99", 99)] {
        let rank = percent * (events - 1) / 100;
        let exact =
            format!("SELECT response_time_us FROM usage_events ORDER BY response_time_us LIMIT 1 OFFSET {rank}");
        let (exact, told) = (count(store, &exact).await, told[name].as_f64().unwrap() * 1000.0);
        let exact = f64::from(i32::try_from(exact).unwrap());
        assert!((told / exact - 1.0).abs() <= 0.010_001, "{name}: {told} instead of {exact}");
    }
}
