//! Another process writes while this one searches: every answer is of one moment.
//!
//! Each prompt is in one of a few states, which has a category, a tag and a word of its own, and a change takes it
//! from one to another in one write. So an answer that saw half of a write, or two moments, cannot add up.
use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::TestApp;

use super::{
    super::{PROMPTS, at, facet, search},
    recount::WORDS,
};

const STORED: usize = 60;
const STATES: usize = 5;
const WRITES: usize = 150;
const READS: usize = 120;

fn state(number: usize) -> Value {
    json!({
        "category": format!("category{number}"),
        "tags": [format!("tag{number}")],
        "content": format!("everybody {}", WORDS[number]),
    })
}

/// The state that a value of a facet belongs to.
fn number(value: &str) -> usize {
    value.trim_start_matches(char::is_alphabetic).parse().unwrap()
}

/// How many items are in each state; none may be in two.
fn tally(answer: &Value) -> BTreeMap<usize, i64> {
    let mut tally = BTreeMap::new();
    for item in answer["items"].as_array().unwrap() {
        let prompt = &item["prompt"];
        let state = number(prompt["category"].as_str().unwrap());
        assert_eq!(prompt["tags"], json!([format!("tag{state}")]), "a mixed prompt: {prompt}");
        *tally.entry(state).or_default() += 1;
    }
    tally
}

fn states(answer: &Value, name: &str) -> BTreeMap<usize, i64> {
    facet(answer, name).into_iter().map(|(value, count)| (number(&value), count)).collect()
}

/// Asks in one of four ways, and checks that the answer agrees with itself.
async fn ask(test: &TestApp, kind: usize, one: usize, other: usize) {
    let mut body = json!({ "query": "everybody", "facets": ["category", "tags", "lifecycle_status"], "limit": 100 });
    match kind {
        0 => {}
        1 => body["query"] = json!(WORDS[one]),
        2 => {
            body["query"] = json!("");
            body["category"] = json!([format!("category{one}"), format!("category{other}")]);
        }
        _ => body["tags"] = json!([format!("tag{one}")]),
    }
    let answer = search(test, body).await;
    let (tally, categories, tags) = (tally(&answer), states(&answer, "category"), states(&answer, "tags"));
    let total = answer["total"].as_i64().unwrap();
    assert_eq!(tally.values().sum::<i64>(), total, "items and total");
    assert_eq!(facet(&answer, "lifecycle_status").values().sum::<i64>(), total, "statuses and total");
    let stored = i64::try_from(STORED).unwrap();
    match kind {
        0 => {
            assert_eq!(total, stored, "everybody is there, always");
            assert_eq!((&categories, &tags), (&tally, &tally));
        }
        1 => {
            // Nobody may be in that state just now; then the word is unknown, and nothing is like it.
            assert!(tally.keys().all(|state| *state == one), "{tally:?} for the word of state {one}");
            assert_eq!((&categories, &tags), (&tally, &tally));
        }
        2 => {
            assert!(tally.keys().all(|state| [one, other].contains(state)), "{tally:?}");
            assert_eq!(tags, tally, "what is tagged otherwise is elsewhere");
            assert_eq!(categories.values().sum::<i64>(), stored, "the facet passes over its own filter");
            assert!(tally.iter().all(|(state, count)| categories[state] == *count));
        }
        _ => {
            assert!(tally.keys().all(|state| *state == one), "{tally:?}");
            assert_eq!(categories, tally);
            assert_eq!(tags.values().sum::<i64>(), stored);
        }
    }
}

async fn write(test: &TestApp, paths: &[String]) {
    let mut random = StdRng::seed_from_u64(7);
    for turn in 0..WRITES {
        let path = &paths[random.random_range(0..paths.len())];
        test.put(path, state(random.random_range(0..STATES))).await.expect(200);
        if turn % 10 == 0 {
            test.put(&format!("{path}/lifecycle"), json!({ "status": "archived" })).await;
        }
    }
}

async fn read(test: &TestApp, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for turn in 0..READS {
        ask(test, turn % 4, random.random_range(0..STATES), random.random_range(0..STATES)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_of_one_moment_while_another_process_writes() {
    let test = TestApp::api().await;
    let mut paths = Vec::new();
    for number in 0..STORED {
        let mut body = state(number % STATES);
        body["name"] = json!(format!("n{number}"));
        paths.push(at(&test.post(PROMPTS, body).await.expect(201)));
    }
    let other = test.another().await;
    ask(&other, 0, 0, 0).await;

    tokio::join!(write(&other, &paths), read(&test, 1), read(&other, 2));

    // Now that it is quiet both say what the tables say.
    for app in [&test, &other] {
        for kind in 0..4 {
            ask(app, kind, kind, kind + 1).await;
        }
        let answer = search(app, json!({ "query": "everybody", "facets": ["category"], "limit": 100 })).await;
        let mut conn = app.app.db.read().await.unwrap();
        let sql = "SELECT category, count(*) FROM prompts GROUP BY category";
        let counts: Vec<(String, i64)> = conn.fetch_all(sql, &[]).await.unwrap();
        assert_eq!(facet(&answer, "category"), counts.into_iter().collect());
    }
}
