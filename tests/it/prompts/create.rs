//! Prompts are made: what is kept, what follows by itself, and whose name is taken.
use serde_json::json;
use support::{BEGINNING, TestApp};

use super::{PROMPTS, again, at, prompts, versions};

#[tokio::test]
async fn every_field_is_kept_as_it_was_given() {
    let test = TestApp::api().await;
    let said = json!({
        "category": "support/mail",
        "name": "UX/UI Developer",
        "description": "Answers a mail.",
        "type": "text",
        "content": "Dear {{name}}, {{ body }}",
        "template_format": "mustache",
        "is_template": true,
        "variables": ["body", "name", "spare"],
        "input_schema": { "name": { "type": "string", "required": true, "default": "you", "description": "Who" } },
        "tags": ["b", "a", "c"],
        "config": { "temperature": 0.7, "tools": [{ "z": null, "a": [1, 2.5, true] }], "model": "m" },
    });
    let mut asked = said.clone();
    asked["change_summary"] = json!("The first.");

    let made = test.post(PROMPTS, asked).await.expect(201);

    for (key, value) in said.as_object().unwrap() {
        assert_eq!(&made[key], value, "{key}");
    }
    assert_eq!(again(&test, &made).await, made);
    let first = test.get(&format!("{}/versions/1", at(&made))).await.expect(200);
    assert_eq!((&first["change_summary"], &first["change_type"]), (&json!("The first."), &json!("create")));
}

#[tokio::test]
async fn what_is_not_said_follows_by_itself() {
    let test = TestApp::api().await;

    let mut made = test.prompt("a", "b", "c").await;

    assert!(made["id"].as_str().unwrap().starts_with("prm_"), "{made}");
    made["id"] = json!("prm_…");
    let expected = json!({
        "id": "prm_…", "category": "a", "name": "b", "description": null, "type": "text", "content": "c",
        "template_format": "mustache", "variables": [], "input_schema": {}, "config": {}, "is_template": false,
        "tags": [], "version": 1, "revision": 1, "labels": {}, "lifecycle_status": "draft", "parent_id": null,
        "parent_version": null, "created_by": "anonymous", "created_at": BEGINNING, "updated_at": BEGINNING,
    });
    assert_eq!(made, expected);
}

#[tokio::test]
async fn the_answer_says_where_the_prompt_is_and_its_revision() {
    let test = TestApp::api().await;

    let reply = test.post(PROMPTS, json!({ "category": "a", "name": "b", "content": "c" })).await;

    assert_eq!((reply.header("location"), reply.header("etag")), (at(&reply.body).as_str(), "\"1\""));
    let location = reply.header("location").to_owned();
    assert_eq!(test.get(&location).await.expect(200), reply.expect(201));
}

#[tokio::test]
async fn content_is_kept_byte_for_byte() {
    let test = TestApp::api().await;
    let contents = [
        " leading and trailing \t ",
        "a\nb\r\nc\rd\n\n",
        "👩‍👩‍👧 🇩🇪 é e\u{301} 提示词 ﷺ",
        "\u{feff}mark \u{202e}turned\u{202c} \u{200b}nothing\u{1b}[31m\u{7f}\u{85}",
        "\\ \" ' \\u0041 \\n {{code here}} {{#if}}{{/if}} {\"a\": {}} <b>&amp;</b>",
        "\u{10ffff}\u{e000}",
    ];
    for (number, content) in contents.into_iter().enumerate() {
        let made = test.prompt("bytes", &number.to_string(), content).await;
        assert_eq!(again(&test, &made).await["content"], content);
    }
}

#[tokio::test]
async fn content_may_be_one_character_or_512_kib() {
    let test = TestApp::api().await;
    for content in ["x".to_owned(), "é".repeat(256 * 1024)] {
        let made = test.prompt("sizes", &content.len().to_string(), &content).await;
        assert_eq!(again(&test, &made).await["content"], content);
    }
}

#[tokio::test]
async fn a_chat_prompt_keeps_its_messages() {
    let test = TestApp::api().await;
    let messages = json!([
        { "role": "system", "content": "Be {{mood}}.\n" },
        { "role": "developer", "content": "…" },
        { "role": "user", "content": "{{question}} {{mood}}" },
        { "role": "assistant", "content": "" },
        { "role": "tool", "content": "{}" },
    ]);

    let made = test.post(PROMPTS, json!({ "category": "a", "name": "b", "messages": messages })).await.expect(201);

    assert_eq!((&made["type"], &made["messages"], made.get("content")), (&json!("chat"), &messages, None));
    assert_eq!((&made["variables"], &made["is_template"]), (&json!(["mood", "question"]), &json!(true)));
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn type_content_and_messages_must_fit() {
    let test = TestApp::api().await;
    let messages = json!([{ "role": "user", "content": "x" }]);
    for (body, pointer) in [
        (json!({}), "/content"),
        (json!({ "type": "chat", "content": "x" }), "/type"),
        (json!({ "type": "text", "messages": messages }), "/type"),
        (json!({ "content": "x", "messages": messages }), "/messages"),
        (json!({ "messages": [] }), "/messages"),
        (json!({ "messages": [{ "role": "robot", "content": "x" }] }), "/messages/0/role"),
        (json!({ "messages": [{ "role": "user", "content": "a\u{0}b" }] }), "/messages/0/content"),
    ] {
        let mut asked = body.clone();
        (asked["category"], asked["name"]) = (json!("a"), json!("b"));
        let violations = test.post(PROMPTS, asked).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}: {violations:?}");
    }
    assert_eq!(prompts(&test).await, 0);
}

