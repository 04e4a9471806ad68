//! Prompts are searched for, by people and by programs.
mod changes;
mod facets;
mod highlights;
mod hostile;
mod judged;
mod ladder;
mod language;
pub(crate) mod metrics;
mod pages;
mod real;
mod refusals;
mod spelling;
mod suggest;

use std::{collections::BTreeMap, io::Write, time::Duration};

use serde_json::{Value, json};
use support::TestApp;

const PROMPTS: &str = "/api/v1/prompts";
const SEARCH: &str = "/api/v1/prompts/search";
const SUGGEST: &str = "/api/v1/prompts/suggest";

/// The path of a prompt.
fn at(prompt: &Value) -> String {
    format!("{PROMPTS}/{}", prompt["id"].as_str().unwrap())
}

/// What a search answers.
async fn search(test: &TestApp, body: Value) -> Value {
    test.post(SEARCH, body).await.expect(200)
}

/// Makes prompts from short descriptions, a second apart: each an object with whatever a prompt may have, and the
/// category `c` and a content unless it says so.
async fn made(test: &TestApp, prompts: &[Value]) -> Vec<Value> {
    let mut made = Vec::new();
    for prompt in prompts {
        let mut body = json!({ "category": "c" });
        if prompt["messages"].is_null() {
            body["content"] = json!("nothing to speak of");
        }
        body.as_object_mut().unwrap().extend(prompt.as_object().unwrap().clone());
        made.push(test.post(PROMPTS, body).await.expect(201));
        test.advance(Duration::from_secs(1));
    }
    made
}

/// The names of what was found, in its order.
fn names(answer: &Value) -> Vec<String> {
    let name = |item: &Value| item["prompt"]["name"].as_str().unwrap().to_owned();
    answer["items"].as_array().unwrap().iter().map(name).collect()
}

/// The names of what a query finds, sorted, so that only membership counts. The answer must count what it shows.
async fn found(test: &TestApp, query: &str) -> Vec<String> {
    let answer = search(test, json!({ "query": query, "limit": 100 })).await;
    let mut names = names(&answer);
    assert_eq!(answer["total"], names.len(), "`{query}`");
    names.sort();
    names
}

/// A facet as a map.
fn facet(answer: &Value, name: &str) -> BTreeMap<String, i64> {
    let values = answer["facets"][name].as_array().unwrap_or_else(|| panic!("no facet `{name}` in {answer}"));
    values.iter().map(|row| (row["value"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap())).collect()
}

/// Says something that is read also where the test passes, so past what the test harness holds back.
fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
