//! Content types, origins and encodings.
use axum::{body::Body, http::Method};
use support::TestApp;

use super::{PROMPTS, rows};

const BODY: &str = r#"{"category": "a", "name": "b", "content": "c"}"#;

#[tokio::test]
async fn what_says_that_it_is_json_is_read_as_json() {
    for kind in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"]
    {
        let test = TestApp::api().await;
        for headers in [vec![("content-type", kind)], vec![("content-type", kind), ("origin", "http://localhost:5110")]]
        {
            let reply = test.request(Method::POST, PROMPTS, &headers, BODY).await;
            assert!([201, 409].contains(&reply.status.as_u16()), "{kind}: {reply:?}");
        }
        assert_eq!(rows(&test).await[0], 1);
    }
}

#[tokio::test]
async fn row_25_what_says_that_it_is_something_else_is_refused() {
    let test = TestApp::api().await;
    // row 25
    for kind in [
        "text/xml",
        "text/plain",
        "text/json",
        "application/xml",
        "application/octet-stream",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "nonsense",
        "",
    ] {
        let reply = test.request(Method::POST, PROMPTS, &[("content-type", kind)], BODY).await;
        assert_eq!(reply.code(415), "unsupported-media-type", "{kind}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_26_what_plain_curl_sends_is_accepted() {
    // row 26
    for headers in [&[][..], &[("content-type", "application/x-www-form-urlencoded")]] {
        let test = TestApp::api().await;
        test.request(Method::POST, PROMPTS, headers, BODY).await.expect(201);
    }
}

#[tokio::test]
async fn row_27_what_a_page_elsewhere_can_send_is_refused() {
    let test = TestApp::api().await;
    // row 27
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        for kind in [None, Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("multipart/form-data")] {
            let mut headers = vec![("origin", origin)];
            headers.extend(kind.map(|kind| ("content-type", kind)));
            let reply = test.request(Method::POST, PROMPTS, &headers, BODY).await;
            assert_eq!(reply.code(415), "unsupported-media-type", "{kind:?}");
        }
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn a_page_elsewhere_may_not_read_answers() {
    let test = TestApp::api().await;
    let headers = [("origin", "https://evil.example"), ("access-control-request-method", "PUT")];
    for method in [Method::GET, Method::OPTIONS] {
        let reply = test.request(method, PROMPTS, &headers, Body::empty()).await;
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn row_28_a_compressed_body_is_refused() {
    let test = TestApp::api().await;
    // row 28
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip", "x"] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        let reply = test.request(Method::POST, PROMPTS, &headers, BODY).await;
        assert_eq!(reply.header("connection"), "close");
        assert_eq!(reply.code(415), "unsupported-media-type", "{encoding}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}
