//! Keys for some folders, or for some labels.
use axum::http::Method;
use serde_json::{Value, json};

use super::{ADMIN, ask, closed, made, prompt};

#[tokio::test]
async fn a_key_for_a_folder_sees_and_changes_nothing_else() {
    let test = closed().await;
    let (own, other) = (prompt(&test, "writing/blog", "own").await, prompt(&test, "code", "other").await);
    let scopes = json!(["prompts:read", "prompts:write", "prompts:publish"]);
    let (_, key) = made(&test, json!({ "scopes": scopes, "folders": ["writing/*"] })).await;
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    for (method, path, body, status) in [
        (get.clone(), format!("/api/v1/prompts/{own}"), Value::Null, 200),
        (get.clone(), format!("/api/v1/prompts/{other}"), Value::Null, 404),
        (get.clone(), format!("/api/v1/prompts/{other}/versions"), Value::Null, 404),
        (get.clone(), "/api/v1/prompts/search/writing%2Fblog/own".to_owned(), Value::Null, 200),
        (get.clone(), "/api/v1/prompts/search/code/other".to_owned(), Value::Null, 403),
        (get.clone(), "/api/v1/prompts/search/code/nobody".to_owned(), Value::Null, 403),
        (get.clone(), "/prompts/search/code/other".to_owned(), Value::Null, 403),
        (get.clone(), "/api/v1/prompts".to_owned(), Value::Null, 403),
        (get.clone(), "/api/v1/prompts?category=writing/*".to_owned(), Value::Null, 200),
        (get.clone(), "/api/v1/prompts?category=code".to_owned(), Value::Null, 403),
        (get.clone(), format!("/api/v1/prompts/{own}/related"), Value::Null, 403),
        (get.clone(), "/api/v1/prompts/tags".to_owned(), Value::Null, 403),
        (post.clone(), "/api/v1/prompts/search".to_owned(), json!({ "query": "x" }), 403),
        (post.clone(), "/api/v1/prompts".to_owned(), json!({ "category": "code", "name": "n", "content": "x" }), 403),
        (
            post.clone(),
            "/api/v1/prompts".to_owned(),
            json!({ "category": "writing", "name": "n", "content": "x" }),
            201,
        ),
        (post.clone(), format!("/api/v1/prompts/{own}/fork"), json!({ "category": "code", "new_name": "f" }), 403),
        (put.clone(), format!("/api/v1/prompts/{own}"), json!({ "category": "code" }), 403),
        (put.clone(), format!("/api/v1/prompts/{other}"), json!({ "category": "writing" }), 404),
        (put.clone(), format!("/api/v1/prompts/{other}/labels/production"), json!({ "version": 1 }), 404),
        (put, format!("/api/v1/prompts/{other}/lifecycle"), json!({ "status": "published" }), 404),
        (delete.clone(), format!("/api/v1/prompts/{other}"), Value::Null, 404),
        (delete, format!("/api/v1/prompts/{own}"), Value::Null, 204),
    ] {
        let reply = ask(&test, &key, method.clone(), &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    }
    let there = test.count("SELECT count(*) FROM prompts WHERE category = 'code' AND deleted_at IS NULL").await;
    assert_eq!(there, 1);
}

#[tokio::test]
async fn a_batch_gives_each_item_what_the_key_may_have() {
    let test = closed().await;
    for (category, name) in [("a", "one"), ("b", "two")] {
        prompt(&test, category, name).await;
    }
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"], "folders": ["a"] })).await;
    let items = json!({ "items": [{ "category": "a", "name": "one" }, { "category": "b", "name": "two" }] });
    let answer = ask(&test, &key, Method::POST, "/api/v1/prompts/batch-get", items).await.expect(200);
    assert_eq!(answer["results"][0]["content"], "one in a");
    assert_eq!(answer["results"][1]["problem"]["status"], 403, "{answer}");
}

#[tokio::test]
async fn a_key_for_a_label_reads_by_it_and_by_no_other_way() {
    let test = closed().await;
    let id = prompt(&test, "c", "n").await;
    let path = format!("/api/v1/prompts/{id}");
    for (label, version) in [("staging", 1), ("production", 1), ("dev", 2)] {
        if version == 2 {
            ask(&test, ADMIN, Method::PUT, &path, json!({ "content": "new" })).await.expect(200);
        }
        let label = format!("{path}/labels/{label}");
        ask(&test, ADMIN, Method::PUT, &label, json!({ "version": version })).await.expect(200);
    }
    let scopes = json!(["prompts:read", "prompts:write"]);
    let (_, key) = made(&test, json!({ "scopes": scopes, "labels": ["staging", "dev"], "default_label": "dev" })).await;
    let by_name = "/api/v1/prompts/search/c/n";
    for (query, status, content) in [
        ("", 200, "new"),
        ("?label=staging", 200, "n in c"),
        ("?label=production", 403, ""),
        ("?label=nowhere", 403, ""),
        ("?version=1", 403, ""),
    ] {
        let reply = ask(&test, &key, Method::GET, &format!("{by_name}{query}"), Value::Null).await;
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
        assert_eq!(reply.body["content"].as_str().unwrap_or(""), content, "{query}");
    }
    for (method, path, status) in [
        (Method::GET, path.clone(), 403),
        (Method::GET, format!("{path}/versions/1"), 403),
        (Method::GET, "/api/v1/prompts".to_owned(), 403),
        (Method::PUT, format!("{path}/labels/staging"), 200),
        (Method::PUT, format!("{path}/labels/other"), 403),
    ] {
        let body = if method == Method::PUT { json!({ "version": 2 }) } else { Value::Null };
        let reply = ask(&test, &key, method.clone(), &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_default_label_is_served_where_nothing_is_named() {
    let test = closed().await;
    let path = format!("/api/v1/prompts/{}", prompt(&test, "c", "n").await);
    ask(&test, ADMIN, Method::PUT, &path, json!({ "content": "new" })).await.expect(200);
    for (label, version) in [("production", 1), ("staging", 2)] {
        let path = format!("{path}/labels/{label}");
        ask(&test, ADMIN, Method::PUT, &path, json!({ "version": version })).await.expect(200);
    }
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"], "default_label": "staging" })).await;
    for (who, query, content) in [(ADMIN, "", "n in c"), (&key, "", "new"), (&key, "?label=production", "n in c")] {
        let path = format!("/api/v1/prompts/search/c/n{query}");
        let served = ask(&test, who, Method::GET, &path, Value::Null).await.expect(200);
        assert_eq!(served["content"], content, "{query}");
    }
}
