//! Facets and filters agree: for every value of a facet, the same search with this value as its filter finds as many as
//! the facet counts; and no filter makes a hit appear. Whatever is asked, by whomever.
use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use shared::{
    Caller,
    caller::{Folders, Grant},
    prompts::{self, SearchRequest, SearchResults},
};
use support::{TestApp, figure};

use super::{FACETS, made, names, search};

const STORED: usize = 200;
const QUERIES: usize = 120;
/// Some are in nearly every text and some in a few, so that queries stop at every rung of the ladder.
const WORDS: [(&str, f64); 9] = [
    ("ruby", 0.5),
    ("sapphire", 0.12),
    ("lighthouse", 0.05),
    ("summarise", 0.04),
    ("harbour", 0.3),
    ("gpt-4", 0.06),
    ("e-mail", 0.03),
    ("写一首诗", 0.05),
    ("straße", 0.04),
];
/// How people type them, well or not.
const TYPED: [&str; 19] = [
    "ruby",
    "rubies",
    "sapphire",
    "saphire",
    "lighthouse",
    "lighthuose",
    "light",
    "summarize",
    "condense",
    "harbour",
    "harb",
    "gpt4",
    "GPT 4",
    "email",
    "e-mail",
    "一首诗",
    "写诗",
    "STRASSE",
    "nowhere",
];
const CATEGORIES: [&str; 5] = ["mail", "mail/in", "mail/out", "chat", "资料"];
const TAGS: [&str; 5] = ["red", "blue", "très", "night", "q 1"];

fn word(random: &mut StdRng) -> &'static str {
    TYPED.choose(random).unwrap()
}

fn query(random: &mut StdRng) -> String {
    let words: Vec<String> = (0..random.random_range(1..4))
        .map(|_| match random.random_range(0..12) {
            0 => format!("\"{}\"", word(random)),
            1 => format!("-{}", word(random)),
            2 => format!("{}*", word(random)),
            _ => word(random).to_owned(),
        })
        .collect();
    let more = match random.random_range(0..8) {
        0 => format!(" tag:\"{}\"", TAGS.choose(random).unwrap()),
        1 => format!(" -category:{}", CATEGORIES.choose(random).unwrap()),
        2 => " status:draft".to_owned(),
        3 => " (((".to_owned(),
        _ => String::new(),
    };
    words.join(" ") + &more
}

async fn filled(random: &mut StdRng) -> TestApp {
    let test = TestApp::api().await;
    for number in 0..STORED {
        let words: Vec<&str> =
            WORDS.iter().filter(|(_, share)| random.random_bool(*share)).map(|(word, _)| *word).collect();
        let tags: BTreeSet<&&str> = (0..random.random_range(0..3)).map(|_| TAGS.choose(random).unwrap()).collect();
        let prompt = json!({
            "category": CATEGORIES.choose(random), "name": format!("n{number}"), "tags": tags,
            "content": format!("{} and no more", words.join(", ")), "template_format": (*["none", "jinja2"].choose(random).unwrap()),
        });
        let owner = Caller::system(["anna", "béla"].choose(random).unwrap());
        let made = prompts::create(&test.app, &owner, serde_json::from_value(prompt).unwrap()).await.unwrap();
        let path = format!("/api/v1/prompts/{}", made.id);
        if random.random_bool(0.2) {
            test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
        }
        if random.random_bool(0.2) {
            test.put(&format!("{path}/lifecycle"), json!({ "status": "archived" })).await.expect(200);
        }
    }
    test
}

fn narrow(folders: &[&str]) -> Caller {
    let mut caller = Caller::system("narrow");
    let folders = Folders::of(folders.iter().map(|folder| (*folder).to_owned()).collect());
    caller.grant = Grant { folders, ..Grant::all() }.into();
    caller
}

async fn ask(test: &TestApp, caller: &Caller, body: &Value) -> SearchResults {
    let request: SearchRequest = serde_json::from_value(body.clone()).unwrap();
    prompts::search(&test.app, caller, &request).await.unwrap()
}

