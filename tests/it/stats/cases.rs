//! Reference cases: each method of the file has a function here, and each number must be met.
use serde_json::{Map, Value};

use super::{Inputs, drifts, experiments};
use crate::sources::top;

/// What a method is computed by.
type Compute = fn(Inputs<'_>) -> Value;

fn method(name: &str) -> Option<Compute> {
    experiments::method(name).or_else(|| drifts::method(name))
}

/// Every difference between what was found and what is expected, with its place.
fn differences(place: &str, found: &Value, expected: &Value, tolerance: (f64, f64), into: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, expected) in expected {
                let found = found.get(key).unwrap_or_else(|| panic!("{place}: `{key}` is not computed"));
                differences(&format!("{place}.{key}"), found, expected, tolerance, into);
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                differences(&format!("{place}[{index}]"), found, expected, tolerance, into);
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            let (relative, absolute) = tolerance;
            let is_tiny = expected != 0.0 && expected.abs() < 1e-9;
            let allowed = if is_tiny { 1e-6 * expected.abs() } else { (relative * expected.abs()).max(absolute) };
            if !found.is_finite() || (found - expected).abs() > allowed {
                into.push(format!("{place}: {found:e}, not {expected:e}"));
            }
        }
        (found, expected) if found == expected => {}
        (found, expected) => into.push(format!("{place}: {found}, not {expected}")),
    }
}

#[test]
fn every_reference_case_is_met() {
    let text = std::fs::read_to_string(top().join("tests/it/stats/cases.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    let mut met = Map::new();
    for case in file["cases"].as_array().unwrap() {
        let (id, name) = (case["id"].as_str().unwrap(), case["method"].as_str().unwrap());
        let Some(compute) = method(name) else { panic!("{id}: no such method: {name}") };
        let tolerance = (case["rel_tol"].as_f64().unwrap(), case["abs_tol"].as_f64().unwrap());
        differences(id, &compute(Inputs(&case["inputs"])), &case["outputs"], tolerance, &mut wrong);
        met.insert(id.to_owned(), Value::Null);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(file["meta"]["total"], met.len());
}

#[test]
fn a_difference_is_seen_wherever_it_is() {
    let expected = serde_json::json!({ "a": [1.0, null, "x"], "tiny": 1e-30 });
    let with = |found: Value| {
        let mut wrong = Vec::new();
        differences("", &found, &expected, (1e-9, 1e-12), &mut wrong);
        wrong.len()
    };
    assert_eq!(with(expected.clone()), 0);
    assert_eq!(with(serde_json::json!({ "a": [1.1, null, "x"], "tiny": 1e-30 })), 1);
    assert_eq!(with(serde_json::json!({ "a": [1.0, 0.0, "y"], "tiny": 2e-30 })), 3);
    assert_eq!(with(serde_json::json!({ "a": [1.0], "tiny": 1e-30 })), 1);
}
