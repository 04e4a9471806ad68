//! A page ends after so many bytes, however many rows were asked for.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{TestApp, figure};

const PROMPTS: &str = "/api/v1/prompts";
/// As the contract says.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
const LONG: usize = 500 * 1024;
/// So many long texts are more than one page.
const MANY: usize = 20;

/// Walks a list by its cursors. How many bytes each page has, and what names each row.
async fn walk(test: &TestApp, path: &str, name: &str) -> (Vec<usize>, BTreeSet<String>) {
    let (mut sizes, mut seen, mut cursor) = (Vec::new(), BTreeSet::new(), String::new());
    loop {
        let reply = test.get(&format!("{path}limit=1000{cursor}")).await;
        sizes.push(reply.bytes.len());
        let page = reply.expect(200);
        assert_eq!((page["limit"].as_i64(), page["total"].as_u64()), (Some(1000), Some(MANY as u64)), "{path}");
        let rows = page["items"].as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| seen.insert(row[name].to_string())), "{path}: a row twice");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (sizes, seen),
        }
        assert_eq!(page["has_more"], true);
    }
}

fn long(number: usize) -> String {
    format!("{number} needle {}", "x".repeat(LONG))
}

#[tokio::test]
async fn lists_of_long_texts_come_in_pages_of_at_most_eight_mebibytes() {
    let test = TestApp::api().await;
    let id = test.prompt("of", "versions", &long(1)).await["id"].as_str().unwrap().to_owned();
    for number in 2..=MANY {
        test.put(&format!("{PROMPTS}/{id}/content"), json!({ "content": long(number) })).await.expect(200);
    }
    for number in 1..MANY {
        test.prompt("of", &format!("prompts {number}"), &long(number)).await;
    }
    for (path, name) in
        [(format!("{PROMPTS}/{id}/versions?"), "version"), (format!("{PROMPTS}?include=content&"), "id")]
    {
        let (sizes, seen) = walk(&test, &path, name).await;
        assert_eq!((sizes.len(), seen.len()), (2, MANY), "{path}: {sizes:?}");
        assert!(sizes.iter().all(|size| *size < PAGE_BYTES + 64 * 1024), "{path}: {sizes:?}");
        figure("pages", format_args!("{path} pages of {sizes:?} bytes for {} bytes of content", MANY * LONG));
    }
    assert_eq!(walk(&test, &format!("{PROMPTS}?"), "id").await.0.len(), 1, "without contents they are short");

    let mut offset = 0;
    while offset < MANY {
        let search =
            json!({ "query": "needle", "category": "of", "include_content": true, "limit": 100, "offset": offset });
        let reply = test.post(&format!("{PROMPTS}/search"), search).await;
        assert!(reply.bytes.len() < PAGE_BYTES + 64 * 1024);
        let page = reply.expect(200);
        let rows = page["items"].as_array().unwrap().len();
        assert_eq!(page["has_more"], json!(offset + rows < MANY), "{offset} {rows}");
        assert!(rows > 0);
        offset += rows;
    }

    let items: Vec<Value> = (1..MANY).map(|n| json!({ "category": "of", "name": format!("prompts {n}") })).collect();
    let reply = test.post(&format!("{PROMPTS}/batch-get"), json!({ "items": items })).await;
    // The one that goes beyond is the last, and a text that is filled stands there twice.
    assert!(reply.bytes.len() < PAGE_BYTES + 3 * LONG, "{}", reply.bytes.len());
    let results = reply.expect(200)["results"].as_array().unwrap().clone();
    let served = results.iter().take_while(|result| result["problem"].is_null()).count();
    assert!((7..MANY - 1).contains(&served), "{served}");
    let codes: BTreeSet<&str> = results[served..].iter().map(|it| it["problem"]["code"].as_str().unwrap()).collect();
    assert_eq!((results.len(), codes), (MANY - 1, BTreeSet::from(["batch-too-long"])));
    test.post(&format!("{PROMPTS}/batch-get"), json!({ "items": items[served..=served] })).await.expect(200);
}

#[tokio::test]
async fn a_page_has_a_row_however_long_it_is() {
    let test = TestApp::api().await;
    // Written as JSON, each of these characters has six bytes.
    let id = test.prompt("a", "b", &"\u{1}".repeat(512 * 1024)).await["id"].as_str().unwrap().to_owned();
    let page = test.get(&format!("{PROMPTS}/{id}/versions?limit=1")).await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), &page["has_more"]), (1, &json!(false)));
}