/// Every value of every facet, and how it is written in a query.
fn values(answer: &SearchResults) -> Vec<(&'static str, String, i64, String)> {
    let written = ["category", "tag", "status", "label", "format", "owner"];
    let rows = FACETS.into_iter().zip(written).flat_map(|(field, written)| {
        let values = answer.facets[field].iter();
        values.map(move |row| {
            let in_query = format!("{written}:\"{}\"", row.value);
            (field, row.value.clone(), i64::from(row.count), in_query)
        })
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_facet_counts_what_its_value_finds_and_no_filter_makes_hits_appear() {
    let mut random = StdRng::seed_from_u64(20_261_130);
    let test = filled(&mut random).await;
    let callers = [Caller::system("all"), narrow(&["mail", "mail/*"]), narrow(&["chat"])];
    let (mut compared, mut loose) = (0, 0);
    for number in 0..QUERIES {
        let caller = &callers[number % callers.len()];
        let mut asked = json!({ "query": query(&mut random), "facets": FACETS, "limit": 1 });
        if random.random_bool(0.4) {
            asked["tags"] = json!([TAGS.choose(&mut random)]);
        }
        if random.random_bool(0.3) {
            asked["category"] = json!(["mail/*", "chat"]);
        }
        let answer = ask(&test, caller, &asked).await;
        loose += usize::from(answer.relaxed);
        for (field, value, count, in_query) in values(&answer) {
            let mut chosen = asked.clone();
            chosen[field] = json!([value]);
            let with = ask(&test, caller, &chosen).await;
            assert_eq!(with.page.total, count, "{asked}: {field} {value}");
            assert_eq!(with.corrections, answer.corrections, "{asked}: {field} {value}");
            assert_eq!(with.did_you_mean, answer.did_you_mean, "{asked}: {field} {value}");
            if asked[field].is_null() {
                assert!(count <= answer.page.total, "{asked}: {field} {value}");
                let text = format!("{} {in_query}", asked["query"].as_str().unwrap());
                let mut asked = asked.clone();
                asked["query"] = json!(text);
                assert_eq!(ask(&test, caller, &asked).await.page.total, count, "{asked}");
            }
            compared += 1;
        }
    }
    figure("facets and filters agree", format!("{compared} values of {QUERIES} queries, {loose} of them relaxed"));
    assert!(compared > 1_000 && loose > 20, "only {compared} and {loose}: does this test still see something?");
}

#[tokio::test]
async fn a_filter_does_not_change_how_loosely_a_query_is_read_and_what_a_key_cannot_reach_does_not_either() {
    let test = TestApp::api().await;
    let mut prompts: Vec<Value> = (0..10)
        .map(|number| json!({ "category": "y", "name": format!("copy{number}"), "content": "ruby sapphire" }))
        .collect();
    prompts.push(json!({ "category": "x", "name": "both", "content": "ruby sapphire" }));
    prompts.push(json!({ "category": "x", "name": "one", "content": "ruby" }));
    made(&test, &prompts).await;
    let everything = search(&test, json!({ "query": "ruby sapphire", "facets": ["category"] })).await;
    assert_eq!(
        (&everything["total"], super::rows(&everything, "category")),
        (&json!(11), vec![("y".into(), 10), ("x".into(), 1)])
    );
    let in_x = json!({ "query": "ruby sapphire", "category": "x", "facets": ["category"] });
    let answer = search(&test, in_x).await;
    assert_eq!(
        (&answer["total"], &answer["facets"], &answer["relaxed"]),
        (&json!(1), &everything["facets"], &json!(false))
    );
    for query in ["ruby sapphire category:x", "category:x ruby sapphire", "ruby sapphire -category:y"] {
        assert_eq!(search(&test, json!({ "query": query })).await["total"], 1, "{query}");
    }
    assert_eq!(search(&test, json!({ "query": "ruby -sapphire" })).await["total"], 1);
    assert_eq!(search(&test, json!({ "query": "ruby sapphire -both" })).await["total"], 10);

    // For a key for `x` there is nothing else, so it is shown what fits less well.
    let inside = ask(&test, &narrow(&["x"]), &json!({ "query": "ruby sapphire" })).await;
    assert_eq!((inside.page.total, inside.relaxed), (2, true));
}

#[tokio::test]
async fn conditions_in_a_query_narrow_all_facets_and_those_beside_it_all_but_their_own() {
    let test = TestApp::api().await;
    for (name, tags) in [("one", json!(["red", "warm"])), ("two", json!(["red"])), ("three", json!(["blue"]))] {
        made(&test, &[json!({ "name": name, "tags": tags })]).await;
    }
    let tags = |answer: &Value| super::facet(answer, "tags").into_iter().collect::<Vec<_>>();
    let list = |pairs: &[(&str, i64)]| pairs.iter().map(|(tag, count)| ((*tag).to_owned(), *count)).collect::<Vec<_>>();
    let in_query = search(&test, json!({ "query": "tag:red", "facets": ["tags"] })).await;
    assert_eq!(tags(&in_query), list(&[("red", 2), ("warm", 1)]));
    let beside = search(&test, json!({ "query": "", "tags": ["red"], "facets": ["tags"] })).await;
    assert_eq!(tags(&beside), list(&[("blue", 1), ("red", 2), ("warm", 1)]));
    let without = search(&test, json!({ "query": "-tag:red", "facets": ["tags"] })).await;
    assert_eq!((names(&without), tags(&without)), (vec!["three".to_owned()], list(&[("blue", 1)])));
}

#[tokio::test]
async fn signs_alone_find_nothing_with_a_filter_either() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "one", "category": "x" })]).await;
    for asked in
        [json!({ "query": "(((", "category": "x" }), json!({ "query": "((( category:x" }), json!({ "query": "? -foo" })]
    {
        assert_eq!(search(&test, asked.clone()).await["total"], 0, "{asked}");
    }
    assert_eq!(search(&test, json!({ "query": " \u{1} ", "category": "x" })).await["total"], 1);
}
