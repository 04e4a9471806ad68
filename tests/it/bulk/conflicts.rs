//! Items whose name is taken: they fail, are passed over, or change the prompt. And what a dry run foretells.
use serde_json::{Value, json};
use support::TestApp;

use super::{item, order, outcome, prompts, run, short};

async fn with_taken() -> (TestApp, Value) {
    let test = TestApp::api().await;
    let body = json!({ "category": "bulk", "name": "taken", "content": "first", "tags": ["old"], "description": "d" });
    let prompt = test.post("/api/v1/prompts", body).await.expect(201);
    (test, prompt)
}

async fn again(test: &TestApp, prompt: &Value) -> Value {
    test.get(&format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap())).await.expect(200)
}

fn request(prompts: &Value, on_conflict: &str, dry_run: bool) -> Value {
    json!({ "prompts": prompts, "on_conflict": on_conflict, "dry_run": dry_run })
}

#[tokio::test]
async fn an_item_whose_name_is_taken_fails_unless_told_otherwise() {
    let (test, prompt) = with_taken().await;

    let (operation, items) = run(&test, json!([item("taken", "second"), item("free", "x")])).await;

    assert_eq!(short(&items), ["failed prompt-name-taken", "succeeded"]);
    assert_eq!(operation["status"], "completed_with_errors");
    assert_eq!(again(&test, &prompt).await, prompt);
}

#[tokio::test]
async fn an_item_whose_name_is_taken_is_passed_over_when_told_so() {
    let (test, prompt) = with_taken().await;

    let body = json!([item("taken", "second"), item("free", "x"), item("free", "y")]);
    let (operation, items) = run(&test, request(&body, "skip", false)).await;

    assert_eq!(short(&items), ["skipped prompt-name-taken", "succeeded", "skipped prompt-name-taken"]);
    assert_eq!((operation["status"].as_str(), operation["skipped_items"].as_i64()), (Some("completed"), Some(2)));
    assert_eq!(operation["errors"], json!([]));
    assert_eq!(again(&test, &prompt).await, prompt);
}

#[tokio::test]
async fn an_item_whose_name_is_taken_makes_the_next_version_when_told_so() {
    let (test, prompt) = with_taken().await;
    let body = json!([item("taken", "second")]);

    let (operation, items) = run(&test, request(&body, "update", false)).await;

    assert_eq!((short(&items), &items[0]["prompt_id"]), (vec!["succeeded".to_owned()], &prompt["id"]));
    assert_eq!(operation["status"], "completed");
    let updated = again(&test, &prompt).await;
    assert_eq!((updated["version"].as_i64(), updated["content"].as_str()), (Some(2), Some("second")));
    assert_eq!((&updated["tags"], &updated["description"]), (&json!([]), &Value::Null), "it is what the item says");

    let (operation, items) = run(&test, request(&body, "update", false)).await;

    assert_eq!((short(&items), &items[0]["prompt_id"]), (vec!["skipped no-change".to_owned()], &prompt["id"]));
    assert_eq!((operation["status"].as_str(), operation["skipped_items"].as_i64()), (Some("completed"), Some(1)));
    assert_eq!(again(&test, &prompt).await, updated);
}

#[tokio::test]
async fn of_repeated_names_the_last_wins_when_items_update() {
    let test = TestApp::api().await;
    let body = json!([item("n", "one"), item("n", "two"), item("n", "two"), item("n", "three")]);

    let (_, items) = run(&test, request(&body, "update", false)).await;

    assert_eq!(short(&items), ["succeeded", "succeeded", "skipped no-change", "succeeded"]);
    let id = items[0]["prompt_id"].as_str().unwrap();
    let prompt = test.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
    assert_eq!((prompt["version"].as_i64(), prompt["content"].as_str()), (Some(3), Some("three")));
    assert_eq!(prompts(&test).await, 1);
}

#[tokio::test]
async fn a_deleted_name_is_free() {
    let (test, prompt) = with_taken().await;
    let deleted = test.delete(&format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap())).await;
    assert_eq!(deleted.status, 204);

    for dry_run in [true, false] {
        let (_, items) = run(&test, request(&json!([item("taken", "x")]), "fail", dry_run)).await;
        assert_eq!(short(&items), ["succeeded"], "dry run: {dry_run}");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_foretells_what_becomes_of_every_item() {
    let mut body = vec![
        item("free", "x"),
        json!({ "category": "bulk", "name": "taken", "content": "first", "tags": ["old"], "description": "d" }),
        item("taken", "second"),
        item("taken", "second"),
        item("bad", ""),
        item("bad", "now good"),
        item("bad", "and again"),
        item("free", "x"),
        item("free", "y"),
        item("free", "x"),
        json!({ "category": "bulk", "name": "unknown", "content": "x", "colour": "red" }),
    ];
    // The same names again, more than a chunk later.
    body.extend((0..120).map(|number| item(number, "x")));
    body.extend([item("free", "x"), item("free", "z"), item("bad", "and again"), item("taken", "first")]);
    let body = Value::from(body);
    for on_conflict in ["fail", "skip", "update"] {
        let (test, _) = with_taken().await;
        let before = snapshot(&test).await;

        let (foretold, items_foretold) = run(&test, request(&body, on_conflict, true)).await;

        assert_eq!(snapshot(&test).await, before, "{on_conflict}: nothing changed");
        assert!(items_foretold.iter().all(|item| item["prompt_id"].is_null()), "{on_conflict}");
        let (operation, items) = run(&test, request(&body, on_conflict, false)).await;
        assert_eq!(short(&items_foretold), short(&items), "{on_conflict}");
        for key in ["status", "successful_items", "skipped_items", "failed_items", "errors"] {
            assert_eq!(foretold[key], operation[key], "{on_conflict}: {key}");
        }
    }
}

/// Everything a dry run must leave alone.
async fn snapshot(test: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT count(*) FROM prompts",
        "SELECT count(*) FROM versions",
        "SELECT count(*) FROM prompt_tags",
        "SELECT CAST(sum(revision) AS BIGINT) FROM prompts",
        "SELECT count(*) FROM audit_log WHERE action LIKE 'prompt.%'",
    ] {
        counts.push(test.count(sql).await);
    }
    counts
}

#[tokio::test]
async fn a_prompt_made_between_order_and_work_is_a_conflict_like_any_other() {
    let test = TestApp::api().await;
    let path = order(&test, json!([item("n", "x")])).await;
    let _ = test.prompt("bulk", "n", "mine").await;

    test.work().await;

    let (_, items) = outcome(&test, &path).await;
    assert_eq!(short(&items), ["failed prompt-name-taken"]);
}
