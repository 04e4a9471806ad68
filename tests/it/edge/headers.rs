//! What every answer carries: the request's name, and what browsers are told.
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request},
};
use support::{Reply, TestApp};

use super::{NOBODY, PROMPTS};

async fn named(test: &TestApp, headers: &[(&str, &[u8])]) -> Reply {
    let mut request = Request::get(format!("{PROMPTS}/{NOBODY}"));
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    test.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_sane_request_id_is_echoed() {
    let test = TestApp::api().await;
    let long = "x".repeat(128);
    for id in ["a", "req-1/2:3", "~!@#$%^&*()", &long] {
        for name in ["x-correlation-id", "x-request-id"] {
            let reply = named(&test, &[(name, id.as_bytes())]).await;
            assert_eq!((reply.header("x-request-id"), reply.header("x-correlation-id")), (id, id));
            assert_eq!(reply.expect(404)["request_id"], id);
        }
    }
}

#[tokio::test]
async fn row_75_an_insane_request_id_is_replaced() {
    let test = TestApp::api().await;
    let (long, longer) = ("x".repeat(129), "x".repeat(1024));
    // row 75
    for id in [b"".as_slice(), b"a b", b"a\tb", "é".as_bytes(), b"\xff", long.as_bytes(), longer.as_bytes()] {
        let reply = named(&test, &[("x-request-id", id)]).await;
        let made = reply.header("x-request-id").to_owned();
        assert!(made.starts_with("req_") && made.as_bytes() != id, "{made}");
        assert_eq!(reply.header("x-correlation-id"), made);
        reply.expect(404);
    }
}

#[tokio::test]
async fn the_correlation_id_wins_where_both_are_sane() {
    let test = TestApp::api().await;
    let both = named(&test, &[("x-request-id", b"r"), ("x-correlation-id", b"c")]).await;
    assert_eq!(both.header("x-request-id"), "c");
    let one = named(&test, &[("x-request-id", b"r"), ("x-correlation-id", b"c c")]).await;
    assert_eq!(one.header("x-request-id"), "r");
}

#[tokio::test]
async fn two_requests_without_a_name_get_two() {
    let test = TestApp::api().await;
    let name = async || test.get(PROMPTS).await.header("x-request-id").to_owned();
    assert_ne!(name().await, name().await);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_out() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    let big = [("content-length", "99999999999")];
    let foreign = [("host", "evil.example")];
    let replies = [
        test.get(PROMPTS).await,
        test.get(&format!("{PROMPTS}/search/a/b")).await,
        test.get("/nope").await,
        test.get("/health").await,
        test.delete(PROMPTS).await,
        test.request(Method::POST, PROMPTS, &[], "{").await,
        test.request(Method::POST, PROMPTS, &big, Body::empty()).await,
        test.request(Method::GET, PROMPTS, &foreign, Body::empty()).await,
    ];
    for reply in replies {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert!(!reply.headers.contains_key("server") && !reply.headers.contains_key("x-powered-by"));
        assert_eq!(reply.header("x-request-id"), reply.header("x-correlation-id"));
        if reply.status.is_client_error() {
            assert_eq!(reply.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn a_problem_names_itself_and_what_it_is_about() {
    let test = TestApp::api().await;
    let problem = test.get(&format!("{PROMPTS}/{NOBODY}?version=1")).await.expect(404);
    assert_eq!(problem["instance"], format!("{PROMPTS}/{NOBODY}"));
    let code = problem["code"].as_str().unwrap();
    assert!(problem["type"].as_str().unwrap().ends_with(&format!("/{code}")), "{problem}");
}
