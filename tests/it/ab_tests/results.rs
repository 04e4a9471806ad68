//! What a test shows, and what is done about it.
use std::time::Duration;

use serde_json::{Value, json};
use support::{TestApp, caller, merged};

use super::{TESTS, arm, of_two, path, two_prompts};

/// A test, and the next unit that takes part in it.
pub(super) struct Trial<'t> {
    test: &'t TestApp,
    pub(super) made: Value,
    next: usize,
}

impl<'t> Trial<'t> {
    pub(super) async fn new(test: &'t TestApp, more: Value) -> Self {
        let prompts = two_prompts(test).await;
        let made = test.post(TESTS, of_two(&prompts, more)).await.expect(201);
        Self::of(test, made)
    }

    pub(super) fn of(test: &'t TestApp, made: Value) -> Self {
        Self { test, made, next: 0 }
    }

    pub(super) fn path(&self) -> String {
        path(&self.made)
    }

    /// So many new units were shown an arm, and this became of each.
    pub(super) async fn report(&mut self, variant: &str, units: i32, what: impl Fn(i32) -> Value) {
        let arm = self.made["variants"].as_array().unwrap().iter().find(|arm| arm["name"] == variant).unwrap();
        let events: Vec<_> = (0..units)
            .map(|n| {
                self.next += 1;
                let event = json!({ "prompt_id": arm["prompt_id"], "version": 1, "variant": variant,
                    "ab_test_id": self.made["id"], "user_id": format!("unit-{}", self.next) });
                merged(event, what(n))
            })
            .collect();
        self.test.post("/api/v1/analytics/usage", json!(events)).await.expect(202);
        shared::analytics::order_roll_up(&self.test.app, &caller()).await.unwrap();
        self.test.work().await;
    }

    pub(super) async fn results(&self) -> Value {
        self.test.get(&format!("{}/results", self.path())).await.expect(200)
    }

    /// Time goes by, and a worker looks at the test.
    pub(super) async fn evaluate_after(&self, time: Duration) -> Value {
        self.test.advance(time);
        shared::ab_testing::order_evaluations(&self.test.app, &caller()).await.unwrap();
        self.test.work().await;
        self.results().await
    }
}

fn near(value: &Value, expected: f64, slack: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((value - expected).abs() <= slack, "{value} instead of {expected}");
}

const MINUTES: Duration = Duration::from_mins(6);

