//! How often somebody may ask.
use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use support::{Reply, TestApp};

use super::{ADMIN, bearer, closed, with_scopes};

const PROMPTS: &str = "/api/v1/prompts";

/// Asks from an address.
async fn from(test: &TestApp, address: &str, key: &str) -> Reply {
    let peer: SocketAddr = address.parse().unwrap();
    let request =
        Request::builder().uri(PROMPTS).header(header::HOST, "localhost").header(header::AUTHORIZATION, bearer(key));
    test.send(request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn row_38_whoever_tries_keys_is_told_to_wait_and_nobody_else() {
    let test = closed().await;
    let mut refused = None;
    for _ in 0..200 {
        let reply = from(&test, "192.0.2.1:7", "not-a-key").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        reply.problem(401, "unauthenticated");
    }
    let refused = refused.expect("200 wrong keys are too many");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert!(refused.header("ratelimit").starts_with("\"wrong-keys\";r=0;t="));
    assert_eq!(refused.header("ratelimit-policy"), "\"wrong-keys\";q=50;w=10");
    refused.problem(429, "too-many");
    from(&test, "192.0.2.2:7", "not-a-key").await.problem(401, "unauthenticated");
    from(&test, "192.0.2.1:7", ADMIN).await.expect(200);
}

/// The first refusal of many requests.
async fn refused(test: &TestApp, address: &str, key: &str) -> Reply {
    for _ in 0..100 {
        let reply = from(test, address, key).await;
        if reply.status == 429 {
            return reply;
        }
    }
    panic!("100 requests were not too many");
}

#[tokio::test]
async fn row_39_a_key_that_asks_too_often_is_told_to_wait() {
    let test = TestApp::with(&["--admin-key", ADMIN, "--rate-per-key", "2"]).await;
    let key = with_scopes(&test, &["prompts:read"]).await;
    let refused = refused(&test, "192.0.2.1:7", &key).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"key\";q=2;w=1");
    assert_eq!((refused.header("ratelimit"), refused.header("retry-after")), ("\"key\";r=0;t=1", "1"));
    refused.problem(429, "too-many");
    from(&test, "192.0.2.1:7", ADMIN).await.expect(200);
}

#[tokio::test]
async fn row_39_an_address_that_asks_too_often_is_told_to_wait() {
    let test = TestApp::with(&["--admin-key", ADMIN, "--rate-per-address", "2"]).await;
    let refused = refused(&test, "192.0.2.1:7", ADMIN).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"address\";q=2;w=1");
    refused.problem(429, "too-many");
    from(&test, "192.0.2.2:7", ADMIN).await.expect(200);
}

#[tokio::test]
async fn row_38_a_site_has_more_addresses_than_anybody_counts_so_they_count_as_one() {
    let test = TestApp::with(&["--admin-key", ADMIN, "--rate-per-address", "2"]).await;
    let mut refused = 0;
    for n in 0..20 {
        let reply = from(&test, &format!("[2001:db8:0:1::{n:x}]:7"), ADMIN).await;
        refused += usize::from(reply.status == 429);
    }
    assert!(refused >= 15, "{refused} of 20");
    from(&test, "[2001:db8:0:2::1]:7", ADMIN).await.expect(200);
    // An address of version 4 in the clothes of version 6 is itself.
    from(&test, "[::ffff:192.0.2.9]:7", ADMIN).await.expect(200);
    from(&test, "192.0.2.9:7", ADMIN).await.expect(200);
    from(&test, "[::ffff:192.0.2.9]:7", ADMIN).await.problem(429, "too-many");
}

#[tokio::test]
async fn without_a_limit_nobody_waits() {
    let test = closed().await;
    let key = with_scopes(&test, &["prompts:read"]).await;
    for _ in 0..100 {
        from(&test, "192.0.2.1:7", &key).await.expect(200);
    }
}
