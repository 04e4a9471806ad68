//! What a test must be like, and how it goes through its life.
use serde_json::{Value, json};
use support::TestApp;

use super::{TESTS, of_two, path, running, two_prompts};

#[tokio::test]
async fn a_test_of_two_prompts_runs_at_once_and_shows_both_forms() {
    let test = TestApp::api().await;
    let prompts = two_prompts(&test).await;

    let made = test.post(TESTS, of_two(&prompts, json!({ "traffic_split": 0.7 }))).await.expect(201);

    assert_eq!((&made["status"], &made["phase"], &made["coverage"]), (&json!("running"), &json!(1), &json!(1.0)));
    assert_eq!((&made["traffic_split"], &made["test_metric"]), (&json!(0.7), &json!("response_quality")));
    assert_eq!((&made["prompt_a_id"], &made["prompt_b_id"]), (&prompts.0["id"], &prompts.1["id"]));
    let arms: Vec<_> = made["variants"].as_array().unwrap().iter().map(|it| (&it["name"], &it["weight"])).collect();
    assert_eq!(arms, [(&json!("A"), &json!(0.7)), (&json!("B"), &json!(0.3))]);
    assert_eq!(test.get(&path(&made)).await.expect(200), made);
    let page = test.get(&format!("{TESTS}?status=running")).await.expect(200);
    assert_eq!((&page["items"][0], &page["total"]), (&made, &json!(1)));
    assert_eq!(test.get(&format!("{TESTS}?status=draft")).await.expect(200)["total"], 0);
    assert!(!made.to_string().contains("salt"), "whoever knows the salt chooses an arm");
}

#[tokio::test]
async fn the_general_form_has_many_arms_versions_and_metrics() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let id = prompt["id"].as_str().unwrap();
    for content in ["two", "three"] {
        test.put(&format!("/api/v1/prompts/{id}"), json!({ "content": content })).await.expect(200);
    }
    let arm = |version: i64, weight: f64| {
        json!({ "name": format!("v{version}"), "prompt_id": id, "version": version,
        "weight": weight })
    };
    let arms = [arm(1, 0.5), arm(2, 0.25), arm(3, 0.25)];

    let made = test
        .post(
            TESTS,
            json!({ "name": "Three", "variants": arms, "coverage": 0.1, "mde": 0.1, "status": "draft",
                    "metrics": [{ "name": "resolved", "kind": "binary", "missing_is_zero": true },
                                { "name": "response_time" }],
                    "guardrails": [{ "metric": "cost_usd", "margin": 0.1, "relative": true }] }),
        )
        .await
        .expect(201);

    assert_eq!((&made["status"], &made["started_at"]), (&json!("draft"), &Value::Null));
    assert_eq!(
        made["metrics"][1],
        json!({ "name": "response_time", "kind": "continuous", "lower_is_better": true,
                                           "missing_is_zero": false })
    );
    assert_eq!(test.get(&format!("{}/select?user_id=u", path(&made))).await.code(409), "not-started");
    let started = test.post(&format!("{}/start", path(&made)), json!({})).await.expect(200);
    assert_eq!(started["status"], "running");
    assert!(started["started_at"].is_string());
}

