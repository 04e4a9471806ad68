//! Prompts are deleted and brought back.
use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, again, at, column, prompts, versions};

async fn deleted(test: &TestApp) -> Value {
    let made = test.prompt("a", "b", "c").await;
    test.put(&format!("{}/labels/production", at(&made)), json!({ "version": 1 })).await.expect(200);
    test.delete(&at(&made)).await.expect(204);
    made
}

#[tokio::test]
async fn a_deleted_prompt_is_gone() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    for path in ["", "/versions", "/versions/1", "/diff", "/labels", "/labels/history", "?label=production"] {
        assert_eq!(test.get(&format!("{}{path}", at(&made))).await.code(404), "not-found", "{path}");
    }
    assert_eq!(test.get(&format!("{PROMPTS}/search/a/b")).await.code(404), "not-found");
    assert_eq!(test.get(PROMPTS).await.expect(200)["total"], 0);
}

#[tokio::test]
async fn row_48_deleting_twice_finds_nothing_the_second_time() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    // row 48
    assert_eq!(test.delete(&at(&made)).await.code(404), "not-found");
}

#[tokio::test]
async fn row_49_a_deleted_prompt_cannot_be_written_to() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    // row 49
    for (method, path, body) in [
        (Method::PUT, "", json!({ "description": "x" })),
        (Method::PUT, "/content", json!({ "content": "x" })),
        (Method::PUT, "/labels/production", json!({ "version": 1 })),
        (Method::DELETE, "/labels/production", json!({})),
        (Method::POST, "/versions/1/rollback", json!({})),
        (Method::POST, "/fork", json!({ "new_name": "x" })),
    ] {
        let json = [("content-type", "application/json")];
        let reply = test.request(method, &format!("{}{path}", at(&made)), &json, body.to_string()).await;
        assert_eq!(reply.code(404), "not-found", "{path}");
    }
    assert_eq!((prompts(&test).await, versions(&test).await), (1, 1));
}

#[tokio::test]
async fn a_deleted_name_is_free() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;

    let next = test.prompt("a", "b", "next").await;

    assert_ne!(next["id"], made["id"]);
    assert_eq!(test.get(&format!("{PROMPTS}/search/a/b")).await.expect(200)["filled_content"], "next");
}

#[tokio::test]
async fn a_restored_prompt_is_as_it_was() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;

    let restored = test.post(&format!("{}/restore", at(&made)), json!({})).await.expect(200);

    let mut expected = made.clone();
    (expected["revision"], expected["labels"]) = (json!(4), json!({ "production": 1 }));
    assert_eq!(restored, expected);
    assert_eq!(again(&test, &made).await, expected);
}

#[tokio::test]
async fn restoring_needs_no_body() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    test.request(Method::POST, &format!("{}/restore", at(&made)), &[], Body::empty()).await.expect(200);
}

#[tokio::test]
async fn restoring_takes_an_empty_object_and_nothing_else() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    let path = format!("{}/restore", at(&made));
    assert_eq!(test.post(&path, json!({ "name": "x" })).await.violations()[0].0, "/name");
    let json = [("content-type", "application/json")];
    assert_eq!(test.request(Method::POST, &path, &json, "{").await.code(400), "json-syntax");
    // row 27: a web page elsewhere cannot restore anything.
    let page = [("origin", "https://evil.example")];
    assert_eq!(test.request(Method::POST, &path, &page, Body::empty()).await.code(415), "unsupported-media-type");
    assert_eq!(test.count("SELECT count(*) FROM prompts WHERE deleted_at IS NULL").await, 0);
}

#[tokio::test]
async fn a_prompt_cannot_be_restored_onto_a_taken_name() {
    let test = TestApp::api().await;
    let made = deleted(&test).await;
    let next = test.prompt("a", "b", "next").await;

    let reply = test.post(&format!("{}/restore", at(&made)), json!({})).await;

    assert_eq!(reply.code(409), "prompt-name-taken");
    assert_eq!(again(&test, &next).await, next);
    test.delete(&at(&next)).await.expect(204);
    test.post(&format!("{}/restore", at(&made)), json!({})).await.expect(200);
}

#[tokio::test]
async fn what_is_not_deleted_cannot_be_restored() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    assert_eq!(test.post(&format!("{}/restore", at(&made)), json!({})).await.code(409), "not-deleted");
    let missing = format!("{PROMPTS}/prm_01J9Z3N5T8QWERTYASDFGHZXCV/restore");
    assert_eq!(test.post(&missing, json!({})).await.code(404), "not-found");
}

#[tokio::test]
async fn deleted_prompts_are_listed_when_asked_for() {
    let test = TestApp::api().await;
    deleted(&test).await;
    test.prompt("a", "left", "c").await;

    let page = test.get(&format!("{PROMPTS}?include_deleted=true&sort=name")).await.expect(200);

    assert_eq!((column(&page, "name"), &page["total"]), (vec!["b".to_owned(), "left".to_owned()], &json!(2)));
    assert_eq!(page["items"][0]["deleted_at"], test.now().to_string());
    assert_eq!(page["items"][1].get("deleted_at"), None);
    assert_eq!(column(&test.get(PROMPTS).await.expect(200), "name"), ["left"]);
}
