//! Whose reports count for a test, and which: what they say may decide what readers are served.
use serde_json::{Value, json};
use shared::access;
use support::{TestApp, caller, merged};

use super::{TESTS, of_two, path};

const USAGE: &str = "/api/v1/analytics/usage";

/// Rolls up what was reported, and answers what the test shows.
async fn results(test: &TestApp, made: &Value) -> Value {
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;
    test.get(&format!("{}/results", path(made))).await.expect(200)
}

/// A key like this: its text.
async fn key(test: &TestApp, like: Value) -> String {
    let made =
        test.post("/api/v1/keys", merged(json!({ "name": "k", "scopes": ["analytics"] }), like)).await.expect(201);
    made["text"].as_str().unwrap().to_owned()
}

async fn report(test: &TestApp, key: &str, events: Vec<Value>) -> Value {
    let bearer = format!("Bearer {key}");
    test.post_with(USAGE, &[("authorization", &bearer)], json!(events)).await.expect(202)
}

/// Reports of so many units that were shown this arm, each of which went well or not.
fn of_arm(made: &Value, variant: &str, prompt: &Value, success: bool, units: std::ops::Range<i32>) -> Vec<Value> {
    let event = |n| {
        json!({ "prompt_id": prompt["id"], "version": 1, "success": success, "variant": variant,
                "user_id": format!("u{n}"), "ab_test_id": made["id"] })
    };
    units.map(event).collect()
}

/// A test in the folder `theirs` that promotes its winner, and a prompt of the folder `mine`.
async fn promoting(test: &TestApp) -> (Value, [Value; 3]) {
    let control = test.prompt("theirs", "control", "the text in production").await;
    let other = test.prompt("theirs", "other", "another text").await;
    let own = test.prompt("mine", "own", "a text of mine").await;
    let label = format!("/api/v1/prompts/{}/labels/production", control["id"].as_str().unwrap());
    test.put(&label, json!({ "version": 1 })).await.expect(200);
    let more = json!({ "test_metric": "success_rate", "promote": true, "min_hours": 0,
                       "behind": { "prompt_id": control["id"], "label": "production" } });
    let made = test.post(TESTS, of_two(&(control.clone(), other.clone()), more)).await.expect(201);
    (made, [control, other, own])
}

