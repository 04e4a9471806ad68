//! What may follow what, and what it takes.
use std::time::Duration;

use serde_json::json;
use support::TestApp;

use super::{STATUSES, prompt, prompt_at, set};

#[tokio::test]
async fn row_47_every_pair_of_states_is_allowed_or_refused_and_a_refusal_changes_nothing() {
    let test = TestApp::api().await;
    let allowed = [
        ("draft", "published"),
        ("draft", "archived"),
        ("published", "deprecated"),
        ("published", "archived"),
        ("deprecated", "archived"),
        ("deprecated", "published"),
        ("archived", "published"),
    ];
    let mut passed = 0;
    for from in STATUSES {
        for to in STATUSES {
            let id = prompt_at(&test, &format!("{from}-{to}"), from).await;
            let path = format!("/api/v1/prompts/{id}");
            let before = test.get(&path).await.expect(200);
            let reply = set(&test, &id, to).await;
            if allowed.contains(&(from, to)) {
                passed += 1;
                let change = reply.expect(200);
                assert_eq!((&change["previous_status"], &change["new_status"]), (&json!(from), &json!(to)));
                assert_eq!(test.get(&path).await.expect(200)["lifecycle_status"], to);
            } else {
                assert_eq!(reply.code(409), "lifecycle-transition", "{from} -> {to}");
                assert_eq!(test.get(&path).await.expect(200), before);
            }
        }
    }
    assert_eq!(passed, 7);
}

#[tokio::test]
async fn a_change_says_who_when_and_why_and_the_history_keeps_it() {
    let test = TestApp::api().await;
    let (id, next) = (prompt(&test, "first").await, prompt(&test, "next").await);
    let path = format!("/api/v1/prompts/{id}/lifecycle");
    test.put(&path, json!({ "status": "published", "reason": "reviewed" })).await.expect(200);
    test.advance(Duration::from_mins(1));
    let order = json!({ "status": "deprecated", "sunset_at": "2026-12-31T00:00:00Z", "successor_id": next });
    let change = test.put(&path, order).await.expect(200);
    assert_eq!(change["transition_timestamp"], "2026-01-01T12:01:00.000Z");
    assert_eq!((&change["updated_by"], &change["successor_id"]), (&json!("anonymous"), &json!(next)));

    let history = test.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["total"], 2);
    assert_eq!(history["items"][0], change);
    assert_eq!(history["items"][1]["reason"], "reviewed");
    let shown = test.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
    assert_eq!((&shown["sunset_at"], &shown["successor_id"]), (&json!("2026-12-31T00:00:00.000Z"), &json!(next)));
    test.put(&path, json!({ "status": "published" })).await.expect(200);
    let shown = test.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
    assert_eq!(
        (&shown["sunset_at"], &shown["successor_id"]),
        (&json!(null), &json!(null)),
        "what is published has no end"
    );
    let page = test.get(&format!("{path}/history?limit=2")).await.expect(200);
    let rest =
        test.get(&format!("{path}/history?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await.expect(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["items"][0]["sequence"]), (1, &json!(1)));
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.lifecycle_changed'").await, 3);
}

#[tokio::test]
async fn what_is_not_ready_is_not_published() {
    let test = TestApp::api().await;
    let short = test.prompt("c", "ab", "tiny   \n\n\n     ").await["id"].as_str().unwrap().to_owned();
    let reply = set(&test, &short, "published").await;
    let problem = reply.expect(422);
    assert_eq!(problem["code"], "not-publishable");
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().filter_map(|e| e["pointer"].as_str()).collect();
    assert_eq!(pointers, ["/content", "/name"]);
    set(&test, &short, "archived").await.expect(200);
    assert_eq!(set(&test, &short, "published").await.code(422), "not-publishable", "from wherever");
    let chat = json!({ "category": "c", "name": "chat", "type": "chat",
                       "messages": [{ "role": "system", "content": "short" }, { "role": "user", "content": "again" }] });
    let chat = test.post("/api/v1/prompts", chat).await.expect(201);
    set(&test, chat["id"].as_str().unwrap(), "published").await.expect(200);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_pointer() {
    let test = TestApp::api().await;
    let id = prompt(&test, "one").await;
    let path = format!("/api/v1/prompts/{id}/lifecycle");
    for (body, pointer) in [
        (json!({ "status": "retired" }), "/status"),
        (json!({}), "/status"),
        (json!({ "status": "published", "sunset_at": "2026-12-31T00:00:00Z" }), "/sunset_at"),
        (json!({ "status": "published", "successor_id": "prm_01J9Z3N5T8QWERTYASDFGHZXCV" }), "/successor_id"),
        (json!({ "status": "archived", "successor_id": id }), "/successor_id"),
        (json!({ "status": "archived", "successor_id": "prm_01J9Z3N5T8QWERTYASDFGHZXCV" }), "/successor_id"),
        (json!({ "status": "archived", "reason": "x".repeat(5000) }), "/reason"),
        (json!({ "status": "published", "sunset_at": "tomorrow" }), "/sunset_at"),
    ] {
        let violations = test.put(&path, body.clone()).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}");
    }
    assert_eq!(test.get(&format!("{path}/history")).await.expect(200)["total"], 0);
    let unknown = "/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV/lifecycle";
    assert_eq!(test.put(unknown, json!({ "status": "published" })).await.code(404), "not-found");
    assert_eq!(test.get(&format!("{unknown}/history")).await.code(404), "not-found");
    let stale = test.put_with(&path, &[("if-match", "\"9\"")], json!({ "status": "published" })).await;
    assert_eq!(stale.code(412), "version-mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writers_that_change_the_same_prompt_one_wins() {
    let test = TestApp::api().await;
    let id = prompt(&test, "one").await;
    let replies = futures::future::join_all((0..10).map(|_| set(&test, &id, "published"))).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1);
    assert!(
        replies.into_iter().filter(|reply| reply.status != 200).all(|reply| reply.code(409) == "lifecycle-transition")
    );
}
