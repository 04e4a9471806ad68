//! Writers that meet: one wins, the others are told, and nothing is lost in between.
use std::sync::Arc;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::json;
use support::{Reply, TestApp};

use super::{PROMPTS, again, at, prompts, versions};

/// Sends `count` requests at once, each from a task of its own.
async fn at_once<F>(test: &Arc<TestApp>, count: usize, request: impl Fn(Arc<TestApp>, usize) -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(request(Arc::clone(test), number))).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn with_status(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == StatusCode::from_u16(status).unwrap()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_writers_with_one_revision_one_wins() {
    let test = Arc::new(TestApp::api().await);
    let made = test.prompt("a", "b", "c").await;
    let path = format!("{}/content", at(&made));

    let replies = at_once(&test, 50, |test, writer| {
        let path = path.clone();
        async move {
            test.put_with(&path, &[("if-match", "\"1\"")], json!({ "content": format!("of {writer}") })).await
        }
    })
    .await;

    assert_eq!((with_status(&replies, 200), with_status(&replies, 412)), (1, 49));
    assert_eq!(versions(&test).await, 2);
    let winner = replies.into_iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(winner.expect(200), again(&test, &made).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_without_a_revision_leave_versions_without_gaps() {
    let test = Arc::new(TestApp::api().await);
    let made = test.prompt("a", "b", "c").await;
    let path = format!("{}/content", at(&made));

    let replies = at_once(&test, 30, |test, writer| {
        let path = path.clone();
        async move { test.put(&path, json!({ "content": format!("of {writer}") })).await }
    })
    .await;

    let mut given: Vec<i64> = replies.into_iter().map(|reply| reply.expect(200)["version"].as_i64().unwrap()).collect();
    given.sort_unstable();
    assert_eq!(given, (2..=31).collect::<Vec<_>>());
    let in_place =
        "SELECT count(*) FROM (SELECT version, row_number() OVER (ORDER BY version) AS place FROM versions) placed
                    WHERE version = place";
    assert_eq!(test.count(in_place).await, 31);
    assert_eq!(again(&test, &made).await["revision"], 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_that_take_one_name_one_gets_it() {
    let test = Arc::new(TestApp::api().await);

    let replies = at_once(&test, 5, |test, writer| async move {
        let body = json!({ "category": "a", "name": "b", "content": format!("of {writer}") });
        test.post(PROMPTS, body).await
    })
    .await;

    assert_eq!((with_status(&replies, 201), with_status(&replies, 409)), (1, 4));
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.code(409), "prompt-name-taken");
    }
    assert_eq!((prompts(&test).await, versions(&test).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_are_renamed_alike_one_is() {
    let test = Arc::new(TestApp::api().await);
    let paths = [at(&test.prompt("a", "one", "c").await), at(&test.prompt("a", "two", "c").await)];

    let replies = at_once(&test, 2, |test, number| {
        let path = paths[number].clone();
        async move { test.put(&path, json!({ "name": "wanted" })).await }
    })
    .await;

    assert_eq!((with_status(&replies, 200), with_status(&replies, 409)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_that_delete_one_prompt_one_does() {
    let test = Arc::new(TestApp::api().await);
    let path = at(&test.prompt("a", "b", "c").await);

    let replies = at_once(&test, 5, |test, _| {
        let path = path.clone();
        async move { test.delete(&path).await }
    })
    .await;

    assert_eq!((with_status(&replies, 204), with_status(&replies, 404)), (1, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_moved_by_many_at_once_has_its_whole_history() {
    let test = Arc::new(TestApp::api().await);
    let made = test.prompt("a", "b", "c").await;
    for content in ["d", "e"] {
        test.put(&format!("{}/content", at(&made)), json!({ "content": content })).await.expect(200);
    }
    let path = format!("{}/labels/production", at(&made));

    let replies = at_once(&test, 30, |test, number| {
        let path = path.clone();
        async move { test.put(&path, json!({ "version": number % 3 + 1 })).await }
    })
    .await;

    for reply in replies {
        reply.expect(200);
    }
    let history = test.get(&format!("{}/labels/history?limit=1000", at(&made))).await.expect(200);
    let steps = history["items"].as_array().unwrap();
    for pair in steps.windows(2) {
        assert_eq!(pair[0]["from_version"], pair[1]["to_version"], "{history}");
        assert_eq!(pair[0]["sequence"].as_i64().unwrap(), pair[1]["sequence"].as_i64().unwrap() + 1);
    }
    assert_eq!(again(&test, &made).await["labels"]["production"], steps[0]["to_version"]);
}
