//! Facets count what is there: against a recount from the tables, through changes, and while another process writes.
mod agree;
mod meanwhile;
mod recount;
mod walk;

use serde_json::{Value, json};
use support::TestApp;

use super::{at, facet, found, made, names, search};

const FACETS: [&str; 6] = ["category", "tags", "lifecycle_status", "labels", "template_format", "created_by"];

/// A facet in its order.
fn rows(answer: &Value, name: &str) -> Vec<(String, i64)> {
    let rows = answer["facets"][name].as_array().unwrap_or_else(|| panic!("no facet `{name}` in {answer}"));
    let row = |row: &Value| (row["value"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap());
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn a_facet_passes_over_its_own_filter_and_keeps_the_others() {
    let test = TestApp::api().await;
    for (name, category, tags) in
        [("one", "mail", json!(["red"])), ("two", "mail", json!(["blue"])), ("three", "chat", json!(["red", "blue"]))]
    {
        made(&test, &[json!({ "name": name, "category": category, "tags": tags })]).await;
    }
    let asked = json!({ "query": "", "category": "mail", "facets": ["category", "tags"] });
    let answer = search(&test, asked).await;
    assert_eq!(answer["total"], 2);
    assert_eq!(rows(&answer, "category"), [("mail".to_owned(), 2), ("chat".to_owned(), 1)]);
    assert_eq!(rows(&answer, "tags"), [("blue".to_owned(), 1), ("red".to_owned(), 1)], "equal counts by value");
    assert_eq!(answer["facets"].as_object().unwrap().len(), 2, "only what was asked for");

    let both = json!({ "query": "", "category": "mail", "tags": ["red"], "facets": ["category", "tags"] });
    let answer = search(&test, both).await;
    assert_eq!(names(&answer), ["one"]);
    assert_eq!(rows(&answer, "category"), [("chat".to_owned(), 1), ("mail".to_owned(), 1)]);
    assert_eq!(rows(&answer, "tags"), [("blue".to_owned(), 1), ("red".to_owned(), 1)]);
}

#[tokio::test]
async fn several_values_of_one_filter_are_alternatives_and_filters_must_all_hold() {
    let test = TestApp::api().await;
    let all = made(
        &test,
        &[
            json!({ "name": "one", "category": "mail/in", "tags": ["red"], "template_format": "none" }),
            json!({ "name": "two", "category": "mail/out/old", "tags": ["blue"], "template_format": "fstring" }),
            json!({ "name": "three", "category": "mail", "tags": ["red", "blue"], "template_format": "jinja2" }),
            json!({ "name": "four", "category": "mailbox", "tags": [] }),
        ],
    )
    .await;
    test.put(&format!("{}/labels/production", at(&all[0])), json!({ "version": 1 })).await.expect(200);
    test.put(&format!("{}/labels/staging", at(&all[1])), json!({ "version": 1 })).await.expect(200);
    test.put(&format!("{}/lifecycle", at(&all[1])), json!({ "status": "published" })).await.expect(200);
    for (filter, expected) in [
        (json!({ "category": "mail" }), "three"),
        (json!({ "category": "mail/*" }), "one two"),
        (json!({ "category": ["mail", "mailbox"] }), "four three"),
        (json!({ "category": ["mail", "mail/*"] }), "one three two"),
        (json!({ "tags": ["red"] }), "one three"),
        (json!({ "tags": ["red", "blue"] }), "one three two"),
        (json!({ "tags": ["red"], "category": "mail/*" }), "one"),
        (json!({ "lifecycle_status": "published" }), "two"),
        (json!({ "lifecycle_status": ["published", "draft"] }), "four one three two"),
        (json!({ "lifecycle_status": "archived" }), ""),
        (json!({ "labels": ["production"] }), "one"),
        (json!({ "labels": ["production", "staging"] }), "one two"),
        (json!({ "labels": ["production", "staging"], "lifecycle_status": "published" }), "two"),
        (json!({ "template_format": "fstring" }), "two"),
        (json!({ "template_format": ["fstring", "jinja2", "none"] }), "one three two"),
        (json!({ "created_by": "anonymous", "tags": ["blue"] }), "three two"),
        (json!({ "created_by": ["somebody"] }), ""),
    ] {
        let mut asked = filter.clone();
        asked["query"] = json!("");
        let answer = search(&test, asked).await;
        let mut names = names(&answer);
        names.sort();
        assert_eq!(names.join(" "), expected, "{filter}");
        assert_eq!(answer["total"], names.len(), "{filter}");
    }
}

#[tokio::test]
async fn a_facet_shows_twenty_values_and_counts_all_of_a_prompts() {
    let test = TestApp::api().await;
    let tags: Vec<String> = (0..25).map(|number| format!("tag{number:02}")).collect();
    made(&test, &[json!({ "name": "all", "tags": tags }), json!({ "name": "last", "tags": ["tag24"] })]).await;
    let answer = search(&test, json!({ "query": "speak", "facets": FACETS })).await;
    let shown = rows(&answer, "tags");
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[0], ("tag24".to_owned(), 2));
    assert_eq!(shown[19], ("tag18".to_owned(), 1));
    assert_eq!(facet(&answer, "labels").len(), 0, "nobody has one");
    assert_eq!(facet(&answer, "created_by")["anonymous"], 2);
    assert_eq!(found(&test, "tag:tag24").await, ["all", "last"]);
}
