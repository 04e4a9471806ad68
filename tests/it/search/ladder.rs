//! When too little has all the words: other spellings, then some of the words, below what has all of them.
use serde_json::{Value, json};
use support::TestApp;

use super::{made, names, search};

async fn shelf() -> TestApp {
    let test = TestApp::api().await;
    let mut prompts = vec![
        json!({ "name": "both", "content": "The harbour has a lighthouse." }),
        json!({ "name": "lighthouse keeper", "content": "Nobody else is there." }),
        json!({ "name": "boats", "content": "They wait in the harbour for the tide." }),
        json!({ "name": "form", "content": "Fill in the form." }),
        json!({ "name": "from", "content": "Greetings from the sea." }),
        json!({ "name": "umlaut", "content": "Bestätigung der Kündigung" }),
    ];
    prompts.extend((0..6).map(|number| json!({ "name": format!("n{number}"), "content": "monastery garden" })));
    made(&test, &prompts).await;
    test
}

async fn ask(test: &TestApp, query: &str) -> Value {
    search(test, json!({ "query": query })).await
}

#[tokio::test]
async fn what_has_all_words_comes_before_what_has_some() {
    let test = shelf().await;
    for query in ["harbour lighthouse", "lighthouse harbour", "the harbours' lighthouses"] {
        let answer = ask(&test, query).await;
        assert_eq!(names(&answer)[0], "both", "{query}");
        assert!(names(&answer).len() > 1, "{query}: {answer}");
    }
}

#[tokio::test]
async fn when_nothing_has_all_words_what_has_some_is_shown_and_it_is_said() {
    let test = shelf().await;
    let answer = ask(&test, "lighthouse tide").await;
    let mut shown = names(&answer);
    shown.sort();
    assert_eq!(shown, ["boats", "both", "lighthouse keeper"]);
    assert_eq!(answer["relaxed"], true, "{answer}");
    let answer = ask(&test, "lighthouse").await;
    assert_eq!(answer["relaxed"], false, "{answer}");
    assert_eq!(answer["corrections"], json!([]));
    assert_eq!(answer["did_you_mean"], Value::Null);
}

#[tokio::test]
async fn an_unknown_word_is_taken_for_the_one_it_looks_like() {
    let test = shelf().await;
    for (typed, meant, first) in [
        ("lighthuose", "lighthouse", "lighthouse keeper"),
        ("lighthuose keeper", "lighthouse", "lighthouse keeper"),
        ("harbuor", "harbour", ""),
        ("monastrey", "monastery", ""),
    ] {
        let answer = ask(&test, typed).await;
        assert_ne!(answer["total"], 0, "{typed}");
        if !first.is_empty() {
            assert_eq!(names(&answer)[0], first, "{typed}: {answer}");
        }
        let wrong = typed.split(' ').next().unwrap().to_lowercase();
        let corrected = answer["corrections"].as_array().unwrap().iter().any(|correction| {
            let text = |key: &str| correction[key].as_str().unwrap().to_lowercase();
            text("from") == wrong && text("to") == meant
        });
        assert!(corrected, "{typed}: {answer}");
    }
}

#[tokio::test]
async fn a_correction_is_spelt_as_people_spell_it() {
    let test = shelf().await;
    let answer = ask(&test, "Kündigugn").await;
    assert_eq!(names(&answer), ["umlaut"]);
    let spelt = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let correction = &answer["corrections"][0];
    assert_eq!((spelt(&correction["from"]), spelt(&correction["to"])), ("kündigugn".into(), "kündigung".into()));
    assert_eq!(spelt(&answer["did_you_mean"]), "kündigung");
}

#[tokio::test]
async fn a_better_query_is_offered_when_it_finds_much_more() {
    let test = shelf().await;
    let answer = ask(&test, "monastrey garden").await;
    assert_eq!(answer["did_you_mean"].as_str().unwrap().to_lowercase(), "monastery garden", "{answer}");
    assert_eq!(ask(&test, "monastery garden").await["did_you_mean"], Value::Null);
}

#[tokio::test]
async fn known_words_numbers_and_short_words_are_not_corrected() {
    let test = shelf().await;
    for query in ["form", "from", "n0", "n7", "hte", "harbour"] {
        let answer = ask(&test, query).await;
        assert_eq!(answer["corrections"], json!([]), "{query}");
    }
    assert_eq!(names(&ask(&test, "form").await), ["form"]);
    assert_eq!(names(&ask(&test, "from").await), ["from"]);
}

#[tokio::test]
async fn filters_and_exclusions_are_never_relaxed() {
    let test = shelf().await;
    assert_eq!(names(&ask(&test, "lighthouse tide -harbour").await), ["lighthouse keeper"]);
    assert_eq!(ask(&test, "lighthouse tide tag:nobody").await["total"], 0);
    assert_eq!(ask(&test, "\"tide lighthouse\"").await["total"], 0, "a phrase is not taken apart");
    let answer = search(&test, json!({ "query": "lighthuose", "category": "elsewhere" })).await;
    assert_eq!(answer["total"], 0);
}
