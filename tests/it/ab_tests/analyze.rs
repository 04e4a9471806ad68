//! Statistics of tests that are kept elsewhere, and planning.
use serde_json::{Value, json};
use support::TestApp;

use super::TESTS;
use crate::sources::top;

/// As many units as a busy prompt has in a year.
const MUCH: u64 = 2_000_000_000;

async fn analyze(test: &TestApp, body: Value) -> Value {
    test.post(&format!("{TESTS}/analyze"), body).await.expect(200)
}

fn binary(arms: &[(u64, u64)]) -> Value {
    let arms: Vec<_> = arms
        .iter()
        .enumerate()
        .map(|(n, arm)| json!({ "name": n.to_string(), "n": arm.0, "successes": arm.1 }))
        .collect();
    json!({ "metric": { "kind": "binary" }, "arms": arms })
}

fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((value - expected).abs() <= 1e-8 * expected.abs().max(1e-4), "{value} instead of {expected}");
}

#[tokio::test]
async fn the_numbers_are_those_of_independent_programs() {
    let test = TestApp::api().await;
    let text = std::fs::read_to_string(top().join("tests/it/stats/cases.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let mut compared = 0;
    for case in cases.iter().filter(|case| case["method"] == "two_proportion_z_newcombe") {
        let (inputs, outputs) = (&case["inputs"], &case["outputs"]);
        let [x_a, n_a, x_b, n_b] =
            ["successes_a", "trials_a", "successes_b", "trials_b"].map(|name| inputs[name].as_u64().unwrap());
        let b = &analyze(&test, binary(&[(n_a, x_a), (n_b, x_b)])).await["arms"][1];
        near(&b["diff"], outputs["diff"].as_f64().unwrap());
        if b["fixed"]["method"] == "two_proportion_z" {
            near(&b["fixed"]["statistic"], outputs["z"].as_f64().unwrap());
            compared += 1;
        }
    }
    assert!(compared >= 3, "only {compared} cases");
}

#[tokio::test]
async fn the_control_has_nothing_to_be_compared_with() {
    let test = TestApp::api().await;

    let found = analyze(&test, binary(&[(1000, 100), (1000, 150)])).await;

    let (a, b) = (&found["arms"][0], &found["arms"][1]);
    for field in ["diff", "diff_ci", "relative_lift", "relative_ci", "fixed", "sequential"] {
        assert_eq!(a[field], Value::Null, "{field}");
        assert!(!b[field].is_null(), "{field}");
    }
    assert_eq!(found["decision"], json!({ "state": "winner", "reason_code": "treatment_better", "arm": "1" }));
    assert_eq!((&found["srm"]["status"], &b["sequential"]["n_star"]), (&json!("ok"), &json!(1000.0)));
    assert_eq!(b["bayes"]["prior"], json!({ "alpha": 1.0, "beta": 1.0 }));
    let mut turned = binary(&[(1000, 100), (1000, 150)]);
    turned["metric"]["lower_is_better"] = json!(true);
    assert_eq!(analyze(&test, turned).await["decision"]["arm"], "0");
}

#[tokio::test]
async fn whatever_the_counts_there_is_an_answer_with_a_reason() {
    let test = TestApp::api().await;
    for (arms, state, reason) in [
        (vec![(0, 0), (0, 0)], "collecting", "no_data"),
        (vec![(1, 1), (1, 0)], "collecting", "burn_in"),
        (vec![(99, 0), (99, 99)], "collecting", "burn_in"),
        (vec![(500, 0), (500, 0)], "undecided", "not_significant"),
        (vec![(500, 500), (500, 500)], "undecided", "not_significant"),
        (vec![(100_000, 99_000), (100_000, 100_000)], "winner", "treatment_better"),
        (vec![(1_000_000, 0), (1_000_000, 500_000)], "winner", "treatment_better"),
        (vec![(1000, 1000), (1000, 980)], "winner", "control_better"),
        (vec![(1000, 500), (1000, 500), (1000, 500)], "undecided", "not_significant"),
        (vec![(MUCH, MUCH / 2), (MUCH, MUCH / 2 + 1_000_000)], "winner", "treatment_better"),
        (vec![(MUCH, 0), (MUCH, 1)], "undecided", "not_significant"),
        (vec![(6000, 10), (4000, 400)], "invalid", "sample_ratio_mismatch"),
    ] {
        let found = analyze(&test, binary(&arms)).await;
        assert_eq!(
            (&found["decision"]["state"], &found["decision"]["reason_code"]),
            (&json!(state), &json!(reason)),
            "{arms:?}"
        );
    }
    let means = |arms: &[(u64, f64, f64)]| {
        let arms: Vec<_> = arms
            .iter()
            .enumerate()
            .map(|(n, arm)| json!({ "name": n.to_string(), "n": arm.0, "mean": arm.1, "variance": arm.2 }))
            .collect();
        json!({ "metric": { "kind": "continuous" }, "arms": arms })
    };
    for (arms, reason, status) in [
        (vec![(500, 1.0, 0.0), (500, 2.0, 0.0)], "zero_variance", "zero_variance_different"),
        (vec![(500, 1.0, 0.0), (500, 1.0, 0.0)], "not_significant", "zero_variance_equal"),
        (vec![(1, 1.0, 0.0), (1, 2.0, 0.0)], "burn_in", "insufficient_data"),
        (vec![(MUCH, 1e140, 1e140), (MUCH, -1e140, 1e140)], "control_better", "ok"),
    ] {
        let found = analyze(&test, means(&arms)).await;
        assert_eq!(
            (&found["decision"]["reason_code"], &found["arms"][1]["fixed"]["status"]),
            (&json!(reason), &json!(status)),
            "{arms:?}: {found}"
        );
    }
}

#[tokio::test]
async fn what_no_counts_can_be_is_refused_with_its_place() {
    let test = TestApp::api().await;
    let good = binary(&[(100, 10), (100, 20)]);
    let with = |path: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let also = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (body, place) in [
        (with("/arms/1/successes", json!(101)), "/arms/1/successes"),
        (with("/arms/1/n", json!(-1)), "/arms/1/n"),
        (with("/arms/1/n", json!("NaN")), "/arms/1/n"),
        (with("/arms/1/name", json!("0")), "/arms/1/name"),
        (with("/metric/kind", json!("continuous")), "/arms/0/mean"),
        (with("/arms", json!([good["arms"][0]])), "/arms"),
        (also("alpha", json!(0.0)), "/alpha"),
        (also("alpha", json!(1.0)), "/alpha"),
        (also("n_star", json!(0)), "/n_star"),
        (also("prior", json!({ "alpha": 0.0, "beta": 1.0 })), "/prior/alpha"),
        (
            json!({ "metric": { "kind": "binary" }, "arms": [{ "name": "a", "n": 1, "successes": 0, "weight": -1.0 },
            { "name": "b", "n": 1, "successes": 0 }] }),
            "/arms/0/weight",
        ),
        (
            json!({ "metric": { "kind": "continuous" }, "arms": [{ "name": "a", "n": 9, "mean": 0, "variance": -1 },
            { "name": "b", "n": 9, "mean": 0, "variance": 1 }] }),
            "/arms/0/variance",
        ),
    ] {
        let violations = test.post(&format!("{TESTS}/analyze"), body.clone()).await.violations();
        assert!(violations.iter().any(|(pointer, _)| pointer == place), "{body}: {violations:?}");
    }
}

#[tokio::test]
async fn a_plan_says_how_many_units_and_how_long() {
    let test = TestApp::api().await;
    let power = async |query: &str| test.get(&format!("{TESTS}/power?{query}")).await;

    let shares = power("baseline=0.1&mde=0.02&units_per_day=1000").await.expect(200);

    assert_eq!(shares["fixed"], json!({ "control": 3841.0, "treatment": 3841.0, "total": 7682.0, "days": 8.0 }));
    let (fixed, always) = (7682.0, shares["sequential"]["total"].as_f64().unwrap());
    assert!((1.5..2.5).contains(&(always / fixed)), "{always}");
    let back = power("baseline=0.1&n=3841").await.expect(200);
    assert!((back["mde"].as_f64().unwrap() - 0.02).abs() < 1e-4, "{back}");
    // Nothing is decided before there are 100 units of each arm.
    for query in ["baseline=0.01&mde=0.2", "baseline=0.99&mde=-0.2", "sd=1&mde=5"] {
        let plan = power(query).await.expect(200);
        assert_eq!(
            (&plan["sequential"]["control"], &plan["sequential"]["treatment"]),
            (&json!(100.0), &json!(100.0)),
            "{query}"
        );
    }
    let never_fails = power("baseline=0.98&mde=0.0199").await.expect(200);
    assert!(never_fails["sequential"]["control"].as_f64().unwrap() < 3000.0, "{never_fails}");
    let means = power("sd=10&mde=1&treatments=2").await.expect(200);
    assert!(means["fixed"]["control"].as_f64().unwrap() > 1570.0, "{means}");
    for (query, place) in [
        ("mde=0.1", "/baseline"),
        ("baseline=0.1", "/mde"),
        ("baseline=0.1&sd=1&mde=0.1", "/sd"),
        ("baseline=0.95&mde=0.1", "/mde"),
        ("baseline=NaN&mde=0.1", "/baseline"),
        ("sd=1&mde=0", "/mde"),
        ("sd=1&mde=1&power=1", "/power"),
        // By chance alone more is found.
        ("baseline=0.1&mde=0.1&power=0.01", "/power"),
        ("baseline=0.1&mde=0.1&power=0.05", "/power"),
        ("baseline=0.1&mde=0.000000001", "/mde"),
        ("sd=1e300&mde=1", "/sd"),
        ("baseline=0.999&n=10", "/n"),
        ("sd=1&mde=1&treatments=0", "/treatments"),
    ] {
        assert_eq!(power(query).await.violations()[0].0, place, "{query}");
    }
}
