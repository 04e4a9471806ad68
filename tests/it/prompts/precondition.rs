//! `If-Match` and `If-None-Match`: nobody overwrites what they have not read, and nobody reads the same twice.
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use support::{Reply, TestApp};

use super::{PROMPTS, again, at};

/// A method, what follows the path of the prompt, and a body.
type Write = (Method, &'static str, &'static str);

/// Every way to write to a prompt that is there.
const WRITES: [Write; 6] = [
    (Method::PUT, "", r#"{"description": "new"}"#),
    (Method::PUT, "/content", r#"{"content": "new"}"#),
    (Method::PUT, "/labels/production", r#"{"version": 1}"#),
    (Method::DELETE, "/labels/old", ""),
    (Method::POST, "/versions/1/rollback", "{}"),
    (Method::DELETE, "", ""),
];

/// A prompt at version 2, labelled `old`, at revision 3.
async fn labelled(test: &TestApp, headers: &[(&str, &str)]) -> Value {
    let made = test.prompt("a", "b", "c").await;
    test.put_with(&format!("{}/content", at(&made)), headers, json!({ "content": "d" })).await.expect(200);
    test.put_with(&format!("{}/labels/old", at(&made)), headers, json!({ "version": 1 })).await.expect(200);
    again(test, &made).await
}

async fn write(test: &TestApp, prompt: &Value, write: &Write, if_match: Option<&str>) -> Reply {
    let (method, path, body) = write;
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(if_match.map(|tag| ("if-match", tag)));
    test.request(method.clone(), &format!("{}{path}", at(prompt)), &headers, *body).await
}

#[tokio::test]
async fn row_45_a_stale_revision_is_refused_by_every_write() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    for way in &WRITES {
        // row 45
        for stale in [
            "\"2\"",
            "\"1\", \"2\"",
            "\"4\"",
            "W/\"2\"",
            "\"2-gzip\"",
            "\"3-other\"",
            "\"garbage\"",
            "\"\"",
            "\"03\"",
            "\"+3\"",
            "\"x-3\"",
        ] {
            let reply = write(&test, &made, way, Some(stale)).await;
            assert_eq!(reply.code(412), "version-mismatch", "{way:?} {stale}");
        }
    }
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn the_current_revision_or_any_is_accepted_by_every_write() {
    // A proxy that compresses weakens the tag, or puts the coding at its end: it is the same revision all the same.
    for matching in ["\"3\"", "\"1\", \"3\"", "*", "W/\"3\"", "\"3-gzip\""] {
        for way in &WRITES {
            let test = TestApp::api().await;
            let made = labelled(&test, &[]).await;
            let reply = write(&test, &made, way, Some(matching)).await;
            assert!(reply.status.is_success(), "{way:?} {matching}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn row_45_a_malformed_if_match_is_refused_by_every_write() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    for way in &WRITES {
        // row 45
        for malformed in ["3", "\"3", "3\"", "'3'", "*, \"3\"", "", ",", "w/\"3\""] {
            let reply = write(&test, &made, way, Some(malformed)).await;
            assert_eq!(reply.code(400), "bad-if-match", "{way:?} {malformed}");
        }
    }
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn row_45_any_revision_of_a_prompt_that_is_not_there_is_refused() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    test.delete(&at(&made)).await.expect(204);
    for way in &WRITES {
        // row 45
        assert_eq!(write(&test, &made, way, Some("*")).await.code(412), "version-mismatch", "{way:?}");
        assert_eq!(write(&test, &made, way, Some("\"3\"")).await.code(404), "not-found", "{way:?}");
    }
}

#[tokio::test]
async fn the_tag_of_another_prompt_does_not_match() {
    let test = TestApp::api().await;
    let (one, other) = (test.prompt("a", "one", "c").await, test.prompt("a", "other", "c").await);
    let tag = test.get(&format!("{PROMPTS}/search/a/one")).await.header("etag").to_owned();

    let wrong = test.put_with(&at(&other), &[("if-match", &tag)], json!({ "description": "x" })).await;
    assert_eq!(wrong.code(412), "version-mismatch");
    test.put_with(&at(&one), &[("if-match", &tag)], json!({ "description": "x" })).await.expect(200);
}

#[tokio::test]
async fn a_restore_can_be_tied_to_a_revision_too() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    test.delete(&at(&made)).await.expect(204);
    let restore = (Method::POST, "/restore", "");

    assert_eq!(write(&test, &made, &restore, Some("\"3\"")).await.code(412), "version-mismatch");
    assert_eq!(write(&test, &made, &restore, Some("\"4\"")).await.expect(200)["revision"], 5);
}

#[tokio::test]
async fn where_it_is_required_a_write_without_it_is_refused() {
    let test = TestApp::with(&["--require-if-match", "true"]).await;
    let made = labelled(&test, &[("if-match", "*")]).await;
    for way in &WRITES {
        assert_eq!(write(&test, &made, way, None).await.code(428), "if-match-required", "{way:?}");
    }
    let restore = (Method::POST, "/restore", "");
    assert_eq!(write(&test, &made, &restore, None).await.code(428), "if-match-required");
    assert_eq!(again(&test, &made).await, made);
}

#[tokio::test]
async fn a_write_answers_with_the_tag_for_the_next() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let first = test.put(&at(&made), json!({ "description": "x" })).await;
    assert_eq!(first.header("etag"), "\"2\"");
    let second = test.put_with(&at(&made), &[("if-match", "\"2\"")], json!({ "content": "x" })).await;
    assert_eq!(second.header("etag"), "\"3\"");
    assert_eq!(test.get(&at(&made)).await.header("etag"), "\"3\"");
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    for path in [at(&made), format!("{PROMPTS}/search/a/b"), format!("{PROMPTS}/search/a/b?label=latest")] {
        let first = test.get(&path).await;
        let tag = first.header("etag").to_owned();
        let weak = format!("W/{tag}");
        let several = format!("\"x\", {tag}");
        for known in [&*tag, &weak, &several, "*"] {
            let reply = test.request(Method::GET, &path, &[("if-none-match", known)], Body::empty()).await;
            assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
            assert_eq!(reply.header("etag"), tag);
        }
        let reply = test.request(Method::GET, &path, &[("if-none-match", "\"x\"")], Body::empty()).await;
        assert_eq!(reply.expect(200), first.body);
    }
}

#[tokio::test]
async fn every_write_changes_the_tag() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    let named = format!("{PROMPTS}/search/a/b");
    let mut tags = vec![test.get(&named).await.header("etag").to_owned()];
    for way in &WRITES[..5] {
        assert!(write(&test, &made, way, None).await.status.is_success());
        tags.push(test.get(&named).await.header("etag").to_owned());
    }
    let mut different = tags.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), tags.len(), "{tags:?}");
}

