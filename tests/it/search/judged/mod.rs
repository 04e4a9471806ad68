//! Prompts and queries that people have judged: how good the rankings are, and that they do not become worse.
use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf, time::Duration};

use serde_json::{Map, Value, json};
use support::{Engine, TestApp, engine};

use super::{PROMPTS, at, metrics, say, search};

/// So much may a class lose before it is called worse.
const SLACK: f64 = 0.02;
/// Its queries have no answer, so that only an empty one is right.
const NO_ANSWER: &str = "no_answer";

fn folder() -> PathBuf {
    crate::sources::top().join("tests/it/search/judged")
}

fn read(path: &PathBuf) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every prompt, in the order of the files.
pub(super) fn prompts() -> Vec<Value> {
    let files = fs::read_dir(folder().join("prompts")).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.iter().flat_map(|file| read(file).as_array().unwrap().clone()).collect()
}

fn take(prompt: &mut Map<String, Value>, key: &str) -> Value {
    prompt.remove(key).unwrap_or_default()
}

/// A store that holds them all; answers which key stands for which id.
pub(super) async fn filled() -> (TestApp, BTreeMap<String, String>) {
    let test = TestApp::api().await;
    let mut keys = BTreeMap::new();
    for mut prompt in prompts() {
        let fields = prompt.as_object_mut().unwrap();
        let (key, status, labels) = (take(fields, "key"), take(fields, "status"), take(fields, "labels"));
        let made = test.post(PROMPTS, prompt).await.expect(201);
        let first = if status == "deprecated" { json!("published") } else { status.clone() };
        for status in [&first, &status].into_iter().filter(|status| !status.is_null()) {
            let path = format!("{}/lifecycle", at(&made));
            if test.get(&at(&made)).await.expect(200)["lifecycle_status"] != *status {
                test.put(&path, json!({ "status": status })).await.expect(200);
            }
        }
        for label in labels.as_array().into_iter().flatten() {
            let path = format!("{}/labels/{}", at(&made), label.as_str().unwrap());
            test.put(&path, json!({ "version": 1 })).await.expect(200);
        }
        keys.insert(made["id"].as_str().unwrap().to_owned(), key.as_str().unwrap().to_owned());
        test.advance(Duration::from_secs(1));
    }
    (test, keys)
}

/// What the queries of a class came to, summed up.
#[derive(Default)]
struct Class {
    queries: u32,
    empty: u32,
    ndcg: f64,
    reciprocal_rank: f64,
    recall: f64,
}

impl Class {
    fn add(&mut self, ranking: &[&str], wanted: &metrics::Wanted) {
        self.queries += 1;
        self.empty += u32::from(ranking.is_empty());
        self.ndcg += metrics::ndcg(ranking, wanted);
        self.reciprocal_rank += metrics::reciprocal_rank(ranking, wanted);
        self.recall += metrics::recall(ranking, wanted);
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / f64::from(self.queries)
    }

    /// What the gate looks at.
    fn score(&self, class: &str) -> f64 {
        self.mean(if class == NO_ANSWER { f64::from(self.empty) } else { self.ndcg })
    }
}

fn wanted(query: &Value) -> metrics::Wanted {
    let grade = |(key, grade): (&String, &Value)| (key.clone(), u8::try_from(grade.as_u64().unwrap()).unwrap());
    query["wanted"].as_object().map(|wanted| wanted.iter().map(grade).collect()).unwrap_or_default()
}

/// Asks all queries; answers the classes, and a line for each query that did not go as it should.
async fn measure() -> (Vec<(String, Class)>, String) {
    let (test, keys) = filled().await;
    let (mut classes, mut told) = (Vec::new(), String::new());
    for (name, queries) in read(&folder().join("queries.yaml")).as_object().unwrap() {
        let mut class = Class::default();
        for query in queries.as_array().unwrap() {
            let mut body = json!({ "query": query["query"], "limit": metrics::DEPTH });
            body.as_object_mut().unwrap().extend(query["filter"].as_object().cloned().unwrap_or_default());
            let answer = search(&test, body).await;
            let items = answer["items"].as_array().unwrap();
            let ranking: Vec<&str> =
                items.iter().map(|item| keys[item["prompt"]["id"].as_str().unwrap()].as_str()).collect();
            let wanted = wanted(query);
            class.add(&ranking, &wanted);
            let ndcg = metrics::ndcg(&ranking, &wanted);
            if if wanted.is_empty() { !ranking.is_empty() } else { ndcg < 0.8 } {
                let shown = &ranking[..ranking.len().min(5)];
                writeln!(told, "  {name}: {} {} {ndcg:.2} {shown:?}", query["query"], query["filter"]).unwrap();
            }
        }
        classes.push((name.clone(), class));
    }
    (classes, told)
}

fn table(classes: &[(String, Class)]) -> String {
    let mut table =
        format!("\n{:<12}{:>8}{:>9}{:>8}{:>8}{:>7}\n", "class", "queries", "nDCG@10", "MRR@10", "rec@10", "none");
    for (name, class) in classes {
        let none = class.mean(f64::from(class.empty));
        if name == NO_ANSWER {
            writeln!(table, "{name:<12}{:>8}{:>9}{:>8}{:>8}{none:>7.3}", class.queries, "", "", "").unwrap();
            continue;
        }
        let (ndcg, rank, recall) =
            (class.mean(class.ndcg), class.mean(class.reciprocal_rank), class.mean(class.recall));
        writeln!(table, "{name:<12}{:>8}{ndcg:>9.3}{rank:>8.3}{recall:>8.3}{none:>7.3}", class.queries).unwrap();
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn no_class_of_queries_is_answered_worse_than_it_was() {
    let (classes, told) = measure().await;
    let name = match engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let score =
        |(class, measured): &(String, Class)| (class.clone(), json!((measured.score(class) * 1000.0).floor() / 1000.0));
    let scores: Map<String, Value> = classes.iter().map(score).collect();
    say(&format!("{}{name} {}, and what could be better:\n{told}", table(&classes), json!(scores)));
    let floors = &read(&folder().join("floors.json"))[name];
    let mut worse = String::new();
    for (class, measured) in &classes {
        let floor = floors[class].as_f64().unwrap_or_else(|| panic!("no floor for `{class}`"));
        // The share of empty answers is not forgiven anything: each query is one of few.
        let slack = if class == NO_ANSWER { 1e-9 } else { SLACK };
        let score = measured.score(class);
        if score < floor - slack {
            writeln!(worse, "{class}: {score:.3}, was {floor:.3}").unwrap();
        }
    }
    assert!(worse.is_empty(), "{worse}{}{told}", table(&classes));
    assert_eq!(floors.as_object().unwrap().len(), classes.len(), "a floor without queries");
}

#[test]
fn the_judgements_are_about_prompts_there_are() {
    let prompts = prompts();
    let keys: std::collections::BTreeSet<&str> = prompts.iter().map(|prompt| prompt["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), prompts.len(), "two prompts with one key");
    assert!(prompts.len() >= 130);
    let mut queries = 0;
    for (class, all) in read(&folder().join("queries.yaml")).as_object().unwrap() {
        for query in all.as_array().unwrap() {
            queries += 1;
            let wanted = wanted(query);
            assert_eq!(wanted.is_empty(), class == NO_ANSWER, "{query}");
            // More could not all be among the first ten.
            assert!(wanted.len() <= metrics::DEPTH, "{query}");
            for (key, grade) in wanted {
                assert!(keys.contains(key.as_str()) && (1..=3).contains(&grade), "{key} of {query}");
            }
        }
    }
    assert!(queries >= 80);
}
