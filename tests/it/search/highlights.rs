//! Highlights show where the words are, as text that can stand in a page: whatever is in a prompt, it injects nothing.
use serde_json::{Value, json};
use support::TestApp;

use super::{made, search};

/// Every text of a highlight, whatever it is in.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(values) => values.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// What a browser would show, and what of it is marked. Panics where there is markup besides the marks.
fn shown(html: &str) -> (String, Vec<String>) {
    let (mut plain, mut marked, mut rest) = (String::new(), Vec::new(), html);
    while let Some((before, after)) = rest.split_once("<mark>") {
        let (inside, after) = after.split_once("</mark>").unwrap_or_else(|| panic!("not closed: {html}"));
        for part in [before, inside] {
            assert!(!part.contains(['<', '>']), "markup: {html}");
        }
        marked.push(unescaped(inside));
        plain.push_str(&unescaped(before));
        plain.push_str(&unescaped(inside));
        rest = after;
    }
    assert!(!rest.contains(['<', '>']), "markup: {html}");
    plain.push_str(&unescaped(rest));
    (plain, marked)
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&apos;", "'")];
    let text = entities.into_iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

async fn first(test: &TestApp, query: &str) -> Value {
    let answer = search(test, json!({ "query": query, "highlight": true })).await;
    assert_eq!(answer["total"], 1, "{query}: {answer}");
    answer["items"][0].clone()
}

#[tokio::test]
async fn the_words_are_marked_in_whatever_form_they_stand() {
    let test = TestApp::api().await;
    let content =
        format!("{}The résumés were summarised by a runner. {}", "Before. ".repeat(200), "After. ".repeat(200));
    let prompt =
        json!({ "name": "Summarise & run", "description": "A summary", "content": content, "tags": ["summary"] });
    made(&test, &[prompt]).await;
    let item = first(&test, "summarising").await;
    let (name, marked) = shown(item["highlights"]["name"].as_str().unwrap());
    assert_eq!((name.as_str(), marked), ("Summarise & run", vec!["Summarise".to_owned()]));
    assert!(item["highlights"]["name"].as_str().unwrap().contains("&amp;"));
    let excerpt = item["highlights"]["content"].as_str().unwrap();
    let (plain, marked) = shown(excerpt);
    assert_eq!(marked, ["summarised"]);
    assert!(plain.len() < 1000, "an excerpt is short");
    let pieces = plain.split('…').map(str::trim).filter(|piece| !piece.is_empty());
    for piece in pieces {
        assert!(content.contains(piece), "{piece:?} does not stand there");
    }
    let item = first(&test, "resume").await;
    assert_eq!(shown(item["highlights"]["content"].as_str().unwrap()).1, ["résumés"]);
}

#[tokio::test]
async fn every_word_of_a_query_is_marked_and_what_was_not_asked_for_is_not() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "n", "content": "The walrus met a seal on the glacier." })]).await;
    let item = first(&test, "walrus glacier").await;
    let (plain, marked) = shown(item["highlights"]["content"].as_str().unwrap());
    assert_eq!(
        (plain.as_str(), marked),
        ("The walrus met a seal on the glacier.", vec!["walrus".into(), "glacier".into()])
    );
    assert!(item["highlights"]["name"].is_null(), "nothing there: {item}");
    let item = first(&test, "glac").await;
    assert!(shown(item["highlights"]["content"].as_str().unwrap()).1[0].starts_with("glac"), "{item}");
    let plain = search(&test, json!({ "query": "walrus" })).await;
    assert!(plain["items"][0]["highlights"].is_null(), "only when asked for");
}

#[tokio::test]
async fn words_without_spaces_are_marked_too() {
    let test = TestApp::api().await;
    made(&test, &[json!({ "name": "客服回复", "content": "请用礼貌的语气回复客户的投诉邮件,先道歉。" })]).await;
    let item = first(&test, "投诉邮件").await;
    let (plain, marked) = shown(item["highlights"]["content"].as_str().unwrap());
    assert!(plain.contains("投诉邮件"), "{plain}");
    assert_eq!(marked.concat(), "投诉邮件", "{item}");
}

#[tokio::test]
async fn markup_of_a_prompt_is_text() {
    let test = TestApp::api().await;
    let attacks = [
        "<script>alert('walrus')</script>",
        "<img src=x onerror=\"walrus()\">",
        "</mark><b>walrus</b><mark>",
        "<mark>walrus</mark>",
        "&lt;walrus&gt; &amp;lt; & &#60;walrus&#62;",
        "\"walrus\" onmouseover='walrus'",
        "<<walrus>> <a href=javascript:walrus>",
        "<wal<mark>rus walrus",
        "\u{e000}forged\u{e001} walrus \u{e001}\u{e000} \u{f8ff} \u{2}forged\u{3} \u{1}walrus\u{2} \u{fdd0}\u{ffff}",
    ];
    for (number, attack) in attacks.into_iter().enumerate() {
        // A name may not hold control characters, a content may.
        let name: String = attack.chars().filter(|letter| !letter.is_control() && *letter != '\u{ffff}').collect();
        let prompt = json!({
            "category": format!("c{number}"), "name": name, "description": name, "content": attack,
            "template_format": "none", "tags": [name.chars().take(60).collect::<String>()],
        });
        made(&test, &[prompt]).await;
    }
    for query in ["walrus", "walrus script", "\"walrus\"", "wal*", "mark walrus", "lt walrus"] {
        let answer = search(&test, json!({ "query": query, "highlight": true, "limit": 100 })).await;
        let items = answer["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{query}");
        for item in items {
            let mut found = Vec::new();
            texts(&item["highlights"], &mut found);
            for html in found {
                let (_, marked) = shown(&html);
                for word in marked {
                    let asked =
                        ["walrus", "script", "wal", "mark", "lt"].iter().any(|asked| word.to_lowercase() == *asked);
                    assert!(asked, "`{query}` marks {word:?} in {html}");
                }
            }
            if query == "walrus" {
                let (plain, marked) = shown(item["highlights"]["name"].as_str().unwrap());
                assert_eq!(plain, item["prompt"]["name"].as_str().unwrap(), "nothing is lost");
                assert!(!marked.is_empty());
            }
        }
    }
}
