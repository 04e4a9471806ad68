//! Many prompts are read by name at once, each by itself.
use serde_json::{Value, json};
use support::TestApp;

use super::PROMPTS;

async fn batch(test: &TestApp, items: Value) -> Value {
    test.post(&format!("{PROMPTS}/batch-get"), json!({ "items": items })).await.expect(200)["results"].clone()
}

#[tokio::test]
async fn a_batch_answers_in_order_each_a_prompt_or_a_problem() {
    let test = TestApp::api().await;
    test.prompt("a", "plain", "c").await;
    test.prompt("a", "template", "Dear {{name}}").await;

    let results = batch(
        &test,
        json!([
            { "category": "a", "name": "template", "variables": { "name": "Ada", "z": 1 } },
            { "category": "a", "name": "missing" },
            { "category": "a", "name": "template", "variables": {} },
            { "category": "a", "name": "template" },
            { "category": "a", "name": "plain", "version": 2 },
            { "category": "a", "name": "plain", "version": 1, "label": "latest" },
            { "category": "a", "name": "plain", "label": "latest" },
        ]),
    )
    .await;

    let told: Vec<Value> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| match result.get("problem") {
            Some(problem) => json!([problem["status"], problem["code"]]),
            None => json!([result["name"], result["filled_content"], result["unused"]]),
        })
        .collect();
    let expected = json!([
        ["template", "Dear Ada", ["z"]],
        [404, "not-found"],
        [422, "missing-variables"],
        ["template", null, []],
        [404, "not-found"],
        [422, "validation-failed"],
        ["plain", "c", []],
    ]);
    assert_eq!(json!(told), expected);
}

#[tokio::test]
async fn a_batch_answers_what_the_read_by_name_answers() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "Dear {{name}}").await;
    let results = batch(&test, json!([{ "category": "a", "name": "b", "variables": { "name": "Ada" } }])).await;
    assert_eq!(results[0], test.get(&format!("{PROMPTS}/search/a/b?name=Ada")).await.expect(200));
}

#[tokio::test]
async fn a_batch_has_1_to_100_items() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    let items = |count: usize| json!({ "items": vec![json!({ "category": "a", "name": "b" }); count] });
    let path = format!("{PROMPTS}/batch-get");
    for count in [0, 101] {
        assert_eq!(
            test.post(&path, items(count)).await.violations(),
            [("/items".to_owned(), "out-of-range".to_owned())]
        );
    }
    assert_eq!(test.post(&path, items(100)).await.expect(200)["results"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_where_it_is_no_batch() {
    let test = TestApp::api().await;
    for (body, pointer) in [
        (json!({}), "/items"),
        (json!({ "items": [{ "category": "a" }] }), "/items/0/name"),
        (json!({ "items": [{ "category": "a", "name": 1 }] }), "/items/0/name"),
        (json!({ "items": [{ "category": "a", "name": "b", "x": 1 }] }), "/items/0/x"),
        (json!({ "items": [["a", "b", null, null, null]] }), "/items/0"),
        (json!({ "items": {} }), "/items"),
    ] {
        let violations = test.post(&format!("{PROMPTS}/batch-get"), body.clone()).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}");
    }
}
