//! What was answered is kept, whatever ends the process; and a process that is asked to end finishes first.
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use support::{Engine, Processes, RedisServer, engine, until};

use super::{contents, count, finished, holds_exactly, order, rows};

/// Makes prompts until nobody answers any more. Answers which were acknowledged.
async fn create_until_gone(store: &Processes, lane: &str, acknowledged: &AtomicUsize) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..10_000 {
        let name = format!("{lane}-{number}");
        let body = json!({ "category": "kept", "name": name, "content": format!("This is {name}.\n") });
        let Some((status, answer)) = store.post("/api/v1/prompts", &body).await else { return names };
        assert_eq!(status, 201, "{answer}");
        acknowledged.fetch_add(1, Ordering::Relaxed);
        names.push(name);
    }
    panic!("the process was never killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_prompt_that_was_acknowledged_survives_sigkill() {
    let store = Processes::embedded();
    let mut names = Vec::new();
    for round in 0..3 {
        let mut api = store.start_api().await;
        let acknowledged = AtomicUsize::new(0);
        let lanes = ["a", "b", "c", "d"].map(|lane| format!("{round}-{lane}"));
        let creating = lanes.iter().map(|lane| create_until_gone(&store, lane, &acknowledged));
        let killing = async {
            until("many are made", async || (acknowledged.load(Ordering::Relaxed) >= 100).then_some(())).await;
            api.kill();
        };
        let (made, ()) = tokio::join!(futures::future::join_all(creating), killing);
        names.extend(made.into_iter().flatten());
    }

    let _api = store.start_api().await;
    let found = contents(&store).await;
    assert!(names.len() >= 300);
    for name in names {
        assert_eq!(found.get(&name), Some(&format!("This is {name}.\n")));
    }
    // The process that was killed wrote the file itself. A server is another process, which nobody killed.
    if engine() == Engine::Sqlite {
        assert_eq!(count(&store, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_80_an_api_that_is_asked_to_end_finishes_the_request_it_has_and_takes_no_other() {
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let address = ("127.0.0.1", store.port());
    let body = json!({ "category": "kept", "name": "in flight", "content": "x" }).to_string();
    let mut client = TcpStream::connect(address).unwrap();
    write!(
        client,
        "POST /api/v1/prompts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    )
    .unwrap();
    let mut go_on = [0; 25];
    client.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the handler waits for the body");

    api.ask_to_end();
    until("it takes no other request", async || TcpStream::connect(address).is_err().then_some(())).await;
    client.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(api.wait().code(), Some(0));
    assert_eq!(count(&store, "SELECT count(*) FROM prompts WHERE name = 'in flight'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_end_gives_back_what_it_has_and_another_goes_on() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let mut worker = store.start_worker();
    let rows = rows("long", 2000, 0);
    let path = order(&store, &rows).await;
    until("it is at it", async || {
        let (_, operation) = store.get(&path).await?;
        operation["processed_items"].as_u64().filter(|processed| *processed > 0)
    })
    .await;

    assert_eq!(worker.terminate().code(), Some(0));

    assert_eq!(count(&store, "SELECT count(*) FROM jobs WHERE state = 'running'").await, 0, "it gave its job back");
    assert_eq!(count(&store, "SELECT count(*) FROM workers").await, 0, "it said that it ends");
    let _worker = store.start_worker();
    assert_eq!(finished(&store, &path).await["status"], "completed");
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_store_that_is_asked_to_end_gives_back_what_it_has() {
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let rows = rows("long", 2000, 0);
    order(&store, &rows).await;

    assert_eq!(api.terminate().code(), Some(0));

    assert_eq!(count(&store, "SELECT count(*) FROM jobs WHERE state = 'running'").await, 0);
    assert_eq!(count(&store, "SELECT count(*) FROM workers").await, 0);
}
