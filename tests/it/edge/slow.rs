//! Bodies that stall or break off.
use std::time::{Duration, Instant};

use axum::{body::Body, http::Method};
use futures::{StreamExt, stream};
use serde_json::json;
use support::{Engine, Reply, TestApp, caller, engine};

use super::{PROMPTS, rows};

type Chunk = Result<&'static [u8], std::io::Error>;

const START: &[u8] = br#"{"category": "a", "name": "b", "#;

#[tokio::test]
async fn row_22_a_body_that_stalls_is_given_up() {
    let test = TestApp::with(&["--body-timeout-ms", "200"]).await;
    // row 22
    for key in [None, Some(("idempotency-key", "k"))] {
        let stalled = stream::iter([Chunk::Ok(START)]).chain(stream::pending());
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key);
        let before = Instant::now();
        let reply = test.request(Method::POST, PROMPTS, &headers, Body::from_stream(stalled)).await;
        assert_eq!(reply.code(408), "body-timeout");
        assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_22_a_body_that_drips_is_given_up_too() {
    let test = TestApp::with(&["--body-timeout-ms", "200"]).await;
    // row 22: every byte comes in time, the whole does not.
    let drops = tokio::time::interval(Duration::from_millis(20));
    let dripping = stream::unfold(drops, |mut drops| async {
        drops.tick().await;
        Some((Chunk::Ok(b" "), drops))
    });
    let json = [("content-type", "application/json")];
    let reply = test.request(Method::POST, PROMPTS, &json, Body::from_stream(dripping)).await;
    assert_eq!(reply.code(408), "body-timeout");
}

#[tokio::test]
async fn a_body_that_breaks_off_has_no_effect() {
    let test = TestApp::api().await;
    for key in [None, Some(("idempotency-key", "k"))] {
        let broken = stream::iter([Chunk::Ok(START), Err(std::io::Error::other("gone"))]);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key);
        let reply = test.request(Method::POST, PROMPTS, &headers, Body::from_stream(broken)).await;
        assert_eq!(reply.code(400), "body-broken");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

/// Asks for a prompt to be made while somebody else writes, so that it has to wait.
async fn blocked<T>(test: &TestApp, meanwhile: impl AsyncFnOnce() -> T) -> (Reply, T) {
    let mut held = test.another().await.app.begin(&caller()).await.unwrap();
    if engine() == Engine::Postgres {
        held.execute("LOCK TABLE prompts IN EXCLUSIVE MODE", &[]).await.unwrap();
    }
    let body = json!({ "category": "a", "name": "blocked", "content": "c" });
    let writing = async {
        let reply = test.post(PROMPTS, body).await;
        drop(held);
        reply
    };
    futures::future::join(writing, meanwhile()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_takes_too_long_is_given_up() {
    let test = TestApp::with(&["--handler-timeout-ms", "100"]).await;
    let (reply, ()) = blocked(&test, async || {}).await;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.code(503), "timeout");
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_40_where_every_place_is_taken_others_are_told_to_come_back() {
    let test = TestApp::with(&["--max-in-flight", "1", "--handler-timeout-ms", "2000"]).await;
    let (taken, (overloaded, health)) =
        blocked(&test, async || (test.get(PROMPTS).await, test.get("/health/live").await)).await;
    assert_eq!(overloaded.header("retry-after"), "1");
    assert_eq!(overloaded.code(503), "overloaded");
    health.expect(200);
    assert_eq!(taken.code(503), "timeout");
    test.get(PROMPTS).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_slowly_takes_no_place() {
    let test = TestApp::with(&["--max-in-flight", "1", "--body-timeout-ms", "1000"]).await;
    let json = [("content-type", "application/json")];
    let dripping = (0..50).map(|_| {
        let stalled = stream::iter([Chunk::Ok(START)]).chain(stream::pending());
        test.request(Method::POST, PROMPTS, &json, Body::from_stream(stalled))
    });
    let meanwhile = async {
        test.get(PROMPTS).await.expect(200);
        let body = r#"{"category": "a", "name": "b", "content": "c"}"#;
        test.request(Method::POST, PROMPTS, &json, body).await.expect(201);
    };
    let (dripped, ()) = futures::future::join(futures::future::join_all(dripping), meanwhile).await;
    assert!(dripped.into_iter().all(|reply| reply.code(408) == "body-timeout"));
}

/// So many at once, and what became of each.
async fn at_once(test: &TestApp, many: usize) -> Vec<Reply> {
    let body = |n: usize| json!({ "category": "a", "name": format!("n{n}"), "content": "c" });
    futures::future::join_all((0..many).map(|n| test.post(PROMPTS, body(n)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn row_40_a_line_for_the_writer_is_long_and_those_beyond_its_end_are_told_to_come_back() {
    let test = TestApp::api().await;
    assert!(at_once(&test, 60).await.iter().all(|reply| reply.status == 201), "sixty are served in a moment");
    let mut held = test.another().await.app.begin(&caller()).await.unwrap();
    if engine() == Engine::Postgres {
        held.execute("LOCK TABLE prompts IN EXCLUSIVE MODE", &[]).await.unwrap();
    }
    let (replies, ()) = futures::future::join(at_once(&test, 250), async { drop(held) }).await;
    let refused: Vec<Reply> =
        replies.into_iter().filter(|reply| ![201, 409].contains(&reply.status.as_u16())).collect();
    assert!((50..=200).contains(&refused.len()), "{} of 250", refused.len());
    for reply in refused {
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(reply.code(503), "overloaded");
    }
    for _ in 0..64 {
        assert_eq!(at_once(&test, 1).await[0].status, 409, "it is there, and nobody is before who asks alone");
    }
    at_once(&test, 60).await.iter().for_each(|reply| assert_eq!(reply.status, 409, "the line is long again"));
}
