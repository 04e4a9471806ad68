//! Both engines are asked the same, with a hostile text in every place of the contract where a text may stand, and answer
//! the same: the same statuses, the same bodies, the same store in the end.
mod ids;
mod sites;

use std::collections::BTreeMap;

use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use support::{Engine, Reply, TestApp, engine, figure, variable};

use super::schema::Contract;
use ids::Ids;
use sites::{Asked, Sites};

/// So many requests, of each engine.
const REQUESTS: usize = 2000;

/// One store, and what its ids are called here.
struct Store {
    test: TestApp,
    ids: Ids,
}

/// What came back, without what differs from store to store.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    body: Value,
}

impl Store {
    async fn on(engine: Engine) -> Self {
        Self { test: TestApp::on(engine).await, ids: Ids::default() }
    }

    async fn ask(&mut self, asked: &Asked) -> Answer {
        let (path, body) = (self.ids.real(&asked.path), self.ids.real(&asked.body));
        let headers = [("content-type", asked.kind)];
        let headers = if body.is_empty() { &[][..] } else { &headers };
        let reply = self.test.request(asked.method.clone(), &path, headers, Body::from(body)).await;
        let answer = self.answer(&reply);
        if answer.status == 202 {
            self.test.work().await;
        }
        answer
    }

    fn answer(&mut self, reply: &Reply) -> Answer {
        let mut body = reply.body.clone();
        if body.is_null() && !reply.bytes.is_empty() {
            let lines = String::from_utf8_lossy(&reply.bytes).into_owned();
            body = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line))).collect();
        }
        without_chance(&mut body);
        Answer { status: reply.status.as_u16(), body: self.ids.known(body) }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let path = self.ids.real(path);
        let reply = self.test.get(&path).await;
        self.answer(&reply)
    }
}

/// Takes out what no two stores have in common: secrets and what is made of them, and hashes of what holds ids.
fn without_chance(value: &mut Value) {
    const CHANCE: [&str; 9] =
        ["request_id", "secret", "text", "seal", "after_hash", "before_hash", "next_cursor", "duration_ms", "score"];
    match value {
        Value::Object(fields) => {
            // The envelope of the paths of before tells when it was written, by the clock of the system.
            let is_envelope = fields.contains_key("success");
            fields.retain(|name, _| !CHANCE.contains(&name.as_str()) && (!is_envelope || name != "timestamp"));
            fields.values_mut().for_each(without_chance);
        }
        Value::Array(items) => items.iter_mut().for_each(without_chance),
        _ => {}
    }
}

/// What must be equal: how well something is found differs from engine to engine, and which arm a unit gets hangs on the id of
/// the test.
fn compared(asked: &Asked, answer: &Answer) -> Value {
    let experiment = &answer.body["served"]["experiment"];
    if asked.path.contains("/search") && answer.body.get("total").is_some() {
        return json!([answer.status, answer.body["total"]]);
    }
    let by_chance = experiment.is_object() || asked.path.contains("/suggest") || asked.path.contains("/cache/stats");
    if by_chance { json!(answer.status) } else { json!([answer.status, answer.body]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_answer_hostile_texts_alike() {
    if engine() != Engine::Postgres {
        return figure("requests with hostile texts", "asked where there is a server: TEST_STORE=postgres");
    }
    let (mut file, mut server) = (Store::on(Engine::Sqlite).await, Store::on(Engine::Postgres).await);
    let contract = Contract::read();
    let mut sites = Sites::of(&contract, variable("SEED", 21));
    let (mut statuses, mut differences) = (BTreeMap::<u16, usize>::new(), Vec::new());
    for number in 0..variable("CASES", REQUESTS) {
        let asked = sites.next(&contract, number, &file.ids);
        let (one, other) = (file.ask(&asked).await, server.ask(&asked).await);
        *statuses.entry(one.status).or_default() += 1;
        if one.status >= 500 || compared(&asked, &one) != compared(&asked, &other) {
            differences.push(format!("{number} {asked:?}\n  file:   {one:?}\n  server: {other:?}"));
            assert!(differences.len() < 10, "{}", differences.join("\n"));
        }
        for store in [&file, &server] {
            store.test.advance(std::time::Duration::from_secs(1));
        }
    }
    for path in [
        "/api/v1/audit?limit=1000",
        "/api/v1/bulk/export",
        "/api/v1/prompts?limit=1000&sort=name",
        "/api/v1/keys?limit=1000",
        "/api/v1/bulk/operations?limit=1000",
        "/api/v1/relationships?limit=1000",
        "/api/v1/ab-tests?limit=1000",
        "/api/v1/jobs?state=dead",
        "/api/v1/webhooks?limit=1000",
        "/api/v1/prompts/categories",
        "/api/v1/prompts/tags",
    ] {
        let (one, other) = (file.get(path).await, server.get(path).await);
        if one != other {
            differences.push(format!("{path}\n  file:   {}\n  server: {}", one.body, other.body));
        }
        assert!(one.status < 500, "{path}: {one:?}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let dead = file.get("/api/v1/jobs?state=dead").await;
    assert_eq!(dead.body["total"], 0, "no text makes a job fail: {dead:?}");
    let (routes, places) = sites.counts();
    figure("requests with hostile texts", statuses.values().sum::<usize>());
    figure("of them by status", format!("{statuses:?}"));
    figure("places of the contract", format!("{places} in {routes} routes, {} texts", sites::texts().len()));
    figure("answers that differ, and 5xx", differences.len());
    let well = statuses.iter().filter(|(status, _)| **status < 300).map(|(_, count)| count).sum::<usize>();
    assert!(well > 200, "too little is taken for this to show anything: {statuses:?}");
}

#[test]
fn what_is_asked_depends_on_the_seed_alone() {
    let contract = Contract::read();
    let list = |seed| {
        let mut sites = Sites::of(&contract, seed);
        (0..1000).map(|number| format!("{:?}", sites.next(&contract, number, &Ids::default()))).collect::<Vec<_>>()
    };
    assert_eq!(list(1), list(1));
    assert_ne!(list(1), list(2));
    let methods = [Method::POST, Method::PUT, Method::DELETE, Method::GET];
    assert!(methods.iter().all(|method| list(1).iter().any(|asked| asked.contains(method.as_str()))));
}
