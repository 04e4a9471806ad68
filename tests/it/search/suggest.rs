//! Suggestions while somebody types: names, tags, and words of the texts.
use serde_json::{Value, json};
use support::{TestApp, until};

use super::{SUGGEST, at, hostile::encoded, made};

async fn suggest(test: &TestApp, typed: &str) -> Vec<Value> {
    let answer = test.get(&format!("{SUGGEST}?q={}", encoded(typed))).await.expect(200);
    let suggestions = answer["suggestions"].as_array().unwrap().clone();
    for suggestion in &suggestions {
        let kind = suggestion["kind"].as_str().unwrap();
        assert!(["prompt", "tag", "term"].contains(&kind), "{suggestion}");
        assert_eq!(suggestion["id"].is_string(), kind == "prompt", "{suggestion}");
    }
    suggestions
}

fn texts(suggestions: &[Value], kind: &str) -> Vec<String> {
    let of_kind = suggestions.iter().filter(|suggestion| suggestion["kind"] == kind);
    of_kind.map(|suggestion| suggestion["text"].as_str().unwrap().to_owned()).collect()
}

async fn shelf() -> (TestApp, Vec<Value>) {
    let test = TestApp::api().await;
    let made = made(
        &test,
        &[
            json!({ "name": "Walrus report", "category": "sea", "tags": ["walrus-watch", "sea"] }),
            json!({ "name": "The walrus", "content": "walrusing along" }),
            json!({ "name": "Wallpaper", "content": "glacier and walrus" }),
            json!({ "name": "客服回复", "tags": ["客服"] }),
            json!({ "name": "Élan vital", "content": "moves" }),
        ],
    )
    .await;
    (test, made)
}

#[tokio::test]
async fn names_tags_and_words_are_suggested_by_their_beginning() {
    let (test, made) = shelf().await;
    let suggestions = suggest(&test, "walr").await;
    let prompts = texts(&suggestions, "prompt");
    assert!(prompts.contains(&"Walrus report".to_owned()), "{suggestions:?}");
    assert!(!prompts.contains(&"Wallpaper".to_owned()), "{suggestions:?}");
    let prompt = suggestions.iter().find(|one| one["text"] == "Walrus report").unwrap();
    assert_eq!((&prompt["id"], &prompt["category"]), (&made[0]["id"], &json!("sea")));
    assert_eq!(texts(&suggestions, "tag"), ["walrus-watch"]);
    assert!(texts(&suggestions, "term").iter().all(|term| term.to_lowercase().starts_with("walr")), "{suggestions:?}");
    assert_eq!(texts(&suggest(&test, "glac").await, "term"), ["glacier"]);
    assert_eq!(texts(&suggest(&test, "WALRUS R").await, "prompt"), ["Walrus report"]);
    assert_eq!(texts(&suggest(&test, "客").await, "prompt"), ["客服回复"]);
    assert_eq!(texts(&suggest(&test, "客服").await, "tag"), ["客服"]);
    assert_eq!(suggest(&test, "nothing like this").await, [Value::Null; 0]);
}

#[tokio::test]
async fn there_are_at_most_ten_and_each_once() {
    let test = TestApp::api().await;
    let prompts: Vec<Value> = (0..15)
        .map(|number| {
            let word = format!("walrus{}", char::from(b'a' + number));
            json!({ "name": format!("Walrus {number}"), "content": word, "tags": [word, "walrus"] })
        })
        .collect();
    made(&test, &prompts).await;
    for typed in ["w", "walrus", "Walrus 1"] {
        let suggestions = suggest(&test, typed).await;
        assert!((1..=10).contains(&suggestions.len()), "{typed}: {suggestions:?}");
        let mut once: Vec<String> = suggestions.iter().map(ToString::to_string).collect();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), suggestions.len(), "{typed}: {suggestions:?}");
    }
    let three = test.get(&format!("{SUGGEST}?q=walrus&limit=3")).await.expect(200);
    assert_eq!(three["suggestions"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_deleted_is_not_suggested_and_what_is_new_is() {
    let (test, prompts) = shelf().await;
    test.delete(&at(&prompts[0])).await.expect(204);
    test.delete(&at(&prompts[2])).await.expect(204);
    let suggestions = suggest(&test, "walrus").await;
    assert!(!texts(&suggestions, "prompt").contains(&"Walrus report".to_owned()), "{suggestions:?}");
    assert_eq!(texts(&suggestions, "tag"), [""; 0], "nobody has that tag any more");
    // Words are learnt and forgotten soon, not at once.
    until("the word stands nowhere any more", async || suggest(&test, "glac").await.is_empty().then_some(())).await;
    test.post(&format!("{}/restore", at(&prompts[2])), json!({})).await.expect(200);
    until("the word is back", async || (texts(&suggest(&test, "glac").await, "term") == ["glacier"]).then_some(()))
        .await;
    made(&test, &[json!({ "name": "glacial" })]).await;
    assert_eq!(texts(&suggest(&test, "glac").await, "prompt"), ["glacial"]);
    test.put(&at(&prompts[1]), json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!(texts(&suggest(&test, "ren").await, "prompt"), ["Renamed"]);
    assert_eq!(texts(&suggest(&test, "the wal").await, "prompt"), [""; 0]);
}
