//! How far a prompt has moved from what it was.
mod performance;

use serde_json::{Value, json};
use support::{TestApp, merged};

const LONG: &str = "Say hello to {{name}}, who stands in front of you, and be as kind as you can be while you do it.";

/// A prompt with these contents, one version each: its path.
async fn with_contents(test: &TestApp, contents: &[&str]) -> String {
    let made = test.prompt("c", "moving", contents[0]).await;
    let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
    for content in &contents[1..] {
        test.put(&format!("{path}/content"), json!({ "content": content })).await.expect(200);
    }
    path
}

async fn drift(test: &TestApp, path: &str, query: &str) -> Value {
    test.get(&format!("{path}/drift{query}")).await.expect(200)
}

#[tokio::test]
async fn a_version_is_compared_with_the_one_before_it_and_with_the_first() {
    let test = TestApp::api().await;
    let second = LONG.replace("kind", "friendly");
    let third = format!("# Greeting\n\n{second}");
    let path = with_contents(&test, &[LONG, &second, &third]).await;

    let found = drift(&test, &path, "").await;

    assert_eq!((&found["version"], &found["content"]["compared_to"]), (&json!(3), &json!(2)));
    assert_eq!(found["content"]["sections_added"], json!(["Greeting"]));
    assert_eq!(found["content"]["cumulative"]["compared_to"], 1);
    assert!(found["content"]["cumulative"]["char_similarity"].as_f64() < found["content"]["char_similarity"].as_f64());
    assert_eq!(found["explanation"], json!(["content-trivial", "cumulative-minor"]));
    assert_eq!(found["status"], "insufficient_data");
    assert_eq!(drift(&test, &path, "?version=2").await["content"]["severity"], "trivial");
    let first = drift(&test, &path, "?version=1").await;
    assert_eq!((&first["content"], &first["explanation"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn what_callers_must_change_for_is_breaking() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &[LONG, &LONG.replace("{{name}}", "{{person}}")]).await;
    let found = drift(&test, &path, "").await["content"].clone();
    assert_eq!(found["severity"], "breaking");
    assert_eq!((&found["variables_added"], &found["variables_removed"]), (&json!(["person"]), &json!(["name"])));
    let schema = json!({ "config": { "response_schema": { "type": "object" }, "model": "m" } });
    test.put(&path, schema).await.expect(200);
    let found = drift(&test, &path, "").await["content"].clone();
    assert_eq!((&found["severity"], &found["output_schema_changed"]), (&json!("breaking"), &json!(true)));
    assert_eq!((&found["model_or_params_changed"], &found["token_ratio"]), (&json!(true), &json!(1.0)));
}

#[tokio::test]
async fn whether_callers_must_change_is_what_a_call_must_give() {
    let test = TestApp::api().await;
    let schema = |spec: Value| json!({ "name": spec });
    for (number, (before, after, severity, changes)) in [
        (
            json!({ "input_schema": schema(json!({ "default": "x" })) }),
            json!({ "input_schema": schema(json!({})) }),
            "breaking",
            json!([["name", "required"]]),
        ),
        (
            json!({ "input_schema": schema(json!({ "required": false })) }),
            json!({ "input_schema": schema(json!({})) }),
            "breaking",
            json!([["name", "required"]]),
        ),
        (
            json!({ "input_schema": schema(json!({ "type": "string" })) }),
            json!({ "input_schema": schema(json!({ "type": "integer" })) }),
            "breaking",
            json!([["name", "type"]]),
        ),
        (
            json!({ "input_schema": schema(json!({ "type": "integer" })) }),
            json!({ "input_schema": schema(json!({ "type": "number" })) }),
            "trivial",
            json!([]),
        ),
        (json!({}), json!({ "variables": ["name", "unused"] }), "trivial", json!([])),
        (
            json!({}),
            json!({ "content": format!("{LONG} {{{{more}}}}"), "input_schema": { "more": { "required": false } } }),
            "minor",
            json!([]),
        ),
        (json!({}), json!({ "content": format!("{LONG} {{{{more}}}}") }), "breaking", json!([["more", "required"]])),
        (json!({ "content": format!("{LONG} {{{{more}}}}") }), json!({ "content": LONG }), "major", json!([])),
    ]
    .into_iter()
    .enumerate()
    {
        let first = merged(json!({ "category": "calls", "name": number.to_string(), "content": LONG }), before.clone());
        let made = test.post("/api/v1/prompts", first).await.expect(201);
        let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
        test.put(&path, after.clone()).await.expect(200);
        let found = drift(&test, &path, "").await["content"].clone();
        let diff = test.get(&format!("{path}/diff?from=1&to=2")).await.expect(200);
        let told = |list: &Value| -> Vec<Value> {
            list.as_array().unwrap().iter().map(|it| json!([it["variable"], it["reason"]])).collect()
        };
        assert_eq!(json!(told(&found["callers_must_change"])), changes, "{before} to {after}");
        assert_eq!(diff["callers_must_change"], found["callers_must_change"], "{before} to {after}");
        assert_eq!(found["severity"], severity, "{before} to {after}");
    }
}

#[tokio::test]
async fn the_baseline_is_the_first_published_version_unless_one_is_pinned() {
    let test = TestApp::api().await;
    let contents: Vec<String> = (0..5).map(|n| format!("{LONG} And so on, {n}.")).collect();
    let path = with_contents(&test, &contents[..2].iter().map(String::as_str).collect::<Vec<_>>()).await;
    test.put(&format!("{path}/lifecycle"), json!({ "status": "published" })).await.expect(200);
    for content in &contents[2..] {
        test.put(&format!("{path}/content"), json!({ "content": content })).await.expect(200);
    }
    let baseline = async || drift(&test, &path, "").await["content"]["cumulative"]["compared_to"].clone();
    let pinned = format!("{path}/drift/baseline");

    assert_eq!(baseline().await, 2);
    let answer = test.put(&pinned, json!({ "version": 3 })).await.expect(200);
    assert_eq!((&answer["version"], &answer["pinned_by"]), (&json!(3), &json!("anonymous")));
    assert_eq!(baseline().await, 3);
    assert_eq!(drift(&test, &path, "?version=2").await["content"]["cumulative"]["compared_to"], 1, "never a later one");
    test.put(&pinned, json!({ "version": 1 })).await.expect(200);
    assert_eq!(baseline().await, 1);
    assert_eq!(test.delete(&pinned).await.status, 204);
    assert_eq!(test.delete(&pinned).await.code(404), "not-found");
    assert_eq!(baseline().await, 2);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &[LONG]).await;
    assert_eq!(test.get(&format!("{path}/drift?version=2")).await.code(404), "not-found");
    assert_eq!(test.get("/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV/drift").await.code(404), "not-found");
    let violations = test.put(&format!("{path}/drift/baseline"), json!({ "version": 2 })).await.violations();
    assert_eq!(violations, [("/version".to_owned(), "unknown-version".to_owned())]);
    assert_eq!(test.get(&format!("{path}/drift?version=x")).await.violations()[0].0, "/version");
}

#[tokio::test]
async fn what_the_rules_find_is_compared_with_both_versions() {
    let test = TestApp::api().await;
    let leftover = format!("{LONG}\nTODO: say why.");
    let unclosed = format!("{leftover}\n```\nnever closed");
    let path = with_contents(&test, &[LONG, &leftover, &unclosed]).await;
    let deltas = async || {
        let content = drift(&test, &path, "").await["content"].clone();
        (content["lint_delta"].clone(), content["cumulative"]["lint_delta"].clone())
    };

    let (step, cumulative) = deltas().await;
    let change = |rule: &str, name: &str| json!({ "rule": rule, "name": name, "severity": "error", "count": 1 });
    let (fence, marker) = (change("S02", "unclosed-fence"), change("C08", "leftover-marker"));
    assert_eq!((&step["appeared"], &step["gone"]), (&json!([fence]), &json!([])));
    assert_eq!((&step["before"]["errors"], &step["after"]["errors"]), (&json!(1), &json!(2)));
    assert_eq!((&cumulative["appeared"], &cumulative["before"]["errors"]), (&json!([fence, marker]), &json!(0)));

    let suggestions = test.get(&format!("{path}/suggestions")).await.expect(200);
    assert_eq!(step["after"]["score"], suggestions["score"]);

    // A rule that does not count for the prompt counts in neither.
    test.put(&format!("{path}/suggestions/S02/suppression"), json!({ "reason": "a" })).await.expect(200);
    let (step, cumulative) = deltas().await;
    assert_eq!((&step["appeared"], &step["before"]), (&json!([]), &step["after"]));
    assert_eq!(cumulative["appeared"], json!([marker]));
}
