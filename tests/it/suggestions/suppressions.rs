//! Rules that do not count for a prompt: who said so, when and why.
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use support::{BEGINNING, TestApp};

const MISSING: &str = "/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV";

/// A prompt that breaks rule C08: its path.
async fn with_leftover(test: &TestApp) -> String {
    let made = test.prompt("c", "n", "Summarise the text for children.\nTODO: name the text").await;
    format!("/api/v1/prompts/{}", made["id"].as_str().unwrap())
}

fn of_rule(path: &str, rule: &str) -> String {
    format!("{path}/suggestions/{rule}/suppression")
}

async fn report(test: &TestApp, path: &str) -> Value {
    test.get(&format!("{path}/suggestions")).await.expect(200)
}

fn fires(report: &Value, rule: &str) -> bool {
    report["findings"].as_array().unwrap().iter().any(|found| found["rule"] == rule)
}

#[tokio::test]
async fn a_suppressed_rule_is_listed_apart_and_costs_nothing() {
    let test = TestApp::api().await;
    let path = with_leftover(&test).await;
    let before = report(&test, &path).await;
    assert_eq!((fires(&before, "C08"), &before["suppressed"]), (true, &json!([])));

    let kept = test.put(&of_rule(&path, "C08"), json!({ "reason": "it is the topic" })).await.expect(200);

    let expected = json!({
        "rule": "C08", "reason": "it is the topic", "suppressed_by": "anonymous", "suppressed_at": BEGINNING,
    });
    assert_eq!(kept, expected);
    let after = report(&test, &path).await;
    assert!(!fires(&after, "C08"));
    assert_eq!(after["score"].as_u64().unwrap(), before["score"].as_u64().unwrap() + 20);
    let mut suppressed = after["suppressed"][0].clone();
    let findings = suppressed.as_object_mut().unwrap().remove("findings").unwrap();
    assert_eq!((suppressed, &findings[0]["rule"]), (expected, &json!("C08")));

    assert_eq!(test.delete(&of_rule(&path, "C08")).await.status, 204);
    assert_eq!(report(&test, &path).await, before);
}

#[tokio::test]
async fn a_suppression_is_of_the_prompt_whatever_its_version_and_not_of_its_forks() {
    let test = TestApp::api().await;
    let path = with_leftover(&test).await;
    test.put(&of_rule(&path, "C08"), json!({ "reason": "it is the topic" })).await.expect(200);
    let fork = test.post(&format!("{path}/fork"), json!({ "new_name": "m" })).await.expect(201);
    test.put(&format!("{path}/content"), json!({ "content": "Summarise the text for children." })).await.expect(200);

    let newest = report(&test, &path).await;
    assert_eq!((&newest["suppressed"][0]["rule"], &newest["suppressed"][0]["findings"]), (&json!("C08"), &json!([])));
    assert!(!fires(&test.get(&format!("{path}/suggestions?version=1")).await.expect(200), "C08"));
    assert!(fires(&report(&test, &format!("/api/v1/prompts/{}", fork["id"].as_str().unwrap())).await, "C08"));
}

#[tokio::test]
async fn another_reason_takes_the_place_of_the_first_and_the_same_changes_nothing() {
    let test = TestApp::api().await;
    let path = of_rule(&with_leftover(&test).await, "C08");
    let first = test.put(&path, json!({ "reason": "a" })).await.expect(200);
    test.advance(Duration::from_secs(1));
    assert_eq!(test.put(&path, json!({ "reason": "a" })).await.expect(200), first);
    let second = test.put(&path, json!({ "reason": "b" })).await.expect(200);
    assert_eq!((&second["reason"], &second["suppressed_at"]), (&json!("b"), &json!(test.now().to_string())));
    test.delete(&path).await.expect(204);

    let mut conn = test.app.db.read().await.unwrap();
    let sql = "SELECT action, detail FROM audit_log WHERE action <> 'prompt.created' ORDER BY at, id";
    let rows: Vec<(String, String)> = conn.fetch_all(sql, &[]).await.unwrap();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(action, detail)| (action.as_str(), detail.as_str())).collect();
    let set = "prompt.rule_suppressed";
    assert_eq!(rows, [(set, "C08: a"), (set, "C08: b"), ("prompt.suppression_deleted", "C08")]);
}

