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

#[tokio::test]
async fn what_is_behind_a_protected_label_is_not_taken_away_either() {
    let test = closed().await;
    let id = prompt(&test, "c", "n").await;
    let path = format!("/api/v1/prompts/{id}");
    ask(&test, ADMIN, Method::PUT, &format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    let writer = with_scopes(&test, &["prompts:read", "prompts:write", "bulk"]).await;
    for (method, path, body) in [
        (Method::DELETE, path.as_str(), Value::Null),
        (Method::PUT, &path, json!({ "name": "other" })),
        (Method::PUT, &path, json!({ "category": "other" })),
        (Method::DELETE, &format!("/prompts/{id}"), Value::Null),
        (Method::PUT, &format!("/prompts/{id}"), json!({ "name": "other" })),
    ] {
        let refused = ask(&test, &writer, method.clone(), path, body).await.problem(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains("prompts:publish"), "{method} {path}: {refused}");
    }
    for (method, order) in [(Method::DELETE, json!([id])), (Method::PUT, json!([{ "prompt_id": id, "name": "other" }]))]
    {
        ask(&test, &writer, method, "/api/v1/bulk/prompts", order).await.expect(202);
    }
    test.work().await;
    assert_eq!(test.count("SELECT count(*) FROM bulk_items WHERE code = 'forbidden'").await, 2);
    let there = "SELECT count(*) FROM prompts WHERE name = 'n' AND deleted_at IS NULL";
    assert_eq!(test.count(there).await, 1);

    ask(&test, &writer, Method::PUT, &path, json!({ "content": "changed", "tags": ["x"] })).await.expect(200);
    let publisher = with_scopes(&test, &["prompts:write", "prompts:publish"]).await;
    ask(&test, &publisher, Method::PUT, &path, json!({ "name": "other" })).await.expect(200);
    ask(&test, &publisher, Method::DELETE, &path, Value::Null).await.expect(204);
}

#[tokio::test]
async fn what_is_behind_a_protected_label_is_brought_back_by_who_may_publish() {
    let test = closed().await;
    let writer = with_scopes(&test, &["prompts:read", "prompts:write"]).await;
    let publisher = with_scopes(&test, &["prompts:write", "prompts:publish"]).await;
    for (label, by_writer) in [("production", 403), ("staging", 200)] {
        let id = prompt(&test, "c", label).await;
        let path = format!("/api/v1/prompts/{id}");
        ask(&test, ADMIN, Method::PUT, &format!("{path}/labels/{label}"), json!({ "version": 1 })).await.expect(200);
        ask(&test, ADMIN, Method::DELETE, &path, Value::Null).await.expect(204);
        let (restore, by_name) = (format!("{path}/restore"), format!("/api/v1/prompts/search/c/{label}"));
        let reply = ask(&test, &writer, Method::POST, &restore, Value::Null).await;
        assert_eq!(reply.status, by_writer, "{}", reply.body);
        if by_writer == 403 {
            assert!(reply.body["detail"].as_str().unwrap().contains("prompts:publish"), "{}", reply.body);
            ask(&test, ADMIN, Method::GET, &by_name, Value::Null).await.expect(404);
            ask(&test, &publisher, Method::POST, &restore, Value::Null).await.expect(200);
        }
        ask(&test, ADMIN, Method::GET, &by_name, Value::Null).await.expect(200);
    }
}

/// A test of a prompt against another, behind the label of the first.
fn behind(control: &str, other: &str, more: Value) -> Value {
    let test = json!({
        "name": "t",
        "prompt_a_id": control,
        "prompt_b_id": other,
        "test_metric": "success_rate",
    });
    support::merged(test, more)
}

#[tokio::test]
async fn a_test_diverts_and_moves_a_protected_label_for_who_may_publish() {
    let test = closed().await;
    let (control, other) = (prompt(&test, "c", "control").await, prompt(&test, "c", "other").await);
    for label in ["production", "staging"] {
        let path = format!("/api/v1/prompts/{control}/labels/{label}");
        ask(&test, ADMIN, Method::PUT, &path, json!({ "version": 1 })).await.expect(200);
    }
    let tester = with_scopes(&test, &["experiments"]).await;
    let publisher = with_scopes(&test, &["experiments", "prompts:publish"]).await;
    let make = async |key: &str, more: Value| {
        ask(&test, key, Method::POST, "/api/v1/ab-tests", behind(&control, &other, more)).await
    };
    let at = |label: &str| json!({ "behind": { "prompt_id": control, "label": label } });
    for refused in
        [at("production"), support::merged(at("production"), json!({ "status": "draft" })), json!({ "promote": true })]
    {
        make(&tester, refused).await.problem(403, "forbidden");
    }
    assert_eq!(test.count("SELECT count(*) FROM ab_tests").await, 0);
    make(&tester, at("staging")).await.expect(201);
    let made = make(&publisher, support::merged(at("production"), json!({ "status": "draft" }))).await.expect(201);
    let path = format!("/api/v1/ab-tests/{}", made["id"].as_str().unwrap());
    ask(&test, &tester, Method::POST, &format!("{path}/start"), Value::Null).await.problem(403, "forbidden");
    ask(&test, &tester, Method::PUT, &path, json!({ "coverage": 0.5 })).await.problem(403, "forbidden");
    ask(&test, &publisher, Method::POST, &format!("{path}/start"), Value::Null).await.expect(200);
    let win = json!({ "winner": "B", "promote": true });
    ask(&test, &tester, Method::POST, &format!("{path}/complete"), win.clone()).await.problem(403, "forbidden");
    let moved = "SELECT count(*) FROM label_moves WHERE label = 'production'";
    assert_eq!(test.count(moved).await, 1);
    ask(&test, &publisher, Method::POST, &format!("{path}/complete"), win).await.expect(200);
    assert_eq!(test.count(moved).await, 2);
}
