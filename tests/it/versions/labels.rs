//! Labels point at versions, are moved in one step, and remember where they pointed.
use std::time::Duration;

use serde_json::{Value, json};
use support::{BEGINNING, TestApp};

use super::{MISSING, PROMPTS, with_contents};

async fn set(test: &TestApp, path: &str, label: &str, version: i64) -> Value {
    test.put(&format!("{path}/labels/{label}"), json!({ "version": version })).await.expect(200)
}

#[tokio::test]
async fn a_label_is_set_moved_and_taken_away() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;

    let label = set(&test, &path, "production", 1).await;
    let expected = json!({ "label": "production", "version": 1, "updated_by": "anonymous", "updated_at": BEGINNING });
    assert_eq!(label, expected);
    assert_eq!(test.get(&path).await.expect(200)["labels"], json!({ "production": 1 }));

    set(&test, &path, "production", 2).await;
    assert_eq!(test.get(&path).await.expect(200)["labels"], json!({ "production": 2 }));

    test.delete(&format!("{path}/labels/production")).await.expect(204);
    assert_eq!(test.get(&path).await.expect(200)["labels"], json!({}));
}

#[tokio::test]
async fn every_move_raises_the_revision_and_makes_no_version() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    test.advance(Duration::from_secs(1));
    set(&test, &path, "a", 1).await;
    let moved = test.get(&path).await.expect(200);
    assert_eq!((&moved["revision"], &moved["version"]), (&json!(2), &json!(1)));
    assert_eq!(moved["updated_at"], test.now().to_string());
    test.delete(&format!("{path}/labels/a")).await.expect(204);
    assert_eq!(test.get(&path).await.expect(200)["revision"], 3);
}

#[tokio::test]
async fn a_label_that_points_there_already_does_not_move() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    let label = set(&test, &path, "a", 1).await;
    test.advance(Duration::from_secs(1));
    assert_eq!(set(&test, &path, "a", 1).await, label);
    assert_eq!(test.get(&path).await.expect(200)["revision"], 2);
    assert_eq!(test.get(&format!("{path}/labels/history")).await.expect(200)["total"], 1);
}

#[tokio::test]
async fn the_history_of_labels_says_who_when_from_where_to_where_and_why() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;
    set(&test, &path, "a", 1).await;
    test.advance(Duration::from_secs(1));
    test.put(&format!("{path}/labels/a"), json!({ "version": 2, "reason": "two is good" })).await.expect(200);
    set(&test, &path, "b", 1).await;
    test.delete(&format!("{path}/labels/a")).await.expect(204);

    let page = test.get(&format!("{path}/labels/history")).await.expect(200);

    let step = |sequence: i64, label: &str, from: Value, to: Value, reason: Value, at: &str| {
        json!({
            "sequence": sequence, "label": label, "from_version": from, "to_version": to, "reason": reason,
            "moved_by": "anonymous", "moved_at": at,
        })
    };
    let later = test.now().to_string();
    let expected = json!([
        step(4, "a", json!(2), Value::Null, Value::Null, &later),
        step(3, "b", Value::Null, json!(1), Value::Null, &later),
        step(2, "a", json!(1), json!(2), json!("two is good"), &later),
        step(1, "a", Value::Null, json!(1), Value::Null, BEGINNING),
    ]);
    assert_eq!(page["items"], expected);
}

#[tokio::test]
async fn labels_are_listed_by_name_and_walked_by_cursor() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for label in ["c", "a", "b"] {
        set(&test, &path, label, 1).await;
    }
    for (list, key, expected) in [("labels", "label", "a b c"), ("labels/history", "label", "b a c")] {
        let (mut met, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = test.get(&format!("{path}/{list}?limit=2{cursor}")).await.expect(200);
            met.extend(page["items"].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(met.join(" "), expected, "{list}");
    }
}

#[tokio::test]
async fn latest_is_reserved() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    let reserved = [("/label".to_owned(), "reserved".to_owned())];
    let set = test.put(&format!("{path}/labels/latest"), json!({ "version": 1 })).await;
    assert_eq!(set.violations(), reserved);
    assert_eq!(test.delete(&format!("{path}/labels/latest")).await.violations(), reserved);
}

