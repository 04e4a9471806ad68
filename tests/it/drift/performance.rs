//! How a prompt does in use, day by day.
use std::time::Duration;

use serde_json::{Value, json};
use support::{TestApp, caller, merged};

const DAY: Duration = Duration::from_hours(24);

/// A day goes by, on which a prompt is used so often.
async fn day(test: &TestApp, prompt: &Value, events: i32, what: impl Fn(i32) -> Value) {
    test.advance(DAY);
    let event = |n| merged(json!({ "prompt_id": prompt["id"], "version": 1 }), what(n));
    let events: Vec<_> = (0..events).map(event).collect();
    test.post("/api/v1/analytics/usage", json!(events)).await.expect(202);
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;
}

/// A worker looks at all prompts, as it does once a day.
async fn evaluate(test: &TestApp) {
    shared::drift::order_evaluation(&test.app, &caller()).await.unwrap();
    test.work().await;
}

async fn drift(test: &TestApp, prompt: &Value) -> Value {
    test.get(&format!("/api/v1/prompts/{}/drift", prompt["id"].as_str().unwrap())).await.expect(200)
}

fn metric<'d>(drift: &'d Value, name: &str) -> &'d Value {
    let all = drift["performance"]["metrics"].as_array().unwrap();
    all.iter().find(|it| it["metric"] == name).unwrap_or_else(|| panic!("no {name}: {all:?}"))
}

fn usual(n: i32) -> Value {
    json!({ "success": n % 10 != 0, "response_time_ms": 100 + n % 37, "score": f64::from(n % 5), "input_tokens": 50 + n % 11,
            "cost_usd": 0.001 + f64::from(n % 7) / 10_000.0, "model": if n % 2 == 0 { "small" } else { "large" } })
}

#[tokio::test]
async fn a_prompt_that_is_hardly_used_says_what_is_missing() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    day(&test, &prompt, 150, usual).await;

    let found = drift(&test, &prompt).await;

    assert_eq!((&found["status"], &found["content"]), (&json!("insufficient_data"), &Value::Null));
    assert_eq!(found["performance"]["missing"], json!({ "reference": 200, "current": 0 }));
    assert_eq!(found["performance"]["metrics"], json!([]));
}

#[tokio::test]
async fn what_stays_as_it_was_is_stable() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    for _ in 0..22 {
        day(&test, &prompt, 80, usual).await;
        evaluate(&test).await;
    }

    let found = drift(&test, &prompt).await;

    assert_eq!(found["status"], "stable", "{found}");
    let names: Vec<_> = found["performance"]["metrics"].as_array().unwrap().iter().map(|it| &it["metric"]).collect();
    assert_eq!(names, ["success_rate", "score", "response_time", "token_usage", "cost_usd", "model"]);
    let windows = &found["performance"];
    assert_eq!((&windows["reference"]["n"], &windows["current"]["n"]), (&json!(14 * 80), &json!(7 * 80)));
    assert!(windows["reference"]["to"].as_str() <= windows["current"]["from"].as_str());
    assert_eq!((&windows["early_warnings"], &found["explanation"]), (&json!([]), &json!([])));
    assert_eq!(test.count("SELECT count(*) FROM drift_evaluations").await, 22);
}

#[tokio::test]
async fn what_moves_is_a_warning_first_and_drift_on_the_second_day() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    for _ in 0..15 {
        day(&test, &prompt, 80, usual).await;
    }
    evaluate(&test).await;
    let worse = |n: i32| {
        let mut event = usual(n);
        event["success"] = json!(n % 3 != 0);
        event["response_time_ms"] = json!(300 + n % 37);
        event
    };
    for _ in 0..7 {
        day(&test, &prompt, 80, worse).await;
    }

    let first = drift(&test, &prompt).await;
    assert_eq!(first["status"], "warning");
    let success = metric(&first, "success_rate");
    assert_eq!(
        (&success["status"], &success["direction"], &success["severity"]),
        (&json!("warning"), &json!("worse"), &json!("high"))
    );
    assert_eq!(
        (&metric(&first, "response_time")["direction"], &metric(&first, "score")["status"]),
        (&json!("worse"), &json!("stable"))
    );
    let warned = first["performance"]["early_warnings"].as_array().unwrap();
    assert!(warned.iter().any(|it| it["metric"] == "success_rate" && it["direction"] == "down"), "{warned:?}");
    assert!(warned.iter().any(|it| it["metric"] == "response_time" && it["direction"] == "up"), "{warned:?}");

    evaluate(&test).await;
    evaluate(&test).await;
    day(&test, &prompt, 80, worse).await;

    let second = drift(&test, &prompt).await;
    assert_eq!((&second["status"], &metric(&second, "success_rate")["consecutive"]), (&json!("drift"), &json!(2)));
    let explained = second["explanation"].to_string();
    assert!(
        explained.contains("drift-success-rate-worse") && explained.contains("early-response-time-up"),
        "{explained}"
    );
}

#[tokio::test]
async fn a_time_can_be_pinned_to_compare_with() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    for _ in 0..10 {
        day(&test, &prompt, 80, usual).await;
    }
    let path = format!("/api/v1/prompts/{}/drift/baseline", prompt["id"].as_str().unwrap());
    let (from, to) = ((test.now() - DAY * 9).to_string(), (test.now() - DAY * 5).to_string());
    for (body, place) in [
        (json!({ "version": 1, "reference_from": to, "reference_to": from }), "/reference_from"),
        (json!({ "version": 1, "reference_from": from }), "/reference_to"),
    ] {
        assert_eq!(test.put(&path, body).await.violations()[0].0, place);
    }
    let pinned = test.put(&path, json!({ "version": 1, "reference_from": from, "reference_to": to })).await.expect(200);

    let query = format!("/api/v1/prompts/{}/drift?window_days=3", prompt["id"].as_str().unwrap());
    let found = test.get(&query).await.expect(200);

    assert_eq!((&found["performance"]["reference"]["from"], &pinned["reference_to"]), (&json!(from), &json!(to)));
    assert_eq!(found["performance"]["current"]["n"], 240);
    assert_eq!(found["status"], "stable", "{found}");
    let bad = test.get(&query.replace("=3", "=31")).await;
    assert_eq!(bad.violations()[0].0, "/window_days");
}
