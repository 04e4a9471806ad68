//! A store, a backup and an export that a program wrote whose `mustache` and `fstring` knew names and nothing else: what they
//! hold renders, verifies and is brought in hash for hash.
//!
//! `answers.json` is what that program answered: of each version its hash, its variables, and its text filled with some values.
use std::io::Write;

use serde_json::{Value, json};
use support::{Engine, TestApp, engine};

use crate::bulk::transfer::{export, import};

const ANSWERS: &str = include_str!("answers.json");
const EXPORT: &str = include_str!("export.ndjson");
/// A backup, which is a store as well.
const BACKUP: &[u8] = include_bytes!("store.backup.gz");

/// Each version is served as it was, under the name that its format has now.
async fn serves_as_before(test: &TestApp) {
    let answers: Vec<Value> = serde_json::from_str(ANSWERS).unwrap();
    assert!(answers.len() >= 15, "{}", answers.len());
    for answer in answers {
        let (name, id) = (answer["name"].as_str().unwrap(), answer["id"].as_str().unwrap());
        let version = test.get(&format!("/api/v1/prompts/{id}/versions/{}", answer["version"])).await.expect(200);
        let format = match answer["format"].as_str().unwrap() {
            "mustache" => "simple",
            "fstring" => "simple_fstring",
            other => other,
        };
        assert_eq!(version["template_format"], format, "{name}");
        for key in ["content_hash", "variables"] {
            assert_eq!(version[key], answer[key], "{name}");
        }
        let asked = json!({ "version": answer["version"], "variables": answer["values"] });
        let served = test.post(&format!("/api/v1/prompts/search/old/{name}"), asked).await.expect(200);
        for key in ["filled_content", "filled_messages"] {
            assert_eq!(served[key], answer[key], "{name}");
        }
    }
    // It was served as it stands, comments and all.
    let tags = test.get("/api/v1/prompts/search/old/only-tags").await.expect(200);
    assert_eq!((&tags["filled_content"], &tags["is_template"]), (&json!("Give 3 ideas."), &json!(true)));
}

/// A change of the text keeps the rules it was written under, and goes on with the same hashes.
async fn goes_on_as_before(test: &TestApp) {
    let prompt = test.get("/api/v1/prompts/search/old/looks-like-sections").await.expect(200);
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    let changed = test.put(&path, json!({ "content": "{{#items}}{{name}}{{/items}}" })).await.expect(200);
    assert_eq!((&changed["template_format"], &changed["variables"]), (&json!("simple"), &json!(["name"])));
    for (format, least) in [("simple", 8), ("simple_fstring", 4), ("jinja2", 3)] {
        let found = test.post("/api/v1/prompts/search", json!({ "template_format": format })).await.expect(200);
        assert!(found["total"].as_i64().unwrap() >= least, "{format}: {found}");
    }
    let found = test.post("/api/v1/prompts/search", json!({ "template_format": "mustache" })).await.expect(200);
    assert_eq!(found["total"], 0);
}

#[tokio::test]
async fn a_store_and_a_backup_of_before_are_served_as_before() {
    if engine() != Engine::Sqlite {
        return; // A backup is a file of SQLite; what another engine is given is an export or a copy.
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let mut gzip = std::process::Command::new("gzip");
    let mut gzip = gzip
        .arg("-dc")
        .stdin(std::process::Stdio::piped())
        .stdout(std::fs::File::create(&file).unwrap())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(BACKUP).unwrap();
    assert!(gzip.wait().unwrap().success());
    let test = TestApp::brought_up_to_date(&file).await;
    serves_as_before(&test).await;
    let exported = String::from_utf8(export(&test, "").await).unwrap();
    let (before, now) = (lines(EXPORT), lines(&exported));
    for (before, now) in before.iter().zip(&now) {
        assert_eq!(before["versions"], now["versions"], "{}", before["name"]);
    }
    assert_eq!(before.len(), now.len());
    goes_on_as_before(&test).await;
}

#[tokio::test]
async fn an_export_of_before_is_brought_in_hash_for_hash() {
    let test = TestApp::api().await;
    // The clock of a test stands before that time, and what has happened is not in the future.
    test.advance(std::time::Duration::from_hours(24 * 365));
    let (operation, items) = import(&test, "", EXPORT).await;
    assert_eq!((&operation["status"], &operation["failed_items"]), (&json!("completed"), &json!(0)), "{items:?}");
    serves_as_before(&test).await;
    let exported = String::from_utf8(export(&test, "").await).unwrap();
    for (before, now) in lines(EXPORT).iter().zip(&lines(&exported)) {
        assert_eq!(before["versions"], now["versions"], "{}", before["name"]);
    }
    goes_on_as_before(&test).await;
}

fn lines(exported: &str) -> Vec<Value> {
    exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_version_of_today_carries_the_mark_of_its_engine() {
    let test = TestApp::api().await;
    let formats = [
        ("mustache", "{{#a}}x{{/a}}"),
        ("fstring", "{{ {a}"),
        ("jinja2", "{{ a }}"),
        ("simple", "{{a}}"),
        ("simple_fstring", "{a}"),
        ("none", "a"),
    ];
    for (format, content) in formats {
        let new = json!({ "category": "c", "name": format, "content": content, "template_format": format });
        assert_eq!(test.post("/api/v1/prompts", new).await.expect(201)["template_format"], format);
    }
    let exported = export(&test, "").await;
    let written = |name: &str| {
        let line =
            lines(std::str::from_utf8(&exported).unwrap()).into_iter().find(|line| line["name"] == name).unwrap();
        let version = &line["versions"][0];
        (version["template_format"].as_str().unwrap().to_owned(), version["template_engine"].as_i64())
    };
    assert_eq!(written("mustache"), ("mustache".to_owned(), Some(2)));
    assert_eq!(written("simple"), ("mustache".to_owned(), None));
    assert_eq!(written("fstring"), ("fstring".to_owned(), Some(2)));
    assert_eq!(written("simple_fstring"), ("fstring".to_owned(), None));
    let again = TestApp::api().await;
    let (operation, items) = import(&again, "", exported.clone()).await;
    assert_eq!((&operation["status"], &operation["failed_items"]), (&json!("completed"), &json!(0)), "{items:?}");
    assert_eq!(export(&again, "").await, exported);
    for (format, _) in formats {
        let found = test.get(&format!("/api/v1/prompts/search/c/{format}")).await.expect(200);
        assert_eq!(found["template_format"], format);
    }
    let unknown = String::from_utf8(exported).unwrap().replace("\"template_engine\":2", "\"template_engine\":3");
    let (_, items) = import(&TestApp::api().await, "", unknown).await;
    let refused = items.iter().filter(|item| item["state"] == "failed").count();
    assert_eq!(refused, 2, "{items:?}");
}
