//! P-H6: connections that send their header, or their body, byte by byte keep nobody else waiting.
use std::time::{Duration, Instant};

use support::{PATIENCE, Process, Processes, RedisServer, figure, in_full, percentile, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const HEADER: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
const BODY: &[u8] =
    b"POST /api/v1/prompts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{";

/// A round of whoever asks as one should.
async fn round(store: &Processes, times: &mut Vec<Duration>) {
    for _ in 0..20 {
        let began = Instant::now();
        let (status, _) = store.get("/api/v1/prompts?limit=1").await.expect("an answer");
        assert_eq!(status, 200);
        times.push(began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_drip_keep_nobody_waiting() {
    let (many, rounds) = if in_full() { (2000, 100) } else { (400, 10) };
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let (mut before, mut meanwhile) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        round(&store, &mut before).await;
    }

    let mut dripping = Vec::new();
    for number in 0..many {
        let mut connection = TcpStream::connect(("127.0.0.1", store.port())).await.unwrap();
        connection.write_all(if number % 2 == 0 { HEADER } else { BODY }).await.unwrap();
        dripping.push(connection);
    }
    let mut ended = 0;
    for _ in 0..rounds {
        for connection in &mut dripping {
            // Those that took too long are gone.
            ended += usize::from(connection.write_all(b" ").await.is_err());
        }
        round(&store, &mut meanwhile).await;
    }

    assert_eq!(meanwhile.len(), rounds * 20, "every one was answered");
    let (before, meanwhile) = (percentile(&before, 99), percentile(&meanwhile, 99));
    figure(
        "P-H6",
        format!(
            "{many} connections drip, half of them their header and half their body, {ended} writes found theirs closed: p99 {before:?} before, {meanwhile:?} meanwhile, all answered"
        ),
    );
    drop(dripping);
    assert!(api.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_is_given_up_by_a_worker_too() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let port = store.another_port();
    let mut command = store.command("prompt-store-worker", &[]);
    let _worker = Process::start(command.env("PROMPT_STORE_WORKER_PORT", port.to_string()));
    let address = ("127.0.0.1", port);
    let mut connection = until("the worker listens", async || TcpStream::connect(address).await.ok()).await;
    connection.write_all(HEADER).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "the connection is closed");
}
