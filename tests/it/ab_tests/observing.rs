//! What became of units is written down once, whoever tells of it.
use serde_json::{Value, json};
use support::{TestApp, caller, merged};

use super::{TESTS, arm, path, running};

#[tokio::test]
async fn outcomes_add_up_by_unit_and_may_come_before_the_exposure() {
    let test = TestApp::api().await;
    let path = running(&test, json!({})).await;
    let outcome = |unit: &str, value: f64| json!({ "unit_id": unit, "metric": "response_quality", "value": value });

    let one = test.post(&format!("{path}/outcomes"), outcome("early", 0.5)).await.expect(202);
    arm(&test, &path, "early").await;
    let many = test
        .post(&format!("{path}/outcomes"), json!([outcome("early", 0.75), outcome("other", 1.0)]))
        .await
        .expect(202);

    assert_eq!((one, many), (json!({ "accepted": 1 }), json!({ "accepted": 2 })));
    assert_eq!(test.count("SELECT count(*) FROM ab_observations WHERE n = 2 AND total = 1.25").await, 1);
    assert_eq!(test.count("SELECT count(*) FROM ab_observations").await, 2);
}

#[tokio::test]
async fn an_outcome_that_makes_no_sense_is_refused_and_nothing_of_its_list_is_kept() {
    let test = TestApp::api().await;
    let path = running(&test, json!({ "test_metric": "success_rate" })).await;
    let outcomes = format!("{path}/outcomes");
    let good = json!({ "unit_id": "u", "metric": "success_rate", "value": 1 });
    for (bad, place) in [
        (json!({ "unit_id": "u", "metric": "success_rate", "value": 0.5 }), "/1/value"),
        (json!({ "unit_id": "u", "metric": "beauty", "value": 1 }), "/1/metric"),
        (json!({ "unit_id": "", "metric": "success_rate", "value": 1 }), "/1/unit_id"),
        (json!({ "unit_id": "u", "metric": "success_rate", "value": "NaN" }), "/1/value"),
    ] {
        let violations = test.post(&outcomes, json!([good, bad])).await.violations();
        assert_eq!(violations[0].0, place, "{bad}");
    }
    assert_eq!(test.post(&outcomes, json!([])).await.violations()[0].1, "out-of-range");
    assert_eq!(test.count("SELECT count(*) FROM ab_observations").await, 0);
    test.post(&format!("{path}/complete"), json!({})).await.expect(200);
    assert_eq!(test.post(&outcomes, good).await.code(409), "test-ended");
}

#[tokio::test]
async fn usage_events_that_name_a_test_count_for_its_units() {
    let test = TestApp::api().await;
    let metrics = json!([{ "name": "response_quality" }, { "name": "success_rate" }, { "name": "token_usage" }]);
    let prompts = super::two_prompts(&test).await;
    let made = test.post(TESTS, super::of_two(&prompts, json!({ "metrics": metrics }))).await.expect(201);
    let path = path(&made);
    let selection = arm(&test, &path, "u").await;
    let session = test.get(&format!("{path}/select?session_id=s")).await.expect(200);
    let event = |more: Value| {
        let event = json!({ "prompt_id": prompts.0["id"], "version": 1, "ab_test_id": made["id"], "score": 0.5 });
        merged(event, more)
    };
    let of = |selection: &Value| selection["selected_prompt"]["id"].clone();
    let (own, of_session) = (of(&selection), of(&session));
    let (other, its) = match selection["variant"] == "A" {
        true => ("B", &prompts.1["id"]),
        false => ("A", &prompts.0["id"]),
    };
    let events = json!([
        event(json!({ "prompt_id": own, "user_id": "u", "success": true, "input_tokens": 7, "event_id": "once" })),
        event(json!({ "prompt_id": own, "user_id": "u", "success": true, "input_tokens": 7, "event_id": "once" })),
        // Only the session was exposed.
        event(json!({ "prompt_id": of_session, "user_id": "unseen", "session_id": "s" })),
        // Nobody, but an arm: a unit of its own.
        event(json!({ "prompt_id": prompts.1["id"], "variant": "B" })),
        // Neither: it counts for the prompt alone.
        event(json!({})),
        // Told of another arm than it was shown.
        event(json!({ "prompt_id": its, "user_id": "u", "variant": other })),
        event(json!({ "prompt_id": own, "user_id": "u", "ab_test_id": "abt_nonsense" })),
    ]);
    test.post("/api/v1/analytics/usage", events).await.expect(202);
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;

    for (statement, count) in [
        ("SELECT count(*) FROM ab_observations WHERE unit_id = 'u' AND metric = 'response_quality' AND n = 2", 1),
        ("SELECT count(*) FROM ab_observations WHERE unit_id = 'u' AND metric = 'token_usage' AND total = 7", 1),
        ("SELECT count(*) FROM ab_observations WHERE unit_id = 's'", 1),
        ("SELECT count(*) FROM ab_observations WHERE unit_id LIKE 'usage-%'", 1),
        ("SELECT count(*) FROM ab_observations WHERE unit_id = 'unseen'", 0),
        ("SELECT count(*) FROM ab_assignments", 3),
        ("SELECT count(*) FROM ab_assignments WHERE unit_id = 'u' AND in_two = 1", 1),
        ("SELECT count(*) FROM ab_assignments WHERE in_two = 1", 1),
    ] {
        assert_eq!(test.count(statement).await, count, "{statement}");
    }
}
