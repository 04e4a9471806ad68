//! Words are found however people type them: another case, without accents, in another width, with or without a hyphen.
use serde_json::{Value, json};
use shared::{db::Dialect, prompts};
use support::{TestApp, caller};

use super::{SUGGEST, found, hostile::encoded, made, names, search};

/// As it is written, and how else it is typed.
const WRITTEN: [(&str, &[&str]); 22] = [
    ("Straße", &["STRASSE", "strasse", "straße", "STRAẞE"]),
    ("Œuvre", &["oeuvre", "OEUVRE"]),
    ("łódka", &["lodka", "ŁÓDKA"]),
    ("Ærøskøbing", &["aeroskobing"]),
    ("Þingvellir", &["thingvellir"]),
    ("Diyarbakır", &["diyarbakir", "DIYARBAKIR"]),
    ("Đurđa", &["durda"]),
    ("ὁδός", &["ΟΔΟΣ", "οδος"]),
    ("ґрунт", &["грунт", "ГРУНТ"]),
    ("كِتَاب", &["كتاب", "كـتاب"]),
    ("أحمد", &["احمد"]),
    ("علی", &["علي"]),
    ("שָׁלוֹם", &["שלום"]),
    ("हिन्दी", &["हिन्दी"]),
    ("pass\u{200b}wo\u{ad}rd", &["password"]),
    ("می\u{200c}خواهم", &["میخواهم"]),
    ("ｶﾞﾗｽ", &["ガラス", "ガラ", "カ\u{3099}ラス"]),
    ("가나다", &["\u{1100}\u{1161}\u{1102}\u{1161}\u{1103}\u{1161}", "나다"]),
    ("GPT-4o", &["gpt4o", "gpt 4o", "GPT-4O", "gpt4"]),
    ("Llama 3", &["llama3", "llama-3", "LLAMA 3"]),
    ("qwen2", &["qwen-2", "Qwen 2", "qwen2"]),
    ("don’t", &["dont", "don't"]),
];

fn number(name: &str) -> usize {
    name.trim_start_matches('n').parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_is_found_and_marked_however_it_is_typed() {
    let test = TestApp::api().await;
    let prompts: Vec<Value> = (0..WRITTEN.len())
        .map(|place| json!({ "name": format!("n{place}"), "content": format!("About {} here.", WRITTEN[place].0) }))
        .collect();
    made(&test, &prompts).await;
    for (place, (written, typed)) in WRITTEN.into_iter().enumerate() {
        for query in typed.iter().copied().chain([written]) {
            let answer = search(&test, json!({ "query": format!("{query} "), "highlight": true, "limit": 100 })).await;
            let first = names(&answer).first().map(|name| number(name));
            assert_eq!(first, Some(place), "`{query}` for `{written}`: {answer}");
            assert_eq!(
                answer["items"][0]["highlights"]["content"].as_str().map(|html| html.contains("<mark>")),
                Some(true),
                "{answer}"
            );
            assert_eq!(answer["corrections"], json!([]), "`{query}` for `{written}`");
        }
    }
    // Marks that make another word are not left out.
    assert_eq!(found(&test, "हुन्दा ").await, [""; 0]);
}

#[tokio::test]
async fn a_hyphen_makes_no_difference_in_either_direction() {
    let test = TestApp::api().await;
    made(
        &test,
        &[
            json!({ "name": "with", "content": "Write an e-mail." }),
            json!({ "name": "without", "content": "Write an email." }),
        ],
    )
    .await;
    for query in ["email", "e-mail", "E‑Mail", "emails", "write e-mail"] {
        assert_eq!(found(&test, query).await, ["with", "without"], "{query}");
        let answer = search(&test, json!({ "query": query, "explain": true })).await;
        for item in answer["items"].as_array().unwrap() {
            assert_eq!(item["explanation"]["rung"], 1, "`{query}` is no looser a reading: {item}");
        }
    }
    assert_eq!(found(&test, "e mail").await, ["with", "without"]);
    assert_eq!(found(&test, "write -email").await, [""; 0]);
}

async fn suggested(test: &TestApp, typed: &str) -> Vec<String> {
    let answer = test.get(&format!("{SUGGEST}?q={}", encoded(typed))).await.expect(200);
    answer["suggestions"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn names_tags_and_values_of_facets_are_suggested_however_they_are_typed() {
    let test = TestApp::api().await;
    let names = ["Straße nach Süden", "E-Mail helper", "GPT-4 tutor", "كِتَاب"];
    let prompts: Vec<Value> = names.iter().map(|name| json!({ "name": name, "tags": [format!("t {name}")] })).collect();
    made(&test, &prompts).await;
    for (typed, name) in [
        ("STRASSE", names[0]),
        ("strasse nach su", names[0]),
        ("email", names[1]),
        ("e mail", names[1]),
        ("gpt4", names[2]),
        ("كتاب", names[3]),
    ] {
        assert!(suggested(&test, typed).await.contains(&name.to_owned()), "{typed}");
        assert!(suggested(&test, &format!("t {typed}")).await.contains(&format!("t {name}")), "{typed}");
        let asked = json!({ "query": "speak", "facet_query": { "tags": format!("t {typed}") } });
        let answer = search(&test, asked).await;
        assert_eq!(answer["facets"]["tags"], json!([{ "value": format!("t {name}"), "count": 1 }]), "{typed}");
    }
    let answer = search(&test, json!({ "query": "email helper", "explain": true })).await;
    assert_eq!(answer["items"][0]["explanation"]["exact"], 2, "{answer}");
}

#[tokio::test]
async fn an_index_of_an_earlier_time_is_made_anew() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "old", "content": "Straße" })]).await;
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let statements = match tx.dialect() {
        Dialect::Sqlite => [
            "UPDATE search_documents SET analysis = 1, changed = changed + 100",
            "DELETE FROM search_texts",
            "INSERT INTO search_texts SELECT doc, 'old', '', '', 'straße' FROM search_documents",
        ],
        Dialect::Postgres => [
            "UPDATE search_documents SET analysis = 1",
            "DELETE FROM search_texts",
            "INSERT INTO search_texts SELECT doc, CAST('straße' AS tsvector), CAST('straße' AS tsvector) FROM search_documents",
        ],
    };
    for statement in statements {
        tx.execute(statement, &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(found(&test, "strasse ").await, [""; 0]);
    prompts::order_index(&test.app, &caller()).await.unwrap();
    test.work().await;
    assert_eq!(found(&test, "strasse ").await, ["old"]);
    let checked = prompts::check(&test.app, &caller(), false, |_| {}).await.unwrap();
    assert_eq!((checked.wrong.len(), checked.faults.len()), (0, 0), "{checked:?}");
}