#[tokio::test]
async fn a_label_has_a_pattern() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    let long = "x".repeat(37);
    for label in ["Production", "a%20b", "%C3%A9", "a%2Fb", "a%00", "%27%3B--", &long] {
        let violations = test.put(&format!("{path}/labels/{label}"), json!({ "version": 1 })).await.violations();
        assert_eq!(violations, [("/label".to_owned(), "pattern".to_owned())], "{label}");
    }
    for label in ["a", "v1.2_rc-3", &long[1..], "0"] {
        set(&test, &path, label, 1).await;
    }
}

#[tokio::test]
async fn a_label_points_at_a_version_that_is_there() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for (body, pointer) in [
        (json!({ "version": 2 }), "/version"),
        (json!({ "version": 0 }), "/version"),
        (json!({ "version": "1" }), "/version"),
        (json!({ "version": 1.5 }), "/version"),
        (json!({}), "/version"),
        (json!({ "version": 1, "reason": "x".repeat(4097) }), "/reason"),
        (json!({ "version": 1, "label": "x" }), "/label"),
    ] {
        let violations = test.put(&format!("{path}/labels/a"), body.clone()).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}");
    }
    assert_eq!(test.count("SELECT count(*) FROM label_moves").await, 0);
    let missing = format!("{MISSING}/labels/a");
    assert_eq!(test.put(&missing, json!({ "version": 1 })).await.code(404), "not-found");
}

#[tokio::test]
async fn a_label_that_is_not_there_cannot_be_taken_away() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one"]).await;
    for path in [format!("{path}/labels/a"), format!("{MISSING}/labels/a")] {
        assert_eq!(test.delete(&path).await.code(404), "not-found");
    }
    assert_eq!(test.get(&path).await.expect(200)["revision"], 1);
}

#[tokio::test]
async fn production_is_what_is_served_by_name() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["one", "two"]).await;
    let named = format!("{PROMPTS}/search/a/b");
    let served = async |query: &str| {
        let served = test.get(&format!("{named}{query}")).await.expect(200);
        (served["filled_content"].clone(), served["served"].clone())
    };
    let why = |version: i64, label: Option<&str>, reason: &str| json!({ "version": version, "label": label, "reason": reason });
    assert_eq!(served("").await, (json!("two"), why(2, None, "latest")));
    set(&test, &path, "production", 1).await;
    set(&test, &path, "staging", 2).await;
    assert_eq!(served("").await, (json!("one"), why(1, Some("production"), "production")));
    assert_eq!(served("?label=staging").await, (json!("two"), why(2, Some("staging"), "label")));
    assert_eq!(served("?label=latest").await.0, "two");
    assert_eq!(served("?version=1").await, (json!("one"), why(1, None, "version")));
    assert_eq!(test.get(&path).await.expect(200)["content"], "two");
    test.delete(&format!("{path}/labels/production")).await.expect(204);
    assert_eq!(served("").await, (json!("two"), why(2, None, "latest")));
}

#[tokio::test]
async fn what_production_points_at_is_filled_if_that_is_a_template() {
    let test = TestApp::api().await;
    let path = with_contents(&test, &["Dear {{name}}", "Dear reader"]).await;
    set(&test, &path, "production", 1).await;

    let served = test.get(&format!("{PROMPTS}/search/a/b?name=Ada")).await.expect(200);
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("Dear Ada"), &json!([])));
    let unfilled = test.get(&format!("{PROMPTS}/search/a/b")).await.expect(200);
    assert_eq!((&unfilled["filled_content"], &unfilled["is_template"]), (&Value::Null, &json!(true)));
    let newest = test.get(&format!("{PROMPTS}/search/a/b?label=latest&name=Ada")).await.expect(200);
    assert_eq!((&newest["filled_content"], &newest["unused"]), (&json!("Dear reader"), &json!(["name"])));
}
