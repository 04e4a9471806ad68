//! What a refusal says is about the request, and never about how this program is made.
use std::collections::BTreeSet;

use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use support::{Reply, TestApp, figure};

use super::schema::{Contract, Route};

/// Words of the program and of what it is made with.
const INSIDE: [&str; 17] = [
    "struct ",
    "enum ",
    "Option<",
    "variant of",
    "f64",
    "i64",
    "u64",
    "i32",
    "u32",
    "usize",
    "literal",
    "a sequence",
    "a map",
    "unit value",
    "newtype",
    "untagged",
    "deserializ",
];

/// One of each type, and what only looks like it.
fn wrong() -> Vec<Value> {
    let nested = json!([[{ "a": [] }]]);
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!("nonsense"),
        json!(""),
        json!([]),
        json!(["nonsense"]),
        json!([7]),
        json!({}),
        json!({ "nonsense": 1 }),
        nested,
    ]
}

/// A message without what it quotes.
fn unquoted(detail: &str) -> String {
    let plain = |text: &str, quote: char| text.split(quote).step_by(2).collect::<Vec<_>>().join(" ");
    plain(&plain(detail, '`'), '"')
}

/// What the answer says.
fn told(reply: &Reply) -> Vec<String> {
    let of = |value: &Value| value["detail"].as_str().map(str::to_owned);
    let errors = reply.body["errors"].as_array().into_iter().flatten();
    of(&reply.body).into_iter().chain(errors.filter_map(of)).collect()
}

/// Remembers what speaks of the inside.
#[derive(Default)]
struct Heard {
    refusals: usize,
    offending: BTreeSet<String>,
}

impl Heard {
    fn hear(&mut self, route: &str, what: &str, reply: &Reply) {
        assert!(!reply.status.is_server_error(), "{route} {what}: {reply:?}");
        if !reply.status.is_client_error() {
            return;
        }
        self.refusals += 1;
        for detail in told(reply) {
            let plain = unquoted(&detail);
            if let Some(word) = INSIDE.iter().find(|word| plain.contains(*word)) {
                self.offending.insert(format!("{route} {what}: `{word}` in: {detail}"));
            }
        }
    }
}

fn at(route: &Route) -> String {
    let id = |segment: &str| match segment {
        "{version}" => "1".to_owned(),
        "{label}" | "{category}" | "{name}" => "x".to_owned(),
        "{rule}" => "C08".to_owned(),
        "{id}" if route.path.contains("/webhooks/") => "whk_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        "{id}" if route.path.contains("/keys/") => "key_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        "{id}" if route.path.contains("/ab-tests/") => "abt_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        "{id}" if route.path.contains("/relationships/") => "rel_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        "{id}" if route.path.contains("/operations/") => "op_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        segment if segment.starts_with('{') => "prm_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
        segment => segment.to_owned(),
    };
    route.path.split('/').map(id).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_refusal_of_a_body_speaks_of_the_program() {
    let test = TestApp::api().await;
    let (contract, mut heard) = (Contract::read(), Heard::default());
    for route in contract.routes().iter().filter(|route| route.is_write()) {
        let Some(schema) = &route.body else { continue };
        let (path, name) = (at(route), format!("{} {}", route.method, route.path));
        let mut send = async |what: String, body: Value| {
            let json = [("content-type", "application/json")];
            let reply = test.request(route.method.clone(), &path, &json, body.to_string()).await;
            heard.hear(&name, &what, &reply);
        };
        for value in wrong() {
            send(format!("whole {value}"), value).await;
        }
        for (place, _) in contract.places(schema) {
            for value in wrong() {
                send(format!("{place:?} {value}"), contract.body(schema, &place, &value, &|_| None)).await;
            }
        }
    }
    figure("refusals of bodies that were read", heard.refusals);
    assert!(heard.refusals > 2000, "{}", heard.refusals);
    assert!(heard.offending.is_empty(), "{:#?}", heard.offending);
}

#[tokio::test]
async fn no_refusal_of_a_query_speaks_of_the_program() {
    let test = TestApp::api().await;
    let (contract, mut heard) = (Contract::read(), Heard::default());
    for route in &contract.routes() {
        let (path, name) = (at(route), format!("{} {}", route.method, route.path));
        for (parameter, _) in &route.query {
            for value in ["", "nonsense", "5%25", "-1", "1.5", "1e999", "99999999999999999999", "a=b", "%5B%5D", "true"]
            {
                for query in [format!("{parameter}={value}"), format!("{parameter}={value}&{parameter}={value}")] {
                    let reply =
                        test.request(route.method.clone(), &format!("{path}?{query}"), &[], Body::empty()).await;
                    heard.hear(&name, &query, &reply);
                }
            }
        }
    }
    figure("refusals of queries that were read", heard.refusals);
    assert!(heard.refusals > 300, "{}", heard.refusals);
    assert!(heard.offending.is_empty(), "{:#?}", heard.offending);
}

#[tokio::test]
async fn no_refusal_of_a_line_or_a_collection_speaks_of_the_program() {
    let test = TestApp::api().await;
    let (contract, mut heard) = (Contract::read(), Heard::default());
    let record = json!({ "kind": "prompt", "id": "x", "versions": [{ "version": "x" }], "label_history": 7 });
    let successor = json!({ "kind": "successor", "prompt_id": 7, "successor_id": [] });
    let relationship = json!({ "kind": "relationship", "relationship_type": "nonsense", "strength": "x" });
    let routes = contract.routes();
    let new = routes.iter().find(|it| it.path == "/api/v1/prompts" && it.is_write()).unwrap();
    let schema = new.body.clone().unwrap();
    let mut lines: Vec<Value> = vec![record, successor, relationship];
    lines.extend(wrong());
    for (place, _) in contract.places(&schema) {
        lines.extend(wrong().iter().map(|value| contract.body(&schema, &place, value, &|_| None)));
    }
    let body = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let kind = [("content-type", "application/x-ndjson")];
    let operation = test.request(Method::POST, "/api/v1/bulk/import", &kind, body).await.expect(202);
    test.work().await;
    let path = format!("/api/v1/bulk/operations/{}/items?limit=1000", operation["id"].as_str().unwrap());
    let items = test.get(&path).await.expect(200);
    let details: Vec<&str> = items["items"].as_array().unwrap().iter().filter_map(|it| it["detail"].as_str()).collect();
    assert!(details.len() > 100, "{}", details.len());
    for detail in details {
        let plain = unquoted(detail);
        assert!(!INSIDE.iter().any(|word| plain.contains(word)), "{detail}");
    }
    for collection in [
        "",
        "a",
        "[]",
        "a: b",
        "a: [b]",
        "a: {b: 7}",
        "a: {b: {content: 7}}",
        "a: {b: {variables: x, content: y}}",
        "a: {b: {text: y}}",
        "7: {b: c}",
        "a: {b: }",
        "a: {b: [c]}",
        "a: &a [*a]",
        "a: {b: !x c}",
        "{",
        "a: {b: c, b: d}",
    ] {
        let reply = test.request(Method::POST, "/migrate", &[("content-type", "application/yaml")], collection).await;
        heard.hear("POST /migrate", collection, &reply);
    }
    assert!(heard.offending.is_empty(), "{:#?}", heard.offending);
}
