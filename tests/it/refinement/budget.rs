//! Nobody spends more than the budget and one call.
use std::time::Duration;

use axum::{Json, http::StatusCode, response::IntoResponse};
use serde_json::json;
use support::{Receiver, TestApp};

use super::{begin, framed, prompt, refine, said, session};

async fn store(
    args: &[&str],
    answer: impl Fn(usize) -> axum::response::Response + Send + Sync + 'static,
) -> (TestApp, Receiver) {
    let model = Receiver::answering(move |n, _| answer(n)).await;
    let url = format!("http://{}", model.address());
    (TestApp::with(&[&["--interpreter-url", &url, "--openai-base-url", &url], args].concat()).await, model)
}

fn fine(_: usize) -> axum::response::Response {
    said(&framed("{{topic}} {{audience}}")).into_response()
}

#[tokio::test]
async fn a_day_has_a_budget_and_the_next_day_another() {
    let (test, model) = store(&["--llm-call-usd", "0.4", "--llm-day-usd", "1"], fine).await;
    let prompt = prompt(&test).await;
    for _ in 0..3 {
        let done = refine(&test, &prompt, "interpreter").await;
        assert_eq!((&done["status"], &done["cost_usd"]), (&json!("completed"), &json!(0.4)), "{done}");
    }
    let over = refine(&test, &prompt, "interpreter").await;
    assert_eq!((&over["error"]["code"], &over["cost_usd"]), (&json!("budget-exceeded"), &json!(0.0)), "{over}");
    assert!(over["error"]["detail"].as_str().unwrap().contains("PROMPT_STORE_LLM_DAY_USD"), "{over}");
    assert_eq!(model.count(), 3, "the budget and one call");
    assert_eq!(refine(&test, &prompt, "rules").await["status"], "completed", "rules cost nothing");
    test.advance(Duration::from_hours(24));
    assert_eq!(refine(&test, &prompt, "interpreter").await["status"], "completed");
}

#[tokio::test]
async fn a_refinement_has_a_budget_that_failed_calls_count_for() {
    let bad = |_| StatusCode::BAD_GATEWAY.into_response();
    let (test, model) = store(&["--llm-call-usd", "0.4", "--llm-session-usd", "0.5"], bad).await;
    let begun = begin(&test, &prompt(&test).await, "interpreter").await;
    for _ in 0..4 {
        test.work().await;
        test.advance(Duration::from_hours(1));
    }
    let done = session(&test, &begun).await;
    assert_eq!((&done["error"]["code"], &done["cost_usd"]), (&json!("budget-exceeded"), &json!(0.8)), "{done}");
    assert_eq!(model.count(), 2);
}

#[tokio::test]
async fn what_a_call_cost_follows_from_its_tokens_and_the_price_of_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let prices = folder.path().join("prices.json");
    std::fs::write(&prices, r#"{"small": {"input": 10.0, "output": 100.0}}"#).unwrap();
    let completion = json!({ "model": "small-2026", "choices": [{ "message": { "content": framed("{{topic}} {{audience}}") } }],
                             "usage": { "prompt_tokens": 1000, "completion_tokens": 200 } });
    let args = ["--prices", prices.to_str().unwrap(), "--openai-model", "small"];
    let (test, _model) = store(&args, move |_| Json(completion.clone()).into_response()).await;
    let done = refine(&test, &prompt(&test).await, "openai").await;
    assert_eq!((&done["cost_usd"], &done["calls"][0]["cost_usd"]), (&json!(0.03), &json!(0.03)), "{done}");
    assert_eq!(test.count("SELECT spent_nanos FROM refinement_days").await, 30_000_000);
}
