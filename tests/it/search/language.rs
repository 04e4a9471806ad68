//! The language of queries: words, phrases, exclusions, beginnings of words, and fields.
use std::time::Duration;

use serde_json::json;
use shared::{Caller, prompts};
use support::TestApp;

use super::{at, found, made, names, search};

async fn shelf() -> TestApp {
    let test = TestApp::api().await;
    made(
        &test,
        &[
            json!({ "name": "one", "content": "The travel budget of the quarter." }),
            json!({ "name": "two", "content": "A budget for travel, and the architecture of budgets." }),
            json!({ "name": "three", "content": "Budget of the office, kept in the archive." }),
            json!({ "name": "four", "description": "About gardens.", "tags": ["budget"] }),
            json!({ "name": "five", "messages": [{ "role": "system", "content": "You arrange a travel budget." }] }),
            json!({ "name": "six", "description": "Travel without luggage." }),
        ],
    )
    .await;
    test
}

#[tokio::test]
async fn a_word_is_found_in_names_descriptions_tags_contents_and_messages_in_any_form() {
    let test = shelf().await;
    assert_eq!(found(&test, "budget").await, ["five", "four", "one", "three", "two"]);
    assert_eq!(found(&test, "BUDGETS").await, ["five", "four", "one", "three", "two"]);
    assert_eq!(found(&test, "garden").await, ["four"]);
    assert_eq!(found(&test, "architectures").await, ["two"]);
    assert_eq!(found(&test, "arranging").await, ["five"]);
    assert_eq!(found(&test, "six").await, ["six"]);
}

#[tokio::test]
async fn a_phrase_is_words_side_by_side_in_their_order() {
    let test = shelf().await;
    assert_eq!(found(&test, "\"travel budget\"").await, ["five", "one"]);
    assert_eq!(found(&test, "\"budget travel\"").await, [""; 0]);
    let answer = search(&test, json!({ "query": "\"travel budget\" quarter" })).await;
    assert_eq!(names(&answer)[0], "one", "who has both comes first");
    assert!(names(&answer).iter().all(|name| ["one", "five"].contains(&name.as_str())), "a phrase is not relaxed");
    assert_eq!(found(&test, "\"travel budget\" -quarter").await, ["five"]);
}

#[tokio::test]
async fn what_is_excluded_is_not_found() {
    let test = shelf().await;
    assert_eq!(found(&test, "budget -travel").await, ["four", "three"]);
    assert_eq!(found(&test, "-travel budget").await, ["four", "three"]);
    assert_eq!(found(&test, "budget -\"travel budget\"").await, ["four", "three", "two"]);
    assert_eq!(found(&test, "budget -budget").await, [""; 0]);
}

#[tokio::test]
async fn the_last_word_and_a_word_with_a_star_may_be_a_beginning() {
    let test = shelf().await;
    assert_eq!(found(&test, "arch").await, ["three", "two"]);
    assert_eq!(found(&test, "archi*").await, ["three", "two"]);
    assert_eq!(found(&test, "archit").await, ["two"]);
    assert_eq!(found(&test, "archit* travel").await[..], found(&test, "travel archit*").await[..]);
    let answer = search(&test, json!({ "query": "archi* travel" })).await;
    assert_eq!(names(&answer)[0], "two", "{answer}");
}

