//! Paths and methods: what is not there is not found, however it is written.
use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use support::TestApp;

use super::{NOBODY, PROMPTS, at, rows};

#[tokio::test]
async fn row_17_a_path_is_decoded_once_and_never_walked() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    // row 17
    for path in [
        "search/../b",
        "search/%2e%2e%2f/b",
        "search/..%2f..%2f..%2fetc%2fpasswd/b",
        "search/x/%2e%2e%2fa%2fb",
        "search/a/b%00",
        "search/%00/%00",
        "search/a%252Fb/c",
        "search/%61%2562/b",
        "search/%2561/b",
        "search/a/b/",
        "search/a//b",
        "search//b",
        "search/a",
        "../prompts/search/a/b",
        "%2e%2e/prompts",
        "search/a/b/..",
        "",
    ] {
        let problem = test.get(&format!("{PROMPTS}/{path}")).await.expect(404);
        assert!(["not-found", "no-such-route"].contains(&problem["code"].as_str().unwrap()), "{path}: {problem}");
    }
    for path in ["search/%ff/b", "search/a/%c0%af", "%ff"] {
        assert_eq!(test.get(&format!("{PROMPTS}/{path}")).await.code(400), "bad-path", "{path}");
    }
    assert_eq!(test.get(&format!("{PROMPTS}/search/%61/%62")).await.expect(200)["filled_content"], "c");
}

/// A problem, as far as it does not name the request.
fn without_request(mut problem: Value, id: &str) -> String {
    for key in ["instance", "request_id"] {
        problem.as_object_mut().unwrap().remove(key);
    }
    problem.to_string().replace(id, "…")
}

#[tokio::test]
async fn row_18_a_malformed_id_reads_like_an_unknown_one() {
    let test = TestApp::api().await;
    let lower = NOBODY.to_lowercase();
    let malformed = [
        "x",
        "0",
        "%20",
        "%00",
        "prm_",
        "prm_01J9Z3N5T8QWERTYASDFGHZXC",
        "op_01J9Z3N5T8QWERTYASDFGHZXCV",
        &lower,
        "%F0%9F%9A%80",
    ];
    // row 18
    for (method, path, body) in [
        (Method::GET, "", json!({})),
        (Method::PUT, "", json!({ "name": "x" })),
        (Method::DELETE, "", json!({})),
        (Method::PUT, "/content", json!({ "content": "x" })),
        (Method::POST, "/restore", json!({})),
        (Method::POST, "/fork", json!({ "new_name": "x" })),
        (Method::GET, "/versions", json!({})),
        (Method::GET, "/versions/1", json!({})),
        (Method::POST, "/versions/1/rollback", json!({})),
        (Method::GET, "/diff", json!({})),
        (Method::GET, "/labels", json!({})),
        (Method::GET, "/labels/history", json!({})),
        (Method::PUT, "/labels/x", json!({ "version": 1 })),
        (Method::DELETE, "/labels/x", json!({})),
    ] {
        let ask = async |id: &str| {
            let json = [("content-type", "application/json")];
            let path = format!("{PROMPTS}/{id}{path}");
            test.request(method.clone(), &path, &json, body.to_string()).await.expect(404)
        };
        let unknown = without_request(ask(NOBODY).await, NOBODY);
        assert!(unknown.contains("there is no prompt `…`"), "{method} {path}: {unknown}");
        for id in malformed {
            let shown = match id {
                "%20" => " ",
                "%00" => r"\\u{0}",
                "%F0%9F%9A%80" => "🚀",
                plain => plain,
            };
            assert_eq!(
                without_request(ask(id).await, &format!("`{shown}`")).replace('…', "`…`"),
                unknown,
                "{method} {path}"
            );
        }
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn so_does_a_malformed_id_of_an_operation() {
    let test = TestApp::api().await;
    for path in ["", "/items"] {
        let ask = async |id: &str| {
            let problem = test.get(&format!("/api/v1/bulk/operations/{id}{path}")).await.expect(404);
            without_request(problem, &format!("`{id}`"))
        };
        let unknown = ask("op_01J9Z3N5T8QWERTYASDFGHZXCV").await;
        for id in ["x", "1", NOBODY] {
            assert_eq!(ask(id).await, unknown, "{id}");
        }
    }
}

#[tokio::test]
async fn row_24_an_address_of_more_than_8_kib_is_refused() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "{{x}}").await;
    let path = |length: usize| {
        let start = format!("{PROMPTS}/search/a/b?x=");
        format!("{start}{}", "y".repeat(length - start.len()))
    };
    // row 24
    test.get(&path(8 * 1024)).await.expect(200);
    assert_eq!(test.get(&path(8 * 1024 + 1)).await.code(414), "uri-too-long");
    let long = format!("{}?x={}", at(&made), "y".repeat(60_000));
    assert_eq!(test.delete(&long).await.code(414), "uri-too-long");
    assert_eq!(rows(&test).await[0], 1);
}

#[tokio::test]
async fn row_29_an_answer_is_json_whatever_the_client_prefers() {
    let test = TestApp::api().await;
    // row 29
    for accept in ["text/html", "application/xml;q=0.9", "*/*", "nonsense"] {
        let reply = test.request(Method::GET, PROMPTS, &[("accept", accept)], Body::empty()).await;
        assert_eq!(reply.header("content-type"), "application/json");
        reply.expect(200);
    }
}

#[tokio::test]
async fn row_30_a_wrong_method_is_told_the_right_ones() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let (before, prompt) = (rows(&test).await, at(&made));
    // row 30
    for (path, allowed) in [
        (PROMPTS.to_owned(), "GET HEAD POST"),
        (prompt.clone(), "DELETE GET HEAD PUT"),
        (format!("{prompt}/content"), "PUT"),
        (format!("{prompt}/restore"), "POST"),
        (format!("{prompt}/versions/1"), "GET HEAD"),
        (format!("{prompt}/versions/1/rollback"), "POST"),
        (format!("{prompt}/labels/x"), "DELETE PUT"),
        (format!("{PROMPTS}/search/a/b"), "GET HEAD POST"),
        (format!("{PROMPTS}/categories"), "GET HEAD"),
        ("/api/v1/bulk/prompts".to_owned(), "DELETE POST PUT"),
        ("/health".to_owned(), "GET HEAD"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if allowed.split(' ').any(|allowed| allowed == method) {
                continue;
            }
            let reply = test.request(method.parse().unwrap(), &path, &[], Body::empty()).await;
            let mut allow: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
            allow.sort_unstable();
            assert_eq!(allow.join(" "), allowed, "{method} {path}");
            assert_eq!(reply.code(405), "method-not-allowed");
        }
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn row_31_an_unknown_route_is_a_problem_too() {
    let test = TestApp::api().await;
    // row 31
    for path in
        ["/nope", "/api", "/api/v1", "/api/v2/prompts", "/api/v1/prompts/", "/api/v1/Prompts", "/docs/nope.js", "/.env"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let reply = test.request(method.clone(), path, &[], Body::empty()).await;
            if path.starts_with("/docs") && method != Method::GET {
                reply.expect(405);
            } else {
                assert_eq!(reply.code(404), "no-such-route", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_head_has_no_body() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let reply = test.request(Method::HEAD, &at(&made), &[], Body::empty()).await;
    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, 0));
    assert_eq!(reply.header("etag"), "\"1\"");
}
