//! A random walk through filters and changes: after every step each number equals a recount.
use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use shared::{Caller, prompts};
use support::TestApp;

use super::{
    super::{PROMPTS, search},
    recount::{Asked, WORDS, table},
};

const STEPS: usize = 250;
const STORED: usize = 400;
const CATEGORIES: [&str; 9] =
    ["mail", "mail/in", "mail/in/old", "mail/out", "mailbox", "chat", "chat/night", "été", "资料"];
const STATUSES: [&str; 4] = ["draft", "published", "deprecated", "archived"];
const FORMATS: [&str; 6] = ["mustache", "jinja2", "fstring", "simple", "simple_fstring", "none"];
const OWNERS: [&str; 3] = ["anna", "béla", "Cem"];
const LABELS: [&str; 4] = ["production", "staging", "canary", "v1.0_b-2"];

/// More tags than a facet shows.
fn tags() -> Vec<String> {
    (0..27).map(|number| format!("t{number}")).collect()
}

/// What filters may ask for: what there is, folders, and what nobody has.
fn values() -> BTreeMap<&'static str, Vec<String>> {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    BTreeMap::from([
        ("category", [list(&CATEGORIES), list(&["mail/*", "mail/in/*", "chat/*", "none/*", "nothing"])].concat()),
        ("tags", [tags(), list(&["no such tag"])].concat()),
        ("lifecycle_status", list(&STATUSES)),
        ("labels", [list(&LABELS), list(&["nobody"])].concat()),
        ("template_format", list(&FORMATS)),
        ("created_by", [list(&OWNERS), list(&["dora"])].concat()),
    ])
}

fn some_tags(random: &mut StdRng) -> Vec<String> {
    let tags = tags();
    // The first ones are more usual than the last.
    let mut chosen: Vec<String> = (0..random.random_range(0..4))
        .map(|_| {
            let most = random.random_range(1..=tags.len());
            tags[random.random_range(0..most)].clone()
        })
        .collect();
    chosen.sort();
    chosen.dedup();
    chosen
}

fn words(random: &mut StdRng) -> String {
    let count = random.random_range(1..6);
    (0..count).map(|_| *WORDS.choose(random).unwrap()).collect::<Vec<_>>().join(" ")
}

/// A prompt by one of several people, which no door can say yet.
async fn make(test: &TestApp, random: &mut StdRng, number: usize) -> String {
    let prompt = json!({
        "category": CATEGORIES.choose(random), "name": format!("n{number}"), "content": words(random),
        "tags": some_tags(random), "template_format": FORMATS.choose(random),
    });
    let owner = Caller::system(OWNERS.choose(random).unwrap());
    let made = prompts::create(&test.app, &owner, serde_json::from_value(prompt).unwrap()).await.unwrap();
    format!("{PROMPTS}/{}", made.id)
}

/// Changes a prompt somehow. What its state forbids is refused, and that is a step too.
async fn change(test: &TestApp, random: &mut StdRng, path: &str) {
    match random.random_range(0..10) {
        0 | 1 => _ = test.put(path, json!({ "category": CATEGORIES.choose(random) })).await,
        2 | 3 => _ = test.put(path, json!({ "tags": some_tags(random) })).await,
        4 => _ = test.put(path, json!({ "content": words(random), "tags": some_tags(random) })).await,
        5 => _ = test.put(&format!("{path}/lifecycle"), json!({ "status": STATUSES.choose(random) })).await,
        6 => {
            let label = format!("{path}/labels/{}", LABELS.choose(random).unwrap());
            test.put(&label, json!({ "version": 1 })).await;
        }
        7 => _ = test.delete(&format!("{path}/labels/{}", LABELS.choose(random).unwrap())).await,
        8 => _ = test.delete(path).await,
        _ => _ = test.post(&format!("{path}/restore"), json!({})).await,
    }
}

async fn stocked(random: &mut StdRng) -> (TestApp, Vec<String>) {
    let test = TestApp::api().await;
    let mut paths = Vec::new();
    for number in 0..STORED {
        let path = make(&test, random, number).await;
        if random.random_bool(0.4) {
            test.put(&format!("{path}/lifecycle"), json!({ "status": "archived" })).await.expect(200);
            if random.random_bool(0.5) {
                // Some are too short for it, and stay.
                test.put(&format!("{path}/lifecycle"), json!({ "status": "published" })).await;
            }
        }
        if random.random_bool(0.3) {
            let label = format!("{path}/labels/{}", LABELS.choose(random).unwrap());
            test.put(&label, json!({ "version": 1 })).await.expect(200);
        }
        paths.push(path);
    }
    (test, paths)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_count_of_a_random_walk_equals_a_recount() {
    let mut random = StdRng::seed_from_u64(20_260_101);
    let (test, paths) = stocked(&mut random).await;
    let values = values();
    let (mut asked, mut rows, mut hits) = (Asked::everything(), table(&test).await, 0);
    for step in 0..STEPS {
        if random.random_bool(0.3) {
            let path = paths.choose(&mut random).unwrap();
            change(&test, &mut random, path).await;
            rows = table(&test).await;
        }
        asked.step(&mut random, &values);
        let answer: Value = search(&test, asked.body()).await;
        hits += usize::from(answer["total"] != 0);
        asked.check(&answer, &rows);
        assert!(!rows.is_empty(), "step {step}");
    }
    assert!(hits > STEPS / 3, "only {hits} of {STEPS} steps found anything: does this test still see something?");
}
