//! A person decides, and is told what the decision means.
use serde_json::{Value, json};
use support::TestApp;

use super::{apply, framed, path_of, prompt, refine, said, store};

/// A store, a prompt, and a refinement of it that led to this text.
async fn refined(text: &str) -> (TestApp, Value, Value) {
    let answer = framed(text);
    let (test, model) = store(move |_, _| said(&answer)).await;
    let prompt = prompt(&test).await;
    let session = refine(&test, &prompt, "interpreter").await;
    assert_eq!((&session["status"], model.count()), (&json!("completed"), 1), "{session}");
    (test, prompt, session)
}

#[tokio::test]
async fn a_result_becomes_a_version_that_says_where_it_is_from() {
    let (test, prompt, session) = refined("Better: {{topic}}, {{audience}}.").await;

    let path = format!("{}/refinement/apply/{}", path_of(&prompt), session["session_id"].as_str().unwrap());
    let applied = test.request(axum::http::Method::POST, &path, &[], "").await.expect(200);

    assert_eq!((&applied["prompt_id"], &applied["new_version"]), (&prompt["id"], &json!(2)));
    assert_eq!((&applied["session_id"], &applied["lint_introduced"].is_array()), (&session["session_id"], &true));
    assert_eq!(applied["prompt"]["content"], "Better: {{topic}}, {{audience}}.");
    let versions = test.get(&format!("{}/versions", path_of(&prompt))).await.expect(200);
    let version = &versions["items"][0];
    assert_eq!(version["change_type"], "refinement");
    let summary = version["change_summary"].as_str().unwrap();
    assert!(summary.contains(session["session_id"].as_str().unwrap()) && summary.contains("interpreter"), "{summary}");
    let history = test.get(&format!("{}/refinement/history", path_of(&prompt))).await.expect(200);
    let item = &history["items"][0];
    assert_eq!((&item["status"], &item["applied_version"]), (&json!("applied"), &json!(2)));
    assert!(item["applied_at"].is_string());
    apply(&test, &prompt, &session, json!({})).await.problem(409, "already-applied");
    apply(&test, &prompt, &session, json!({ "force": true })).await.problem(409, "already-applied");
    let audited = "SELECT count(*) FROM audit_log WHERE action IN ('refinement.created', 'refinement.completed', 'refinement.applied')";
    assert_eq!(test.count(audited).await, 3);
}

#[tokio::test]
async fn a_base_that_moved_is_not_written_over_unawares() {
    let (test, prompt, session) = refined("Better: {{topic}}, {{audience}}.").await;
    let content = json!({ "content": "Meanwhile: {{topic}}, {{audience}}.", "change_summary": "m" });
    test.put(&format!("{}/content", path_of(&prompt)), content).await.expect(200);
    test.put(&path_of(&prompt), json!({ "config": { "model": "new" } })).await.expect(200);

    let problem = apply(&test, &prompt, &session, json!({})).await.problem(409, "base-changed");
    assert!(problem["detail"].as_str().unwrap().contains("version 1 was refined"), "{problem}");
    let applied = apply(&test, &prompt, &session, json!({ "force": true })).await.expect(200);

    assert_eq!((&applied["new_version"], &applied["prompt"]["config"]["model"]), (&json!(4), &json!("new")));
}

#[tokio::test]
async fn variables_that_come_or_go_are_named_and_must_be_accepted() {
    let (test, prompt, session) = refined("Better: {{topic}}, {{tone}}.").await;
    assert_eq!(session["result"]["diff"]["variables_added"], json!(["tone"]));
    assert_eq!(session["result"]["diff"]["variables_removed"], json!(["audience"]));

    for request in [json!({}), json!({ "force": true }), json!({ "accept_variable_changes": false })] {
        let problem = apply(&test, &prompt, &session, request).await.problem(409, "variables-changed");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("drops `audience` and adds `tone`"), "{detail}");
    }
    let applied = apply(&test, &prompt, &session, json!({ "accept_variable_changes": true })).await.expect(200);
    assert_eq!(applied["prompt"]["variables"], json!(["topic", "tone"]));
}

#[tokio::test]
async fn row_67_what_cannot_be_applied_is_said() {
    let (test, prompt, session) = refined("Write about {{topic}} for {{audience}}.").await;
    apply(&test, &prompt, &session, json!({})).await.problem(409, "no-change");
    let other = test.prompt("c", "other", "x").await;
    apply(&test, &other, &session, json!({})).await.problem(404, "not-found");
    let nobody = json!({ "session_id": "ref_01J9Z3N5T8QWERTYASDFGHZXCV" });
    apply(&test, &prompt, &nobody, json!({})).await.problem(404, "not-found");
    let begun = super::begin(&test, &prompt, "interpreter").await;
    let problem = apply(&test, &prompt, &begun, json!({})).await.problem(409, "not-completed");
    assert!(problem["detail"].as_str().unwrap().contains("not completed yet"), "{problem}");
    apply(&test, &prompt, &session, json!({ "forced": true })).await.problem(422, "validation-failed");
    let path = format!("{}/refinement/apply/{}", path_of(&prompt), session["session_id"].as_str().unwrap());
    test.post_with(&path, &[("if-match", "\"99\"")], json!({})).await.problem(412, "version-mismatch");
    test.delete(&path_of(&prompt)).await.expect(204);
    apply(&test, &prompt, &session, json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn errors_of_the_rules_that_a_model_brought_in_are_shown() {
    let (test, prompt, session) = refined("Better: {{topic}}, {{audience}}, {{ broken.\u{202e}hidden").await;
    let appeared = session["result"]["lint"]["appeared"].as_array().unwrap();
    assert!(appeared.iter().any(|change| change["severity"] == "error"), "{appeared:?}");
    let applied = apply(&test, &prompt, &session, json!({})).await.expect(200);
    assert_eq!(applied["lint_introduced"].as_array().unwrap(), appeared);
}

#[tokio::test]
async fn two_who_apply_at_once_make_one_version() {
    let (test, prompt, session) = refined("Better: {{topic}}, {{audience}}.").await;
    let all = futures::future::join_all((0..8).map(|_| apply(&test, &prompt, &session, json!({})))).await;
    let mut statuses: Vec<u16> = all.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(test.count("SELECT count(*) FROM versions").await, 2);
}