#[tokio::test]
async fn row_64_what_no_test_can_be_is_refused_with_its_place() {
    let test = TestApp::api().await;
    let prompts = two_prompts(&test).await;
    let (a, b) = (&prompts.0["id"], &prompts.1["id"]);
    let nobody = "prm_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let arms = |weights: &[f64]| -> Value {
        weights
            .iter()
            .enumerate()
            .map(|(n, weight)| {
                json!({ "name": format!("v{n}"), "prompt_id": if n == 0 { a } else { b },
            "weight": weight })
            })
            .collect()
    };
    for (body, place) in [
        (json!({ "name": "x", "prompt_a_id": a, "prompt_b_id": a }), "/prompt_b_id"),
        (json!({ "name": "x", "prompt_a_id": a }), "/prompt_b_id"),
        (json!({ "name": "x", "prompt_a_id": a, "prompt_b_id": nobody }), "/prompt_b_id"),
        (of_two(&prompts, json!({ "traffic_split": 0.0 })), "/traffic_split"),
        (of_two(&prompts, json!({ "traffic_split": 1.0 })), "/traffic_split"),
        (of_two(&prompts, json!({ "traffic_split": -0.5 })), "/traffic_split"),
        (of_two(&prompts, json!({ "traffic_split": "NaN" })), "/traffic_split"),
        (of_two(&prompts, json!({ "test_metric": "beauty" })), "/test_metric"),
        (of_two(&prompts, json!({ "coverage": 1.1 })), "/coverage"),
        (of_two(&prompts, json!({ "alpha": 0.0 })), "/alpha"),
        (of_two(&prompts, json!({ "n_star": 0.0 })), "/n_star"),
        (of_two(&prompts, json!({ "planned_units": 1 })), "/planned_units"),
        (of_two(&prompts, json!({ "guardrails": [{ "metric": "cost_usd", "margin": 0 }] })), "/guardrails/0/margin"),
        (of_two(&prompts, json!({ "guardrails": [{ "metric": "x", "margin": 1 }] })), "/guardrails/0/metric"),
        (of_two(&prompts, json!({ "metrics": [{ "name": "mine" }] })), "/metrics/0/kind"),
        (of_two(&prompts, json!({ "behind": { "prompt_id": a, "label": "gold" } })), "/behind"),
        (of_two(&prompts, json!({ "target_audience": { "plan": [] } })), "/target_audience"),
        (json!({ "name": "", "prompt_a_id": a, "prompt_b_id": b }), "/name"),
        (json!({ "name": "x", "variants": arms(&[1.0]) }), "/variants"),
        (json!({ "name": "x", "variants": arms(&[0.5, 0.4]) }), "/variants"),
        (json!({ "name": "x", "variants": arms(&[1.5, -0.5]) }), "/variants"),
        (json!({ "name": "x", "variants": arms(&[0.5, 0.25, 0.25]) }), "/variants/2/prompt_id"),
    ] {
        let violations = test.post(TESTS, body.clone()).await.violations();
        assert!(violations.iter().any(|(pointer, _)| pointer == place), "{body}: {violations:?}");
    }
    assert_eq!(test.get(TESTS).await.expect(200)["total"], 0);
}

#[tokio::test]
async fn a_test_is_paused_goes_on_ends_and_tells_of_it() {
    let test = TestApp::api().await;
    let path = running(&test, json!({})).await;

    assert_eq!(test.post(&format!("{path}/pause"), json!({})).await.expect(200)["status"], "paused");
    assert_eq!(test.post(&format!("{path}/start"), json!({})).await.expect(200)["status"], "running");
    assert_eq!(test.post(&format!("{path}/complete"), json!({ "winner": "C" })).await.violations()[0].0, "/winner");
    let ended = test.post(&format!("{path}/complete"), json!({ "winner": "B" })).await.expect(200);

    assert_eq!(
        (&ended["status"], &ended["result"], &ended["winner"]),
        (&json!("completed"), &json!("stopped_manual"), &json!("B"))
    );
    assert!(ended["ended_at"].is_string());
    for action in ["start", "pause", "complete"] {
        assert_eq!(test.post(&format!("{path}/{action}"), json!({})).await.code(409), "test-ended", "{action}");
    }
    assert_eq!(test.put(&path, json!({ "coverage": 0.5 })).await.code(409), "test-ended");
    let stats = test.get("/api/v1/notifications/stats").await.expect(200);
    let told = &stats["event_counts"];
    assert_eq!(
        (&told["ab_test.created"], &told["ab_test.updated"], &told["ab_test.completed"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(test.get(&format!("{TESTS}/abt_01ARZ3NDEKTSV4RRFFQ69G5FAV")).await.code(404), "not-found");
}

#[tokio::test]
async fn a_repeated_request_makes_one_test() {
    let test = TestApp::api().await;
    let prompts = two_prompts(&test).await;
    let make = || test.post_with(TESTS, &[("Idempotency-Key", "k")], of_two(&prompts, json!({})));

    let (first, second) = (make().await.expect(201), make().await.expect(201));

    assert_eq!(first, second);
    assert_eq!(test.get(TESTS).await.expect(200)["total"], 1);
}
