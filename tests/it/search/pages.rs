//! Pages of a search: by offset and by cursor each hit comes once, whatever the query needed to find it.
use serde_json::{Value, json};
use support::TestApp;

use super::{SEARCH, at, found, made, names, search};

/// Many of a kind, so that most scores are equal; some have both words, and some texts are longer.
async fn many() -> TestApp {
    let test = TestApp::api().await;
    let prompts: Vec<Value> = (0..47)
        .map(|number| {
            let words = match number % 8 {
                0 => "walrus glacier",
                1 | 2 => "glacier",
                _ => "walrus",
            };
            let tags = json!([if number % 2 == 0 { "even" } else { "odd" }]);
            json!({ "name": format!("n{number:02}"), "content": format!("{words}{}", " text".repeat(number % 3)), "tags": tags })
        })
        .collect();
    made(&test, &prompts).await;
    test
}

/// Walks to the end, and answers the names in their order; every page must count the same.
async fn walk(test: &TestApp, body: &Value, limit: usize, by_cursor: bool) -> Vec<String> {
    let mut all = Vec::new();
    let (mut cursor, mut total) = (Value::Null, Value::Null);
    for _ in 0..100 {
        let mut asked = body.clone();
        asked["limit"] = json!(limit);
        if by_cursor && !cursor.is_null() {
            asked["cursor"] = cursor;
        } else if !by_cursor {
            asked["offset"] = json!(all.len());
        }
        let page = search(test, asked).await;
        if total.is_null() {
            total = page["total"].clone();
        }
        assert_eq!(page["total"], total, "{body}");
        assert_eq!(page["limit"], limit);
        let shown = names(&page);
        assert!(shown.len() <= limit);
        all.extend(shown);
        assert_eq!(page["has_more"], page["next_cursor"].is_string(), "{body}");
        if page["has_more"] == false {
            assert_eq!(total, all.len(), "{body}");
            return all;
        }
        cursor = page["next_cursor"].clone();
    }
    panic!("{body} has no end");
}

#[tokio::test]
async fn a_walk_meets_every_hit_once_by_offset_and_by_cursor() {
    let test = many().await;
    for body in [
        json!({ "query": "walrus" }),
        json!({ "query": "walrus -glacier" }),
        json!({ "query": "\"walrus glacier\"" }),
        json!({ "query": "walrsu" }),
        json!({ "query": "text", "tags": ["even"] }),
        json!({ "query": "", "tags": ["odd"] }),
        json!({ "query": "tag:even" }),
        json!({ "query": "walrus glacier" }),
        json!({ "query": "glacier n03" }),
    ] {
        for limit in [1, 4, 7, 100] {
            let by_offset = walk(&test, &body, limit, false).await;
            let by_cursor = walk(&test, &body, limit, true).await;
            assert_eq!(by_offset, by_cursor, "{body} by {limit}");
            assert!(!by_offset.is_empty(), "{body}");
            let mut once = by_offset.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), by_offset.len(), "{body} by {limit}: {by_offset:?}");
        }
    }
}

#[tokio::test]
async fn the_same_query_has_the_same_order_however_it_is_cut() {
    let test = many().await;
    for body in [json!({ "query": "walrus" }), json!({ "query": "", "tags": ["odd"] }), json!({ "query": "text" })] {
        let whole = walk(&test, &body, 100, true).await;
        for limit in [1, 3, 10] {
            assert_eq!(walk(&test, &body, limit, true).await, whole, "{body} by {limit}");
        }
    }
}

#[tokio::test]
async fn an_offset_beyond_the_end_is_an_empty_page() {
    let test = many().await;
    for offset in [47, 500, 1000] {
        let page = search(&test, json!({ "query": "walrus", "offset": offset })).await;
        assert_eq!((names(&page).len(), &page["has_more"], &page["next_cursor"]), (0, &json!(false), &Value::Null));
        assert_eq!(page["offset"], offset);
        assert_ne!(page["total"], 0);
    }
}

#[tokio::test]
async fn a_walk_by_cursor_goes_on_while_prompts_come_and_go() {
    let test = many().await;
    let whole = walk(&test, &json!({ "query": "walrus" }), 100, true).await;
    let page = search(&test, json!({ "query": "walrus", "limit": 10 })).await;
    // One that was passed, and new ones that are shorter or longer than all.
    test.delete(&at(&page["items"][0]["prompt"])).await.expect(204);
    made(&test, &[json!({ "name": "new", "content": "walrus walrus walrus" })]).await;
    let mut met = names(&page);
    let mut cursor = page["next_cursor"].clone();
    while !cursor.is_null() {
        let page = search(&test, json!({ "query": "walrus", "limit": 10, "cursor": cursor })).await;
        met.extend(names(&page));
        cursor = page["next_cursor"].clone();
    }
    let mut once = met.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), met.len(), "somebody was met twice: {met:?}");
    // A change moves the scores of all a little, so a neighbour of the cut may be missed; nobody else.
    let missed: Vec<_> = whole.iter().filter(|name| !met.contains(name)).collect();
    assert!(missed.len() <= 1, "{missed:?}");
}

// row 55
#[tokio::test]
async fn a_cursor_of_another_search_or_one_that_was_touched_is_refused() {
    let test = many().await;
    let page = search(&test, json!({ "query": "walrus", "limit": 1 })).await;
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    for other in [
        json!({ "query": "glacier" }),
        json!({ "query": "walrus", "tags": ["even"] }),
        json!({ "query": "walrus", "category": "c" }),
        json!({ "query": "", "tags": ["even"] }),
    ] {
        let mut asked = other.clone();
        asked["cursor"] = json!(cursor);
        assert_eq!(test.post(SEARCH, asked).await.code(400), "bad-cursor", "{other}");
    }
    let list = test.get("/api/v1/prompts?limit=1").await.expect(200)["next_cursor"].clone();
    let flipped = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    let cut = cursor[..cursor.len() - 1].to_owned();
    for cursor in [list, json!("x"), json!(flipped), json!(cut), json!(format!("{cursor}A")), json!("' OR 1=1 --")] {
        let asked = json!({ "query": "walrus", "cursor": cursor });
        assert_eq!(test.post(SEARCH, asked).await.code(400), "bad-cursor", "{cursor}");
    }
    let other = test.another().await;
    let asked = json!({ "query": "walrus", "cursor": cursor, "limit": 100 });
    assert_eq!(names(&search(&other, asked).await).len() + 1, found(&test, "walrus").await.len(), "good anywhere");
}
