//! Tests behind a label: what its readers get, and when that counts.
use serde_json::{Value, json};
use support::TestApp;

use super::{TESTS, arm, of_two, path, two_prompts};

async fn read(test: &TestApp, query: &str) -> Value {
    test.get(&format!("/api/v1/prompts/search/greeting/plain{query}")).await.expect(200)
}

#[tokio::test]
async fn a_test_behind_a_label_changes_what_readers_get_and_nothing_for_them() {
    let test = TestApp::api().await;
    let prompts = two_prompts(&test).await;
    let id = prompts.0["id"].as_str().unwrap();
    test.put(&format!("/api/v1/prompts/{id}/labels/production"), json!({ "version": 1 })).await.expect(200);
    let behind = json!({ "prompt_id": id, "label": "production" });
    let body = of_two(&prompts, json!({ "traffic_split": 0.0001, "behind": behind, "promote": true }));
    let made = test.post(TESTS, body.clone()).await.expect(201);

    let served = read(&test, "?user_id=u").await;

    assert_eq!((&served["filled_content"], &served["served"]["version"]), (&json!("Say a warm hello."), &json!(1)));
    let experiment = json!({ "test_id": made["id"], "variant": "B", "unit_id": "u", "sticky": true, "exposed": true });
    assert_eq!(served["served"]["experiment"], experiment);
    assert_eq!(read(&test, "?user_id=u&label=production").await["served"]["experiment"], experiment);
    for query in ["", "?user_id=u&version=1", "?user_id=u&label=latest"] {
        let plain = read(&test, query).await;
        assert_eq!(
            (&plain["filled_content"], plain["served"].get("experiment")),
            (&json!("Say hello."), None),
            "{query}"
        );
    }
    assert_eq!(test.post(TESTS, body).await.code(409), "label-taken");
    // Whatever becomes of the arm, the label is served.
    let warm = format!("/api/v1/prompts/{}", prompts.1["id"].as_str().unwrap());
    test.delete(&warm).await;
    let without = read(&test, "?user_id=u").await;
    assert_eq!((&without["filled_content"], without["served"].get("experiment")), (&json!("Say hello."), None));
    test.post(&format!("{warm}/restore"), json!({})).await.expect(200);

    test.post(&format!("{}/complete", path(&made)), json!({ "winner": "B" })).await.expect(200);

    let after = read(&test, "?user_id=u").await;
    assert_eq!((&after["filled_content"], &after["served"]["version"]), (&json!("Say a warm hello."), &json!(2)));
    assert_eq!(after["served"].get("experiment"), None);
    let history = test.get(&format!("/api/v1/prompts/{id}/labels/history")).await.expect(200);
    let step = &history["items"][0];
    assert_eq!((&step["from_version"], &step["to_version"]), (&json!(1), &json!(2)));
    assert!(step["reason"].as_str().unwrap().contains("won the A/B test"), "{step}");
}

#[tokio::test]
async fn of_versions_of_one_prompt_the_label_moves_to_the_winner_only_if_it_is_to() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let id = prompt["id"].as_str().unwrap();
    test.put(&format!("/api/v1/prompts/{id}"), json!({ "content": "two" })).await.expect(200);
    test.put(&format!("/api/v1/prompts/{id}/labels/production"), json!({ "version": 1 })).await.expect(200);
    let arms = json!([{ "name": "old", "prompt_id": id, "version": 1, "weight": 0.5 },
                      { "name": "new", "prompt_id": id, "version": 2, "weight": 0.5 }]);
    for (promote, version) in [(false, 1), (true, 2)] {
        let made = test.post(TESTS, json!({ "name": "x", "variants": arms })).await.expect(201);
        let request = json!({ "winner": "new", "promote": promote });
        test.post(&format!("{}/complete", path(&made)), request).await.expect(200);
        let shown = test.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
        assert_eq!((&shown["labels"]["production"], &shown["version"]), (&json!(version), &json!(2)));
    }
}

