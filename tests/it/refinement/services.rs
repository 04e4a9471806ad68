//! What each kind of service is asked, and how it answers, after its public documentation.
use axum::Json;
use serde_json::{Value, json};
use support::{Received, Receiver, TestApp};

use super::{REFINED, framed, prompt, refine};

/// Refines with a service that answers so; gives what it was asked, and what came of it.
async fn asked(service: &'static str, args: &[&str], path: &str, answer: Value) -> (Received, Value) {
    let model = Receiver::answering(move |_, _| Json(answer.clone())).await;
    let url = format!("http://{}{path}", model.address());
    let args: Vec<&str> = args.iter().map(|arg| if *arg == "URL" { url.as_str() } else { *arg }).collect();
    let test = TestApp::with(&args).await;
    let done = refine(&test, &prompt(&test).await, service).await;
    let received = model.received();
    assert_eq!(received.len(), 1, "{done}");
    (received[0].clone(), done)
}

#[tokio::test]
async fn anything_that_speaks_as_openai_does() {
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "small-2026-01-01",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": framed(REFINED), "refusal": null },
                      "logprobs": null, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366 },
    });
    let args = ["--openai-base-url", "URL", "--openai-api-key", "sk-test", "--openai-model", "small"];
    let (request, done) = asked("openai", &args, "/v1/", answer).await;
    assert_eq!((request.path.as_str(), request.header("authorization")), ("/v1/chat/completions", "Bearer sk-test"));
    assert_eq!(done["result"]["content"], REFINED, "{done}");
    assert_eq!((&done["model"], &done["calls"][0]["output_tokens"]), (&json!("small-2026-01-01"), &json!(45)));
    insta::assert_json_snapshot!("what_openai_is_asked", request.json());
}

#[tokio::test]
async fn anthropic() {
    let answer = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "fine-model",
        "content": [{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": framed(REFINED) }],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": { "input_tokens": 300, "output_tokens": 50 },
    });
    let args = ["--anthropic-base-url", "URL", "--anthropic-api-key", "key", "--anthropic-model", "fine-model"];
    let (request, done) = asked("anthropic", &args, "", answer).await;
    assert_eq!((request.path.as_str(), request.header("x-api-key")), ("/v1/messages", "key"));
    assert_eq!(request.header("anthropic-version"), "2023-06-01");
    assert_eq!(
        (&done["result"]["content"], &done["calls"][0]["input_tokens"]),
        (&json!(REFINED), &json!(300)),
        "{done}"
    );
    insta::assert_json_snapshot!("what_anthropic_is_asked", request.json());
}

#[tokio::test]
async fn a_proxy_of_bedrock() {
    let args = ["--bedrock-proxy-url", "URL", "--bedrock-proxy-model", "m"];
    let (request, done) = asked("bedrock-proxy", &args, "", json!({ "output": framed(REFINED) })).await;
    assert_eq!((request.path.as_str(), &done["result"]["content"]), ("/invoke", &json!(REFINED)), "{done}");
    insta::assert_json_snapshot!("what_a_proxy_is_asked", request.json());
}

#[tokio::test]
async fn refusals_and_cut_off_answers_of_each_are_known() {
    let openai = |message: Value, finish: &str| {
        let choice = json!({ "index": 0, "message": message, "finish_reason": finish });
        json!({ "model": "m", "choices": [choice], "usage": { "prompt_tokens": 1, "completion_tokens": 1 } })
    };
    let anthropic = |stop: &str| {
        json!({ "model": "m", "content": [{ "type": "text", "text": "x" }], "stop_reason": stop,
                                         "usage": { "input_tokens": 1, "output_tokens": 1 } })
    };
    for (service, url, answer, code) in [
        ("openai", "--openai-base-url", openai(json!({ "content": null, "refusal": "No." }), "stop"), "refused"),
        ("openai", "--openai-base-url", openai(json!({ "content": "x" }), "content_filter"), "refused"),
        ("openai", "--openai-base-url", openai(json!({ "content": "Write" }), "length"), "answer-cut-off"),
        ("openai", "--openai-base-url", json!({ "choices": [] }), "answer-unreadable"),
        ("anthropic", "--anthropic-base-url", anthropic("refusal"), "refused"),
        ("anthropic", "--anthropic-base-url", anthropic("max_tokens"), "answer-cut-off"),
        ("anthropic", "--anthropic-base-url", json!({ "error": {} }), "answer-unreadable"),
    ] {
        let (_, done) = asked(service, &[url, "URL"], "", answer).await;
        assert_eq!((&done["status"], &done["error"]["code"]), (&json!("failed"), &json!(code)), "{done}");
    }
}
