//! A request can be followed from the API into the worker, in the spans that a collector gets.
use serde_json::json;
use support::{Processes, Receiver, RedisServer, until};

use super::{BULK, finished};

/// So is a word in a message of protobuf.
fn says(message: &[u8], word: &str) -> bool {
    message.windows(word.len()).any(|window| window == word.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_carry_the_request_from_the_api_to_the_worker() {
    let (redis, collector) = (RedisServer::start(), Receiver::start().await);
    let address = format!("http://{}", collector.address());
    let store = Processes::distributed(&redis)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        // What is not worth a line is worth a span.
        .with("PROMPT_STORE_LOG", "error");
    let (mut api, mut worker) = (store.start_api().await, store.start_worker());

    let order = store.client().post(store.url(BULK)).header("x-request-id", "followed-from-afar");
    let answer = order.json(&json!([{ "category": "c", "name": "n", "content": "x" }])).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let operation: serde_json::Value = answer.json().await.unwrap();
    finished(&store, &format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap())).await;
    // Whoever ends sends what it still has.
    assert!(api.terminate().success());
    assert!(worker.terminate().success());

    until("both have told", async || {
        let messages = collector.received();
        let told = |service: &str, span: &str| {
            messages.iter().any(|message| {
                [service, span, "followed-from-afar"].iter().all(|word| says(&message.body, word))
                    && message.path == "/v1/traces"
                    && message.header("content-type") == "application/x-protobuf"
            })
        };
        (told("prompt-store", "request") && told("prompt-store-worker", "job")).then_some(())
    })
    .await;
    assert!(!collector.received().iter().any(|message| says(&message.body, "apalis")), "only spans of ours");
}
