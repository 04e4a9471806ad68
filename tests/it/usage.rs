//! Reads by name are counted, without being slowed or changed by it.
use serde_json::{Value, json};
use support::{TestApp, caller};

async fn usage(test: &TestApp, path: &str) -> Value {
    shared::analytics::write_reads(&test.app, &caller()).await.unwrap();
    test.get(path).await.expect(200)["usage_count"].clone()
}

#[tokio::test]
async fn reads_by_name_are_counted_and_others_are_not() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    for _ in 0..3 {
        test.get("/api/v1/prompts/search/a/b").await.expect(200);
    }
    test.post("/api/v1/prompts/search/a/b", json!({})).await.expect(200);
    test.post("/api/v1/prompts/batch-get", json!({ "items": [{ "category": "a", "name": "b" }] })).await.expect(200);
    test.get(&path).await.expect(200);
    test.get("/api/v1/prompts/search/a/none").await.expect(404);

    assert_eq!(usage(&test, &format!("{path}?include=usage")).await, 5);
}

#[tokio::test]
async fn counts_add_up_over_versions_and_moments() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    test.get("/api/v1/prompts/search/a/b").await.expect(200);
    shared::analytics::write_reads(&test.app, &caller()).await.unwrap();
    test.put(&format!("{path}/content"), json!({ "content": "two" })).await.expect(200);
    test.get("/api/v1/prompts/search/a/b").await.expect(200);

    assert_eq!(usage(&test, &format!("{path}?include=usage")).await, 2);
    assert_eq!(test.count("SELECT count(*) FROM prompt_uses").await, 2, "a row for each version");
    let listed = test.get("/api/v1/prompts?include=usage").await.expect(200);
    assert_eq!(listed["items"][0]["usage_count"], 2);
}

#[tokio::test]
async fn a_body_shows_its_use_only_when_asked_and_then_has_no_tag() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "one").await;
    let plain = test.get("/api/v1/prompts/search/a/b").await;
    assert!(plain.headers.contains_key("etag") && plain.body.get("usage_count").is_none());
    let asked = test.get("/api/v1/prompts/search/a/b?include=usage").await;
    assert!(!asked.headers.contains_key("etag") && asked.body["usage_count"].is_i64());
}

#[tokio::test]
async fn being_used_is_no_write_to_the_prompt() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    test.get("/api/v1/prompts/search/a/b").await.expect(200);
    shared::analytics::write_reads(&test.app, &caller()).await.unwrap();
    assert_eq!(test.get(&path).await.expect(200), prompt);
}
