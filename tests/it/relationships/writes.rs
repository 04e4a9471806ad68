//! Making, changing and taking away.
use serde_json::json;
use support::TestApp;

use super::{prompt, relate};

#[tokio::test]
async fn a_relationship_is_made_changed_and_taken_away() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "a").await, prompt(&test, "b").await);
    let body =
        json!({ "target_prompt_id": b, "relationship_type": "extends", "metadata": { "z": 1, "a": [1.5, null] } });
    let reply = test.post(&format!("/api/v1/prompts/{a}/relationships"), body).await;
    let location = reply.header("location").to_owned();
    let made = reply.expect(201);
    assert_eq!(location, format!("/api/v1/relationships/{}", made["id"].as_str().unwrap()));
    assert_eq!((&made["source_prompt_id"], &made["target_prompt_id"]), (&json!(a), &json!(b)));
    assert_eq!((&made["strength"], &made["relationship_type"]), (&json!(1.0), &json!("extends")));
    assert_eq!(made["metadata"].to_string(), r#"{"z":1,"a":[1.5,null]}"#, "in the order it was given");

    test.advance(std::time::Duration::from_secs(1));
    let changed = test.put(&location, json!({ "strength": 0.25 })).await.expect(200);
    assert_eq!((&changed["strength"], &changed["metadata"]), (&json!(0.25), &made["metadata"]));
    assert_ne!(changed["updated_at"], made["updated_at"]);
    let changed = test.put(&location, json!({ "metadata": {} })).await.expect(200);
    assert_eq!((&changed["strength"], &changed["metadata"]), (&json!(0.25), &json!({})));

    assert_eq!(test.delete(&location).await.status, 204);
    assert_eq!(test.delete(&location).await.code(404), "not-found");
    assert_eq!(test.put(&location, json!({})).await.code(404), "not-found");
    let actions = "SELECT count(*) FROM audit_log WHERE action LIKE 'relationship.%'";
    assert_eq!(test.count(actions).await, 4);
}

#[tokio::test]
async fn every_type_is_known_and_another_is_refused() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "a").await, prompt(&test, "b").await);
    let kinds =
        ["extends", "references", "alternative", "similar", "depends_on", "replaces", "complements", "conflicts"];
    for kind in kinds {
        assert_eq!(relate(&test, &a, kind, &b, 0.5).await.expect(201)["relationship_type"], kind);
        assert_eq!(relate(&test, &a, kind, &b, 0.9).await.code(409), "relationship-exists");
    }
    let violations = relate(&test, &a, "inherits", &b, 0.5).await.violations();
    assert_eq!(violations[0].0, "/relationship_type");
    assert_eq!(test.count("SELECT count(*) FROM relationships").await, 8);
}

#[tokio::test]
async fn row_50_what_makes_no_sense_is_refused_with_a_pointer_and_leaves_nothing() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "a").await, prompt(&test, "b").await);
    let unknown = "prm_01J9Z3N5T8QWERTYASDFGHZXCV";

    let itself = relate(&test, &a, "similar", &a, 1.0).await.violations();
    assert_eq!(itself, [("/target_prompt_id".to_owned(), "self".to_owned())]);
    for strength in [-0.1, 1.000_001, 1e300] {
        let violations = relate(&test, &a, "similar", &b, strength).await.violations();
        assert_eq!(violations, [("/strength".to_owned(), "out-of-range".to_owned())]);
    }
    let body =
        json!({ "target_prompt_id": b, "relationship_type": "similar", "metadata": { "x": "y".repeat(17_000) } });
    let violations = test.post(&format!("/api/v1/prompts/{a}/relationships"), body).await.violations();
    assert_eq!(violations, [("/metadata".to_owned(), "too-long".to_owned())]);
    assert_eq!(relate(&test, &a, "similar", unknown, 1.0).await.code(404), "not-found");
    assert_eq!(relate(&test, unknown, "similar", &a, 1.0).await.code(404), "not-found");
    test.delete(&format!("/api/v1/prompts/{b}")).await;
    assert_eq!(relate(&test, &a, "similar", &b, 1.0).await.code(404), "not-found");
    assert_eq!(test.count("SELECT count(*) FROM relationships").await, 0);
}

#[tokio::test]
async fn a_request_that_is_sent_twice_makes_one() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "a").await, prompt(&test, "b").await);
    let path = format!("/api/v1/prompts/{a}/relationships");
    let body = json!({ "target_prompt_id": b, "relationship_type": "similar" });
    let key = [("idempotency-key", "once")];
    let first = test.post_with(&path, &key, body.clone()).await.expect(201);
    let again = test.post_with(&path, &key, body).await.expect(201);
    assert_eq!(first, again);
}
