//! The same request, sent twice: one effect, one answer.
use std::sync::Arc;

use axum::{body::Body, http::Method};
use futures::future::join_all;
use serde_json::{Value, json};
use support::{Processes, Reply, TestApp};

use super::{PROMPTS, at, rows};

/// A prompt at version 2, labelled `old`, and one that is deleted.
async fn shelf(test: &TestApp) -> (String, String) {
    let made = test.prompt("a", "b", "c").await;
    test.put(&format!("{}/content", at(&made)), json!({ "content": "d" })).await.expect(200);
    test.put(&format!("{}/labels/old", at(&made)), json!({ "version": 1 })).await.expect(200);
    let deleted = test.prompt("a", "deleted", "c").await;
    test.delete(&at(&deleted)).await.expect(204);
    (at(&made), at(&deleted))
}

async fn keyed(test: &TestApp, method: &Method, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    test.request(method.clone(), path, &headers, body.to_string()).await
}

#[tokio::test]
async fn every_write_has_one_effect_and_the_same_answer_twice() {
    for (method, path, body) in [
        (
            Method::POST,
            "",
            json!({ "category": "a", "name": "new", "content": "{{x}}", "config": { "t": 0.1, "n": 1.0 } }),
        ),
        (Method::PUT, "{made}", json!({ "description": "new" })),
        (Method::PUT, "{made}/content", json!({ "content": "new" })),
        (Method::DELETE, "{made}", json!({})),
        (Method::POST, "{deleted}/restore", json!({})),
        (Method::POST, "{made}/fork", json!({ "new_name": "new" })),
        (Method::POST, "{made}/versions/1/rollback", json!({})),
        (Method::PUT, "{made}/labels/production", json!({ "version": 1 })),
        (Method::DELETE, "{made}/labels/old", json!({})),
        (Method::POST, "/api/v1/bulk/prompts", json!([{ "category": "a", "name": "new", "content": "c" }])),
    ] {
        let test = TestApp::api().await;
        let (made, deleted) = shelf(&test).await;
        let path = match path {
            "" => PROMPTS.to_owned(),
            path => path.replace("{made}", &made).replace("{deleted}", &deleted),
        };
        let first = keyed(&test, &method, &path, &body).await;
        assert!(first.status.is_success(), "{method} {path}: {first:?}");
        assert_eq!(first.headers.get("idempotency-replayed"), None);
        let after = rows(&test).await;

        let second = keyed(&test, &method, &path, &body).await;

        assert_eq!(second.header("idempotency-replayed"), "true", "{method} {path}");
        assert_eq!((second.status, second.bytes), (first.status, first.bytes), "{method} {path}");
        for name in ["location", "etag", "content-type"] {
            assert_eq!(second.headers.get(name), first.headers.get(name), "{method} {path} {name}");
        }
        assert_eq!(rows(&test).await, after, "{method} {path}");
    }
}

#[tokio::test]
async fn an_answer_is_the_one_that_was_given_whatever_happened_since() {
    let test = TestApp::api().await;
    let (path, _) = shelf(&test).await;
    let if_match = [("if-match", "\"3\""), ("idempotency-key", "k")];
    let first = test.put_with(&path, &if_match, json!({ "name": "mine" })).await;
    test.put(&path, json!({ "name": "theirs" })).await.expect(200);

    let second = test.put_with(&path, &if_match, json!({ "name": "mine" })).await;

    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.expect(200), first.expect(200));
    assert_eq!(test.get(&path).await.expect(200)["name"], "theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_43_ten_at_once_have_one_effect_and_one_answer() {
    let test = Arc::new(TestApp::api().await);
    // row 43
    let tasks = (0..10).map(|_| {
        let test = Arc::clone(&test);
        tokio::spawn(async move {
            keyed(&test, &Method::POST, PROMPTS, &json!({ "category": "a", "name": "b", "content": "c" })).await
        })
    });
    let replies: Vec<Reply> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();

    let replayed = replies.iter().filter(|reply| reply.headers.contains_key("idempotency-replayed")).count();
    assert_eq!(replayed, 9);
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.bytes == replies[0].bytes));
    assert_eq!(rows(&test).await[0], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_44_a_request_that_was_cut_off_by_a_crash_can_be_sent_again() {
    let processes = Processes::embedded();
    // row 44
    for round in 0..3 {
        let mut api = processes.start_api().await;
        let body = json!({ "category": "a", "name": round.to_string(), "content": "x".repeat(100_000) });
        let send = || {
            let request = processes.client().post(processes.url(PROMPTS)).json(&body);
            request.header("idempotency-key", format!("k{round}")).send()
        };
        let cut_off = tokio::spawn(send());
        // Somewhere in the middle: before it arrives, while it is worked, or after its answer.
        for _ in 0..round * 40 {
            tokio::task::yield_now().await;
        }
        api.kill();
        let _ = cut_off.await.unwrap();

        let mut api = processes.start_api().await;
        let again = send().await.unwrap();
        assert_eq!(again.status(), 201);
        let (_, page) = processes.get(&format!("{PROMPTS}?sort=name")).await.unwrap();
        assert_eq!(page["total"], round + 1);
        api.kill();
    }
}

#[tokio::test]
async fn a_key_is_no_obstacle_to_a_bodyless_request() {
    let test = TestApp::api().await;
    let (path, _) = shelf(&test).await;
    let path = format!("{path}/versions/1/rollback");
    for replayed in [None, Some("true")] {
        let reply = test.request(Method::POST, &path, &[("idempotency-key", "k")], Body::empty()).await;
        let marked = reply.headers.get("idempotency-replayed").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(marked.as_deref(), replayed);
        assert_eq!(reply.expect(200)["version"], 3);
    }
}
