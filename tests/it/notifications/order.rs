//! Two transactions may commit in another order than they wrote. A reader misses nothing all the same.
use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use shared::{
    notifications::{self, Event, EventType},
    webhooks,
};
use support::{Engine, TestApp, caller, engine};
use tokio::task::JoinSet;

use super::told;

/// Reads on from `last`, as a follower does, and answers what it has not seen before.
async fn read_on(test: &TestApp, seen: &mut Vec<Event>) {
    webhooks::publish(&test.app, &caller()).await.unwrap();
    loop {
        let last = seen.last().map_or(0, |event| event.sequence);
        let next = notifications::after(&test.app, last, 7).await.unwrap();
        if next.is_empty() {
            return;
        }
        seen.extend(next);
    }
}

#[tokio::test]
async fn what_is_written_first_and_committed_last_is_not_missed() {
    if engine() == Engine::Sqlite {
        return; // One transaction writes at a time.
    }
    let test = TestApp::api().await;
    let mut slow = test.app.begin(&caller()).await.unwrap();
    notifications::announce(&mut slow, EventType::PromptCreated, "slow", json!({}), &()).await.unwrap();
    let mut fast = test.app.begin(&caller()).await.unwrap();
    notifications::announce(&mut fast, EventType::PromptDeleted, "fast", json!({}), &()).await.unwrap();
    fast.commit().await.unwrap();
    let mut seen = Vec::new();
    read_on(&test, &mut seen).await;
    assert_eq!(seen.len(), 1, "nobody waits for who is slow");

    slow.commit().await.unwrap();
    read_on(&test, &mut seen).await;

    let order: Vec<_> = seen.iter().map(|event| (event.sequence, event.event_type)).collect();
    assert_eq!(order, [(1, EventType::PromptDeleted), (2, EventType::PromptCreated)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_those_who_give_numbers_at_once_leave_no_gap_and_no_double() {
    const WRITERS: i64 = 8;
    const EACH: i64 = 25;
    let test = Arc::new(TestApp::api().await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let test = Arc::clone(&test);
        writers.spawn(async move {
            let prompt = test.prompt("w", &writer.to_string(), "0").await;
            for n in 1..EACH {
                let path = format!("{}/content", super::path(&prompt));
                test.put(&path, json!({ "content": n.to_string() })).await.expect(200);
            }
        });
    }
    // Three give numbers at the same time, as the workers of three hosts do; one reads meanwhile.
    let mut publishers = JoinSet::new();
    for _ in 0..3 {
        let test = Arc::clone(&test);
        publishers.spawn(async move {
            loop {
                webhooks::publish(&test.app, &caller()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    let mut seen = Vec::new();
    while !writers.is_empty() {
        read_on(&test, &mut seen).await;
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
    publishers.shutdown().await;
    read_on(&test, &mut seen).await;

    let expected = WRITERS * (1 + 2 * (EACH - 1));
    assert_eq!(seen.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=expected).collect::<Vec<_>>());
    assert_eq!(seen.len(), told(&test).await.len(), "read while it was written, and read afterwards: the same");
    let mut versions: HashMap<String, i64> = HashMap::new();
    for event in &seen {
        let (id, version) = (event.data["id"].to_string(), event.data["version"].as_i64().unwrap());
        let last = versions.insert(id, version).unwrap_or(0);
        assert!(version == last || version == last + 1, "the changes of a prompt are told in their order: {event:?}");
    }
    println!("{expected} events of {WRITERS} writers: no gap, no double, in order");
}
