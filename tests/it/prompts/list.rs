//! Prompts are listed: filters, orders, categories and tags.
use std::time::Duration;

use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, at, column};

/// Six prompts, a second apart.
async fn shelf() -> TestApp {
    let test = TestApp::api().await;
    for (category, name, content, tags) in [
        ("mail", "delta", "x", json!(["red"])),
        ("mail/in", "alpha", "{{x}}", json!(["red", "blue"])),
        ("mail/out", "Beta", "x", json!(["blue"])),
        ("mailbox", "echo", "x", json!([])),
        ("chat", "élan", "{{x}}", json!(["red", "blue", "Red"])),
        ("chat", "alpha", "x", json!(["50%_off"])),
    ] {
        let body = json!({ "category": category, "name": name, "content": content, "tags": tags });
        test.post(PROMPTS, body).await.expect(201);
        test.advance(Duration::from_secs(1));
    }
    test
}

async fn list(test: &TestApp, query: &str) -> Value {
    test.get(&format!("{PROMPTS}?{query}")).await.expect(200)
}

async fn names(test: &TestApp, query: &str) -> String {
    let page = list(test, query).await;
    assert_eq!(page["total"], page["items"].as_array().unwrap().len(), "{query}");
    column(&page, "name").join(" ")
}

async fn find(test: &TestApp, name: &str) -> Value {
    let page = list(test, "sort=created_at").await;
    page["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn a_list_says_what_it_shows() {
    let test = shelf().await;
    let page = list(&test, "limit=2&offset=1").await;
    let shape = ["total", "limit", "offset", "has_more"].map(|key| page[key].clone());
    assert_eq!(shape, [json!(6), json!(2), json!(1), json!(true)]);
    assert!(page["next_cursor"].is_string());

    let last = list(&test, "limit=2&offset=4").await;
    assert_eq!((&last["has_more"], &last["next_cursor"]), (&json!(false), &Value::Null));
    let beyond = list(&test, "offset=1000000").await;
    assert_eq!((&beyond["items"], &beyond["total"]), (&json!([]), &json!(6)));
}

#[tokio::test]
async fn bodies_come_only_when_asked_for() {
    let test = shelf().await;
    let page = list(&test, "").await;
    for item in page["items"].as_array().unwrap() {
        assert_eq!((item.get("content"), item.get("messages")), (None, None));
        assert_eq!(item["version"], 1);
    }
    let page = list(&test, "include=content&sort=created_at").await;
    assert_eq!(column(&page, "content"), ["x", "{{x}}", "x", "x", "{{x}}", "x"]);
}

#[tokio::test]
async fn every_order_is_total_and_can_be_turned_round() {
    let test = shelf().await;
    for (sort, expected) in [
        ("created_at", "delta alpha Beta echo élan alpha"),
        ("name", "Beta alpha alpha delta echo élan"),
        ("updated_at", "delta Beta echo élan alpha alpha"),
    ] {
        let alpha = &list(&test, "category=mail/in").await["items"][0];
        test.put(&at(alpha), json!({ "description": sort })).await.expect(200);
        assert_eq!(names(&test, &format!("sort={sort}")).await, expected, "{sort}");
        let forth = column(&list(&test, &format!("sort={sort}")).await, "id");
        let mut back = column(&list(&test, &format!("sort=-{sort}")).await, "id");
        back.reverse();
        assert_eq!(forth, back, "{sort}");
    }
    assert_eq!(list(&test, "").await, list(&test, "sort=-created_at").await);
}

#[tokio::test]
async fn prompts_of_one_moment_have_an_order_too() {
    let test = TestApp::api().await;
    for number in 0..20 {
        test.prompt("a", &number.to_string(), "c").await;
    }
    for sort in ["created_at", "updated_at"] {
        let ids = column(&list(&test, &format!("sort={sort}")).await, "id");
        assert!(ids.is_sorted(), "{ids:?}");
    }
}

#[tokio::test]
async fn a_category_is_exact_or_a_folder() {
    let test = shelf().await;
    for (category, expected) in [
        ("mail", "delta"),
        ("mail/*", "alpha Beta"),
        ("mail%2F*", "alpha Beta"),
        ("chat", "élan alpha"),
        ("chat/*", ""),
        ("Mail", ""),
        ("mai%25", ""),
        ("*", ""),
    ] {
        assert_eq!(names(&test, &format!("sort=created_at&category={category}")).await, expected, "{category}");
    }
}

#[tokio::test]
async fn repeated_tags_must_all_be_there() {
    let test = shelf().await;
    for (tags, expected) in [
        ("tag=red", "delta alpha élan"),
        ("tag=red&tag=blue", "alpha élan"),
        ("tag=red&tag=blue&tag=Red", "élan"),
        ("tag=50%25_off", "alpha"),
        ("tag=%25", ""),
        ("tag=re", ""),
    ] {
        assert_eq!(names(&test, &format!("sort=created_at&{tags}")).await, expected, "{tags}");
    }
}

#[tokio::test]
async fn a_filter_may_name_as_many_tags_as_a_prompt_may_have() {
    let test = shelf().await;
    let tags = |count: usize| (0..count).map(|number| format!("tag={number}&")).collect::<String>();
    for (query, found) in [(tags(50), ""), ("tag=red&".repeat(800), "delta alpha élan")] {
        assert_eq!(names(&test, &format!("{query}sort=created_at")).await, found);
    }
    for count in [51, 800] {
        let violations = test.get(&format!("{PROMPTS}?{}", tags(count))).await.violations();
        assert_eq!(violations, [("/tag".to_owned(), "too-many".to_owned())]);
    }
}

#[tokio::test]
async fn filters_narrow_each_other() {
    let test = shelf().await;
    let beta = find(&test, "Beta").await;
    test.put(&format!("{}/labels/production", at(&beta)), json!({ "version": 1 })).await.expect(200);
    let since = beta["created_at"].as_str().unwrap();
    for (query, expected) in [
        ("is_template=true".to_owned(), "alpha élan"),
        ("is_template=true&category=chat".to_owned(), "élan"),
        ("label=production".to_owned(), "Beta"),
        ("label=production&tag=red".to_owned(), ""),
        ("label=prod".to_owned(), ""),
        ("lifecycle_status=draft&tag=blue".to_owned(), "alpha Beta élan"),
        ("lifecycle_status=published".to_owned(), ""),
        ("created_by=anonymous&category=mail".to_owned(), "delta"),
        ("created_by=someone".to_owned(), ""),
        (format!("updated_since={since}"), "Beta echo élan alpha"),
        ("updated_since=9999-01-01T00:00:00Z".to_owned(), ""),
    ] {
        assert_eq!(names(&test, &format!("sort=created_at&{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn identifiers_are_found_in_either_spelling() {
    let test = TestApp::api().await;
    let body = json!({ "category": "café", "name": "élan", "content": "c", "tags": ["thé"] });
    test.post(PROMPTS, body).await.expect(201);
    for query in ["category=cafe%CC%81", "category=%20café%20", "tag=the%CC%81", "tag=th%C3%A9"] {
        assert_eq!(names(&test, &query.replace('é', "%C3%A9")).await, "élan", "{query}");
    }
}

#[tokio::test]
async fn categories_are_listed_with_counts() {
    let test = shelf().await;
    let page = test.get(&format!("{PROMPTS}/categories")).await.expect(200);
    let expected = json!([
        { "category": "chat", "count": 2 }, { "category": "mail", "count": 1 }, { "category": "mail/in", "count": 1 },
        { "category": "mail/out", "count": 1 }, { "category": "mailbox", "count": 1 },
    ]);
    assert_eq!((&page["items"], &page["total"]), (&expected, &json!(5)));
}

#[tokio::test]
async fn tags_are_listed_with_counts() {
    let test = shelf().await;
    let page = test.get(&format!("{PROMPTS}/tags")).await.expect(200);
    let expected = json!([
        { "tag": "50%_off", "count": 1 }, { "tag": "Red", "count": 1 }, { "tag": "blue", "count": 3 },
        { "tag": "red", "count": 3 },
    ]);
    assert_eq!((&page["items"], &page["total"]), (&expected, &json!(4)));
}

#[tokio::test]
async fn what_is_deleted_counts_for_no_category_and_no_tag() {
    let test = shelf().await;
    test.delete(&at(&find(&test, "delta").await)).await.expect(204);
    let categories = test.get(&format!("{PROMPTS}/categories")).await.expect(200);
    assert_eq!(column(&categories, "category"), ["chat", "mail/in", "mail/out", "mailbox"]);
    let tags = test.get(&format!("{PROMPTS}/tags")).await.expect(200);
    assert_eq!(tags["items"][3], json!({ "tag": "red", "count": 2 }));
}

#[tokio::test]
async fn every_prompt_has_the_label_latest() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    let listed = test.get("/api/v1/prompts?label=latest").await.expect(200);
    assert_eq!(listed["total"], 1);
    assert_eq!(test.get("/api/v1/prompts?label=production").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn what_no_text_can_hold_is_not_looked_for() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    for parameter in ["category", "tag", "label", "created_by"] {
        for value in ["%00", "a%00", "%00/*"] {
            let reply = test.get(&format!("/api/v1/prompts?{parameter}={value}")).await;
            assert_eq!(reply.violations(), [(format!("/{parameter}"), "nul-character".to_owned())], "{value}");
        }
    }
}