#[tokio::test]
async fn is_template_is_whether_variables_were_found_unless_it_is_said() {
    let test = TestApp::api().await;
    let cases = [
        ("{{x}}", None, true),
        ("x", None, false),
        ("{{x}}", Some(false), false),
        ("x", Some(true), true),
        ("x{{! note }}", None, true),
    ];
    for (number, (content, said, is_template)) in cases.into_iter().enumerate() {
        let name = number.to_string();
        let body = json!({ "category": "a", "name": name, "content": content, "is_template": said });
        assert_eq!(test.post(PROMPTS, body).await.expect(201)["is_template"], is_template, "{content} {said:?}");
    }
}

#[tokio::test]
async fn a_declared_list_that_misses_a_used_variable_is_refused_with_its_name() {
    let test = TestApp::api().await;
    let body = json!({ "category": "a", "name": "b", "content": "{{seen}} {{missed}}", "variables": ["seen"] });

    let problem = test.post(PROMPTS, body).await.expect(422);

    assert_eq!(problem["errors"][0]["pointer"], "/variables");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("missed"), "{problem}");
}

#[tokio::test]
async fn every_broken_rule_is_told_at_once() {
    let test = TestApp::api().await;
    let body = json!({ "category": " ", "name": "", "description": "\u{0}", "tags": [""], "content": "" });

    let violations = test.post(PROMPTS, body).await.violations();

    let pointers: Vec<&str> = violations.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/category", "/name", "/description", "/tags/0", "/content"]);
    assert_eq!((prompts(&test).await, versions(&test).await), (0, 0));
}

#[tokio::test]
async fn a_taken_name_is_a_conflict() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;

    let reply = test.post(PROMPTS, json!({ "category": "a", "name": "b", "content": "other" })).await;

    assert_eq!(reply.code(409), "prompt-name-taken");
    assert_eq!((prompts(&test).await, versions(&test).await), (1, 1));
}

#[tokio::test]
async fn a_name_is_taken_in_its_category_only() {
    let test = TestApp::api().await;
    for category in ["a", "a/b", "b"] {
        test.prompt(category, "name", "c").await;
    }
}

#[tokio::test]
async fn row_16_names_differ_by_case() {
    let test = TestApp::api().await;
    // row 16
    for (category, name) in
        [("c", "name"), ("c", "Name"), ("C", "name"), ("c", "É"), ("c", "é"), ("c", "ß"), ("c", "ss")]
    {
        test.prompt(category, name, "c").await;
    }
    assert_eq!(prompts(&test).await, 7);
}

#[tokio::test]
async fn row_15_two_spellings_of_one_name_are_the_same_name() {
    let test = TestApp::api().await;
    let made = test.prompt("Cafe\u{301}", "  e\u{301} ", "c").await;
    assert_eq!((&made["category"], &made["name"]), (&json!("Café"), &json!("é")));

    let twin = test.post(PROMPTS, json!({ "category": "Café", "name": "é", "content": "c" })).await;

    // row 15
    assert_eq!(twin.code(409), "prompt-name-taken");
}

#[tokio::test]
async fn tags_are_composed_trimmed_and_kept_once() {
    let test = TestApp::api().await;
    let body = json!({ "category": "a", "name": "b", "content": "c", "tags": [" x ", "e\u{301}", "x", "é", "X"] });
    assert_eq!(test.post(PROMPTS, body).await.expect(201)["tags"], json!(["x", "é", "X"]));
}

#[tokio::test]
async fn a_config_comes_back_untouched() {
    let test = TestApp::api().await;
    let config =
        r#"{"z":1,"a":{"nested":[1.0,-0.5,1e-7,0.30000000000000004,31.245270191439438,9007199254740993]},"n":null}"#;
    let body = format!(r#"{{"category":"a","name":"b","content":"c","config":{config}}}"#);
    let json = [("content-type", "application/json")];
    let made = test.request(axum::http::Method::POST, PROMPTS, &json, body).await.expect(201);
    assert_eq!(made["config"].to_string(), config);
    assert_eq!(again(&test, &made).await["config"].to_string(), config);
}
