//! Pages of prompts: cursors that stay true while rows come and go, and what they refuse.
use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, at, column};

async fn filled(prompts: usize) -> TestApp {
    let test = TestApp::api().await;
    for number in 0..prompts {
        let body = json!({ "category": "a", "name": format!("{number:02}"), "content": "c", "tags": [number % 2] });
        let body = body.to_string().replace("[0]", "[\"even\"]").replace("[1]", "[\"odd\"]");
        let json = [("content-type", "application/json")];
        test.request(axum::http::Method::POST, PROMPTS, &json, body).await.expect(201);
    }
    test
}

async fn page(test: &TestApp, query: &str, cursor: Option<&str>) -> Value {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    test.get(&format!("{PROMPTS}?{query}{cursor}")).await.expect(200)
}

async fn first_cursor(test: &TestApp, query: &str) -> String {
    page(test, query, None).await["next_cursor"].as_str().unwrap().to_owned()
}

/// How often a walk through all pages meets each name; between two pages one row goes and two come.
async fn walk_while_rows_come_and_go(test: &TestApp, sort: &str, doomed: &[Value]) -> BTreeMap<String, u32> {
    let query = format!("sort={sort}&limit=3&category=a");
    let mut met = BTreeMap::new();
    let (mut cursor, mut doomed) = (None::<String>, doomed.iter());
    for step in 0.. {
        let page = page(test, &query, cursor.as_deref()).await;
        for name in column(&page, "name") {
            *met.entry(name).or_insert(0) += 1;
        }
        let Some(next) = page["next_cursor"].as_str() else { return met };
        cursor = Some(next.to_owned());
        if let Some(doomed) = doomed.next() {
            test.delete(&at(doomed)).await.expect(204);
            // Before everything and after everything, in every order.
            test.prompt("a", &format!("!{step}"), "c").await;
            test.prompt("a", &format!("~{step}"), "c").await;
        }
    }
    met
}

#[tokio::test]
async fn a_walk_meets_every_row_once_while_others_come_and_go() {
    for sort in ["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name"] {
        let test = filled(20).await;
        let all = page(&test, &format!("sort={sort}"), None).await;
        let rows = all["items"].as_array().unwrap();
        // Two that are passed already when they go, and two that are not.
        let doomed = [rows[0].clone(), rows[1].clone(), rows[18].clone(), rows[19].clone()];

        let met = walk_while_rows_come_and_go(&test, sort, &doomed).await;

        for row in rows {
            let (name, gone) = (row["name"].as_str().unwrap(), doomed[2..].contains(row));
            assert_eq!(met.get(name).copied(), (!gone).then_some(1), "{sort}: {name}");
        }
        assert!(met.values().all(|times| *times == 1), "{sort}: {met:?}");
    }
}

#[tokio::test]
async fn offsets_walk_too() {
    let test = filled(7).await;
    let mut names = Vec::new();
    for offset in [0, 3, 6] {
        names.extend(column(&page(&test, &format!("sort=name&limit=3&offset={offset}"), None).await, "name"));
    }
    assert_eq!(names.join(" "), "00 01 02 03 04 05 06");
}

#[tokio::test]
async fn a_cursor_is_good_for_another_page_size_and_for_contents() {
    let test = filled(4).await;
    let cursor = first_cursor(&test, "sort=name&limit=1").await;
    let rest = page(&test, "sort=name&limit=1000&include=content", Some(&cursor)).await;
    assert_eq!(column(&rest, "name"), ["01", "02", "03"]);
    assert_eq!((&rest["total"], &rest["has_more"]), (&json!(4), &json!(false)));
}