#[tokio::test]
async fn a_test_nobody_took_part_in_says_so_and_breaks_nothing() {
    let test = TestApp::api().await;
    let trial = Trial::new(&test, json!({})).await;

    let results = trial.evaluate_after(MINUTES).await;

    assert_eq!(results["decision"], json!({ "state": "collecting", "reason_code": "no_data", "arm": "B" }));
    assert_eq!((&results["srm"]["status"], &results["units"]), (&json!("no_data"), &json!({ "A": 0, "B": 0 })));
    let b = &results["metrics"][0]["arms"][1];
    assert_eq!(
        (&b["n"], &b["estimate"], &b["fixed"]["status"]),
        (&json!(0), &Value::Null, &json!("insufficient_data"))
    );
    assert_eq!(results["evaluations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_better_arm_wins_once_its_time_has_come_and_the_label_moves() {
    let test = TestApp::api().await;
    let prompt = json!({ "test_metric": "success_rate", "promote": true });
    let mut trial = Trial::new(&test, prompt).await;
    trial.report("A", 300, |n| json!({ "success": n % 2 == 0 })).await;
    trial.report("B", 300, |n| json!({ "success": n % 5 != 0 })).await;

    let early = trial.evaluate_after(MINUTES).await;

    assert_eq!(early["test"]["status"], "running");
    assert_eq!(early["decision"], json!({ "state": "undecided", "reason_code": "minimum_run_time", "arm": "B" }));
    let b = &early["metrics"][0]["arms"][1];
    near(&b["estimate"], 0.8, 1e-12);
    near(&b["diff"], 0.3, 1e-12);
    assert_eq!((&b["fixed"]["method"], &b["sequential"]["ready"]), (&json!("two_proportion_z"), &json!(true)));
    assert!(b["sequential"]["p_adjusted"].as_f64().unwrap() < 1e-6);
    assert!(b["bayes"]["prob_best"].as_f64().unwrap() > 0.999);

    let late = trial.evaluate_after(Duration::from_hours(25)).await;

    assert_eq!((&late["test"]["status"], &late["test"]["result"]), (&json!("completed"), &json!("winner")));
    assert_eq!((&late["winner"], &late["decision"]["state"]), (&json!("B"), &json!("winner")));
    assert_eq!(late["evaluations"].as_array().unwrap().len(), 2);
    let id = trial.made["prompt_a_id"].as_str().unwrap();
    let control = test.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
    assert_eq!((&control["labels"]["production"], &control["content"]), (&json!(2), &json!("Say a warm hello.")));
    let history = test.get(&format!("/api/v1/prompts/{id}/labels/history")).await.expect(200);
    assert!(history["items"][0]["reason"].as_str().unwrap().contains("`B` won"), "{history}");
    assert_eq!(test.get("/api/v1/notifications/stats").await.expect(200)["event_counts"]["ab_test.completed"], 1);
}

#[tokio::test]
async fn a_winner_is_not_promoted_for_a_key_that_was_taken_back_meanwhile() {
    let test = TestApp::api().await;
    let key = json!({ "name": "k", "scopes": ["experiments", "prompts:publish"] });
    let key = test.post("/api/v1/keys", key).await.expect(201);
    let bearer = format!("Bearer {}", key["text"].as_str().unwrap());
    let prompts = two_prompts(&test).await;
    let body = of_two(&prompts, json!({ "test_metric": "success_rate", "promote": true }));
    let made = test.post_with(TESTS, &[("authorization", &bearer)], body).await.expect(201);
    let mut trial = Trial { test: &test, made, next: 0 };
    trial.report("A", 300, |n| json!({ "success": n % 2 == 0 })).await;
    trial.report("B", 300, |n| json!({ "success": n % 5 != 0 })).await;
    test.delete(&format!("/api/v1/keys/{}", key["id"].as_str().unwrap())).await.expect(204);

    let ended = trial.evaluate_after(Duration::from_hours(25)).await;

    assert_eq!((&ended["test"]["status"], &ended["winner"]), (&json!("completed"), &json!("B")));
    assert_eq!(test.count("SELECT count(*) FROM labels").await, 0);
    let rows = test.get("/api/v1/audit?action=ab_test.completed").await.expect(200);
    assert!(rows["items"][0]["detail"].as_str().unwrap().contains("not promoted"), "{rows}");
}

#[tokio::test]
async fn sixty_to_forty_where_half_was_asked_for_decides_nothing() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate" })).await;
    trial.report("A", 600, |n| json!({ "success": n % 2 == 0 })).await;
    trial.report("B", 400, |n| json!({ "success": n % 5 != 0 })).await;

    let results = trial.evaluate_after(Duration::from_hours(25)).await;

    assert_eq!(results["srm"]["status"], "mismatch");
    assert_eq!(results["decision"]["state"], "invalid");
    assert_eq!((&results["test"]["status"], &results["winner"]), (&json!("running"), &Value::Null));
}

#[tokio::test]
async fn an_arm_that_does_harm_gets_no_more_units() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let third = test.prompt("a", "c", "two").await;
    let other = test.prompt("a", "d", "three").await;
    let variants = json!([{ "name": "A", "prompt_id": prompt["id"], "weight": 0.4 },
        { "name": "B", "prompt_id": third["id"], "weight": 0.3 }, { "name": "C", "prompt_id": other["id"], "weight": 0.3 }]);
    let guardrails = json!([{ "metric": "cost_usd", "margin": 0.1, "relative": true }]);
    let body = json!({ "name": "x", "variants": variants, "guardrails": guardrails,
        "metrics": [{ "name": "response_quality" }] });
    let made = test.post(TESTS, body).await.expect(201);
    let mut trial = Trial { test: &test, made, next: 0 };
    for (variant, units, cost) in [("A", 400, 1.0), ("B", 300, 2.0), ("C", 300, 1.0)] {
        let what = |n: i32| json!({ "score": f64::from(n % 7), "cost_usd": cost + f64::from(n % 10) / 100.0 });
        trial.report(variant, units, what).await;
    }

    let results = trial.evaluate_after(MINUTES).await;

    let status = |arm: &str| {
        let all = results["guardrails"].as_array().unwrap();
        all.iter().find(|it| it["arm"] == arm).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((status("B"), status("C")), ("breach".to_owned(), "pass".to_owned()));
    let weights: Vec<_> = results["test"]["variants"].as_array().unwrap().iter().map(|it| &it["weight"]).collect();
    assert_eq!(weights, [&json!(0.7), &json!(0.0), &json!(0.3)]);
    assert_eq!((&results["test"]["phase"], &results["test"]["status"]), (&json!(2), &json!("running")));
    // Once is enough.
    assert_eq!(trial.evaluate_after(MINUTES).await["test"]["phase"], 2);
}

#[tokio::test]
async fn phases_are_weighed_and_never_pooled() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate", "traffic_split": 0.8 })).await;
    // Good times: eight of ten succeed, whatever the arm.
    trial.report("A", 800, |n| json!({ "success": n % 10 < 8 })).await;
    trial.report("B", 200, |n| json!({ "success": n % 10 < 8 })).await;
    test.put(&trial.path(), json!({ "weights": [0.2, 0.8] })).await.expect(200);
    // Bad times: two of ten do.
    trial.report("A", 200, |n| json!({ "success": n % 10 < 2 })).await;
    trial.report("B", 800, |n| json!({ "success": n % 10 < 2 })).await;

    let results = trial.results().await;

    let b = &results["metrics"][0]["arms"][1];
    near(&b["diff"], 0.0, 1e-12);
    assert_eq!((&b["fixed"]["method"], &results["srm"]["status"]), (&json!("two_proportion_z"), &json!("ok")));
    assert!(b["fixed"]["p_value"].as_f64().unwrap() > 0.99);
    near(&b["bayes"]["prob_best"], 0.5, 0.01);
    assert_eq!(results["phases"][1]["units"], json!({ "A": 200, "B": 800 }));
}

