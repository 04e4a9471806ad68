//! Protected labels and the life of prompts: only who may publish moves them, by whatever way.
use axum::http::Method;
use serde_json::{Value, json};
use support::TestApp;

use super::{ADMIN, ask, closed, made, prompt, with_scopes};

async fn in_production(test: &TestApp) -> i64 {
    test.count("SELECT count(*) FROM labels WHERE label = 'production'").await
}

#[tokio::test]
async fn moving_a_protected_label_needs_the_scope_to_publish() {
    let test = closed().await;
    let path = format!("/api/v1/prompts/{}/labels", prompt(&test, "c", "n").await);
    let writer = with_scopes(&test, &["prompts:read", "prompts:write"]).await;
    let publisher = with_scopes(&test, &["prompts:write", "prompts:publish"]).await;
    let (put, delete) = (Method::PUT, Method::DELETE);
    let version = json!({ "version": 1 });
    let production = format!("{path}/production");
    ask(&test, &writer, put.clone(), &format!("{path}/staging"), version.clone()).await.expect(200);
    let refused = ask(&test, &writer, put.clone(), &production, version.clone()).await.problem(403, "forbidden");
    assert!(refused["detail"].as_str().unwrap().contains("prompts:publish"), "{refused}");
    assert_eq!(in_production(&test).await, 0);
    ask(&test, &publisher, put, &production, version).await.expect(200);
    ask(&test, &writer, delete.clone(), &production, Value::Null).await.problem(403, "forbidden");
    assert_eq!(in_production(&test).await, 1);
    ask(&test, &publisher, delete, &production, Value::Null).await.expect(204);
}

#[tokio::test]
async fn which_labels_are_protected_is_a_setting() {
    let test = TestApp::with(&["--admin-key", ADMIN, "--protected-labels", "live,eu-live"]).await;
    let path = format!("/api/v1/prompts/{}/labels", prompt(&test, "c", "n").await);
    let writer = with_scopes(&test, &["prompts:write"]).await;
    for (label, status) in [("production", 200), ("live", 403), ("eu-live", 403), ("lively", 200)] {
        let moved = ask(&test, &writer, Method::PUT, &format!("{path}/{label}"), json!({ "version": 1 })).await;
        assert_eq!(moved.status, status, "{label}");
    }
}

#[tokio::test]
async fn a_life_is_moved_by_who_may_publish_also_by_the_hundred() {
    let test = closed().await;
    let id = prompt(&test, "c", "fit to be published").await;
    let bulk = with_scopes(&test, &["bulk", "prompts:write"]).await;
    let publisher = with_scopes(&test, &["bulk", "prompts:publish"]).await;
    let path = format!("/api/v1/prompts/{id}/lifecycle");
    ask(&test, &bulk, Method::PUT, &path, json!({ "status": "published" })).await.problem(403, "forbidden");
    let order = json!({ "prompt_ids": [id], "status": "published" });
    for (key, state, code) in [(&bulk, "failed", json!("forbidden")), (&publisher, "succeeded", Value::Null)] {
        let operation = ask(&test, key, Method::PUT, "/api/v1/bulk/prompts/lifecycle", order.clone()).await.expect(202);
        test.work().await;
        let items = format!("/api/v1/bulk/operations/{}/items", operation["id"].as_str().unwrap());
        let items = ask(&test, key, Method::GET, &items, Value::Null).await.expect(200);
        let item = &items["items"][0];
        assert_eq!((&item["state"], &item["code"]), (&json!(state), &code), "{items}");
    }
}

#[tokio::test]
async fn an_import_moves_no_protected_label_for_who_may_not() {
    let (source, test) = (TestApp::api().await, closed().await);
    let made = source.prompt("c", "n", "x").await;
    let path = format!("/api/v1/prompts/{}/labels/production", made["id"].as_str().unwrap());
    source.put(&path, json!({ "version": 1 })).await.expect(200);
    let lines = source.get("/api/v1/bulk/export").await.bytes;
    let (importer, publisher) =
        (with_scopes(&test, &["bulk"]).await, with_scopes(&test, &["bulk", "prompts:publish"]).await);
    for (key, labels) in [(&importer, 0), (&publisher, 1)] {
        let key = super::bearer(key);
        let headers = [("content-type", "application/x-ndjson"), ("authorization", key.as_str())];
        test.request(Method::POST, "/api/v1/bulk/import", &headers, lines.clone()).await.expect(202);
        test.work().await;
        assert_eq!(in_production(&test).await, labels);
    }
}

#[tokio::test]
async fn a_job_may_do_what_its_key_may_do_when_it_runs() {
    let test = closed().await;
    let id = prompt(&test, "c", "fit to be published").await;
    let (key_id, key) = made(&test, json!({ "scopes": ["bulk", "prompts:publish"] })).await;
    let order = json!({ "prompt_ids": [id], "status": "published" });
    ask(&test, &key, Method::PUT, "/api/v1/bulk/prompts/lifecycle", order).await.expect(202);
    ask(&test, ADMIN, Method::DELETE, &format!("/api/v1/keys/{key_id}"), Value::Null).await.expect(204);
    test.work().await;
    let refused = test.count("SELECT count(*) FROM bulk_items WHERE code = 'forbidden'").await;
    assert_eq!(refused, 1);
    let published = test.count("SELECT count(*) FROM prompts WHERE lifecycle_status = 'published'").await;
    assert_eq!(published, 0, "the key was taken back");
}