#[tokio::test]
async fn row_97_what_must_not_be_there_is_not_written_to() {
    let test = TestApp::api().await;
    let made = labelled(&test, &[]).await;
    let ask = async |way: &Write, headers: &[(&str, &str)]| {
        let (method, path, body) = way;
        let headers = [&[("content-type", "application/json")], headers].concat();
        test.request(method.clone(), &format!("{}{path}", at(&made)), &headers, *body).await
    };
    for way in &WRITES {
        // row 97
        for known in ["*", "\"3\"", "W/\"3\"", "\"1\", \"3\""] {
            assert_eq!(ask(way, &[("if-none-match", known)]).await.code(412), "version-mismatch", "{way:?} {known}");
        }
        for malformed in ["3", "", "*, \"3\""] {
            assert_eq!(
                ask(way, &[("if-none-match", malformed)]).await.code(400),
                "bad-if-match",
                "{way:?} {malformed}"
            );
        }
        let both = [("if-match", "\"3\""), ("if-none-match", "\"1\"")];
        assert_eq!(ask(way, &both).await.code(400), "bad-if-match", "{way:?}");
    }
    assert_eq!(again(&test, &made).await, made);
    let nobody = format!("{PROMPTS}/prm_01J9Z3N5T8QWERTYASDFGHZXCV");
    test.put_with(&nobody, &[("if-none-match", "*")], json!({ "description": "new" })).await.expect(404);
    let put = ask(&WRITES[0], &[("if-none-match", "\"1\"")]).await;
    assert_eq!(put.expect(200)["description"], "new");
}