#[tokio::test]
async fn several_calls_of_a_unit_are_one_unit() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate" })).await;
    for variant in ["A", "B"] {
        trial.report(variant, 100, |n| json!({ "success": n % 2 == 0 })).await;
    }
    trial.next = 0;
    trial.report("A", 100, |n| json!({ "success": n % 2 == 0 })).await;

    let results = trial.results().await;

    let arms = &results["metrics"][0]["arms"];
    assert_eq!((&arms[0]["n"], &arms[1]["n"]), (&json!(100), &json!(100)));
    assert_eq!((&arms[1]["fixed"]["method"], &arms[1]["diff"]), (&json!("two_proportion_z"), &json!(0.0)));
}

#[tokio::test]
async fn times_have_percentiles_and_ratios_and_outliers_are_cut() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "response_time", "mde": 10.0 })).await;
    for (variant, scale) in [("A", 100.0), ("B", 50.0)] {
        let what = |n: i32| {
            let is_outlier = n == 7 && variant == "A";
            json!({ "response_time_ms": if is_outlier { 1e6 } else { scale * (1.0 + f64::from(n % 50) / 50.0) } })
        };
        trial.report(variant, 500, what).await;
    }

    let results = trial.results().await;

    let metric = &results["metrics"][0];
    let b = &metric["distributions"][1];
    assert!(b["geometric_ratio"].as_f64().unwrap() < 0.55, "{b}");
    assert!(b["p50_ci"][0].as_f64().unwrap() < b["p50"].as_f64().unwrap(), "{b}");
    assert!(b["p95_p_value"].as_f64().unwrap() < 0.001, "{b}");
    assert!(metric["arms"][0]["estimate"].as_f64().unwrap() < 1000.0, "a million is cut down");
    assert!(
        results["warnings"][0].as_str().unwrap().starts_with("values_clipped:response_time:"),
        "{}",
        results["warnings"]
    );
    assert!(results["power"]["planned_n"].as_f64().unwrap() > 0.0, "{}", results["power"]);
}

#[tokio::test]
async fn a_unit_in_two_arms_counts_in_none() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate" })).await;
    trial.report("A", 10, |_| json!({ "success": true })).await;
    trial.next = 9;
    trial.report("B", 10, |_| json!({ "success": true })).await;

    let results = trial.results().await;

    assert_eq!(results["units"], json!({ "A": 9, "B": 9 }));
    assert_eq!(results["warnings"], json!(["units_in_two_arms:1"]));
}

#[tokio::test]
async fn who_was_exposed_and_never_heard_of_counts_as_nothing_where_that_is_asked_for() {
    let test = TestApp::api().await;
    let metrics = json!([{ "name": "bought", "kind": "binary", "missing_is_zero": true }]);
    let trial = Trial::new(&test, json!({ "metrics": metrics, "traffic_split": 0.0001 })).await;
    for user in 0..10 {
        arm(&test, &trial.path(), &user.to_string()).await;
    }
    let bought = json!({ "unit_id": "3", "metric": "bought", "value": 1 });
    test.post(&format!("{}/outcomes", trial.path()), bought).await.expect(202);

    let b = trial.results().await["metrics"][0]["arms"][1].clone();

    assert_eq!((&b["n"], &b["estimate"]), (&json!(10), &json!(0.1)));
}

#[tokio::test]
async fn a_bandit_deals_units_to_the_better_arm_and_claims_no_p_values() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate", "allocation": "bandit" })).await;
    trial.report("A", 150, |n| json!({ "success": n % 2 == 0 })).await;
    trial.report("B", 150, |n| json!({ "success": n % 5 < 3 })).await;

    let early = trial.evaluate_after(MINUTES).await;
    assert_eq!(early["test"]["phase"], 1, "a quarter of an hour is not over");
    let late = trial.evaluate_after(MINUTES * 2).await;

    let arms = &late["metrics"][0]["arms"];
    for field in ["fixed", "sequential", "diff_ci", "relative_ci"] {
        assert_eq!(arms[1][field], Value::Null, "{field}");
    }
    let best = arms[1]["bayes"]["prob_best"].as_f64().unwrap();
    let weight = &late["test"]["variants"][1]["weight"];
    near(weight, 0.05 + 0.9 * best, 1e-4);
    assert_eq!((&late["test"]["phase"], &late["decision"]["state"]), (&json!(2), &json!("undecided")));
    near(&late["regret"], 15.0, 1e-9);

    trial.report("A", 55, |n| json!({ "success": n % 2 == 0 })).await;
    trial.report("B", 575, |n| json!({ "success": n % 5 < 4 })).await;
    let ended = trial.evaluate_after(Duration::from_hours(25)).await;
    assert_eq!((&ended["test"]["status"], &ended["winner"]), (&json!("completed"), &json!("B")));
    assert_eq!(ended["decision"]["reason_code"], "treatment_better");
}