/// A running test behind `production` of two new prompts, which are answered with it.
async fn behind_production(test: &TestApp, more: Value) -> (Value, (Value, Value)) {
    let prompts = two_prompts(test).await;
    let id = prompts.0["id"].as_str().unwrap();
    test.put(&format!("/api/v1/prompts/{id}/labels/production"), json!({ "version": 1 })).await.expect(200);
    let body = support::merged(json!({ "behind": { "prompt_id": id, "label": "production" } }), more);
    (test.post(TESTS, of_two(&prompts, body)).await.expect(201), prompts)
}

const EXPOSURES: &str = "SELECT count(*) FROM ab_assignments";

#[tokio::test]
async fn an_arm_that_cannot_be_shown_counts_nobody_whichever_way_one_takes() {
    for archived in [false, true] {
        let test = TestApp::api().await;
        let (made, prompts) = behind_production(&test, json!({})).await;
        let mut arms = Vec::new();
        for user in 0..12 {
            let served = read(&test, &format!("?user_id=old-{user}")).await;
            arms.push(served["served"]["experiment"]["variant"].as_str().unwrap().to_owned());
        }
        assert!(arms.iter().any(|arm| arm == "A") && arms.iter().any(|arm| arm == "B"), "{arms:?}");
        let warm = format!("/api/v1/prompts/{}", prompts.1["id"].as_str().unwrap());
        if archived {
            test.put(&format!("{warm}/lifecycle"), json!({ "status": "archived" })).await.expect(200);
        } else {
            test.delete(&warm).await.expect(204);
        }

        for user in 0..12 {
            let new = read(&test, &format!("?user_id=new-{user}")).await;
            assert_eq!((&new["content"], new["served"].get("experiment")), (&json!("Say hello."), None));
            let selected = arm(&test, &path(&made), &format!("new-{user}")).await;
            let of = ["variant", "exposed", "sticky"].map(|field| selected[field].clone());
            assert_eq!(of, [json!("A"), json!(false), json!(false)], "by `select` as by name");
        }
        for (user, had) in arms.iter().enumerate() {
            let old = read(&test, &format!("?user_id=old-{user}")).await;
            let shown = old["served"]["experiment"]["variant"].as_str();
            assert_eq!((shown, &old["content"]), (Some("A").filter(|_| had == "A"), &json!("Say hello.")));
            let selected = arm(&test, &path(&made), &format!("old-{user}")).await;
            assert_eq!((&selected["variant"], &selected["exposed"]), (&json!("A"), &json!(had == "A")));
        }
        assert_eq!(test.count(EXPOSURES).await, 12, "nobody new was shown an arm");
        let results = test.get(&format!("{}/results", path(&made))).await.expect(200);
        assert_eq!(results["warnings"], json!(["arm_unavailable:B"]));
        let forced = test.get(&format!("{}/select?user_id=x&force=B", path(&made))).await;
        assert_eq!(forced.code(409), "variant-unavailable");

        if !archived {
            test.post(&format!("{warm}/restore"), json!({})).await.expect(200);
            assert!(read(&test, "?user_id=later").await["served"]["experiment"]["exposed"].as_bool().unwrap());
            assert_eq!(test.count(EXPOSURES).await, 13);
        }
    }
}

#[tokio::test]
async fn who_was_refused_was_shown_nothing() {
    let test = TestApp::api().await;
    let (_, prompts) = behind_production(&test, json!({ "traffic_split": 0.0001 })).await;
    let warm = format!("/api/v1/prompts/{}", prompts.1["id"].as_str().unwrap());
    test.put(&format!("{warm}/content"), json!({ "content": "Say a warm hello to {{name}}." })).await.expect(200);
    let fill = async |variables: Value| {
        let body = json!({ "variables": variables, "user_id": "u" });
        test.post("/api/v1/prompts/search/greeting/plain", body).await
    };

    assert_eq!(fill(json!({})).await.code(422), "missing-variables");
    assert_eq!(test.count(EXPOSURES).await, 0);

    let served = fill(json!({ "name": "Ada" })).await.expect(200);
    assert_eq!((&served["served"]["experiment"]["variant"], test.count(EXPOSURES).await), (&json!("B"), 1));
}