#[tokio::test]
async fn row_55_a_cursor_of_another_list_is_refused() {
    let test = filled(4).await;
    let cursor = first_cursor(&test, "limit=1").await;
    // row 55
    for other in [
        "/prompts?sort=name&",
        "/prompts?category=a&",
        "/prompts?tag=even&",
        "/prompts?tag=odd&",
        "/prompts?include_deleted=true&",
        "/prompts?is_template=false&",
        "/prompts/categories?",
        "/prompts/tags?",
        "/bulk/operations?",
    ] {
        let reply = test.get(&format!("/api/v1{other}limit=1&cursor={cursor}")).await;
        assert_eq!(reply.code(400), "bad-cursor", "{other}");
    }
}

#[tokio::test]
async fn row_55_a_cursor_that_was_touched_is_refused() {
    let test = filled(4).await;
    let cursor = first_cursor(&test, "limit=1").await;
    let mut touched: Vec<String> = (1..cursor.len()).map(|length| cursor[..length].to_owned()).collect();
    for place in 0..cursor.len() {
        let other = if &cursor[place..=place] == "A" { "B" } else { "A" };
        touched.push(format!("{}{other}{}", &cursor[..place], &cursor[place + 1..]));
    }
    touched.extend(["x", "null", "%F0%9F%9A%80", "../..", "' OR 1=1 --"].map(|text| text.replace(' ', "+")));
    touched.push(format!("{cursor}A"));
    touched.push(format!("{cursor}="));
    // row 55
    for cursor in touched {
        let reply = test.get(&format!("{PROMPTS}?limit=1&cursor={cursor}")).await;
        assert_eq!(reply.code(400), "bad-cursor", "{cursor}");
    }
}

#[tokio::test]
async fn row_54_limits_have_bounds() {
    let test = filled(1).await;
    // row 54
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=abc", "/limit"),
        ("limit=1e3", "/limit"),
        ("limit=1.5", "/limit"),
        ("limit=99999999999999999999", "/limit"),
        ("offset=-1", "/offset"),
        ("offset=1000001", "/offset"),
        ("offset=9223372036854775807", "/offset"),
        ("offset=abc", "/offset"),
        ("offset=1&cursor=x", "/cursor"),
        ("limit=1&limit=2", "/limit"),
    ] {
        for list in ["/prompts", "/prompts/categories", "/prompts/tags", "/bulk/operations"] {
            let violations = test.get(&format!("/api/v1{list}?{query}")).await.violations();
            assert_eq!(violations[0].0, pointer, "{list}?{query}: {violations:?}");
        }
    }
    for query in ["limit=1", "limit=1000", "offset=0", "offset=1000000"] {
        test.get(&format!("{PROMPTS}?{query}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_refused() {
    let test = filled(1).await;
    for (query, pointer) in [
        ("sort=size", "/sort"),
        ("lifecycle_status=gone", "/lifecycle_status"),
        ("is_template=maybe", "/is_template"),
        ("include_deleted=1", "/include_deleted"),
        ("include=everything", "/include"),
        ("updated_since=yesterday", "/updated_since"),
        ("updated_since=2026-01-01", "/updated_since"),
        ("updated_since=2026-13-01T00:00:00Z", "/updated_since"),
        ("Category=a", "/Category"),
    ] {
        let violations = test.get(&format!("{PROMPTS}?{query}")).await.violations();
        assert_eq!(violations.len(), 1, "{query}: {violations:?}");
        assert_eq!(violations[0].0, pointer, "{query}: {violations:?}");
    }
}

#[tokio::test]
async fn categories_and_tags_are_walked_by_cursor_too() {
    let test = TestApp::api().await;
    for number in 0..5 {
        let (category, tag) = (format!("c{number}"), format!("t{number}"));
        let body = json!({ "category": category, "name": "n", "content": "c", "tags": [tag] });
        test.post(PROMPTS, body).await.expect(201);
    }
    for (list, key) in [("categories", "category"), ("tags", "tag")] {
        let (mut met, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = test.get(&format!("{PROMPTS}/{list}?limit=2{cursor}")).await.expect(200);
            met.extend(column(&page, key));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let letter = &key[..1];
        assert_eq!(met, (0..5).map(|number| format!("{letter}{number}")).collect::<Vec<_>>());
    }
}
