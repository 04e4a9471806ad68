//! Prompts are changed: what an absent key and `null` say, and what makes a version.
use std::time::Duration;

use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, again, at, versions};

/// A prompt that has something of everything.
async fn full(test: &TestApp) -> Value {
    let body = json!({
        "category": "a", "name": "b", "description": "d", "content": "{{x}}", "tags": ["t"], "config": { "k": 1 },
        "input_schema": { "x": { "type": "string" } }, "template_format": "mustache",
    });
    test.post(PROMPTS, body).await.expect(201)
}

#[tokio::test]
async fn an_absent_key_keeps() {
    let test = TestApp::api().await;
    let made = full(&test).await;

    let changed = test.put(&at(&made), json!({ "description": "other" })).await.expect(200);

    let mut expected = made.clone();
    (expected["description"], expected["revision"]) = (json!("other"), json!(2));
    assert_eq!(changed, expected);
}

#[tokio::test]
async fn null_clears() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let nothing = json!({ "description": null, "tags": null, "config": null, "input_schema": null });

    let changed = test.put(&at(&made), nothing).await.expect(200);

    assert_eq!((&changed["description"], &changed["tags"]), (&Value::Null, &json!([])));
    assert_eq!((&changed["config"], &changed["input_schema"]), (&json!({}), &json!({})));
    assert_eq!((&changed["content"], &changed["variables"]), (&made["content"], &made["variables"]));
}

#[tokio::test]
async fn what_must_be_there_cannot_be_cleared() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    for key in ["category", "name", "content"] {
        let violations = test.put(&at(&made), json!({ key: null })).await.violations();
        assert_eq!(violations, [(format!("/{key}"), "required".to_owned())]);
    }
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn a_text_prompt_becomes_a_chat_prompt_and_back() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let messages = json!([{ "role": "user", "content": "{{x}}" }]);

    let chat = test.put(&at(&made), json!({ "content": null, "messages": messages })).await.expect(200);
    assert_eq!((&chat["type"], &chat["messages"], chat.get("content")), (&json!("chat"), &messages, None));

    let text = test.put(&at(&made), json!({ "content": "again" })).await.expect(200);
    assert_eq!((&text["type"], &text["content"], text.get("messages")), (&json!("text"), &json!("again"), None));
    assert_eq!(text["version"], 3);
}

#[tokio::test]
async fn a_change_of_what_a_version_holds_makes_the_next_one() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let changes = [
        json!({ "content": "{{x}}!" }),
        json!({ "messages": [{ "role": "user", "content": "{{x}}" }] }),
        json!({ "variables": ["x", "y"] }),
        json!({ "input_schema": { "x": { "type": "integer" } } }),
        json!({ "template_format": "fstring" }),
        json!({ "config": { "k": 2 } }),
    ];
    for (version, change) in (2..).zip(changes) {
        let changed = test.put(&at(&made), change.clone()).await.expect(200);
        assert_eq!((&changed["version"], &changed["revision"]), (&json!(version), &json!(version)), "{change}");
    }
    assert_eq!(versions(&test).await, 7);
}

#[tokio::test]
async fn a_change_of_anything_else_makes_none() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let changes = [
        json!({ "description": "other" }),
        json!({ "tags": ["other"] }),
        json!({ "name": "other" }),
        json!({ "category": "other/one" }),
        json!({ "is_template": false }),
    ];
    for (revision, change) in (2..).zip(changes) {
        test.advance(Duration::from_secs(1));
        let changed = test.put(&at(&made), change.clone()).await.expect(200);
        assert_eq!((&changed["version"], &changed["revision"]), (&json!(1), &json!(revision)), "{change}");
        assert_eq!(changed["updated_at"], test.now().to_string());
        for (key, value) in change.as_object().unwrap() {
            assert_eq!(&changed[key], value, "{key}");
        }
    }
    assert_eq!(versions(&test).await, 1);
}

#[tokio::test]
async fn saying_the_same_again_changes_nothing() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    test.advance(Duration::from_secs(1));
    let keys = ["category", "name", "description", "content", "tags", "config", "input_schema", "variables"];
    let same: Value = keys.iter().map(|key| ((*key).to_owned(), made[key].clone())).collect();
    for (path, body) in [
        (at(&made), same),
        (at(&made), json!({})),
        (at(&made), json!({ "name": " b ", "change_summary": "nothing" })),
        (format!("{}/content", at(&made)), json!({ "content": made["content"] })),
    ] {
        assert_eq!(test.put(&path, body).await.expect(200), made);
    }
    assert_eq!((versions(&test).await, again(&test, &made).await), (1, made));
}

