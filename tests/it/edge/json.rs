//! JSON as it must be: syntax, depth, repeated keys.
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;
use support::TestApp;

use super::{PROMPTS, at, rows, send};

#[tokio::test]
async fn row_01_02_04_05_what_is_no_json_is_refused() {
    let test = TestApp::api().await;
    let whole = br#"{"category": "a", "name": "b", "content": "c"}"#;
    let mut bodies: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect(); // row 1, 2
    let texts = [
        " \r\n\t ",                                                                  // row 1
        r#"{"category": "a", "name": "b", "content": "c",}"#,                        // row 2
        r#"{"category": "a", "name": "b", "content": "c" /* why */}"#,               // row 2
        "// why\n{}",                                                                // row 2
        r#"{"category": "a", "name": "b", "content": NaN}"#,                         // row 2
        r#"{"category": "a", "name": "b", "content": "c", "config": {"n": 1e400}}"#, // row 2
        r#"{"category": "a", "name": "b", "content": "c", "config": {"n": 01}}"#,    // row 2
        r"{'category': 'a'}",                                                        // row 2
        "{category: 1}",                                                             // row 2
        "{\"category\": \"a\nb\"}",                                                  // row 2
        r#"{"category": "a", "name": "b", "content": "\ud800"}"#,                    // row 4
        r#"{"category": "a", "name": "b", "content": "\udc00\ud800"}"#,              // row 4
        r#"{"category": "a", "name": "b", "content": "c", "\ud800": 1}"#,            // row 4
        r#"{"category": "a", "name": "b", "content": "c"} {}"#,                      // row 5
        r#"{"category": "a", "name": "b", "content": "c"}]"#,                        // row 5
        "{\"category\": \"a\", \"name\": \"b\", \"content\": \"c\"}\0",              // row 5
    ];
    bodies.extend(texts.map(|text| text.as_bytes().to_vec()));
    bodies.push([b"{\"category\": \"".as_slice(), b"\xff", b"\", \"name\": \"b\", \"content\": \"c\"}"].concat()); // row 4
    bodies
        .push([b"{\"category\": \"".as_slice(), b"\xed\xa0\x80", b"\", \"name\": \"b\", \"content\": \"c\"}"].concat());
    bodies.push("\u{feff}\u{feff}{}".as_bytes().to_vec()); // row 3
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(send(&test, Method::POST, PROMPTS, body).await.code(400), "json-syntax", "{shown}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_03_one_byte_order_mark_is_passed_over() {
    let test = TestApp::api().await;
    // row 3
    let body = "\u{feff}{\"category\": \"a\", \"name\": \"b\", \"content\": \"\u{feff}c\"}";
    assert_eq!(send(&test, Method::POST, PROMPTS, body).await.expect(201)["content"], "\u{feff}c");
}

#[tokio::test]
async fn escapes_are_what_they_stand_for() {
    let test = TestApp::api().await;
    let body = r#"{"category": "a", "name": "b", "content": "\u00e9\ud83d\ude80\n\/\u0001"}"#;
    assert_eq!(send(&test, Method::POST, PROMPTS, body).await.expect(201)["content"], "é🚀\n/\u{1}");
}

#[tokio::test]
async fn row_06_nesting_has_an_end() {
    let test = TestApp::api().await;
    let nested = |open: &str, close: &str, levels: usize| {
        let config = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        format!("{{\"category\": \"a\", \"name\": \"b\", \"content\": \"c\", \"config\": {{\"x\": {config}}}}}")
    };
    let before = Instant::now();
    // row 6: the object of the prompt and its config are two levels.
    for levels in [31, 128, 100_000] {
        for (open, close) in [("[", "]"), ("{\"x\": ", "}")] {
            let body = nested(open, close, levels);
            assert_eq!(send(&test, Method::POST, PROMPTS, body).await.code(400), "too-deep", "{levels} of {open}");
        }
    }
    assert_eq!(send(&test, Method::POST, PROMPTS, "[".repeat(1_000_000)).await.code(400), "too-deep");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    assert_eq!(rows(&test).await, [0; 6]);
    let deepest = send(&test, Method::POST, PROMPTS, nested("[", "]", 30)).await.expect(201);
    assert_eq!(test.get(&at(&deepest)).await.expect(200), deepest);
}

#[tokio::test]
async fn row_07_a_key_stands_once_in_an_object() {
    let test = TestApp::api().await;
    // row 7
    for body in [
        r#"{"category": "a", "name": "b", "content": "c", "name": "b"}"#,
        r#"{"category": "a", "name": "b", "content": "c", "config": {"x": 1, "x": 2}}"#,
        r#"{"category": "a", "name": "b", "content": "c", "config": {"x": 1, "\u0078": 2}}"#,
        r#"{"category": "a", "name": "b", "content": "c", "config": {"y": [{"x": {"": 1, "": 2}}]}}"#,
        r#"{"category": "a", "name": "b", "content": "c", "unknown": 1, "unknown": 2}"#,
    ] {
        assert_eq!(send(&test, Method::POST, PROMPTS, body).await.code(400), "duplicate-key", "{body}");
        let list = format!("[{body}]");
        assert_eq!(send(&test, Method::POST, "/api/v1/bulk/prompts", list).await.code(400), "duplicate-key", "{body}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn a_body_is_an_object() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "taken", "c").await;
    let before = rows(&test).await;
    // Field by field, as a lenient reader would take it.
    let list = json!(["a", "b", null, null, "c", null, null, null, null, null, null, null, null]);
    for body in [json!(null), json!(1), json!("x"), json!(true), json!([]), list] {
        for (method, path) in [
            (Method::POST, PROMPTS.to_owned()),
            (Method::PUT, at(&made)),
            (Method::PUT, format!("{}/content", at(&made))),
            (Method::POST, format!("{}/fork", at(&made))),
            (Method::PUT, format!("{}/labels/x", at(&made))),
            (Method::POST, format!("{}/versions/1/rollback", at(&made))),
            (Method::POST, format!("{PROMPTS}/search/a/taken")),
            (Method::POST, format!("{PROMPTS}/batch-get")),
            (Method::POST, format!("{PROMPTS}/render")),
        ] {
            let violations = send(&test, method, &path, body.to_string()).await.violations();
            assert_eq!(violations, [(String::new(), "wrong-type".to_owned())], "{path} {body}");
        }
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn what_is_an_object_inside_a_body_is_one_too() {
    let test = TestApp::api().await;
    for (body, pointer) in [
        (json!({ "messages": [["user", "hi"]] }), "/messages/0"),
        (json!({ "content": "c", "type": { "text": null } }), "/type"),
        (json!({ "content": "c", "template_format": { "none": null } }), "/template_format"),
        (json!({ "content": "c", "config": [] }), "/config"),
        (json!({ "content": "c", "input_schema": [["x", {}]] }), "/input_schema"),
    ] {
        let mut asked = body.clone();
        (asked["category"], asked["name"]) = (json!("a"), json!("b"));
        let violations = test.post(PROMPTS, asked).await.violations();
        assert_eq!(violations, [(pointer.to_owned(), "wrong-type".to_owned())], "{body}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}
