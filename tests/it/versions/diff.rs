//! Two versions are compared: texts, messages, variables and settings.
use serde_json::{Value, json};
use support::TestApp;

use super::{MISSING, PROMPTS, at, with_contents};

#[tokio::test]
async fn texts_are_compared_by_line_and_by_word() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["Dear {{name}},\nhello there\n", "Dear {{who}},\nhello there\n"]).await;

    let diff = test.get(&format!("{path}/diff?from=1&to=2")).await.expect(200);

    let unified = diff["unified"].as_str().unwrap();
    assert!(unified.contains("-Dear {{name}},\n+Dear {{who}},\n hello there\n"), "{unified}");
    assert_eq!((&diff["from"], &diff["to"], &diff["identical"]), (&json!(1), &json!(2), &json!(false)));
    assert_eq!((&diff["variables_added"], &diff["variables_removed"]), (&json!(["who"]), &json!(["name"])));
    assert_eq!(diff["config_changes"], json!([]));
}

/// The words of one side of a diff, put together again.
fn side(diff: &Value, other: &str) -> String {
    let words = diff["words"].as_array().unwrap().iter().filter(|run| run["change"] != other);
    words.map(|run| run["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_words_of_a_diff_add_up_to_both_texts() {
    let test = TestApp::api().await;
    let (old, new) = ("a  b\tc\r\nd é 🚀 \n", "a b\tc\nd é 提示 🚀");
    let path = with_contents(&test, &[old, new]).await;

    let diff = test.get(&format!("{path}/diff")).await.expect(200);

    assert_eq!((side(&diff, "inserted").as_str(), side(&diff, "deleted").as_str()), (old, new));
}

#[tokio::test]
async fn one_changed_character_of_a_script_without_spaces_is_one_changed_character() {
    let test = TestApp::api().await;
    for (old, new, gone, come) in [
        ("请把下面的文字翻译成英文。", "请把下面的文字翻译成法文。", "英", "法"),
        ("以下の文章を三つの要点に", "以下の文章を五つの要点に", "三", "五"),
        ("か\u{3099}くにんして要点をまとめて。", "か\u{3099}きにんして要点をまとめて。", "く", "き"),
    ] {
        let path = with_contents(&test, &[old, new]).await;
        let diff = test.get(&format!("{path}/diff")).await.expect(200);
        let of = |kind: &str| {
            diff["words"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|run| run["change"] == kind)
                .map(|run| run["text"].as_str().unwrap())
                .collect::<String>()
        };
        assert_eq!((of("deleted"), of("inserted")), (gone.to_owned(), come.to_owned()), "{diff}");
        assert_eq!((side(&diff, "inserted").as_str(), side(&diff, "deleted").as_str()), (old, new));
        let drift = test.get(&format!("{path}/drift?version=2")).await.expect(200);
        assert_eq!(drift["content"]["severity"], "minor", "{drift}");
        test.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn a_diff_is_of_the_newest_change_unless_said() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two", "three"]).await;
    for (query, from, to) in [
        ("", 2, 3),
        ("?from=1", 1, 3),
        ("?to=2", 1, 2),
        ("?from=3&to=1", 3, 1),
        ("?to=1", 1, 1),
        ("?from=2&to=2", 2, 2),
    ] {
        let diff = test.get(&format!("{path}/diff{query}")).await.expect(200);
        assert_eq!((&diff["from"], &diff["to"]), (&json!(from), &json!(to)), "{query}");
        assert_eq!(diff["identical"], from == to, "{query}");
    }
}

#[tokio::test]
async fn messages_are_compared_under_their_roles() {
    let test = TestApp::api().await;
    let messages =
        |text: &str| json!([{ "role": "system", "content": "Be kind." }, { "role": "user", "content": text }]);
    let made = test.post(PROMPTS, json!({ "category": "a", "name": "b", "messages": messages("one") })).await;
    let path = at(&made.expect(201));
    test.put(&path, json!({ "messages": messages("two") })).await.expect(200);

    let diff = test.get(&format!("{path}/diff")).await.expect(200);

    let unified = diff["unified"].as_str().unwrap();
    assert!(unified.contains(" [user]\n-one\n+two\n"), "{unified}");
}

#[tokio::test]
async fn settings_are_compared_key_by_key() {
    let test = TestApp::api().await;
    let body = json!({
        "category": "a", "name": "b", "content": "{{x}}", "config": { "temperature": 0.5, "a/b": [1], "gone": true },
        "input_schema": { "x": { "type": "string" } },
    });
    let path = at(&test.post(PROMPTS, body).await.expect(201));
    let body = json!({
        "template_format": "fstring", "content": "{x}", "config": { "temperature": 1, "a/b": [1], "new": null },
        "input_schema": { "x": { "type": "integer" } },
    });
    test.put(&path, body).await.expect(200);

    let diff = test.get(&format!("{path}/diff")).await.expect(200);

    let expected = json!([
        { "pointer": "/template_format", "from": "mustache", "to": "fstring" },
        { "pointer": "/input_schema/x/type", "from": "string", "to": "integer" },
        { "pointer": "/config/temperature", "from": 0.5, "to": 1 },
        { "pointer": "/config/gone", "from": true, "to": null },
        { "pointer": "/config/new", "from": null, "to": null },
    ]);
    assert_eq!(diff["config_changes"], expected);
}

#[tokio::test]
async fn only_what_is_there_can_be_compared() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for query in ["from=2", "to=2", "from=0", "to=-1", "to=-9223372036854775808", "from=9223372036854775807"] {
        assert_eq!(test.get(&format!("{path}/diff?{query}")).await.code(404), "not-found", "{query}");
    }
    for (query, pointer) in [("from=a", "/from"), ("to=1.5", "/to"), ("to=99999999999999999999", "/to"), ("x=1", "/x")]
    {
        assert_eq!(test.get(&format!("{path}/diff?{query}")).await.violations()[0].0, pointer, "{query}");
    }
    assert_eq!(test.get(&format!("{MISSING}/diff")).await.code(404), "not-found");
}

#[tokio::test]
async fn large_texts_are_compared_in_time() {
    let test = TestApp::api().await;
    let text = |step: usize| (0..120_000).map(|word| format!("{} ", word * step % 977)).collect::<String>();
    let (old, new) = (text(7), text(11));
    let path = with_contents(&test, &[&old[..500_000.min(old.len())], &new[..500_000.min(new.len())]]).await;
    test.get(&format!("{path}/diff")).await.expect(200);
}
