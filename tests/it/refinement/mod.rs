//! Refinement: models that answer, and models that do not; and what a person does with the result.
mod answers;
mod apply;
mod budget;
mod compare;
mod documents;
mod failures;
mod services;
mod start;

use axum::Json;
use serde_json::{Value, json};
use support::{Received, Receiver, TestApp};

/// A result of several lines, with everything in it that could be lost on the way.
pub(crate) const REFINED: &str = "You are a \"careful\" editor.\n\nWrite about {{topic}} for {{audience}}:\n\t- {\"json\": [1, 2]}\n  - `code` & <b>tags</b> \u{1F600} 提示\n";

/// The answer of an interpreter.
pub(crate) fn said(text: &str) -> Json<Value> {
    Json(json!({ "success": true, "data": { "response_text": text } }))
}

/// A text between its tags.
pub(crate) fn framed(text: &str) -> String {
    format!("<refined_prompt>\n{text}\n</refined_prompt>")
}

/// A store whose interpreter answers as the function says.
async fn store<R: axum::response::IntoResponse>(
    answer: impl Fn(usize, &Received) -> R + Send + Sync + 'static,
) -> (TestApp, Receiver) {
    let model = Receiver::answering(answer).await;
    let url = format!("http://{}", model.address());
    (TestApp::with(&["--interpreter-url", &url]).await, model)
}

/// A prompt of two variables.
async fn prompt(test: &TestApp) -> Value {
    test.prompt("writing", "intro", "Write about {{topic}} for {{audience}}.").await
}

fn path_of(prompt: &Value) -> String {
    format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap())
}

/// Begins a refinement.
async fn begin(test: &TestApp, prompt: &Value, service: &str) -> Value {
    let body = json!({ "refinement_instructions": "Make it better.", "llm_service": service });
    test.post(&format!("{}/refine", path_of(prompt)), body).await.expect(202)
}

/// A refinement as it is now.
async fn session(test: &TestApp, begun: &Value) -> Value {
    test.get(&format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap())).await.expect(200)
}

/// Refines a prompt, to the end.
async fn refine(test: &TestApp, prompt: &Value, service: &str) -> Value {
    let begun = begin(test, prompt, service).await;
    test.work().await;
    session(test, &begun).await
}

/// Applies a result.
async fn apply(test: &TestApp, prompt: &Value, session: &Value, request: Value) -> support::Reply {
    let path = format!("{}/refinement/apply/{}", path_of(prompt), session["session_id"].as_str().unwrap());
    test.post(&path, request).await
}
