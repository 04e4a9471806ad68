//! A change is found at once, by whoever searches, and what it replaced is not found any more.
use serde_json::{Value, json};
use support::{TestApp, until};

use super::{at, facet, found, made, names, search};

/// Nobody.
const NONE: [&str; 0] = [];

async fn one(test: &TestApp, prompt: Value) -> (Value, String) {
    let made = made(test, &[prompt]).await.remove(0);
    let path = at(&made);
    (made, path)
}

#[tokio::test]
async fn a_new_name_description_and_content_are_found_and_the_old_are_not() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "zorbek", "description": "flimdal", "content": "quaxunt" })).await;
    for (body, old, new) in [
        (json!({ "name": "brivoch" }), "zorbek", "brivoch"),
        (json!({ "description": "jelpomi" }), "flimdal", "jelpomi"),
        (json!({ "description": null }), "jelpomi", "brivoch"),
        (json!({ "content": "wyndust" }), "quaxunt", "wyndust"),
        (json!({ "tags": ["skarnof"] }), "quaxunt", "skarnof"),
        (json!({ "tags": [] }), "skarnof", "wyndust"),
    ] {
        test.put(&path, body.clone()).await.expect(200);
        assert_eq!(found(&test, new).await, ["brivoch"], "{body}");
        assert_eq!(found(&test, old).await, NONE, "{body}");
    }
    test.put(&format!("{path}/content"), json!({ "content": "thuglavi" })).await.expect(200);
    assert_eq!((found(&test, "thuglavi").await, found(&test, "wyndust").await), (vec!["brivoch".to_owned()], vec![]));
    let messages = json!([{ "role": "user", "content": "quaxunt" }]);
    test.put(&path, json!({ "messages": messages })).await.expect(200);
    assert_eq!((found(&test, "quaxunt").await, found(&test, "thuglavi").await), (vec!["brivoch".to_owned()], vec![]));
}

#[tokio::test]
async fn a_rollback_is_found_by_what_it_brought_back() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek" })).await;
    test.put(&format!("{path}/content"), json!({ "content": "flimdal" })).await.expect(200);
    test.post(&format!("{path}/versions/1/rollback"), json!({})).await.expect(200);
    assert_eq!((found(&test, "zorbek").await, found(&test, "flimdal").await), (vec!["n".to_owned()], vec![]));
}

#[tokio::test]
async fn a_fork_is_found_beside_its_parent() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek" })).await;
    test.post(&format!("{path}/fork"), json!({ "new_name": "m", "category": "other" })).await.expect(201);
    assert_eq!(found(&test, "zorbek").await, ["m", "n"]);
    assert_eq!(found(&test, "zorbek category:other").await, ["m"]);
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_hits_and_facets_until_it_is_restored() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek", "tags": ["red"] })).await;
    made(&test, &[json!({ "name": "m", "content": "zorbek" })]).await;
    let asked = json!({ "query": "zorbek", "facets": ["tags", "category"] });
    test.delete(&path).await.expect(204);
    let answer = search(&test, asked.clone()).await;
    assert_eq!(names(&answer), ["m"]);
    assert_eq!((facet(&answer, "tags").len(), facet(&answer, "category")["c"]), (0, 1));
    assert_eq!(found(&test, "tag:red").await, NONE);
    test.post(&format!("{path}/restore"), json!({})).await.expect(200);
    let answer = search(&test, asked).await;
    assert_eq!((facet(&answer, "tags")["red"], facet(&answer, "category")["c"]), (1, 2));
    assert_eq!(found(&test, "zorbek").await, ["m", "n"]);
}

