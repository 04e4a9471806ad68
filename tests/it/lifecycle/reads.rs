//! What the state of a prompt means to those who read it.
use serde_json::json;
use support::TestApp;

use super::{STATUSES, prompt, prompt_at, set};

#[tokio::test]
async fn a_deprecated_prompt_is_served_with_a_warning() {
    let test = TestApp::api().await;
    let (id, next) = (prompt(&test, "old").await, prompt(&test, "new").await);
    let path = "/api/v1/prompts/search/c/old?what=no";
    set(&test, &id, "published").await.expect(200);
    let fine = test.get(path).await;
    assert!(!fine.headers.contains_key("deprecation") && fine.body["deprecation"].is_null());

    let order = json!({ "status": "deprecated", "sunset_at": "2026-12-31T23:59:59Z", "successor_id": next });
    test.put(&format!("/api/v1/prompts/{id}/lifecycle"), order).await.expect(200);

    let served = test.get(path).await;
    assert_eq!(served.header("deprecation"), "@1767268800");
    assert_eq!(served.header("sunset"), "Thu, 31 Dec 2026 23:59:59 GMT");
    assert_eq!(served.header("link"), format!("</api/v1/prompts/{next}>; rel=\"successor-version\""));
    let etag = served.header("etag").to_owned();
    let body = served.expect(200);
    assert_eq!(
        (&body["filled_content"], &body["deprecation"]["successor_id"]),
        (&json!("Say no politely."), &json!(next))
    );
    let known =
        test.request(axum::http::Method::GET, path, &[("if-none-match", &etag)], axum::body::Body::empty()).await;
    assert_eq!((known.status.as_u16(), known.header("deprecation")), (304, "@1767268800"));
}

#[tokio::test]
async fn without_a_successor_it_is_the_one_that_replaces_it() {
    let test = TestApp::api().await;
    let (id, next) = (prompt_at(&test, "old", "deprecated").await, prompt(&test, "new").await);
    let alone = test.get("/api/v1/prompts/search/c/old").await;
    assert!(!alone.headers.contains_key("link") && !alone.headers.contains_key("sunset"));
    let relation = json!({ "target_prompt_id": id, "relationship_type": "replaces" });
    test.post(&format!("/api/v1/prompts/{next}/relationships"), relation).await.expect(201);

    let served = test.get("/api/v1/prompts/search/c/old").await;

    assert_eq!(served.header("link"), format!("</api/v1/prompts/{next}>; rel=\"successor-version\""));
}

/// A read by name: the tag, the body, where its link leads; and whether the tag is known to be that of the body.
async fn read(test: &TestApp) -> (String, serde_json::Value, Option<String>) {
    const PATH: &str = "/api/v1/prompts/search/c/old";
    let reply = test.get(PATH).await;
    let tag = reply.header("etag").to_owned();
    let link = reply.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
    let known = [("if-none-match", tag.as_str())];
    let again = test.request(axum::http::Method::GET, PATH, &known, axum::body::Body::empty()).await;
    assert_eq!(again.status, 304, "{tag}");
    (tag, reply.expect(200), link)
}

