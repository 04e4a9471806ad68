//! One prompt through all of it: made, published, labelled, tried against itself, used, refined, decided on and gone back
//! on; and everything that must be left of it.
use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use support::{Receiver, TestApp};

use crate::refinement::{framed, said};

/// How often each value of a column stands in a table.
async fn counts(test: &TestApp, sql: &'static str) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = test.app.db.read().await.unwrap().fetch_all(sql, &[]).await.unwrap();
    rows.into_iter().collect()
}

/// Made, published, changed, labelled. Answers the prompt and its path.
async fn made(test: &TestApp) -> (Value, String) {
    let prompt = test.prompt("greeting", "hello", "Greet {{name}}.").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    test.put(&format!("{path}/lifecycle"), json!({ "status": "published" })).await.expect(200);
    test.put(&format!("{path}/content"), json!({ "content": "Greet {{name}} warmly." })).await.expect(200);
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    (prompt, path)
}

/// Tried against itself, behind its label, by 400 users. Answers the path of the test.
async fn tried(test: &TestApp, prompt: &Value) -> String {
    let variants = json!([
        { "name": "plain", "prompt_id": prompt["id"], "version": 1, "weight": 0.5 },
        { "name": "warm", "prompt_id": prompt["id"], "version": 2, "weight": 0.5 },
    ]);
    let plan = json!({ "name": "Warm or plain?", "variants": variants, "metrics": [{ "name": "success_rate" }],
                       "behind": { "prompt_id": prompt["id"], "label": "production" } });
    let trial = test.post("/api/v1/ab-tests", plan).await.expect(201);
    let trial_path = format!("/api/v1/ab-tests/{}", trial["id"].as_str().unwrap());
    let mut served = BTreeMap::<String, i64>::new();
    for user in 0..400 {
        let read = format!("/api/v1/prompts/search/greeting/hello?user_id=u{user}&name=Ada");
        let read = test.get(&read).await.expect(200);
        let arm = read["served"]["experiment"]["variant"].as_str().unwrap().to_owned();
        let expected = if arm == "warm" { "Greet Ada warmly." } else { "Greet Ada." };
        assert_eq!(read["filled_content"], expected);
        let success = if arm == "warm" { user % 10 != 0 } else { user % 2 == 0 };
        let usage = json!({ "prompt_id": prompt["id"], "version": read["version"], "success": success, "model": "m",
            "user_id": format!("u{user}"), "ab_test_id": trial["id"], "variant": arm, "response_time_ms": 10 });
        test.post("/api/v1/analytics/usage", usage).await.expect(202);
        *served.entry(arm).or_default() += 1;
    }
    assert!(served.values().all(|units| (150..=250).contains(units)), "{served:?}");
    shared::analytics::order_roll_up(&test.app, &support::caller()).await.unwrap();
    test.work().await;
    let results = test.get(&format!("{trial_path}/results")).await.expect(200);
    assert_eq!(results["units"]["warm"], served["warm"]);
    assert!(results["metrics"][0]["arms"][1]["sequential"]["p_value"].as_f64().unwrap() < 0.001, "{results}");
    trial_path
}

/// Refined: looked at, compared, applied.
async fn refined(test: &TestApp, path: &str) {
    let refine = json!({ "refinement_instructions": "Friendlier." });
    let begun = test.post(&format!("{path}/refine"), refine).await.expect(202);
    test.work().await;
    let session = begun["session_id"].as_str().unwrap();
    let done = test.get(&format!("/api/v1/refinement/sessions/{session}")).await.expect(200);
    assert_eq!(done["status"], "completed", "{done}");
    let compared = test.get(&format!("{path}/refinement/compare")).await.expect(200);
    assert_eq!((&compared["a"]["version"], &compared["b"]["session_id"]), (&json!(2), &begun["session_id"]));
    let applied = test.post(&format!("{path}/refinement/apply/{session}"), json!({})).await.expect(200);
    assert_eq!(applied["new_version"], 3);
}

/// How often everything must have happened.
fn traces<const N: usize>(traces: [(&str, i64); N]) -> BTreeMap<String, i64> {
    traces.map(|(name, times)| (name.to_owned(), times)).into()
}

#[tokio::test]
async fn a_prompt_lives_and_leaves_its_traces() {
    let model = Receiver::answering(|_, _| said(&framed("Greet {{name}} as a friend would."))).await;
    let test = TestApp::with(&["--interpreter-url", &format!("http://{}", model.address())]).await;
    let receiver = Receiver::start().await;
    let hook = json!({ "name": "all", "url": receiver.url(), "events": ["*"] });
    test.post("/api/v1/webhooks", hook).await.expect(201);

    let (prompt, path) = made(&test).await;
    let trial_path = tried(&test, &prompt).await;
    refined(&test, &path).await;

    // Promoted, and gone back on.
    test.advance(Duration::from_hours(1));
    let end = json!({ "winner": "warm", "promote": true });
    let ended = test.post(&format!("{trial_path}/complete"), end).await.expect(200);
    assert_eq!((&ended["status"], &ended["winner"]), (&json!("completed"), &json!("warm")));
    let read = test.get("/api/v1/prompts/search/greeting/hello?user_id=u1&name=Ada").await.expect(200);
    assert_eq!((&read["version"], &read["served"]["experiment"]), (&json!(2), &Value::Null), "the label moved");
    test.post(&format!("{path}/versions/1/rollback"), json!({ "reason": "enough" })).await.expect(200);
    test.work().await;

    let versions = test.get(&format!("{path}/versions")).await.expect(200);
    let types: Vec<&str> =
        versions["items"].as_array().unwrap().iter().map(|it| it["change_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["rollback", "refinement", "update", "create"]);
    let moves = test.get(&format!("{path}/labels/history")).await.expect(200);
    let moves: Vec<_> = moves["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["from_version"].clone(), it["to_version"].clone()))
        .collect();
    assert_eq!(moves, [(json!(1), json!(2)), (json!(null), json!(1))]);

    let events = counts(&test, "SELECT event_type, count(*) FROM events GROUP BY 1").await;
    let must = traces([
        ("prompt.created", 1),
        ("prompt.updated", 3),
        ("prompt.version_created", 3),
        ("prompt.lifecycle_changed", 1),
        ("prompt.label_moved", 2),
        ("ab_test.created", 1),
        ("ab_test.completed", 1),
        ("refinement.started", 1),
        ("refinement.completed", 1),
    ]);
    assert_eq!(events, must);
    let mut told = BTreeMap::<String, i64>::new();
    for request in receiver.received() {
        *told.entry(request.json()["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(told, must, "whoever asked is told of everything, once");
    let audited = counts(&test, "SELECT action, count(*) FROM audit_log GROUP BY 1").await;
    for (action, rows) in [
        ("prompt.created", 1),
        ("prompt.lifecycle_changed", 1),
        ("prompt.updated", 3),
        ("prompt.label_moved", 2),
        ("ab_test.created", 1),
        ("ab_test.completed", 1),
        ("refinement.created", 1),
        ("refinement.completed", 1),
        ("refinement.applied", 1),
        ("webhook.created", 1),
    ] {
        assert_eq!(audited.get(action), Some(&rows), "{action}: {audited:?}");
    }
}
