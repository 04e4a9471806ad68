//! Prompts are forked: a copy that goes its own way and remembers where it came from.
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, again, at, prompts};

/// A prompt at version 2.
async fn source(test: &TestApp) -> Value {
    let body = json!({
        "category": "a", "name": "b", "description": "d", "content": "{{x}}", "tags": ["t", "u"],
        "config": { "k": 1 }, "input_schema": { "x": { "default": "y" } },
    });
    let made = test.post(PROMPTS, body).await.expect(201);
    test.put(&format!("{}/labels/production", at(&made)), json!({ "version": 1 })).await.expect(200);
    test.put(&format!("{}/content", at(&made)), json!({ "content": "{{x}}!" })).await.expect(200)
}

#[tokio::test]
async fn a_fork_is_a_copy_of_the_newest_version() {
    let test = TestApp::api().await;
    let source = source(&test).await;

    let reply = test.post(&format!("{}/fork", at(&source)), json!({ "new_name": "copy" })).await;

    assert_eq!((reply.header("location"), reply.header("etag")), (at(&reply.body).as_str(), "\"1\""));
    let copy = reply.expect(201);
    for key in ["category", "description", "content", "tags", "config", "input_schema", "variables", "is_template"] {
        assert_eq!(copy[key], source[key], "{key}");
    }
    assert_eq!((&copy["name"], &copy["version"], &copy["revision"]), (&json!("copy"), &json!(1), &json!(1)));
    assert_eq!((&copy["parent_id"], &copy["parent_version"]), (&source["id"], &json!(2)));
    assert_eq!((&copy["labels"], &copy["lifecycle_status"]), (&json!({}), &json!("draft")));
    let version = test.get(&format!("{}/versions/1", at(&copy))).await.expect(200);
    assert_eq!(version["change_type"], "fork");
    assert_eq!(again(&test, &source).await, source);
}

#[tokio::test]
async fn a_fork_may_differ_in_everything() {
    let test = TestApp::api().await;
    let source = source(&test).await;
    let overrides = json!({
        "new_name": "copy", "category": "elsewhere", "description": null, "tags": ["v"], "config": { "k": 2 },
        "messages": [{ "role": "user", "content": "{y}" }], "template_format": "fstring", "input_schema": {},
        "is_template": false, "change_summary": "another way",
    });

    let copy = test.post(&format!("{}/fork", at(&source)), overrides.clone()).await.expect(201);

    for key in
        ["category", "description", "tags", "config", "messages", "template_format", "input_schema", "is_template"]
    {
        assert_eq!(copy[key], overrides[key], "{key}");
    }
    assert_eq!((&copy["type"], &copy["variables"]), (&json!("chat"), &json!(["y"])));
    let version = test.get(&format!("{}/versions/1", at(&copy))).await.expect(200);
    assert_eq!(version["change_summary"], "another way");
}

#[tokio::test]
async fn a_fork_needs_a_free_name() {
    let test = TestApp::api().await;
    let source = source(&test).await;
    let path = format!("{}/fork", at(&source));

    assert_eq!(test.post(&path, json!({ "new_name": "b" })).await.code(409), "prompt-name-taken");
    for body in [json!({}), json!({ "new_name": " " })] {
        assert_eq!(test.post(&path, body).await.violations(), [("/new_name".to_owned(), "required".to_owned())]);
    }
    assert_eq!(prompts(&test).await, 1);
    test.post(&path, json!({ "new_name": "b", "category": "other" })).await.expect(201);
}

#[tokio::test]
async fn a_fork_outlives_its_source() {
    let test = TestApp::api().await;
    let source = source(&test).await;
    let copy = test.post(&format!("{}/fork", at(&source)), json!({ "new_name": "copy" })).await.expect(201);

    test.delete(&at(&source)).await.expect(204);

    assert_eq!(again(&test, &copy).await, copy);
}

#[tokio::test]
async fn only_a_prompt_that_is_there_can_be_forked() {
    let test = TestApp::api().await;
    let missing = format!("{PROMPTS}/prm_01J9Z3N5T8QWERTYASDFGHZXCV/fork");
    assert_eq!(test.post(&missing, json!({ "new_name": "x" })).await.code(404), "not-found");
}
