//! Reports that come twice and other weights change nothing about how an arm is judged.
use serde_json::{Value, json};
use support::TestApp;

use super::results::Trial;

/// How each treatment is judged, and what is believed at all.
fn judged(results: &Value) -> Value {
    let arms = results["metrics"][0]["arms"].as_array().unwrap();
    let of = |arm: &Value| {
        json!([arm["fixed"]["method"], arm["sequential"]["method"], arm["sequential"]["ready"], arm["bayes"]["prior"]])
    };
    json!([results["decision"], arms.iter().map(of).collect::<Vec<Value>>()])
}

#[tokio::test]
async fn a_report_that_is_repeated_and_other_weights_do_not_change_how_a_share_is_judged() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate", "min_hours": 0 })).await;
    // Too little for the exact test; by a normal distribution it would be sure.
    trial.report("A", 120, |_| json!({ "success": false })).await;
    trial.report("B", 120, |n| json!({ "success": n < 9 })).await;
    let first = trial.results().await;
    assert_eq!(first["decision"]["state"], "undecided", "{first}");

    let again = json!({ "unit_id": "unit-1", "metric": "success_rate", "value": 0 });
    test.post(&format!("{}/outcomes", trial.path()), again).await.expect(202);
    let again = json!({ "unit_id": "unit-121", "metric": "success_rate", "value": 1 });
    test.post(&format!("{}/outcomes", trial.path()), again).await.expect(202);
    let repeated = trial.results().await;
    test.put(&trial.path(), json!({ "weights": [0.4, 0.6] })).await.expect(200);
    trial.report("A", 4, |_| json!({ "success": false })).await;
    trial.report("B", 6, |_| json!({ "success": false })).await;
    let redealt = trial.results().await;

    assert_eq!(judged(&repeated), judged(&first));
    assert_eq!(judged(&redealt), judged(&first));
    for (results, units) in [(&first, [120, 120]), (&repeated, [120, 120]), (&redealt, [124, 126])] {
        let arms = &results["metrics"][0]["arms"];
        assert_eq!((&arms[0]["n"], &arms[1]["n"]), (&json!(units[0]), &json!(units[1])));
        assert!(arms[0]["ci"][1].as_f64().unwrap() > 0.01, "nobody failed is not nobody can: {arms}");
        assert!(arms[1]["bayes"]["prob_best"].as_f64().unwrap() > 0.99, "{arms}");
        assert!(arms[1]["sequential"]["p_value"].as_f64().unwrap() < 0.6, "{arms}");
    }
}

#[tokio::test]
async fn ten_reports_of_one_unit_are_no_ten_units() {
    let test = TestApp::api().await;
    let mut trial = Trial::new(&test, json!({ "test_metric": "success_rate", "min_hours": 0 })).await;
    trial.report("A", 120, |_| json!({ "success": true })).await;
    trial.report("B", 120, |n| json!({ "success": n > 0 })).await;
    let again: Vec<_> =
        (0..60).map(|_| json!({ "unit_id": "unit-121", "metric": "success_rate", "value": 0 })).collect();
    test.post(&format!("{}/outcomes", trial.path()), json!(again)).await.expect(202);

    let results = trial.results().await;

    let arms = &results["metrics"][0]["arms"];
    assert_eq!(results["decision"]["state"], "undecided", "{results}");
    assert!(arms[1]["sequential"]["p_value"].as_f64().unwrap() > 0.1, "one unit failed, however often: {arms}");
    assert_eq!(arms[1]["n"], 120);
}

#[tokio::test]
async fn what_is_believed_of_arms_with_units_is_shown_beside_one_without() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let variants: Vec<_> =
        ["A", "B", "C"].map(|name| json!({ "name": name, "prompt_id": prompt["id"], "version": 1, "weight": if name == "C" { 0.2 } else { 0.4 } })).to_vec();
    let other = test.prompt("a", "c", "two").await;
    let third = test.prompt("a", "d", "three").await;
    let mut variants = variants;
    variants[1]["prompt_id"] = other["id"].clone();
    variants[2]["prompt_id"] = third["id"].clone();
    let body = json!({ "name": "x", "variants": variants,
        "metrics": [{ "name": "response_quality" }, { "name": "success_rate" }] });
    let made = test.post(super::TESTS, body).await.expect(201);
    let mut trial = Trial::of(&test, made);
    for variant in ["A", "B"] {
        trial.report(variant, 40, |n| json!({ "score": f64::from(n % 5), "success": n % 2 == 0 })).await;
    }

    let results = trial.results().await;

    let score = &results["metrics"][0]["arms"];
    assert!((score[0]["bayes"]["prob_best"].as_f64().unwrap() - 0.5).abs() < 1e-9, "{score}");
    assert_eq!(score[2]["bayes"], Value::Null);
    let success = &results["metrics"][1]["arms"];
    assert!(
        success.as_array().unwrap().iter().all(|arm| arm["bayes"]["prob_best"].as_f64().unwrap() > 0.0),
        "{success}"
    );
}