#[tokio::test]
async fn tags_labels_status_category_and_format_move_at_once() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "one", "content": "zorbek {{x}}", "tags": ["red"] })).await;
    test.put(&path, json!({ "tags": ["blue"], "category": "d/e", "template_format": "jinja2" })).await.expect(200);
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    test.put(&format!("{path}/lifecycle"), json!({ "status": "published" })).await.expect(200);
    for filter in ["tag:blue", "category:d/*", "format:jinja2", "label:production", "status:published"] {
        assert_eq!(found(&test, &format!("zorbek {filter}")).await, ["one"], "{filter}");
    }
    for filter in ["tag:red", "category:c", "format:mustache", "label:staging", "status:draft"] {
        assert_eq!(found(&test, &format!("zorbek {filter}")).await, NONE, "{filter}");
    }
    test.delete(&format!("{path}/labels/production")).await;
    assert_eq!(found(&test, "zorbek label:production").await, NONE);
    let answer =
        search(&test, json!({ "query": "zorbek", "facets": ["lifecycle_status", "labels", "category"] })).await;
    assert_eq!((facet(&answer, "lifecycle_status")["published"], facet(&answer, "labels").len()), (1, 0));
    assert_eq!(answer["items"][0]["prompt"]["lifecycle_status"], "published");
}

#[tokio::test]
async fn a_variable_is_a_filter_as_long_as_the_prompt_has_it() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek {{first}}" })).await;
    assert_eq!(found(&test, "zorbek variable:first").await, ["n"]);
    test.put(&path, json!({ "content": "zorbek {{second}}" })).await.expect(200);
    assert_eq!(found(&test, "zorbek variable:first").await, NONE);
    assert_eq!(found(&test, "variable:second").await, ["n"]);
}

#[tokio::test]
async fn many_at_once_are_found_when_they_are_written() {
    let test = TestApp::api().await;
    let row = |number: usize| json!({ "category": "c", "name": format!("n{number:03}"), "content": "zorbek" });
    let rows: Vec<Value> = (0..150).map(row).collect();
    test.post("/api/v1/bulk/prompts", json!(rows)).await.expect(202);
    test.work().await;
    let answer = search(&test, json!({ "query": "zorbek", "facets": ["category"] })).await;
    assert_eq!((&answer["total"], facet(&answer, "category")["c"]), (&json!(150), 150));
    let tagged = |number: usize| {
        let mut row = row(number);
        row["tags"] = json!(["swept"]);
        row
    };
    let update = json!({ "prompts": (0..40).map(tagged).collect::<Vec<_>>(), "on_conflict": "update" });
    test.post("/api/v1/bulk/prompts", update).await.expect(202);
    test.work().await;
    assert_eq!(search(&test, json!({ "query": "zorbek tag:swept" })).await["total"], 40);
}

#[tokio::test]
async fn another_process_finds_a_change_at_once_and_spells_as_this_one_does_soon() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek", "tags": ["red"] })).await;
    let other = test.another().await;
    assert_eq!(found(&other, "zorbek").await, ["n"]);
    test.put(&path, json!({ "content": "lighthouse", "tags": ["blue"] })).await.expect(200);
    for app in [&test, &other] {
        assert_eq!(found(app, "zorbek").await, NONE);
        assert_eq!(found(app, "lighthouse tag:blue").await, ["n"]);
        // Words are learnt soon, not at once.
        until("the word is known to whoever spells", async || (found(app, "lighthuose").await == ["n"]).then_some(()))
            .await;
        let answer = search(app, json!({ "query": "lighthouse", "facets": ["tags"] })).await;
        assert_eq!(facet(&answer, "tags").into_keys().collect::<Vec<_>>(), ["blue"]);
    }
    other.delete(&path).await.expect(204);
    for app in [&test, &other] {
        assert_eq!(found(app, "lighthouse").await, NONE);
        assert_eq!(found(app, "lighthuose").await, NONE);
    }
}

#[tokio::test]
async fn what_failed_is_not_found() {
    let test = TestApp::api().await;
    let (_, path) = one(&test, json!({ "name": "n", "content": "zorbek" })).await;
    made(&test, &[json!({ "name": "taken" })]).await;
    let clash = json!({ "name": "taken", "content": "flimdal" });
    assert_eq!(test.put(&path, clash).await.code(409), "prompt-name-taken");
    assert_eq!((found(&test, "flimdal").await, found(&test, "zorbek").await), (vec![], vec!["n".to_owned()]));
}
