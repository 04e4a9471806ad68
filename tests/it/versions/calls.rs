//! What callers must change for is found exactly: seeded pairs of versions, and every call to both.
use std::fmt::Write;

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use shared::{
    serving::{RenderRequest, render},
    versions::{Body, BodyDraft, broken_calls},
};
use support::figure;

const PAIRS: usize = 400;
const NAMES: [&str; 3] = ["a", "b", "c"];

/// What a request would hold of a version: variables that stand in its text, and what is said of them.
fn version(random: &mut SmallRng) -> Value {
    let (mut content, mut schema) = ("Say it.".to_owned(), Map::new());
    for name in NAMES {
        if random.random::<f64>() < 0.6 {
            write!(content, " {{{{ {name} }}}}").unwrap();
        }
        if random.random::<f64>() < 0.7 {
            let mut spec = Map::new();
            let kinds =
                [None, Some("string"), Some("integer"), Some("number"), Some("boolean"), Some("array"), Some("object")];
            let kind = *kinds.choose(random).unwrap();
            if let Some(kind) = kind {
                spec.insert("type".to_owned(), json!(kind));
            }
            if random.random::<f64>() < 0.4 {
                spec.insert("required".to_owned(), json!(false));
            }
            if random.random::<f64>() < 0.3 {
                spec.insert("default".to_owned(), of_kind(kind));
            }
            schema.insert(name.to_owned(), Value::Object(spec));
        }
    }
    let format = *["mustache", "jinja2"].choose(random).unwrap();
    json!({ "content": content, "template_format": format, "input_schema": schema })
}

fn of_kind(kind: Option<&str>) -> Value {
    match kind {
        Some("integer" | "number") => json!(7),
        Some("boolean") => json!(true),
        Some("array") => json!(["x"]),
        Some("object") => json!({ "x": 1 }),
        _ => json!("x"),
    }
}

fn body(version: &Value) -> Body {
    let draft = BodyDraft {
        content: version["content"].as_str().map(str::to_owned),
        template_format: serde_json::from_value(version["template_format"].clone()).unwrap(),
        input_schema: serde_json::from_value(version["input_schema"].clone()).unwrap(),
        ..BodyDraft::default()
    };
    draft.check().unwrap()
}

/// Is a call taken, as the API takes it?
async fn is_taken(version: &Value, call: &Map<String, Value>) -> bool {
    let mut request = version.clone();
    request["variables"] = Value::Object(call.clone());
    loop {
        match render(serde_json::from_value::<RenderRequest>(request.clone()).unwrap()).await {
            Ok(_) => return true,
            // A machine with much to do is no refusal.
            Err(error) if error.is_transient() || error.code() == "template-limit" => {}
            Err(_) => return false,
        }
    }
}

/// Every call that gives each of these names nothing, or one value of each type.
fn calls(names: &[String]) -> Vec<Map<String, Value>> {
    let values = [json!("x"), json!(7), json!(7.5), json!(true), json!(["x"]), json!({ "x": 1 })];
    names.iter().fold(vec![Map::new()], |calls, name| {
        let with = |call: &Map<String, Value>| -> Vec<Map<String, Value>> {
            let given = values.iter().map(|value| {
                let mut call = call.clone();
                call.insert(name.clone(), value.clone());
                call
            });
            std::iter::once(call.clone()).chain(given).collect()
        };
        calls.iter().flat_map(with).collect()
    })
}

#[tokio::test]
async fn no_call_that_breaks_is_missed_and_none_that_does_not_is_told_of() {
    let mut random = SmallRng::seed_from_u64(12);
    let (mut breaking, mut missed, mut harmless, mut asked) = (0, Vec::new(), Vec::new(), 0);
    for _ in 0..PAIRS {
        let (old, new) = (version(&mut random), version(&mut random));
        let (before, after) = (body(&old), body(&new));
        let told = !broken_calls(&before, &after).is_empty();
        let mut is_broken = false;
        for call in calls(&before.variables) {
            asked += 1;
            if is_taken(&old, &call).await && !is_taken(&new, &call).await {
                is_broken = true;
                break;
            }
        }
        breaking += usize::from(is_broken);
        match (is_broken, told) {
            (true, false) => missed.push((old, new)),
            (false, true) => harmless.push((old, new)),
            _ => {}
        }
    }
    figure(
        "calls",
        format_args!(
            "{PAIRS} pairs of versions, {asked} calls: {breaking} break, {} missed, {} told of without need",
            missed.len(),
            harmless.len()
        ),
    );
    assert!(breaking > PAIRS / 10 && breaking < PAIRS * 9 / 10, "{breaking}");
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(harmless.is_empty(), "{harmless:#?}");
}