/// Prompts that differ in what a field can say of them, a day apart.
async fn fields() -> TestApp {
    let test = TestApp::api().await;
    for (name, more) in [
        ("one", json!({ "category": "mail/in", "tags": ["red", "warm"], "template_format": "jinja2" })),
        ("two", json!({ "category": "mail/out", "tags": ["red"], "content": "report for {{customer_name}}" })),
        ("three", json!({ "category": "mail", "tags": ["blue"], "config": { "model": "gpt-4o" } })),
        ("four", json!({ "category": "chat", "tags": ["blue"], "config": { "model": "claude" } })),
    ] {
        let mut body = json!({ "name": name, "content": "report of the day" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = made(&test, &[body]).await;
        if name == "two" {
            test.put(&format!("{}/lifecycle", at(&made[0])), json!({ "status": "published" })).await.expect(200);
            test.put(&format!("{}/labels/production", at(&made[0])), json!({ "version": 1 })).await.expect(200);
        }
        test.advance(Duration::from_hours(24));
    }
    let anna = json!({ "category": "chat", "name": "five", "content": "report", "tags": [] });
    prompts::create(&test.app, &Caller::system("anna"), serde_json::from_value(anna).unwrap()).await.unwrap();
    test
}

#[tokio::test]
async fn fields_of_a_query_are_filters() {
    let test = fields().await;
    for (query, expected) in [
        ("report category:mail", "three"),
        ("report category:mail/*", "one two"),
        ("category:mail/in report", "one"),
        ("report tag:red", "one two"),
        ("report status:published", "two"),
        ("report status:draft tag:red", "one"),
        ("report owner:anna", "five"),
        ("report owner:anonymous", "four one three two"),
        ("report label:production", "two"),
        ("report format:jinja2", "one"),
        ("report model:gpt-4o", "three"),
        ("report variable:customer_name", "two"),
        ("report updated>=2026-01-04", "five four"),
        ("report updated<2026-01-02", "one"),
        ("report updated:2026-01-02", "two"),
        ("report updated:2026-01-02 -tag:blue", "two"),
        ("report -updated:2026-01-02", "five four one three"),
        ("report updated>=2026-01-02 updated<2026-01-04", "three two"),
        ("report tag:nobody-has-this", ""),
    ] {
        assert_eq!(found(&test, query).await.join(" "), expected, "`{query}`");
    }
}

#[tokio::test]
async fn what_is_updated_after_a_day_and_what_is_not_are_everything() {
    let test = fields().await;
    let (after, until) = (found(&test, "updated>2026-01-03").await, found(&test, "updated<=2026-01-03").await);
    let mut all = [after.clone(), until.clone()].concat();
    all.sort();
    assert_eq!(all, ["five", "four", "one", "three", "two"], "{after:?} and {until:?}");
    assert!(after.contains(&"four".to_owned()) && until.contains(&"two".to_owned()), "{after:?} and {until:?}");
}

#[tokio::test]
async fn a_field_alone_lists_the_newest_first() {
    let test = fields().await;
    let answer = search(&test, json!({ "query": "tag:blue" })).await;
    assert_eq!(names(&answer), ["four", "three"]);
    let answer = search(&test, json!({ "query": "", "category": "mail/*" })).await;
    assert_eq!(names(&answer), ["two", "one"]);
    assert_eq!((&answer["relaxed"], &answer["corrections"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn a_field_and_a_filter_must_both_hold() {
    let test = fields().await;
    let answer = search(&test, json!({ "query": "report tag:red", "category": "mail/*", "tags": ["warm"] })).await;
    assert_eq!(names(&answer), ["one"]);
    let answer = search(&test, json!({ "query": "tag:red", "lifecycle_status": "archived" })).await;
    assert_eq!(answer["total"], 0);
}

#[tokio::test]
async fn what_is_no_field_is_text() {
    let test = fields().await;
    made(&test, &[json!({ "name": "url", "content": "see http://wiki.example/page and colour:green" })]).await;
    assert_eq!(found(&test, "colour:green").await, ["url"]);
    assert_eq!(found(&test, "http://wiki.example/page").await, ["url"]);
}

#[tokio::test]
async fn an_explanation_says_how_a_score_came_about() {
    let test = shelf().await;
    let plain = search(&test, json!({ "query": "budget" })).await;
    let explained = search(&test, json!({ "query": "budget", "explain": true })).await;
    assert_eq!(names(&plain), names(&explained));
    for (plain, explained) in plain["items"].as_array().unwrap().iter().zip(explained["items"].as_array().unwrap()) {
        assert!(explained["score"].is_number());
        assert_eq!(plain["score"], explained["score"]);
        let more: Vec<_> = explained
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, value)| !value.is_null() && plain.get(key.as_str()).is_none_or(serde_json::Value::is_null))
            .collect();
        assert_eq!(more.len(), 1, "{explained}");
        assert!(more[0].1.is_object(), "{explained}");
    }
}
