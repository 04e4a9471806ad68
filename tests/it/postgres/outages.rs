//! The server goes away, stands still, fills up or can only be read for a while, and the store goes on by itself.
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

use serde_json::{Value, json};
use support::{PostgresServer, Processes, until};

use super::store;

async fn post(store: &Processes, name: &str, content: &str) -> (u16, Value) {
    let body = json!({ "category": "kept", "name": name, "content": content });
    let answer = store.client().post(store.url("/api/v1/prompts")).json(&body).send().await.unwrap();
    let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    assert!(retry || status == 201, "{status} without Retry-After");
    (status, answer.json().await.unwrap())
}

/// Makes prompts until told to stop. Answers which were acknowledged.
async fn create_until(store: &Processes, lane: usize, stop: &AtomicBool, acknowledged: &AtomicUsize) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{lane}-{number}");
        let (status, answer) = post(store, &name, &format!("This is {name}.\n")).await;
        match status {
            201 => {
                acknowledged.fetch_add(1, Ordering::Relaxed);
                names.push(name);
            }
            503 => assert_eq!(answer["code"], "database-unavailable"),
            other => panic!("{other}: {answer}"),
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_under_load_loses_nothing_that_was_acknowledged() {
    let mut server = PostgresServer::start(&["fsync=on"]);
    server.create("prompts");
    let store = store(&server, "prompts");
    let _api = store.start_api().await;
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicUsize::new(0));
    let more = async |count: usize| {
        let wanted = acknowledged.load(Ordering::Relaxed) + count;
        until("prompts are made", async || (acknowledged.load(Ordering::Relaxed) >= wanted).then_some(())).await;
    };

    let creating = (0..8).map(|lane| create_until(&store, lane, &stop, &acknowledged));
    let restarting = async {
        let ends: [fn(&mut PostgresServer); 3] =
            [PostgresServer::stop_fast, PostgresServer::stop_immediately, PostgresServer::kill];
        for end in ends {
            more(100).await;
            tokio::task::block_in_place(|| {
                end(&mut server);
                server.revive();
            });
            let back = Instant::now();
            more(100).await;
            assert!(back.elapsed().as_secs() < 5, "a hundred prompts took {:?} after the restart", back.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (made, ()) = tokio::join!(futures::future::join_all(creating), restarting);

    let names: Vec<String> = made.into_iter().flatten().collect();
    assert!(names.len() >= 600);
    for name in &names {
        let (status, prompt) = store.get(&format!("/api/v1/prompts/search/kept/{name}")).await.unwrap();
        assert_eq!((status, &prompt["content"]), (200, &json!(format!("This is {name}.\n"))), "{name}: {prompt}");
    }
    let versions = server.sql("prompts", &["SELECT count(*) FROM versions"]);
    assert_eq!(versions, server.sql("prompts", &["SELECT count(*) FROM prompts"]), "each has its version");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_not_waited_for() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let store = store(&server, "prompts").with("PROMPT_STORE_DB_TIMEOUT_MS", "500");
    let _api = store.start_api().await;
    assert_eq!(post(&store, "before", "x").await.0, 201);

    server.pause();
    let (status, problem) = post(&store, "meanwhile", "x").await;
    assert_eq!((status, &problem["code"]), (503, &json!("database-unavailable")));
    let (status, _) = store.get("/api/v1/prompts/search/kept/before").await.unwrap();
    assert_eq!(status, 503);
    let (status, health) = store.get("/health").await.unwrap();
    assert_eq!((status, &health["checks"]["database"]["status"]), (503, &json!("unhealthy")), "{health}");
    server.resume();

    until("it writes again", async || (post(&store, "after", "x").await.0 == 201).then_some(())).await;
    let (status, _) = store.get("/api/v1/prompts/search/kept/before").await.unwrap();
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_becomes_read_only_is_read() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let store = store(&server, "prompts");
    let _api = store.start_api().await;
    assert_eq!(post(&store, "before", "x").await.0, 201);
    let set = |value: &str| {
        let change = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        server.sql("prompts", &[&change, "SELECT pg_reload_conf()"]);
    };

    set("on");
    until("it can only be read", async || (post(&store, "meanwhile", "x").await.0 == 503).then_some(())).await;
    let (status, _) = store.get("/api/v1/prompts/search/kept/before").await.unwrap();
    assert_eq!(status, 200);
    set("off");

    until("it writes again", async || (post(&store, "after", "x").await.0 == 201).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_space_is_read_and_writes_again_when_there_is_some() {
    let server = PostgresServer::start(&[]);
    let Some(_disk) = server.add_small_disk(32) else { return };
    server.sql("postgres", &["CREATE DATABASE prompts TABLESPACE small"]);
    // What can be thrown away later.
    server.sql("prompts", &["CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 8000)"]);
    let store = store(&server, "prompts");
    let _api = store.start_api().await;
    assert_eq!(post(&store, "before", "x").await.0, 201);

    let (mut made, mut random) = (0, 1_u64);
    let problem = until("the disk is full", async || {
        made += 1;
        // Nothing that could be compressed.
        let content: String = (0..8_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{random:x}")
            })
            .collect();
        let (status, problem) = post(&store, &format!("large-{made}"), &content).await;
        (status != 201).then_some(problem)
    });
    let problem = problem.await;
    assert_eq!((&problem["status"], &problem["code"]), (&json!(507), &json!("storage-full")));
    let (status, _) = store.get("/api/v1/prompts/search/kept/before").await.unwrap();
    assert_eq!(status, 200);
    server.sql("prompts", &["DROP TABLE filler", "CHECKPOINT"]);

    until("it writes again", async || (post(&store, "after", "x").await.0 == 201).then_some(())).await;
}
