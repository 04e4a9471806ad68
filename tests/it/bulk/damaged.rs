//! One damaged version keeps nobody from all the others, and can be taken out of the way.
use serde_json::{Value, json};
use shared::db::Dialect;
use support::TestApp;

use super::{
    outcome, short,
    transfer::{export, import, lines},
};

/// A store with ten prompts of two versions each, of which the newest of the fourth is not what was written; and their ids.
async fn store() -> (TestApp, Vec<String>) {
    let test = TestApp::api().await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let made = test.prompt("c", &format!("prompt{number}"), "first content").await;
        let id = made["id"].as_str().unwrap().to_owned();
        let config = json!({ "content": "second {{x}}", "config": { "temperature": 0.5 } });
        test.put(&format!("/api/v1/prompts/{id}"), config).await.expect(200);
        ids.push(id);
    }
    damage(&test, "UPDATE versions SET content = 'sedond {{x}}'", &ids[3], 2).await;
    (test, ids)
}

/// As a failing disk does it, which asks no trigger.
async fn damage(test: &TestApp, update: &str, id: &str, version: i64) {
    let mut tx = test.app.begin(&support::caller()).await.unwrap();
    let (off, on) = match tx.dialect() {
        Dialect::Postgres => (
            "ALTER TABLE versions DISABLE TRIGGER versions_are_immutable".to_owned(),
            "ALTER TABLE versions ENABLE TRIGGER versions_are_immutable",
        ),
        Dialect::Sqlite => (
            "DROP TRIGGER versions_are_immutable".to_owned(),
            "CREATE TRIGGER versions_are_immutable BEFORE UPDATE ON versions
             BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END",
        ),
    };
    let update = format!("{update} WHERE prompt_id = '{id}' AND version = {version}");
    for statement in [off, update, on.to_owned()] {
        tx.execute(shared::db::AssertSqlSafe(statement), &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn at(id: &str) -> String {
    format!("/api/v1/prompts/{id}")
}

#[tokio::test]
async fn an_item_about_a_damaged_prompt_fails_alone() {
    let (test, ids) = store().await;
    let run = async |path: &str, body: Value| {
        let operation = test.put(path, body).await.expect(202);
        test.work().await;
        let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
        short(&outcome(&test, &path).await.1)
    };
    let expected = |last: &str| {
        let mut states = vec!["succeeded".to_owned(); 10];
        last.clone_into(&mut states[3]);
        states
    };
    let tags = json!({ "prompt_ids": ids, "tags_to_add": ["seen"] });
    assert_eq!(run("/api/v1/bulk/prompts/tags", tags).await, expected("failed storage-damaged"));
    let publish = json!({ "prompt_ids": ids, "status": "published" });
    assert_eq!(run("/api/v1/bulk/prompts/lifecycle", publish).await, expected("failed storage-damaged"));
    let patch = |patch: Value| {
        let items = ids.iter().map(|id| support::merged(json!({ "prompt_id": id }), patch.clone()));
        json!({ "prompts": items.collect::<Vec<Value>>() })
    };
    let described = run("/api/v1/bulk/prompts", patch(json!({ "description": "d" }))).await;
    assert_eq!(described, expected("failed storage-damaged"));
    let replaced = run("/api/v1/bulk/prompts", patch(json!({ "content": "third" }))).await;
    assert_eq!(replaced, expected("succeeded"), "what is damaged is replaced");
    assert_eq!(test.get(&at(&ids[3])).await.expect(200)["content"], "third");
}

#[tokio::test]
async fn lists_show_all_prompts_and_mark_the_damaged_one() {
    let (test, ids) = store().await;
    let marked = |list: &Value| -> Vec<Value> {
        let items = list["items"].as_array().unwrap().iter();
        items.filter(|item| item["damaged"] == true || item["prompt"]["damaged"] == true).cloned().collect()
    };
    let list = test.get("/api/v1/prompts?include=content").await.expect(200);
    assert_eq!((list["total"].as_i64(), marked(&list).len()), (Some(10), 1));
    let (damaged, sound) = (&marked(&list)[0], &list["items"][0]);
    assert_eq!(
        (damaged["id"].as_str(), &damaged["content"], &damaged["config"]),
        (Some(&*ids[3]), &json!(null), &json!({}))
    );
    assert_eq!((&sound["content"], &sound["damaged"]), (&json!("second {{x}}"), &json!(null)));
    let found = json!({ "query": "second", "include_content": true, "highlight": true });
    let found = test.post("/api/v1/prompts/search", found).await.expect(200);
    assert_eq!((found["total"].as_i64(), marked(&found).len()), (Some(10), 1));
    let versions = test.get(&format!("{}/versions", at(&ids[3]))).await.expect(200);
    assert_eq!((versions["total"].as_i64(), marked(&versions).len()), (Some(2), 1));
    assert_eq!(versions["items"][1]["content"], "first content");
    test.get(&at(&ids[3])).await.problem(503, "storage-damaged");
    test.get(&format!("{}/versions/2", at(&ids[3]))).await.problem(503, "storage-damaged");
    test.get("/api/v1/prompts/search/c/prompt3").await.problem(503, "storage-damaged");
}

#[tokio::test]
async fn a_row_that_cannot_even_be_read_as_json_is_damaged_too() {
    let (test, ids) = store().await;
    if test.app.db.read().await.unwrap().dialect() == Dialect::Postgres {
        // Its type JSON holds nothing else.
        return;
    }
    damage(&test, "UPDATE versions SET config = '{\"temp'", &ids[5], 2).await;
    let list = test.get("/api/v1/prompts").await.expect(200);
    let marked: Vec<&Value> = list["items"].as_array().unwrap().iter().filter(|it| it["damaged"] == true).collect();
    assert_eq!(
        (marked.len(), marked[0]["id"].as_str()),
        (1, Some(&*ids[5])),
        "without content nobody knows of the other"
    );
    test.get(&at(&ids[5])).await.problem(503, "storage-damaged");
    test.delete(&at(&ids[5])).await;
    assert_eq!(test.get("/api/v1/prompts").await.expect(200)["total"], 9);
}

#[tokio::test]
async fn an_export_goes_on_and_names_what_it_left_out() {
    let (test, ids) = store().await;
    for (from, to) in [(0, 3), (3, 1), (0, 1)] {
        let body = json!({ "target_prompt_id": ids[to], "relationship_type": "similar" });
        test.post(&format!("{}/relationships", at(&ids[from])), body).await.expect(201);
    }
    let exported = export(&test, "").await;

    let lines = lines(&exported);
    let of_kind = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((of_kind("prompt"), of_kind("left_out"), of_kind("relationship")), (9, 1, 1));
    let left_out = lines.iter().find(|line| line["kind"] == "left_out").unwrap();
    assert_eq!(
        left_out,
        &json!({ "kind": "left_out", "prompt_id": ids[3], "category": "c", "name": "prompt3", "damaged_version": 2 })
    );
    let told = shared::bulk::left_out(&left_out.to_string()).unwrap();
    assert!(told.contains("`c/prompt3`") && told.contains("version 2 is damaged"), "{told}");
    let target = TestApp::api().await;
    let (operation, _) = import(&target, "", exported.clone()).await;
    assert_eq!((&operation["successful_items"], &operation["failed_items"]), (&json!(10), &json!(1)));
    assert_eq!(operation["errors"][0]["code"], "left-out");
    let (foretold, _) = import(&TestApp::api().await, "?dry_run=true", exported).await;
    assert_eq!((&foretold["successful_items"], &foretold["failed_items"]), (&json!(10), &json!(1)));
}

#[tokio::test]
async fn a_damaged_prompt_can_be_given_new_content_rolled_back_relabelled_and_deleted() {
    let (test, ids) = store().await;
    let id = at(&ids[3]);
    // What says nothing of the content would keep what is damaged.
    test.put(&id, json!({ "name": "other" })).await.problem(503, "storage-damaged");
    test.put(&id, json!({ "config": {} })).await.problem(503, "storage-damaged");
    test.post(&format!("{id}/fork"), json!({ "new_name": "fork" })).await.problem(503, "storage-damaged");
    test.put(&format!("{id}/labels/production"), json!({ "version": 2 })).await.problem(503, "storage-damaged");
    let label = test.put(&format!("{id}/labels/production"), json!({ "version": 1 })).await.expect(200);
    assert_eq!(label["version"], 1);
    assert_eq!(test.get("/api/v1/prompts/search/c/prompt3").await.expect(200)["content"], "first content");

    let back = test.post(&format!("{id}/versions/1/rollback"), json!({})).await.expect(200);
    assert_eq!((&back["version"], &back["content"]), (&json!(3), &json!("first content")));
    damage(&test, "UPDATE versions SET content = 'x'", &ids[3], 3).await;
    test.post(&format!("{id}/versions/2/rollback"), json!({})).await.problem(503, "storage-damaged");
    // What is not given is what the newest sound version held; and the same text is a new version all the same.
    let given = test.put(&format!("{id}/content"), json!({ "content": "first content" })).await.expect(200);
    assert_eq!((&given["version"], &given["config"], &given["damaged"]), (&json!(4), &json!({}), &json!(null)));
    assert_eq!(test.get(&id).await.expect(200)["content"], "first content");

    damage(&test, "UPDATE versions SET content = 'x'", &ids[3], 4).await;
    assert_eq!(test.delete(&id).await.status, 204);
    let restored = test.post(&format!("{id}/restore"), json!({})).await.expect(200);
    assert_eq!((&restored["damaged"], &restored["content"]), (&json!(true), &json!(null)));
    test.get(&id).await.problem(503, "storage-damaged");
    test.post(&format!("{id}/versions/1/rollback"), json!({})).await.expect(200);
    assert_eq!(test.get(&id).await.expect(200)["content"], "first content");
}