#[tokio::test]
async fn a_key_that_does_not_reach_a_test_decides_nothing_there_and_promotes_nothing() {
    let test = TestApp::api().await;
    let (made, [control, other, own]) = promoting(&test).await;
    // A real unit, which a stranger would have in two arms.
    let shown = test.get(&format!("{}/select?user_id=real", path(&made))).await.expect(200);
    let mine = key(&test, json!({ "folders": ["mine"] })).await;
    let of_labels = key(&test, json!({ "labels": ["staging"] })).await;
    let mut told = of_arm(&made, "A", &own, false, 0..400);
    told.extend(of_arm(&made, "B", &own, true, 400..800));
    for variant in ["A", "B"] {
        told.extend(
            of_arm(&made, variant, &own, true, 0..1).into_iter().map(|it| merged(it, json!({ "user_id": "real" }))),
        );
    }
    assert_eq!(report(&test, &mine, told).await, json!({ "accepted": 802, "duplicates": 0 }), "of its own prompt");
    for (variant, prompt, success) in [("A", &control, false), ("B", &other, true)] {
        report(&test, &of_labels, of_arm(&made, variant, prompt, success, 0..400)).await;
    }
    let unit = json!({ "unit_id": "real", "metric": "success_rate", "value": 1 });
    for key in [&mine, &of_labels] {
        let headers = [("authorization", &*format!("Bearer {key}"))];
        test.post_with(&format!("{}/outcomes", path(&made)), &headers, unit.clone()).await.problem(403, "forbidden");
    }

    let results = results(&test, &made).await;

    let units: Value = merged(json!({ "A": 0, "B": 0 }), json!({ shown["variant"].as_str().unwrap(): 1 }));
    assert_eq!((&results["units"], &results["test"]["status"]), (&units, &json!("running")));
    assert_eq!(test.count("SELECT count(*) FROM ab_observations").await, 0);
    assert_eq!(test.count("SELECT count(*) FROM ab_assignments WHERE in_two = 1").await, 0);
    test.advance(std::time::Duration::from_mins(6));
    shared::ab_testing::order_evaluations(&test.app, &caller()).await.unwrap();
    test.work().await;
    let now = test.get(&format!("/api/v1/prompts/{}", control["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&now["labels"]["production"], &now["version"]), (&json!(1), &json!(1)));
    assert_eq!(test.count("SELECT count(*) FROM usage_events WHERE ab_test_id IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_key_that_reaches_the_whole_test_reports_for_it() {
    let test = TestApp::api().await;
    let (made, [control, other, _]) = promoting(&test).await;
    let theirs = key(&test, json!({ "folders": ["theirs", "mine"] })).await;
    let by_label = key(&test, json!({ "labels": ["production"] })).await;
    for (key, units) in [(&theirs, 0..20), (&by_label, 20..40)] {
        report(&test, key, of_arm(&made, "A", &control, false, units.clone())).await;
        report(&test, key, of_arm(&made, "B", &other, true, units.start + 100..units.end + 100)).await;
    }
    assert_eq!(results(&test, &made).await["units"], json!({ "A": 40, "B": 40 }));
}

#[tokio::test]
async fn an_event_about_what_its_arm_does_not_show_counts_for_its_prompt_alone() {
    let test = TestApp::api().await;
    let (a, b) = super::two_prompts(&test).await;
    let stranger = test.prompt("greeting", "no arm", "Hi.").await;
    let b_path = format!("/api/v1/prompts/{}", b["id"].as_str().unwrap());
    for (version, content) in [(2, "two"), (3, "three")] {
        test.put(&b_path, json!({ "content": content })).await.expect(200);
        test.put(&format!("{b_path}/labels/tried"), json!({ "version": version })).await.expect(200);
    }
    let variants = json!([{ "name": "A", "prompt_id": a["id"], "version": 1, "weight": 0.5 },
                          { "name": "B", "prompt_id": b["id"], "label": "tried", "weight": 0.5 }]);
    let made = test
        .post(TESTS, json!({ "name": "t", "variants": variants, "metrics": [{ "name": "success_rate" }] }))
        .await
        .expect(201);
    let dealt = test.get(&format!("{}/select?user_id=dealt", path(&made))).await.expect(200);
    let event = |n: usize, prompt: &Value, version: i64, more: Value| {
        merged(
            json!({ "prompt_id": prompt["id"], "version": version, "success": true, "user_id": format!("u{n}"), "ab_test_id": made["id"] }),
            more,
        )
    };
    let (shown, not_shown) = if dealt["variant"] == "A" { ((&a, 1), (&b, 3)) } else { ((&b, 3), (&a, 1)) };
    let events = [
        (event(0, &a, 1, json!({ "variant": "A" })), true),
        // Where the label points, and where it pointed.
        (event(1, &b, 3, json!({ "variant": "B" })), true),
        (event(2, &b, 2, json!({ "variant": "B" })), true),
        // A version that was never behind the label; a prompt of the other arm; one of none; an arm that is not there.
        (event(3, &b, 1, json!({ "variant": "B" })), false),
        (event(4, &b, 3, json!({ "variant": "A" })), false),
        (event(5, &stranger, 1, json!({ "variant": "B" })), false),
        (event(6, &a, 1, json!({ "variant": "C" })), false),
        // Without an arm: the one of the unit, or any.
        (event(7, shown.0, shown.1, json!({ "user_id": "dealt" })), true),
        (event(8, not_shown.0, not_shown.1, json!({ "user_id": "dealt" })), false),
        (event(9, &b, 2, json!({})), true),
        (event(10, &stranger, 1, json!({})), false),
    ];
    let counted = i64::try_from(events.iter().filter(|(_, counts)| *counts).count()).unwrap();
    test.post(USAGE, json!(events.iter().map(|(event, _)| event).collect::<Vec<_>>())).await.expect(202);

    let results = results(&test, &made).await;

    assert_eq!(test.count("SELECT CAST(sum(n) AS BIGINT) FROM ab_observations").await, counted);
    assert_eq!(
        test.count("SELECT count(*) FROM ab_observations WHERE unit_id IN ('u0', 'u1', 'u2', 'dealt', 'u9')").await,
        5
    );
    assert_eq!(test.count("SELECT count(*) FROM ab_assignments WHERE in_two = 1").await, 0);
    let units: i64 = results["units"].as_object().unwrap().values().map(|units| units.as_i64().unwrap()).sum();
    assert_eq!(units, 4, "three that named their arm, and one that was dealt it");
    let all = test.get("/api/v1/analytics/summary?days_back=1").await.expect(200);
    assert_eq!(all["totals"]["events"], events.len());
}

#[tokio::test]
async fn whoever_makes_a_test_must_reach_what_it_shows() {
    let test = TestApp::api().await;
    let (own, other) = (test.prompt("mine", "own", "x").await, test.prompt("theirs", "other", "y").await);
    let made = test
        .post("/api/v1/keys", json!({ "name": "k", "scopes": ["experiments"], "folders": ["mine"] }))
        .await
        .expect(201);
    let (id, grant) = access::authenticate(&test.app, made["text"].as_str().unwrap()).await.unwrap().unwrap();
    let narrow = shared::Caller::with(grant, id.to_string(), "-", None);
    let new = |a: &Value, b: &Value| serde_json::from_value(of_two(&(a.clone(), b.clone()), json!({}))).unwrap();

    for (a, b) in [(&own, &other), (&other, &own)] {
        let refused = shared::ab_testing::create(&test.app, &narrow, new(a, b)).await.unwrap_err();
        assert!(
            matches!(&refused, shared::Error::Invalid { violations, .. } if violations[0].code == "unknown-prompt"),
            "{refused}"
        );
    }
    assert_eq!(test.count("SELECT count(*) FROM ab_tests").await, 0);
}
