//! What the use of a prompt says about it. Nothing is said before there is enough of it.
use std::time::Duration;

use serde_json::{Value, json};
use support::{TestApp, caller, merged};

async fn advice(test: &TestApp, prompt: &Value) -> Vec<Value> {
    let path = format!("/api/v1/prompts/{}/suggestions", prompt["id"].as_str().unwrap());
    test.get(&path).await.expect(200)["usage"].as_array().unwrap().clone()
}

fn rules(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|it| it["rule"].as_str().unwrap()).collect()
}

async fn report(test: &TestApp, prompt: &Value, version: i64, events: i32, what: impl Fn(i32) -> Value) {
    let event = |n| merged(json!({ "prompt_id": prompt["id"], "version": version }), what(n));
    let events: Vec<_> = (0..events).map(event).collect();
    test.post("/api/v1/analytics/usage", json!(events)).await.expect(202);
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;
}

#[tokio::test]
async fn variables_that_say_nothing_new_are_named_after_two_hundred_renders() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "{{same}} {{rare}} {{other}}").await;
    let render = async |n: i32| {
        let rare = if n % 3 == 0 { "x" } else { "" };
        let body = json!({ "variables": { "same": "always", "rare": rare, "other": n.to_string() } });
        test.post("/api/v1/prompts/search/a/b", body).await.expect(200);
    };
    for n in 0..199 {
        render(n).await;
    }
    shared::analytics::write_reads(&test.app, &caller()).await.unwrap();
    assert_eq!(advice(&test, &prompt).await, Vec::<Value>::new());
    render(199).await;
    shared::analytics::write_reads(&test.app, &caller()).await.unwrap();

    let findings = advice(&test, &prompt).await;

    assert_eq!(rules(&findings), ["D02", "D01"]);
    assert!(findings[0]["message"].as_str().unwrap().contains("`rare`"), "{findings:?}");
    assert!(findings[1]["message"].as_str().unwrap().contains("`same`"), "{findings:?}");
    assert_eq!((&findings[1]["n"], &findings[1]["numbers"]["constant_share"]), (&json!(200), &json!(1.0)));
    assert!(findings[0]["numbers"]["empty_share"].as_f64().unwrap() > 0.6);
}

#[tokio::test]
async fn calls_that_nearly_fill_the_context_are_named() {
    let prices = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(prices.path(), r#"{"m": {"input": 1, "output": 2, "context": 1000}}"#).unwrap();
    let test = TestApp::with(&["--prices", prices.path().to_str().unwrap()]).await;
    let prompt = test.prompt("a", "b", "one").await;

    report(&test, &prompt, 1, 100, |n| json!({ "model": "m", "input_tokens": 800 + n, "success": true })).await;

    let findings = advice(&test, &prompt).await;
    assert_eq!(rules(&findings), ["D03"]);
    assert_eq!(findings[0]["numbers"]["context_tokens"], 1000.0);
    let cost = test.get("/api/v1/analytics/summary").await.expect(200)["totals"]["cost_usd"].as_f64().unwrap();
    assert!((cost - (800.0 * 100.0 + 4950.0) / 1e6).abs() < 1e-12, "{cost}");
}

#[tokio::test]
async fn a_version_that_does_worse_than_the_one_before_is_named_once_that_is_sure() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    test.put(&path, json!({ "content": "two" })).await.expect(200);
    report(&test, &prompt, 1, 400, |n| json!({ "success": n % 10 != 0 })).await;
    report(&test, &prompt, 2, 90, |n| json!({ "success": n % 2 == 0 })).await;
    assert_eq!(rules(&advice(&test, &prompt).await), Vec::<&str>::new(), "ninety are too few");

    report(&test, &prompt, 2, 310, |n| json!({ "success": n % 2 == 0 })).await;

    let findings = advice(&test, &prompt).await;
    assert_eq!(rules(&findings), ["D04"]);
    assert_eq!((&findings[0]["numbers"]["before"], &findings[0]["numbers"]["now"]), (&json!(0.9), &json!(0.5)));
    assert!(findings[0]["numbers"]["p_value"].as_f64().unwrap() < 0.05);
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_named() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    report(&test, &prompt, 1, 100, |n| match n % 10 {
        0 => json!({ "success": false, "failure_kind": "parse" }),
        1 => json!({ "success": false, "failure_kind": "timeout" }),
        _ => json!({ "success": true }),
    })
    .await;

    let findings = advice(&test, &prompt).await;

    assert_eq!(rules(&findings), ["D06"]);
    assert_eq!(findings[0]["numbers"]["parse_failure_share"], 0.1);
}

#[tokio::test]
async fn what_drifts_and_what_nobody_uses_is_named() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    for day in 0..24 {
        test.advance(Duration::from_hours(24));
        report(&test, &prompt, 1, 80, |n| json!({ "success": if day < 16 { n % 10 != 0 } else { n % 2 == 0 } })).await;
    }

    assert_eq!(rules(&advice(&test, &prompt).await), ["D05"]);
    test.advance(Duration::from_hours(24 * 91));
    let findings = advice(&test, &prompt).await;
    assert_eq!(rules(&findings), ["D07"]);
    assert_eq!((&findings[0]["n"], &findings[0]["window_days"]), (&json!(91), &json!(90)));
}

#[tokio::test]
async fn a_prompt_that_says_what_another_says_is_named() {
    let test = TestApp::api().await;
    let text = "You are a careful translator. Translate the following paragraph into formal German, keep every number and \
                name exactly as it is written, never add explanations, and answer with nothing but the translation.";
    let prompt = test.prompt("a", "one", text).await;
    test.prompt("a", "other", "Summarise the following paragraph into three short sentences for a newspaper.").await;
    assert_eq!(rules(&advice(&test, &prompt).await), Vec::<&str>::new());
    let twin = test.prompt("b", "two", &format!("{text} Please.")).await;

    let findings = advice(&test, &prompt).await;

    assert_eq!(rules(&findings), ["D08"]);
    assert!(findings[0]["message"].as_str().unwrap().contains(twin["id"].as_str().unwrap()), "{findings:?}");
}