#[tokio::test]
async fn one_entity_tag_stands_for_one_answer_whoever_comes_to_replace_a_prompt_or_goes() {
    let test = TestApp::api().await;
    let id = prompt_at(&test, "old", "deprecated").await;
    let (named, related) = (prompt(&test, "named").await, prompt(&test, "related").await);
    let mut answers = std::collections::BTreeMap::new();
    let mut look = async |step: &str, successor: Option<&str>| {
        let (tag, body, link) = read(&test).await;
        assert_eq!(body["deprecation"]["successor_id"].as_str(), successor, "{step}");
        assert_eq!(link.is_some(), successor.is_some(), "{step}: {link:?}");
        let told = answers.entry(tag).or_insert_with(|| body.clone());
        assert_eq!(*told, body, "{step}: one tag, two answers");
    };
    look("nobody replaces it", None).await;
    let relation = json!({ "target_prompt_id": id, "relationship_type": "replaces" });
    test.post(&format!("/api/v1/prompts/{related}/relationships"), relation).await.expect(201);
    look("a relationship says so", Some(&related)).await;
    test.delete(&format!("/api/v1/prompts/{related}")).await;
    look("that prompt is deleted", None).await;
    test.post(&format!("/api/v1/prompts/{related}/restore"), json!({})).await.expect(200);
    look("and comes back", Some(&related)).await;
    set(&test, &id, "published").await.expect(200);
    let order = json!({ "status": "deprecated", "successor_id": named });
    test.put(&format!("/api/v1/prompts/{id}/lifecycle"), order).await.expect(200);
    look("another is named", Some(&named)).await;
    test.delete(&format!("/api/v1/prompts/{named}")).await;
    look("which is deleted, so the relationship counts", Some(&related)).await;
    test.delete(&format!("/api/v1/prompts/{related}")).await;
    look("and then nothing does", None).await;
    test.post(&format!("/api/v1/prompts/{named}/restore"), json!({})).await.expect(200);
    look("the named one is back", Some(&named)).await;

    let (tag, ..) = read(&test).await;
    let headers = [("if-match", tag.as_str())];
    test.put_with(&format!("/api/v1/prompts/{id}"), &headers, json!({ "description": "d" })).await.expect(200);
    set(&test, &id, "archived").await.expect(200);
    test.delete(&format!("/api/v1/prompts/{named}")).await;
    let gone = test.get("/api/v1/prompts/search/c/old").await.expect(410);
    assert!(!gone["detail"].as_str().unwrap().contains(&named), "{gone}");
}

#[tokio::test]
async fn an_archived_prompt_is_gone_by_name_and_there_by_id() {
    let test = TestApp::api().await;
    let id = prompt_at(&test, "old", "archived").await;
    prompt(&test, "other").await;

    assert_eq!(test.get("/api/v1/prompts/search/c/old").await.code(410), "archived");
    assert_eq!(
        test.post("/api/v1/prompts/search/c/old", json!({ "variables": { "what": "x" } })).await.code(410),
        "archived"
    );
    assert_eq!(test.get(&format!("/api/v1/prompts/{id}")).await.expect(200)["lifecycle_status"], "archived");
    let batch = json!({ "items": [{ "category": "c", "name": "old" }, { "category": "c", "name": "other" }] });
    let results = test.post("/api/v1/prompts/batch-get", batch).await.expect(200);
    assert_eq!(results["results"][0]["problem"]["code"], "archived");
    assert_eq!(results["results"][1]["name"], "other");
    set(&test, &id, "published").await.expect(200);
    test.get("/api/v1/prompts/search/c/old").await.expect(200);
}

#[tokio::test]
async fn prompts_are_listed_and_counted_by_where_they_stand() {
    let test = TestApp::api().await;
    for (n, status) in ["draft", "published", "published", "deprecated", "archived", "draft"].into_iter().enumerate() {
        prompt_at(&test, &format!("prompt-{n}"), status).await;
    }
    let gone = prompt_at(&test, "gone", "published").await;
    test.delete(&format!("/api/v1/prompts/{gone}")).await;

    let counts = test.get("/api/v1/lifecycle/counts").await.expect(200);
    assert_eq!(counts, json!({ "draft": 2, "published": 2, "deprecated": 1, "archived": 1, "total": 6 }));
    for status in STATUSES {
        let list = test.get(&format!("/api/v1/prompts/lifecycle/{status}")).await.expect(200);
        assert_eq!(list["total"], counts[status], "{status}");
        assert!(list["items"].as_array().unwrap().iter().all(|prompt| prompt["lifecycle_status"] == status));
    }
    let violations = test.get("/api/v1/prompts/lifecycle/retired").await.violations();
    assert_eq!(violations[0].0, "/status");
    let rules = test.get("/api/v1/lifecycle/rules").await.expect(200);
    assert_eq!(rules["transitions"][3], json!({ "from": "archived", "to": ["published"] }));
    assert_eq!(rules["publishing_content_chars_min"], 10);
}