#[tokio::test]
async fn the_same_content_again_keeps_the_declared_variables() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let declared = test.put(&at(&made), json!({ "variables": ["x", "spare"] })).await.expect(200);
    for path in [at(&made), format!("{}/content", at(&made))] {
        assert_eq!(test.put(&path, json!({ "content": made["content"] })).await.expect(200), declared);
    }
}

#[tokio::test]
async fn the_same_numbers_again_change_nothing() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let config = json!({ "config": { "temperature": 31.245_270_191_439_438_f64, "top_p": 0.1, "n": 3 } });
    let changed = test.put(&at(&made), config.clone()).await.expect(200);
    assert_eq!(test.put(&at(&made), config).await.expect(200), changed);
}

#[tokio::test]
async fn a_change_of_the_content_finds_the_variables_again() {
    let test = TestApp::api().await;
    let made = full(&test).await;

    let changed = test.put(&format!("{}/content", at(&made)), json!({ "content": "{{y}} {{z}}" })).await.expect(200);

    assert_eq!((&changed["variables"], &changed["version"]), (&json!(["y", "z"]), &json!(2)));
}

#[tokio::test]
async fn a_change_of_the_content_keeps_everything_else() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let body = json!({ "content": "{{x}}\n", "variables": ["x", "spare"], "change_summary": "why" });

    let changed = test.put(&format!("{}/content", at(&made)), body).await.expect(200);

    let mut expected = made.clone();
    for (key, value) in [
        ("content", json!("{{x}}\n")),
        ("variables", json!(["x", "spare"])),
        ("version", json!(2)),
        ("revision", json!(2)),
    ] {
        expected[key] = value;
    }
    assert_eq!(changed, expected);
    let version = test.get(&format!("{}/versions/2", at(&made))).await.expect(200);
    assert_eq!((&version["change_summary"], &version["change_type"]), (&json!("why"), &json!("update")));
}

#[tokio::test]
async fn a_change_of_the_content_needs_one_and_takes_nothing_else() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let path = format!("{}/content", at(&made));
    for (body, pointer) in [
        (json!({}), "/content"),
        (json!({ "content": "x", "description": "no" }), "/description"),
        (json!({ "content": "" }), "/content"),
    ] {
        assert_eq!(test.put(&path, body).await.violations()[0].0, pointer);
    }
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn is_template_goes_on_following_the_content() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    for (content, is_template) in [("plain", false), ("{{x}}", true)] {
        let changed = test.put(&at(&made), json!({ "content": content })).await.expect(200);
        assert_eq!(changed["is_template"], is_template);
    }
    let said = test.put(&at(&made), json!({ "is_template": false })).await.expect(200);
    assert_eq!(said["is_template"], false);
    let cleared = test.put(&at(&made), json!({ "is_template": null })).await.expect(200);
    assert_eq!(cleared["is_template"], true);
}

#[tokio::test]
async fn a_prompt_can_be_renamed_but_not_onto_another() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    test.prompt("a", "taken", "c").await;

    let reply = test.put(&at(&made), json!({ "name": "taken", "content": "lost" })).await;

    assert_eq!(reply.code(409), "prompt-name-taken");
    assert_eq!((again(&test, &made).await, versions(&test).await), (made.clone(), 2));
    let renamed = test.put(&at(&made), json!({ "name": "free" })).await.expect(200);
    assert_eq!(renamed["name"], "free");
    test.prompt("a", "b", "the old name is free").await;
}

#[tokio::test]
async fn a_refused_change_leaves_nothing_behind() {
    let test = TestApp::api().await;
    let made = full(&test).await;
    let body = json!({ "name": "", "tags": ["\u{200b}"], "content": "", "description": "new" });

    let violations = test.put(&at(&made), body).await.violations();

    assert_eq!(violations.len(), 3, "{violations:?}");
    assert_eq!((again(&test, &made).await, versions(&test).await), (made, 1));
}

#[tokio::test]
async fn an_unknown_prompt_cannot_be_changed() {
    let test = TestApp::api().await;
    let missing = format!("{PROMPTS}/prm_01J9Z3N5T8QWERTYASDFGHZXCV");
    for path in [missing.clone(), format!("{missing}/content")] {
        assert_eq!(test.put(&path, json!({ "content": "x" })).await.code(404), "not-found");
    }
}
