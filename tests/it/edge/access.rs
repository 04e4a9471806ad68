//! Who may ask: hosts without a key, and the key.
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request},
};
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, rows};

const KEY: &str = "f3Q9-zX71kLmPq20vBnR8sTy45uWe6Ha";
const OPEN: [&str; 5] = ["/", "/docs/", "/api/openapi.json", "/health/live", "/health/ready"];

#[tokio::test]
async fn without_a_key_only_this_machine_may_ask() {
    let test = TestApp::api().await;
    for host in [
        "evil.example",
        "evil.example:5110",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.1",
        "169.254.169.254",
        "[2001:db8::1]:5110",
        "0.0.0.0",
        "",
        "localhost:x",
    ] {
        let headers = [("host", host), ("content-type", "application/json")];
        let body = json!({ "category": "a", "name": "b", "content": "c" });
        let reply = test.request(Method::POST, PROMPTS, &headers, body.to_string()).await;
        assert_eq!(reply.code(403), "forbidden", "{host}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn without_a_key_no_page_of_another_site_may_ask() {
    let test = TestApp::api().await;
    let id = test.prompt("a", "b", "c").await["id"].as_str().unwrap().to_owned();
    let before = rows(&test).await;
    let one = format!("{PROMPTS}/{id}");
    let yaml = "a:\n  driven-by: text\n";
    for (method, path, kind, body, status) in [
        (Method::POST, "/migrate", Some("text/plain"), yaml, 415),
        (Method::POST, "/migrate", None, yaml, 415),
        (Method::POST, "/migrate", Some("application/json"), yaml, 403),
        (Method::POST, "/api/v1/cache/invalidate", None, "", 415),
        (Method::POST, PROMPTS, Some("application/json"), r#"{"category": "a", "name": "n", "content": "c"}"#, 403),
        (Method::DELETE, &one, None, "", 403),
        (Method::GET, PROMPTS, None, "", 403),
        (Method::GET, "/api/v1/events", None, "", 403),
    ] {
        for who in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost.evil.example"),
            ("origin", "http://192.168.1.7:5110"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let mut headers = vec![("host", "127.0.0.1:5110"), who];
            headers.extend(kind.map(|kind| ("content-type", kind)));
            let reply = test.request(method.clone(), path, &headers, body).await;
            assert_eq!(reply.status, status, "{method} {path} {who:?}: {}", reply.body);
        }
    }
    assert_eq!(rows(&test).await, before);
    for headers in [
        [("origin", "http://localhost:5110"), ("sec-fetch-site", "same-origin")],
        [("origin", "http://[::1]:5110"), ("sec-fetch-site", "same-origin")],
        [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-site")],
    ] {
        test.request(Method::GET, PROMPTS, &headers, Body::empty()).await.expect(200);
    }
    let own = TestApp::with(&["--allowed-hosts", "prompts.internal"]).await;
    own.request(Method::GET, PROMPTS, &[("origin", "http://prompts.internal")], Body::empty()).await.expect(200);
}

#[tokio::test]
async fn this_machine_has_many_names() {
    let test = TestApp::with(&["--allowed-hosts", "prompts.internal,other"]).await;
    for host in [
        "localhost",
        "LOCALHOST:5110",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]",
        "[::1]:5110",
        "Prompts.Internal:80",
        "other",
    ] {
        test.request(Method::GET, PROMPTS, &[("host", host)], Body::empty()).await.expect(200);
    }
}

#[tokio::test]
async fn row_33_37_with_a_key_every_other_request_is_refused_alike() {
    let test = TestApp::with(&["--admin-key", KEY]).await;
    let truncated = format!("Bearer {}", &KEY[..31]);
    let longer = format!("Bearer {KEY}x");
    let lower = format!("Bearer {}", KEY.to_lowercase());
    let basic = format!("Basic {KEY}");
    let mut bodies = Vec::new();
    // row 33
    let wrong: [&[u8]; 10] = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer x",
        b"Bearer \xff",
        KEY.as_bytes(),
        truncated.as_bytes(),
        longer.as_bytes(),
        lower.as_bytes(),
        basic.as_bytes(),
    ];
    for wrong in wrong {
        let request = Request::get(PROMPTS).header("authorization", HeaderValue::from_bytes(wrong).unwrap());
        let reply = test.send(request.body(Body::empty()).unwrap()).await;
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        let mut problem = reply.expect(401);
        problem.as_object_mut().unwrap().remove("request_id");
        bodies.push(problem);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    // row 37
    for query in ["key", "api_key", "access_token", "authorization"] {
        assert_eq!(test.get(&format!("{PROMPTS}?{query}={KEY}")).await.code(401), "unauthenticated");
    }
}

#[tokio::test]
async fn the_key_is_wanted_on_every_route_but_the_open_ones() {
    let test = TestApp::with(&["--admin-key", KEY]).await;
    let document: Value = serde_json::from_str(&api::document()).unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|_| !OPEN.contains(&path.as_str())) {
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = test.request(method, path, &[("content-type", "application/json")], "{}").await;
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{path}");
            assert_eq!(reply.code(401), "unauthenticated", "{path}");
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
    for path in ["/metrics", "/health", "/nope", "/api/v1", "//health/live", "/health/live/", "/docs/../api/v1/prompts"]
    {
        let status = test.get(path).await.status;
        assert!([401, 404].contains(&status.as_u16()), "{path}: {status}");
    }
    for path in ["/metrics", "/health", "/nope"] {
        assert_eq!(test.get(path).await.code(401), "unauthenticated", "{path}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn what_probes_and_people_ask_is_open() {
    let test = TestApp::with(&["--admin-key", KEY]).await;
    for path in OPEN {
        let status = test.get(path).await.status;
        assert!(status.is_success() || status.is_redirection(), "{path}: {status}");
    }
}

#[tokio::test]
async fn the_key_lets_in_from_anywhere() {
    let test = TestApp::with(&["--admin-key", KEY]).await;
    for (scheme, host) in [("Bearer", "localhost"), ("bearer", "prompts.example"), ("BEARER", "10.0.0.1:5110")] {
        let key = format!("{scheme} {KEY}");
        let headers = [("authorization", key.as_str()), ("host", host)];
        test.request(Method::GET, PROMPTS, &headers, Body::empty()).await.expect(200);
    }
}

#[tokio::test]
async fn who_made_a_prompt_is_kept() {
    let test = TestApp::with(&["--admin-key", KEY]).await;
    let key = format!("Bearer {KEY}");
    let body = json!({ "category": "a", "name": "b", "content": "c" });
    let made = test.post_with(PROMPTS, &[("authorization", &key)], body).await.expect(201);
    assert_eq!(made["created_by"], "admin");
}
