//! What takes long ends when the key that asked for it is taken back.
use std::convert::Infallible;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use futures::{SinkExt, StreamExt, channel::mpsc};
use serde_json::{Value, json};
use support::{TestApp, figure, until};

use super::{ADMIN, ask, bearer, closed, made, prompt};

async fn take_back(test: &TestApp, id: &str) {
    ask(test, ADMIN, Method::DELETE, &format!("/api/v1/keys/{id}"), Value::Null).await.expect(204);
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_key() {
    let test = closed().await;
    let (id, key) = made(&test, json!({ "scopes": ["webhooks"] })).await;
    let (_, other) = made(&test, json!({ "scopes": ["webhooks"] })).await;
    let follow = async |key: &str| test.follow_with("/api/v1/events", &[("authorization", &bearer(key))]).await;
    let (mut cut, mut kept) = (follow(&key).await, follow(&other).await);
    prompt(&test, "a", "before").await;
    test.work().await;
    assert_eq!(cut.take(1).await[0].1, "prompt.created");
    assert_eq!(kept.take(1).await[0].1, "prompt.created");
    take_back(&test, &id).await;
    let since = std::time::Instant::now();
    assert!(cut.next().await.is_none(), "it has ended");
    figure("a stream ends when its key is taken back", format!("after {:?}", since.elapsed()));
    prompt(&test, "a", "after").await;
    test.work().await;
    assert_eq!(kept.take(1).await[0].1, "prompt.created", "others go on");
}

#[tokio::test]
async fn an_import_is_refused_as_soon_as_its_key_is() {
    let test = closed().await;
    let (id, key) = made(&test, json!({ "scopes": ["bulk"] })).await;
    let (mut lines, body) = mpsc::channel::<Result<String, Infallible>>(0);
    let request = Request::post("/api/v1/bulk/import")
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .header(header::AUTHORIZATION, bearer(&key));
    let sending = async {
        let line = |n: usize| format!("{}\n", json!({ "category": "a", "name": format!("n{n}"), "content": "x" }));
        lines.send(Ok(line(0))).await.unwrap();
        take_back(&test, &id).await;
        // Lines go on until somebody does not want them any more.
        for n in 1.. {
            if lines.send(Ok(line(n))).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let (reply, ()) = tokio::join!(test.send(request.body(Body::from_stream(body)).unwrap()), sending);
    assert_eq!(reply.code(401), "unauthenticated");
    test.work().await;
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 0, "none of its lines was worked");
}

#[tokio::test]
async fn an_export_breaks_off_so_that_nobody_takes_it_for_the_whole() {
    let test = closed().await;
    for n in 0..60 {
        let body = json!({ "category": "a", "name": format!("n{n}"), "content": "x".repeat(400_000) });
        ask(&test, ADMIN, Method::POST, "/api/v1/prompts", body).await.expect(201);
    }
    let (id, key) = made(&test, json!({ "scopes": ["bulk"] })).await;
    let mut body = test.body_of("/api/v1/bulk/export", &[("authorization", &bearer(&key))]).await.into_data_stream();
    assert!(body.next().await.unwrap().is_ok());
    take_back(&test, &id).await;
    // Read portion by portion, it would take longer than the key is trusted.
    until("it breaks off", async || body.next().await.expect("it does not end as if it were whole").err()).await;
}

#[tokio::test]
async fn what_it_ordered_is_not_done_any_more() {
    let test = closed().await;
    let (id, key) = made(&test, json!({ "scopes": ["bulk", "prompts:write", "prompts:read"] })).await;
    let own = prompt(&test, "a", "own").await;
    let orders = json!([{ "category": "a", "name": "new", "content": "x" }]);
    let ordered = ask(&test, &key, Method::POST, "/api/v1/bulk/prompts", orders).await.expect(202);
    let refine = json!({ "refinement_instructions": "Tidy it up.", "llm_service": "rules" });
    let path = format!("/api/v1/prompts/{own}/refine");
    let begun = ask(&test, &key, Method::POST, &path, refine).await.expect(202);
    take_back(&test, &id).await;
    test.work().await;

    let path = format!("/api/v1/bulk/operations/{}", ordered["id"].as_str().unwrap());
    let operation = ask(&test, ADMIN, Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!((&operation["status"], &operation["failed_items"]), (&json!("completed_with_errors"), &json!(1)));
    assert_eq!(operation["errors"][0]["code"], "forbidden");
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 1);
    let path = format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap());
    let session = ask(&test, ADMIN, Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!((&session["status"], &session["error"]["code"]), (&json!("failed"), &json!("forbidden")), "{session}");
}