#[tokio::test]
async fn the_prompt_stays_as_it_was_read() {
    let test = TestApp::api().await;
    let path = with_leftover(&test).await;
    let before = test.get(&path).await.expect(200);
    test.advance(Duration::from_secs(1));
    test.put(&of_rule(&path, "C08"), json!({ "reason": "a" })).await.expect(200);
    assert_eq!(test.get(&path).await.expect(200), before);
}

#[tokio::test]
async fn whoever_has_read_another_revision_cannot_judge_this_one() {
    let test = TestApp::api().await;
    let path = with_leftover(&test).await;
    let rule = of_rule(&path, "C08");
    test.put(&path, json!({ "description": "new" })).await.expect(200);
    for (tag, status) in [("\"1\"", 412), ("\"2\"", 200)] {
        let reply = test.put_with(&rule, &[("if-match", tag)], json!({ "reason": "a" })).await;
        assert_eq!(reply.status, status, "{tag}");
    }
    for (tag, status) in [("\"1\"", 412), ("\"2\"", 204)] {
        assert_eq!(test.request(Method::DELETE, &rule, &[("if-match", tag)], "").await.status, status, "{tag}");
    }
}

#[tokio::test]
async fn a_key_makes_a_repeated_suppression_the_same_one() {
    let test = TestApp::api().await;
    let rule = of_rule(&with_leftover(&test).await, "C08");
    let key = [("idempotency-key", "k")];
    let first = test.put_with(&rule, &key, json!({ "reason": "a" })).await.expect(200);
    test.delete(&rule).await.expect(204);
    let again = test.put_with(&rule, &key, json!({ "reason": "a" })).await;
    assert_eq!(again.headers.get("idempotency-replayed").unwrap(), "true");
    assert_eq!(again.expect(200), first);
    assert_eq!(test.delete(&rule).await.code(404), "not-found", "it was told again, and not done again");
    let other = test.put_with(&rule, &key, json!({ "reason": "b" })).await;
    assert_eq!(other.code(422), "idempotency-mismatch");
}

#[tokio::test]
async fn a_suppression_needs_a_reason_that_says_something() {
    let test = TestApp::api().await;
    let rule = of_rule(&with_leftover(&test).await, "C08");
    for (body, code) in [
        (json!({}), "required"),
        (json!({ "reason": "" }), "required"),
        (json!({ "reason": " \n\u{3000}\u{200b}" }), "required"),
        (json!({ "reason": "x".repeat(4097) }), "too-long"),
        (json!({ "reason": "a\0" }), "nul-character"),
    ] {
        let violations = test.put(&rule, body.clone()).await.violations();
        assert_eq!(violations, [("/reason".to_owned(), code.to_owned())], "{body}");
    }
    assert_eq!(test.put(&rule, json!({ "reason": null })).await.violations()[0].0, "/reason");
    assert_eq!(test.put(&rule, json!({ "reason": "a", "by": "me" })).await.violations()[0].0, "/by");
    assert_eq!(test.count("SELECT count(*) FROM suppressions").await, 0);
}

#[tokio::test]
async fn rules_and_prompts_that_are_not_there_have_no_suppressions() {
    let test = TestApp::api().await;
    let path = with_leftover(&test).await;
    for missing in [of_rule(&path, "C99"), of_rule(&path, "c08"), of_rule(MISSING, "C08")] {
        assert_eq!(test.put(&missing, json!({ "reason": "a" })).await.code(404), "not-found", "{missing}");
        assert_eq!(test.delete(&missing).await.code(404), "not-found", "{missing}");
    }
    assert_eq!(test.delete(&of_rule(&path, "C08")).await.code(404), "not-found");
}
