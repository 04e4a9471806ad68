//! Bodies that stall or break off.
use std::time::{Duration, Instant};

use axum::{body::Body, http::Method};
use futures::{StreamExt, stream};
use support::TestApp;

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

#[tokio::test]
async fn a_handler_that_takes_too_long_is_given_up() {
    let test = TestApp::with(&["--handler-timeout-ms", "100"]).await;
    let stalled = stream::iter([Chunk::Ok(START)]).chain(stream::pending());
    let json = [("content-type", "application/json")];
    let reply = test.request(Method::POST, PROMPTS, &json, Body::from_stream(stalled)).await;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.code(503), "timeout");
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_40_where_every_place_is_taken_others_are_told_to_come_back() {
    let test = TestApp::with(&["--max-in-flight", "1", "--body-timeout-ms", "2000"]).await;
    let stalled = stream::iter([Chunk::Ok(START)]).chain(stream::pending());
    let json = [("content-type", "application/json")];
    let taking = test.request(Method::POST, PROMPTS, &json, Body::from_stream(stalled));
    // row 40
    let (taken, (overloaded, health)) =
        futures::future::join(taking, async { (test.get(PROMPTS).await, test.get("/health/live").await) }).await;
    assert_eq!(overloaded.header("retry-after"), "1");
    assert_eq!(overloaded.code(503), "overloaded");
    health.expect(200);
    assert_eq!(taken.code(408), "body-timeout");
    test.get(PROMPTS).await.expect(200);
}
