//! What a line of an export says of the past is looked at, not believed.
use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use support::TestApp;

use super::{
    prompts, short,
    transfer::{export, import, lines},
};

fn file(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A line with two versions, three moves of labels and two changes of status.
async fn line() -> Value {
    let test = TestApp::api().await;
    let id = test.prompt("c", "claimed", "the first content").await["id"].as_str().unwrap().to_owned();
    let put = async |path: &str, body: Value| {
        test.put(&format!("/api/v1/prompts/{id}{path}"), body).await.expect(200);
    };
    put("/content", json!({ "content": "the second content" })).await;
    put("/labels/production", json!({ "version": 1 })).await;
    put("/labels/production", json!({ "version": 2 })).await;
    put("/labels/gone", json!({ "version": 1 })).await;
    test.delete(&format!("/api/v1/prompts/{id}/labels/gone")).await;
    put("/lifecycle", json!({ "status": "published" })).await;
    put("/lifecycle", json!({ "status": "deprecated" })).await;
    lines(&export(&test, "").await).remove(0)
}

#[tokio::test]
async fn what_cannot_have_been_so_is_refused_and_leaves_nothing() {
    type Change = (&'static str, Value);
    const LATER: &str = "2099-01-01T00:00:00.000Z";
    let good = line().await;
    let changes: Vec<Change> = vec![
        ("/revision", json!(i64::MAX)),
        ("/revision", json!(1_000_000_000_001_i64)),
        ("/version", json!(1)),
        ("/created_by", json!("a\u{202e}b")),
        ("/created_by", json!("")),
        ("/created_at", json!(LATER)),
        ("/updated_at", json!(LATER)),
        ("/deleted_at", json!(LATER)),
        ("/parent_version", json!(1)),
        ("/versions/0/created_at", json!(LATER)),
        ("/versions/1/created_by", json!("a\0")),
        ("/versions/0/content_base64", json!("eA==")),
        ("/label_history/0/from_version", json!(2)),
        ("/label_history/1/from_version", json!(null)),
        ("/label_history/1/from_version", json!(2)),
        ("/label_history/1/to_version", json!(1)),
        ("/label_history/2/to_version", json!(null)),
        ("/label_history/3/from_version", json!(2)),
        ("/label_history/0/moved_at", json!(LATER)),
        ("/label_history/0/moved_by", json!("")),
        ("/label_history/0/reason", json!("x".repeat(4097))),
        ("/label_history/0/colour", json!("red")),
        ("/lifecycle_history/0/version", json!(3)),
        ("/lifecycle_history/0/transition_timestamp", json!(LATER)),
        ("/lifecycle_history/0/sunset_at", json!(LATER)),
        ("/lifecycle_history/1/updated_by", json!(" x")),
        ("/lifecycle_history/1/successor_id", good["id"].clone()),
        ("/lifecycle_history/1/colour", json!("red")),
    ];
    let tampered = |(pointer, value): &Change| {
        let mut line = good.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        line.pointer_mut(parent).unwrap()[field] = value.clone();
        line
    };
    let test = TestApp::api().await;

    let (_, items) = import(&test, "", file(&changes.iter().map(tampered).collect::<Vec<_>>())).await;

    for (item, (pointer, value)) in items.iter().zip(&changes) {
        assert_eq!(item["state"], "failed", "{pointer} = {value}");
        assert_eq!(item["code"], "validation-failed", "{pointer} = {value}: {item}");
    }
    assert_eq!((items.len(), prompts(&test).await), (changes.len(), 0));
    assert_eq!(test.count("SELECT count(*) FROM label_moves").await, 0);
    let (operation, _) = import(&test, "", file(&[good])).await;
    assert_eq!(operation["status"], "completed", "as it was, it is taken");
}

#[tokio::test]
async fn more_of_a_prompt_raises_its_revision_whatever_the_line_says() {
    for said in [1, 2, 7] {
        let test = TestApp::api().await;
        let made = test.prompt("c", "followed", "as it was read").await;
        let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
        let mut line = lines(&export(&test, "").await).remove(0);
        line["version"] = json!(2);
        line["revision"] = json!(said);
        let version = &mut line["versions"][0];
        version["id"] = json!("ver_01J9Z3N5T8QWERTYASDFGHZXCV");
        (version["version"], version["content"]) = (json!(2), json!("what came behind it"));
        version.as_object_mut().unwrap().remove("content_hash");

        let (operation, items) = import(&test, "", file(&[line.clone()])).await;

        assert_eq!(operation["status"], "completed", "{items:?}");
        let with = async |method: Method, header: &str, body: &'static str| {
            let headers = [(header, "\"1\""), ("content-type", "application/json")];
            test.request(method, &path, &headers, Body::from(body)).await
        };
        let read = with(Method::GET, "if-none-match", "").await;
        assert_eq!(read.header("etag"), format!("\"{}\"", said.max(2)));
        assert_eq!(read.expect(200)["content"], "what came behind it");
        let stale = with(Method::PUT, "if-match", r#"{"name": "lost update"}"#).await;
        assert_eq!(stale.code(412), "version-mismatch");
        let (_, again) = import(&test, "", file(&[line])).await;
        assert_eq!(short(&again), ["failed does-not-follow"]);
        test.put(&path, json!({ "name": "still writable" })).await.expect(200);
    }
}

#[tokio::test]
async fn a_line_that_was_edited_is_taken_without_its_hash() {
    let mut edited = line().await;
    edited["versions"][1]["content"] = json!("edited by hand");
    let test = TestApp::api().await;
    let (operation, items) = import(&test, "", file(&[edited.clone()])).await;
    assert_eq!(short(&items), ["failed validation-failed"]);
    let detail = operation["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("leave the hash out"), "{detail}");

    edited["versions"][1].as_object_mut().unwrap().remove("content_hash");
    let (operation, items) = import(&test, "", file(&[edited])).await;

    assert_eq!(operation["status"], "completed", "{items:?}");
    let list = test.get("/api/v1/prompts?include=content").await.expect(200);
    assert_eq!(list["items"][0]["content"], "edited by hand");
    let again = lines(&export(&test, "").await).remove(0);
    assert_eq!(again["versions"][1]["content_hash"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn an_export_of_some_prompts_points_at_none_of_the_others() {
    let source = TestApp::api().await;
    let mut ids = Vec::new();
    for (category, name) in [("a", "one"), ("a", "two"), ("b", "three")] {
        let made = source.prompt(category, name, "content of a prompt").await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let [one, two, three] = &ids[..] else { unreachable!() };
    for (from, to) in [(one, two), (one, three), (three, one)] {
        let body = json!({ "target_prompt_id": to, "relationship_type": "similar" });
        source.post(&format!("/api/v1/prompts/{from}/relationships"), body).await.expect(201);
    }
    for (status, successor) in [("published", None), ("deprecated", Some(three)), ("archived", Some(two))] {
        let body = json!({ "status": status, "successor_id": successor });
        source.put(&format!("/api/v1/prompts/{one}/lifecycle"), body).await.expect(200);
    }
    let fork = json!({ "new_name": "fork", "category": "a" });
    source.post(&format!("/api/v1/prompts/{three}/fork"), fork).await.expect(201);

    let exported = export(&source, "?category=a").await;

    let kinds: Vec<Value> = lines(&exported).iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["prompt", "prompt", "prompt", "successor", "relationship"]);
    assert!(!String::from_utf8(exported.clone()).unwrap().contains(three.as_str()));
    let target = TestApp::api().await;
    let (operation, items) = import(&target, "", exported.clone()).await;
    assert_eq!(operation["status"], "completed", "{items:?}");
    assert!(export(&target, "?category=a").await == exported, "byte for byte");
}

#[tokio::test]
async fn a_successor_is_another_prompt_of_one_that_has_ended() {
    let (good, test) = (line().await, TestApp::api().await);
    let other = test.prompt("c", "other", "x").await["id"].clone();
    let successor = |sequence: i64, id: &Value| json!({ "kind": "successor", "prompt_id": good["id"], "sequence": sequence, "successor_id": id });
    let file = file(&[good.clone(), successor(1, &other), successor(2, &good["id"]), successor(2, &other)]);

    let (_, items) = import(&test, "", file).await;

    let expected = ["succeeded", "failed validation-failed", "failed validation-failed", "succeeded"];
    assert_eq!(short(&items), expected);
}
