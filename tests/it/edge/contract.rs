//! Every route of the published contract answers what is malformed with a problem.
use axum::http::Method;
use serde_json::Value;
use support::{Reply, TestApp};

/// What stands for each parameter of a path: nothing the store knows.
const IDS: [&str; 6] = ["x", "%00", "..", "%F0%9F%9A%80", "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "-1"];
const BODIES: [&[u8]; 8] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{\"a\":1,\"a\":2}",
    b"{\"\xff\":1}",
    b"{\"no such field\":1}",
    b"{\"version\":1e400}",
];
const QUERIES: [&str; 5] = ["", "?no-such-parameter=1", "?limit=x", "?%ff=%ff&&=&a", "?cursor=x"];

struct Route {
    method: Method,
    path: String,
    takes_body: bool,
    needs_body: bool,
}

/// Every route of the contract.
fn routes() -> Vec<Route> {
    let document: Value = serde_json::from_str(&api::document()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let body = operation.get("requestBody");
            let (takes_body, needs_body) = (body.is_some(), body.is_some_and(|body| body["required"] == true));
            let method = method.to_uppercase().parse().unwrap();
            routes.push(Route { method, path: path.clone(), takes_body, needs_body });
        }
    }
    assert!(routes.len() > 25, "{}", routes.len());
    routes
}

/// A path with every parameter replaced.
fn filled(path: &str, value: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { value.to_owned() } else { segment.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

async fn ask(test: &TestApp, route: &Route, value: &str, query: &str, body: &[u8]) -> Reply {
    let path = format!("{}{query}", filled(&route.path, value));
    let json = [("content-type", "application/json")];
    test.request(route.method.clone(), &path, &json, body.to_vec()).await
}

#[track_caller]
fn check(route: &Route, what: &str, reply: Reply) {
    let status = reply.status.as_u16();
    assert!(status < 500, "{} {} {what}: {reply:?}", route.method, route.path);
    if status >= 400 {
        reply.expect(status);
    }
}

#[tokio::test]
async fn whatever_stands_for_an_id_the_answer_is_a_problem() {
    let test = TestApp::api().await;
    for route in routes().iter().filter(|route| route.path.contains('{')) {
        for id in IDS {
            let reply = ask(&test, route, id, "", b"{}").await;
            assert!(reply.status.is_client_error(), "{} {} {id}: {reply:?}", route.method, route.path);
            check(route, id, reply);
        }
    }
}

#[tokio::test]
async fn whatever_the_body_is_the_answer_is_a_problem() {
    let test = TestApp::api().await;
    for route in routes() {
        for body in BODIES {
            let shown = String::from_utf8_lossy(body).into_owned();
            let reply = ask(&test, &route, "x", "", body).await;
            // What an import takes is lines, which are refused one by one.
            let refused = reply.status.is_client_error() || route.path.ends_with("/bulk/import");
            let allowed = !route.takes_body || (body.is_empty() && !route.needs_body);
            assert!(refused || allowed, "{} {} {shown}: {reply:?}", route.method, route.path);
            check(&route, &shown, reply);
        }
    }
}

#[tokio::test]
async fn whatever_the_query_is_there_is_an_answer() {
    let test = TestApp::api().await;
    for route in routes() {
        for query in QUERIES {
            check(&route, query, ask(&test, &route, "x", query, b"{}").await);
        }
    }
}

#[tokio::test]
async fn no_refusal_tells_what_is_inside() {
    let test = TestApp::api().await;
    for route in routes() {
        for (id, query, body) in [("'", "?'", &b"{'"[..]), ("\"", "?limit='", b"{\"a\": \"'\"}")] {
            let id = format!("%{:02X}", id.as_bytes()[0]);
            let reply = ask(&test, &route, &id, query, body).await;
            let text = String::from_utf8_lossy(&reply.bytes).to_lowercase();
            for told in ["sqlite", "select ", "insert ", "sqlx", ".rs:", "panicked", "/tmp/", "shared::"] {
                let is_contract = reply.status.is_success();
                assert!(is_contract || !text.contains(told), "{} {}: {text}", route.method, route.path);
            }
        }
    }
}
