//! What binding promises, and what a schema may say.
use serde_json::{Value, json};

use super::{map, schema};
use crate::error::Error;
use crate::templates::{Bound, Demands, Given, InputSchema, VariableSpec, VariableType, bind, check_schema};

/// The code of a refusal, and the pointer and code of each violation.
fn refusal(result: Result<Bound, Error>) -> (&'static str, Vec<(String, &'static str)>) {
    match result {
        Err(Error::Invalid { code, violations, .. }) => {
            (code, violations.into_iter().map(|violation| (violation.pointer, violation.code)).collect())
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_schema_is_read_with_its_defaults_and_refuses_unknown_fields() {
    let spec: VariableSpec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(spec, VariableSpec::default());
    assert!(spec.required);
    assert_eq!(serde_json::to_value(&spec).unwrap(), json!({"required": true}));
    let spec: VariableSpec = serde_json::from_value(json!({"type": "integer", "default": 2})).unwrap();
    assert_eq!(spec.kind, Some(VariableType::Integer));
    assert!(serde_json::from_value::<VariableSpec>(json!({"typ": "integer"})).is_err());
    assert!(serde_json::from_value::<VariableSpec>(json!({"type": "date"})).is_err());
}

#[test]
fn a_schema_must_have_identifiers_and_defaults_of_their_type() {
    let named = json!({"a": {"type": "number", "default": 1}, "_b": {}, "é1": {}, "user-name": {}});
    assert!(check_schema(&schema(named)).is_empty());
    let violations = check_schema(&schema(json!({"a": {"type": "integer", "default": 1.5}, "b/~c": {}, "": {}})));
    let found: Vec<_> = violations.iter().map(|violation| (violation.pointer.as_str(), violation.code)).collect();
    let expected = [
        ("/input_schema/", "not-an-identifier"),
        ("/input_schema/a/default", "wrong-type"),
        ("/input_schema/b~1~0c", "not-an-identifier"),
    ];
    assert_eq!(found, expected);
}

/// Variables that must all have values.
fn names(names: &[&str]) -> Demands {
    let mut demands = Demands::default();
    for name in names {
        demands.demand(name);
    }
    demands
}

#[test]
fn binding_takes_values_then_defaults_and_lists_what_is_unused() {
    let schema = schema(json!({"b": {"type": "integer", "default": 2}, "c": {"required": false}}));
    let given = Given::Json(map(json!({"z": 1, "a": 3, "y": 2})));
    let bound = bind(&names(&["a", "b", "c"]), &schema, given).unwrap();
    assert_eq!(Value::from(bound.values), json!({"a": 3, "b": 2}));
    assert!(bound.absent.contains("c") && bound.left.is_empty());
    assert_eq!(bound.unused, ["z", "y"]);
}

#[test]
fn every_missing_variable_is_named() {
    let given = Given::Json(map(json!({"c": 1})));
    let result = bind(&names(&["a", "c", "b"]), &InputSchema::new(), given);
    assert!(result.as_ref().is_err_and(|error| error.to_string() == "no value for: a, b"));
    let (code, violations) = refusal(result);
    assert_eq!(code, "missing-variables");
    assert_eq!(violations, [("/variables/a".into(), "missing-variable"), ("/variables/b".into(), "missing-variable")]);
}

#[test]
fn every_value_of_a_wrong_type_is_named() {
    let schema = schema(json!({"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "number"}}));
    let given = Given::Json(map(json!({"a": 1, "b": 1.5, "c": 1})));
    let (code, violations) = refusal(bind(&names(&["a", "b", "c"]), &schema, given));
    assert_eq!(code, "validation-failed");
    assert_eq!(violations, [("/variables/a".into(), "wrong-type"), ("/variables/b".into(), "wrong-type")]);
}

#[test]
fn a_query_is_read_as_the_declared_type_and_the_last_of_a_name_counts() {
    let schema = schema(json!({
        "s": {"type": "string"}, "i": {"type": "integer"}, "b": {"type": "boolean"}, "l": {"type": "array"},
        "n": {"type": "number"},
    }));
    let query = |pairs: &[(&str, &str)]| {
        Given::Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let given = query(&[("s", "7"), ("i", "6"), ("i", "7"), ("b", "true"), ("l", "[1]"), ("x", "8")]);
    let bound = bind(&names(&["s", "i", "b", "l", "x"]), &schema, given).unwrap();
    assert_eq!(Value::from(bound.values), json!({"s": "7", "i": 7, "b": true, "l": [1], "x": "8"}));
    let (_, violations) = refusal(bind(&names(&["i", "n"]), &schema, query(&[("i", "seven"), ("n", "true")])));
    assert_eq!(violations, [("/variables/i".into(), "wrong-type"), ("/variables/n".into(), "wrong-type")]);
}

#[test]
fn a_value_has_256_kibibytes_and_all_have_one_mebibyte() {
    let fits = "x".repeat(256 * 1024);
    let all = ["a", "b", "c", "d", "e"];
    let four = json!({"a": fits, "b": fits, "c": fits, "d": fits});
    assert!(bind(&names(&all[..4]), &InputSchema::new(), Given::Json(map(four.clone()))).is_ok());

    let one_more = Given::Json(map(json!({"a": format!("{fits}x")})));
    let (code, violations) = refusal(bind(&names(&all[..1]), &InputSchema::new(), one_more));
    assert_eq!((code, violations), ("validation-failed", vec![("/variables/a".into(), "too-long")]));

    let mut five = map(four);
    five.insert("e".into(), json!(1));
    let (_, violations) = refusal(bind(&names(&all), &InputSchema::new(), Given::Json(five)));
    assert_eq!(violations, [("/variables".into(), "too-long")]);
}
