//! Lines in and lines out: a half-broken file, and a store that is the same on the other side.
use axum::{
    body::{Body, Bytes},
    http::Method,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use support::{Reply, TestApp};

use super::{OPERATIONS, miscounted, outcome, prompts, short};

const IMPORT: &str = "/api/v1/bulk/import";
const EXPORT: &str = "/api/v1/bulk/export";
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

async fn send(test: &TestApp, query: &str, body: impl Into<Body>) -> Reply {
    test.request(Method::POST, &format!("{IMPORT}{query}"), &[NDJSON], body).await
}

/// Imports and works it: the operation and its items.
pub(crate) async fn import(test: &TestApp, query: &str, body: impl Into<Body>) -> (Value, Vec<Value>) {
    let reply = send(test, query, body).await;
    let path = reply.header("location").to_owned();
    assert_eq!(reply.expect(202)["operation_type"], "import");
    test.work().await;
    outcome(test, &path).await
}

pub(crate) async fn export(test: &TestApp, query: &str) -> Vec<u8> {
    let reply = test.get(&format!("{EXPORT}{query}")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/x-ndjson"));
    reply.bytes
}

pub(super) fn lines(exported: &[u8]) -> Vec<Value> {
    exported
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

async fn set(test: &TestApp, path: &str, body: Value) {
    test.put(&format!("/api/v1/prompts/{path}"), body).await.expect(200);
}

/// A store in which everything occurs that an export must bring over.
async fn full() -> TestApp {
    let test = TestApp::api().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let body = json!({
            "category": "a/b", "name": format!("p{number} „“ 提示"), "content": format!("Text {number} \u{7} {{{{x}}}}\n"),
            "tags": ["z", "a"], "description": "d", "config": { "z": 1.50, "a": [null, 1e3] }, "change_summary": "s",
        });
        ids.push(test.post("/api/v1/prompts", body).await.expect(201)["id"].as_str().unwrap().to_owned());
        test.advance(std::time::Duration::from_secs(1));
    }
    let [one, two, three, four, five] = &ids[..] else { unreachable!() };
    let chat = json!({ "messages": [{ "role": "system", "content": "be {{x}}" }, { "role": "user", "content": " " }] });
    set(&test, &format!("{one}/content"), chat).await;
    set(&test, one, json!({ "input_schema": { "x": { "type": "number", "default": 2.5 } }, "is_template": false }))
        .await;
    test.post(&format!("/api/v1/prompts/{one}/versions/1/rollback"), json!({})).await.expect(200);
    for version in [1, 2, 4] {
        set(&test, &format!("{one}/labels/production"), json!({ "version": version, "reason": "why" })).await;
    }
    set(&test, &format!("{one}/labels/gone"), json!({ "version": 1 })).await;
    test.delete(&format!("/api/v1/prompts/{one}/labels/gone")).await;
    set(&test, &format!("{two}/lifecycle"), json!({ "status": "published", "reason": "good" })).await;
    set(
        &test,
        &format!("{two}/lifecycle"),
        json!({ "status": "deprecated", "successor_id": five, "sunset_at": "2027-01-01T00:00:00Z" }),
    )
    .await;
    set(&test, &format!("{two}/lifecycle"), json!({ "status": "archived", "successor_id": three })).await;
    set(&test, two, json!({ "description": null })).await;
    test.post(&format!("/api/v1/prompts/{one}/fork"), json!({ "new_name": "fork" })).await.expect(201);
    for (source, target, kind) in [(one, two, "extends"), (five, one, "replaces"), (four, three, "similar")] {
        let body = json!({ "target_prompt_id": target, "relationship_type": kind, "strength": 0.25, "metadata": { "b": 1, "a": 2 } });
        test.post(&format!("/api/v1/prompts/{source}/relationships"), body).await.expect(201);
    }
    test.delete(&format!("/api/v1/prompts/{four}")).await;
    test
}

#[tokio::test]
async fn an_export_imported_into_an_empty_store_is_the_same_export() {
    let source = full().await;
    for query in ["", "?include_deleted=true"] {
        let first = export(&source, query).await;
        let target = TestApp::api().await;

        let (operation, _) = import(&target, "", first.clone()).await;

        assert_eq!(operation["status"], "completed", "{operation}");
        let second = export(&target, query).await;
        assert_eq!(String::from_utf8(second).unwrap(), String::from_utf8(first).unwrap(), "{query}");
    }
    let all = lines(&export(&source, "?include_deleted=true").await);
    let kinds: Vec<&str> = all.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    let expected = [vec!["prompt"; 6], vec!["successor"; 2], vec!["relationship"; 3]].concat();
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn an_imported_prompt_reads_like_the_one_it_was() {
    let (source, target) = (full().await, TestApp::api().await);
    import(&target, "", export(&source, "").await).await;
    let list = source.get("/api/v1/prompts?include=content&sort=name").await.expect(200);
    assert_eq!(target.get("/api/v1/prompts?include=content&sort=name").await.expect(200)["items"], list["items"]);
    for prompt in list["items"].as_array().unwrap() {
        let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
        for view in ["", "/versions", "/labels", "/labels/history", "/lifecycle/history", "/relationships"] {
            let path = format!("{path}{view}");
            assert_eq!(target.get(&path).await.body, source.get(&path).await.body, "{path}");
        }
    }
    assert_eq!(target.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.imported'").await, 7);
}

#[tokio::test]
async fn a_history_of_any_length_is_lossless_in_lines_of_bounded_length() {
    let source = TestApp::api().await;
    let made = source.prompt("c", "long", "first").await;
    let id = made["id"].as_str().unwrap();
    for content in ["x".repeat(200_000), "\n".repeat(512 * 1024), "\u{1}".repeat(512 * 1024), "é\"".repeat(170_000)] {
        set(&source, &format!("{id}/content"), json!({ "content": content })).await;
    }
    let chat = json!({ "messages": [{ "role": "user", "content": "\u{2}".repeat(400 * 1024) }] });
    set(&source, &format!("{id}/content"), chat).await;
    for version in 1..=6 {
        set(&source, &format!("{id}/labels/l"), json!({ "version": version, "reason": "\u{1}".repeat(4096) })).await;
    }
    set(&source, &format!("{id}/lifecycle"), json!({ "status": "published" })).await;
    let first = export(&source, "").await;
    let longest = first.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
    assert!(longest <= 1024 * 1024, "{longest}");
    assert!(lines(&first).len() > 3);

    let target = TestApp::api().await;
    let (operation, items) = import(&target, "", first.clone()).await;

    assert_eq!(operation["status"], "completed", "{items:?}");
    assert!(export(&target, "").await == first, "byte for byte");
    let again = short(&import(&target, "?on_conflict=skip", first).await.1);
    assert!(again.iter().all(|item| item.starts_with("skipped")), "{again:?}");
}

#[tokio::test]
async fn of_a_half_broken_file_the_good_lines_go_in_and_the_bad_ones_are_told_with_their_numbers() {
    let test = TestApp::api().await;
    test.prompt("c", "taken", "x").await;
    let long = format!(r#"{{"category":"c","name":"long","content":"{}"}}"#, "x".repeat(1024 * 1024));
    let file = [
        "\u{feff}{\"category\":\"c\",\"name\":\"one\",\"content\":\"1\"}",
        "",
        "not json",
        r#"{"category":"c","name":"two","content":"2"}"#,
        &long,
        r#"{"category":"c","name":"taken","content":"2"}"#,
        r#"{"category":"c","name":"one","content":"2"}"#,
        r#"{"category":"c","name":"x","name":"y","content":"2"}"#,
        r#"{"category":"c","name":"z","content":"z","extra":1}"#,
        "17",
        "   \r",
        r#"{"category":"c","name":"cut","content":"#,
        r#"{"kind":"relationship","relationship_type":"extends"}"#,
        r#"{"category":"c","name":"last","content":"no line break at the end"}"#,
    ]
    .join("\n");

    let (operation, items) = import(&test, "", file.clone()).await;

    assert_eq!(operation["status"], "completed_with_errors");
    let told: Vec<(i64, &str)> = operation["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["line"].as_i64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "json-syntax"),
            (5, "too-long"),
            (6, "prompt-name-taken"),
            (7, "duplicate"),
            (8, "duplicate-key"),
            (9, "validation-failed"),
            (10, "validation-failed"),
            (12, "json-syntax"),
            (13, "validation-failed"),
        ]
    );
    assert_eq!(operation["errors"][3]["detail"], "line 1 of this request has the same category and name");
    assert_eq!((items.len(), items[0]["line"].as_i64(), prompts(&test).await), (12, Some(1), 4));
    let path = format!("{OPERATIONS}/{}", operation["id"].as_str().unwrap());
    test.post(&format!("{path}/retry"), json!({})).await.expect(202);
    test.work().await;
    let (again, _) = outcome(&test, &path).await;
    assert_eq!(again["failed_items"], 9, "a line that could not be read cannot be tried again, and counts");

    let dry = TestApp::api().await;
    dry.prompt("c", "taken", "x").await;
    let (foretold, _) = import(&dry, "?dry_run=true", file).await;
    assert_eq!((&foretold["errors"], prompts(&dry).await), (&operation["errors"], 1));
}

#[tokio::test]
async fn what_is_there_already_fails_is_passed_over_or_becomes_what_the_line_says() {
    let source = full().await;
    let exported = export(&source, "").await;
    let first = source.get("/api/v1/prompts?sort=created_at").await.expect(200)["items"][0].clone();
    let id = first["id"].as_str().unwrap();
    for (query, state) in [("", "failed"), ("?on_conflict=skip", "skipped"), ("?on_conflict=update", "skipped")] {
        let (_, items) = import(&source, query, exported.clone()).await;
        let states = short(&items);
        // What points from one prompt to another is known already, whatever is asked for.
        assert!(states[..5].iter().all(|it| it.starts_with(state)), "{query}: {states:?}");
        assert!(export(&source, "").await == exported, "{query}: nothing has changed");
    }
    set(&source, &format!("{id}/content"), json!({ "content": "newer" })).await;
    let (_, items) = import(&source, "?on_conflict=update", exported).await;
    assert_eq!(short(&items)[0], "succeeded");
    let prompt = source.get(&format!("/api/v1/prompts/{id}")).await.expect(200);
    assert_eq!((prompt["version"].as_i64(), prompt["content"].as_str()), (Some(6), Some("Text 0 \u{7} {{x}}\n")));
}

#[tokio::test]
async fn a_line_of_an_export_that_was_tampered_with_leaves_nothing() {
    let source = full().await;
    let good = lines(&export(&source, "").await).remove(0);
    let tampered = |change: &dyn Fn(&mut Value)| {
        let mut line = good.clone();
        change(&mut line);
        format!("{line}\n")
    };
    let file: String = [
        tampered(&|line| line["versions"][1]["content_hash"] = json!("0")),
        tampered(&|line| line["versions"][0]["content"] = json!("other")),
        tampered(&|line| line["versions"][2]["version"] = json!(7)),
        tampered(&|line| line["label_history"][0]["to_version"] = json!(9)),
        tampered(&|line| line["label_history"][0]["label"] = json!("latest")),
        tampered(&|line| line["name"] = json!(" not as it is kept ")),
        tampered(&|line| line["revision"] = json!(0)),
        tampered(&|line| line["id"] = json!("prm_1")),
        tampered(&|line| line["colour"] = json!("red")),
        tampered(&|line| line["lifecycle_history"] = json!([{ "sequence": 1 }])),
        tampered(&|line| {
            line["versions"].as_array_mut().unwrap().remove(0);
        }),
    ]
    .concat();
    let target = TestApp::api().await;

    let (operation, items) = import(&target, "", file).await;

    assert_eq!(operation["failed_items"], 11, "{items:?}");
    for table in ["prompts", "versions", "labels", "label_moves", "prompt_tags", "lifecycle_changes"] {
        let mut conn = target.app.db.read().await.unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        let (rows,): (i64,) = conn.fetch_one(shared::db::AssertSqlSafe(count), &[]).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn an_export_can_be_of_some_prompts_only() {
    let source = full().await;
    let names = async |query: &str| -> Vec<String> {
        let lines = lines(&export(&source, query).await);
        let prompts = lines.iter().filter(|line| line["kind"] == "prompt");
        prompts.map(|line| line["name"].as_str().unwrap().split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names("?category=a/*").await, ["p0", "p1", "p2", "p4", "fork"]);
    assert_eq!(names("?lifecycle_status=archived").await, ["p1"]);
    assert_eq!(names("?label=production&tag=z").await, ["p0"]);
    assert_eq!(names("?category=none").await, Vec::<String>::new());
    for (query, pointer) in [("?colour=red", "/colour"), ("?lifecycle_status=gone", "/lifecycle_status")] {
        assert_eq!(source.get(&format!("{EXPORT}{query}")).await.violations()[0].0, pointer);
    }
}

#[tokio::test]
async fn lines_become_items_as_they_arrive_and_nothing_is_worked_before_the_last() {
    let test = TestApp::with(&["--stream-idle-ms", "200"]).await;
    let line = |number: usize| format!("{{\"category\":\"c\",\"name\":\"{number}\",\"content\":\"x\"}}\n");
    // Cut where no line ends.
    let text: String = (0..1000).map(line).collect();
    let chunks = |most| {
        let chunks: Vec<_> = text.as_bytes().chunks(777).take(most).map(Bytes::copy_from_slice).collect();
        stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>))
    };
    let (operation, _) = import(&test, "", Body::from_stream(chunks(usize::MAX))).await;
    assert_eq!((&operation["status"], operation["total_items"].as_i64()), (&json!("completed"), Some(1000)));

    let broken = chunks(50).chain(stream::iter([Err(std::io::Error::other("gone"))]));
    assert_eq!(send(&test, "", Body::from_stream(broken)).await.code(400), "body-broken");
    let silent = chunks(50).chain(stream::pending());
    assert_eq!(send(&test, "", Body::from_stream(silent)).await.code(408), "body-timeout");
    test.work().await;

    assert_eq!(prompts(&test).await, 1000);
    let failed = test.get(&format!("{OPERATIONS}?status=failed")).await.expect(200);
    assert_eq!(failed["total"], 2);
    assert!(
        failed["items"].as_array().unwrap().iter().all(|it| it["error"].is_string() && it["finished_at"].is_string())
    );
    assert_eq!(miscounted(&test).await, 0);
    assert_eq!(import(&test, "", "").await.0["total_items"], 0);
}

#[tokio::test]
async fn an_import_whose_sender_is_gone_without_a_word_ends_after_a_while() {
    let test = TestApp::api().await;
    let begun = shared::bulk::Import::begin(&test.app, &support::caller(), shared::bulk::OnConflict::default(), false)
        .await
        .unwrap();
    drop(begun);
    assert_eq!(shared::bulk::end_abandoned(&test.app, &support::caller()).await.unwrap(), 0);
    test.advance(std::time::Duration::from_mins(6));
    assert_eq!(shared::bulk::end_abandoned(&test.app, &support::caller()).await.unwrap(), 1);
    assert_eq!(test.get(&format!("{OPERATIONS}?status=failed")).await.expect(200)["total"], 1);
}

#[tokio::test]
async fn an_import_sent_twice_with_one_key_is_one_operation() {
    let test = TestApp::api().await;
    let again =
        async |body: &'static str| test.request(Method::POST, IMPORT, &[NDJSON, ("idempotency-key", "k")], body).await;
    let (one, other) = (r#"{"category":"c","name":"1","content":"x"}"#, r#"{"category":"c","name":"2","content":"x"}"#);
    let first = again(one).await.expect(202);
    let second = again(one).await;
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.expect(202), first);
    assert_eq!(again(other).await.code(422), "idempotency-mismatch");
    test.work().await;
    assert_eq!(
        (prompts(&test).await, test.count("SELECT count(*) FROM bulk_items WHERE state = 'succeeded'").await),
        (1, 1)
    );
    let unfinished = "SELECT count(*) FROM bulk_operations WHERE status IN ('pending', 'processing')";
    assert_eq!(test.count(unfinished).await, 0);
}

#[tokio::test]
async fn an_import_says_that_it_is_lines_of_json() {
    let test = TestApp::api().await;
    for (headers, status) in [
        (vec![("content-type", "application/jsonl; charset=utf-8")], 202),
        (vec![], 202),
        (vec![("content-type", "text/csv")], 415),
        (vec![("origin", "http://evil")], 415),
    ] {
        let reply = test.request(Method::POST, IMPORT, &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}");
    }
    for (query, pointer) in [("?on_conflict=x", "/on_conflict"), ("?dry_run=x", "/dry_run"), ("?x=1", "/x")] {
        assert_eq!(send(&test, query, "").await.violations()[0].0, pointer);
    }
}
