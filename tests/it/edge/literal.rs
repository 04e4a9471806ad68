//! What means something to SQL, to a shell or to a template is text and nothing else.
use serde_json::json;
use support::TestApp;

use super::{PROMPTS, at, rows};

// row 19
const TEXTS: [&str; 10] = [
    "'; DROP TABLE prompts; --",
    "' OR '1'='1",
    "\" OR 1=1 /*",
    "Robert'); DELETE FROM versions; --",
    "%_%",
    "\\' \\\" \\\\",
    "$1 ?1 :name @name ?",
    "a=b=c|d&e;f",
    "${HOME} `id` $(id) {{x}} <script>alert(1)</script>",
    "x' UNION SELECT * FROM audit_log --",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn row_19_it_is_stored_as_it_is_in_every_field() {
    let test = TestApp::api().await;
    for text in TEXTS {
        let body = json!({
            "category": text, "name": text, "description": text, "content": text, "template_format": "none",
            "tags": [text], "config": { text: [text] }, "change_summary": text,
            "input_schema": { "x": { "required": true, "description": text, "default": text } },
        });
        let made = test.post(PROMPTS, body.clone()).await.expect(201);
        let read = test.get(&at(&made)).await.expect(200);
        for key in ["category", "name", "description", "content", "tags", "config", "input_schema"] {
            assert_eq!(read[key], body[key], "{key}");
        }
        let version = test.get(&format!("{}/versions/1", at(&made))).await.expect(200);
        assert_eq!(version["change_summary"], text);

        let label = json!({ "version": 1, "reason": text });
        test.put(&format!("{}/labels/production", at(&made)), label).await.expect(200);
        let history = test.get(&format!("{}/labels/history", at(&made))).await.expect(200);
        assert_eq!(history["items"][0]["reason"], text);
        let served = test.get(&format!("{PROMPTS}/search/{}/{}", encoded(text), encoded(text))).await.expect(200);
        assert_eq!(served["id"], made["id"]);
    }
    let count = i64::try_from(TEXTS.len()).unwrap();
    assert_eq!(rows(&test).await[..3], [count; 3]);
}

#[tokio::test]
async fn row_19_it_is_looked_for_as_it_is_in_every_parameter() {
    let test = TestApp::api().await;
    let plain = test.prompt("a", "b", "c").await;
    for text in TEXTS {
        let body = json!({ "category": text, "name": "n", "content": "c", "tags": [text] });
        test.post(PROMPTS, body).await.expect(201);
    }
    for text in TEXTS {
        let value = encoded(text);
        for (parameter, found) in [("category", 1), ("tag", 1), ("label", 0), ("created_by", 0)] {
            let page = test.get(&format!("{PROMPTS}?{parameter}={value}")).await.expect(200);
            assert_eq!(
                (&page["total"], page["items"].as_array().unwrap().len()),
                (&json!(found), found),
                "{parameter}"
            );
        }
        let folder = test.get(&format!("{PROMPTS}?category={value}/*")).await.expect(200);
        assert_eq!(folder["total"], 0);
        for parameter in ["sort", "lifecycle_status", "updated_since", "is_template", "limit", "offset", "include"] {
            let violations = test.get(&format!("{PROMPTS}?{parameter}={value}")).await.violations();
            assert_eq!(violations[0].0, format!("/{parameter}"));
        }
        assert_eq!(test.get(&format!("{PROMPTS}?cursor={value}")).await.code(400), "bad-cursor");
        assert_eq!(test.get(&format!("{}?label={value}", at(&plain))).await.code(404), "not-found");
        assert_eq!(test.get(&format!("{PROMPTS}/{value}")).await.code(404), "not-found");
        let violations = test.get(&format!("/api/v1/bulk/operations?operation_type={value}")).await.violations();
        assert_eq!(violations[0].0, "/operation_type");
    }
    let count = i64::try_from(TEXTS.len()).unwrap() + 1;
    assert_eq!(rows(&test).await[0], count);
}
