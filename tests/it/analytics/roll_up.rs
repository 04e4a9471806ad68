//! What was taken in adds up, once, however it came.
use std::time::Duration;

use serde_json::{Value, json};
use support::TestApp;

use super::{USAGE, event, roll_up};

fn near(value: &Value, expected: f64, share: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((value / expected - 1.0).abs() <= share, "{value} instead of {expected}");
}

#[tokio::test]
async fn totals_percentiles_and_money_add_up() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let other = test.prompt("c", "d", "one").await;
    let events: Vec<_> = (1..=200)
        .map(|n| {
            let (model, of) = if n % 4 == 0 { ("large", &other) } else { ("small", &prompt) };
            event(
                of,
                json!({ "success": n % 10 != 0, "response_time_ms": n, "input_tokens": 10, "output_tokens": n,
                              "cost_usd": 0.001, "score": f64::from(n % 5), "model": model }),
            )
        })
        .collect();
    test.post(USAGE, json!(events)).await.expect(202);
    assert_eq!(test.get("/api/v1/analytics/summary").await.expect(200)["health"]["waiting_events"], 200);
    roll_up(&test).await;

    let summary = test.get("/api/v1/analytics/summary?days_back=7").await.expect(200);
    let totals = &summary["totals"];
    assert_eq!((&totals["events"], &totals["successes"], &totals["failures"]), (&json!(200), &json!(180), &json!(20)));
    assert_eq!((&totals["input_tokens"], &totals["output_tokens"]), (&json!(2000), &json!(20_100)));
    near(&totals["cost_usd"], 0.2, 1e-12);
    near(&totals["response_time_ms"]["mean"], 100.5, 1e-12);
    near(&totals["response_time_ms"]["p50"], 100.0, 0.0101);
    near(&totals["response_time_ms"]["p95"], 190.0, 0.0101);
    near(&totals["score"]["mean"], 2.0, 1e-12);
    assert_eq!(summary["daily_usage"].as_array().unwrap().len(), 7);
    assert_eq!(summary["top_prompts"][0]["prompt_id"], prompt["id"]);
    assert_eq!(
        summary["categories"][0],
        json!({ "category": "a", "prompts": 1, "events": 150,
        "success_rate": summary["categories"][0]["success_rate"], "cost_usd": 0.15 })
    );
    assert_eq!(summary["health"]["status"], "degraded");

    let path = format!("/api/v1/analytics/prompts/{}", other["id"].as_str().unwrap());
    let of_prompt = test.get(&path).await.expect(200);
    assert_eq!(of_prompt["totals"]["events"], 50);
    assert_eq!(
        (&of_prompt["by_model"][0]["name"], &of_prompt["by_version"][0]["version"]),
        (&json!("large"), &json!(1))
    );
    near(&of_prompt["performance_score"], of_prompt["totals"]["score"]["mean"].as_f64().unwrap(), 1e-12);
}

#[tokio::test]
async fn a_late_event_counts_in_its_own_hour_and_a_gap_is_a_point() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let at = |hours: u64| (test.now() - Duration::from_hours(hours)).to_string();
    test.post(USAGE, event(&prompt, json!({ "occurred_at": at(0) }))).await.expect(202);
    roll_up(&test).await;
    test.post(USAGE, event(&prompt, json!({ "occurred_at": at(3) }))).await.expect(202);
    roll_up(&test).await;

    let end = test.now() + Duration::from_mins(1);
    let path = format!("{USAGE}?granularity=hour&start_date={}&end_date={end}", at(4));
    let series = test.get(&path).await.expect(200);

    let counts: Vec<_> =
        series["series"][0]["points"].as_array().unwrap().iter().map(|it| it["events"].clone()).collect();
    assert_eq!(counts, [0, 1, 0, 0, 1].map(Value::from));
    let by_model = test.get(&format!("{USAGE}?group_by=model")).await.expect(200);
    assert_eq!(
        (&by_model["series"][0]["group"], &by_model["series"][0]["totals"]["events"]),
        (&Value::Null, &json!(2))
    );
}

#[tokio::test]
async fn what_another_process_rolls_up_is_in_the_next_summary() {
    let test = TestApp::api().await;
    let other = test.another().await;
    let (a, b) = (test.prompt("one", "a", "x").await, test.prompt("two", "b", "x").await);
    let report = async |on: &TestApp, prompt: &Value, events: usize, at: &str| {
        let list: Vec<Value> =
            (0..events).map(|_| event(prompt, json!({ "success": true, "occurred_at": at }))).collect();
        on.post(USAGE, list.into()).await.expect(202);
        roll_up(on).await;
    };
    let top = async |on: &TestApp, days: i64| {
        let summary = on.get(&format!("/api/v1/analytics/summary?days_back={days}")).await.expect(200);
        let prompts = summary["top_prompts"].as_array().unwrap().iter();
        let categories = summary["categories"].as_array().unwrap().iter();
        let prompts: Vec<_> = prompts.map(|it| (it["name"].clone(), it["events"].clone())).collect();
        let categories: Vec<_> = categories.map(|it| (it["category"].clone(), it["events"].clone())).collect();
        (prompts, categories)
    };
    report(&test, &a, 3, "2026-01-01T10:00:00Z").await;
    report(&other, &b, 2, "2025-12-28T10:00:00Z").await;

    let pair = |name: &str, events: i64| (json!(name), json!(events));
    assert_eq!(top(&test, 2).await, (vec![pair("a", 3)], vec![pair("one", 3)]));
    assert_eq!(top(&test, 30).await, (vec![pair("a", 3), pair("b", 2)], vec![pair("one", 3), pair("two", 2)]));
    report(&other, &b, 4, "2025-12-28T11:00:00Z").await;
    report(&other, &b, 1, "2026-01-01T11:00:00Z").await;
    for on in [&test, &other] {
        assert_eq!(top(on, 30).await, (vec![pair("b", 7), pair("a", 3)], vec![pair("two", 7), pair("one", 3)]));
        assert_eq!(top(on, 2).await, (vec![pair("a", 3), pair("b", 1)], vec![pair("one", 3), pair("two", 1)]));
    }
    let renamed = json!({ "name": "c", "category": "three" });
    test.put(&format!("/api/v1/prompts/{}", b["id"].as_str().unwrap()), renamed).await.expect(200);
    assert_eq!(top(&other, 2).await.1, [pair("one", 3), pair("three", 1)]);
    test.delete(&format!("/api/v1/prompts/{}", a["id"].as_str().unwrap())).await.expect(204);
    assert_eq!(top(&other, 2).await.0, [pair("c", 1)]);
}

#[tokio::test]
async fn row_56_a_time_that_makes_no_sense_is_refused() {
    let test = TestApp::api().await;
    for (query, place) in [
        ("start_date=2026-02-02&end_date=2026-02-01", "/start_date"),
        ("start_date=0000-01-01", "/start_date"),
        ("end_date=9999-12-31", "/end_date"),
        ("start_date=2026-01-01T00:00:00Mars", "/start_date"),
        ("granularity=hour&start_date=2020-01-01&end_date=2026-01-01", "/start_date"),
        ("granularity=minute", "/granularity"),
        ("group_by=version", "/prompt_id"),
    ] {
        assert_eq!(test.get(&format!("{USAGE}?{query}")).await.violations()[0].0, place, "{query}");
    }
}
