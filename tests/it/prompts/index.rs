//! The search index is what the prompts say it should be, or is made so.
use serde_json::json;
use shared::{
    caller::Caller,
    db::Dialect,
    prompts::{self, Checked},
};
use support::TestApp;

async fn change(test: &TestApp, statements: &[&'static str]) {
    let mut tx = test.app.begin(&Caller::system("test")).await.unwrap();
    for statement in statements {
        tx.execute(*statement, &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn check(test: &TestApp, mend: bool) -> Checked {
    prompts::check(&test.app, &Caller::system("test"), mend, |_| {}).await.unwrap()
}

async fn found(test: &TestApp, query: &str) -> i64 {
    let answer = test.post("/api/v1/prompts/search", json!({ "query": query })).await.expect(200);
    answer["total"].as_i64().unwrap()
}

async fn filled() -> TestApp {
    let test = TestApp::api().await;
    for (name, content) in [("first", "about lighthouses"), ("second", "about harbours"), ("third", "about gulls")] {
        test.prompt("coast", name, content).await;
    }
    let gone = test.prompt("coast", "gone", "about shipwrecks").await;
    test.delete(&format!("/api/v1/prompts/{}", gone["id"].as_str().unwrap())).await.expect(204);
    test
}

#[tokio::test]
async fn an_index_that_is_right_is_left_alone() {
    let test = filled().await;
    let before = test.count("SELECT max(changed) FROM search_documents").await;
    let checked = check(&test, true).await;
    assert_eq!(checked, Checked { prompts: 3, ..Checked::default() });
    assert_eq!(test.count("SELECT max(changed) FROM search_documents").await, before);
}

#[tokio::test]
async fn what_is_wrong_about_a_prompt_is_found_and_mended() {
    let test = filled().await;
    change(&test, &["UPDATE search_documents SET category = 'elsewhere' WHERE name = 'first'"]).await;
    change(&test, match test.app.db.read().await.unwrap().dialect() {
        Dialect::Sqlite => &["UPDATE search_documents SET changed = changed + 100",
                             "DELETE FROM search_texts WHERE doc = (SELECT doc FROM search_documents WHERE name = 'second')",
                             "INSERT INTO search_texts SELECT doc, 'second', '', '', 'other words' FROM search_documents WHERE name = 'second'"],
        Dialect::Postgres => &["UPDATE search_texts SET terms = CAST('other words' AS tsvector)
                                WHERE doc = (SELECT doc FROM search_documents WHERE name = 'second')"],
    }).await;
    assert_eq!(found(&test, "harbours").await, 0);
    let checked = check(&test, false).await;
    assert_eq!((checked.wrong.len(), checked.mended), (2, false), "{checked:?}");
    assert_eq!(found(&test, "harbours").await, 0, "a dry run changes nothing");
    let checked = check(&test, true).await;
    assert_eq!((checked.wrong.len(), checked.mended), (2, true), "{checked:?}");
    assert_eq!((found(&test, "harbours").await, found(&test, "category:coast").await), (1, 3));
    assert_eq!(check(&test, true).await, Checked { prompts: 3, ..Checked::default() });
}

#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let test = filled().await;
    change(
        &test,
        match test.app.db.read().await.unwrap().dialect() {
            Dialect::Sqlite => &["DELETE FROM search_index_data WHERE id > 10"],
            Dialect::Postgres => &["DELETE FROM search_texts WHERE doc = (SELECT min(doc) FROM search_texts)"],
        },
    )
    .await;
    let checked = check(&test, true).await;
    assert_eq!((checked.faults.len(), checked.mended), (1, true), "{checked:?}");
    assert_eq!((found(&test, "gulls").await, found(&test, "lighthouse").await), (1, 1));
    assert_eq!(found(&test, "shipwrecks").await, 0);
    assert_eq!(check(&test, true).await, Checked { prompts: 3, ..Checked::default() });
}

#[tokio::test]
async fn prompts_that_are_older_than_the_index_are_put_in_by_a_worker() {
    let test = filled().await;
    change(
        &test,
        match test.app.db.read().await.unwrap().dialect() {
            Dialect::Sqlite => {
                &["DELETE FROM search_texts", "DELETE FROM search_words", "DELETE FROM search_documents"]
            }
            Dialect::Postgres => &["DELETE FROM search_texts", "DELETE FROM search_documents"],
        },
    )
    .await;
    let order = async || prompts::order_index(&test.app, &Caller::system("test")).await.unwrap();
    order().await;
    order().await;
    assert_eq!(test.count("SELECT count(*) FROM jobs").await, 1, "one order is enough");
    test.work().await;
    assert_eq!((found(&test, "gulls").await, found(&test, "shipwrecks").await), (1, 0));
    order().await;
    assert_eq!(test.count("SELECT count(*) FROM jobs WHERE state = 'available'").await, 0);
}
