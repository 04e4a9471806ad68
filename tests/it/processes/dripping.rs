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

/// So many drip between two requests of whoever asks as one should: each about once a second, where two thousand do.
const DRIPS: usize = 4;

/// How long an answer took.
async fn ask(store: &Processes) -> Duration {
    let began = Instant::now();
    let (status, _) = store.get("/api/v1/prompts?limit=1").await.expect("an answer");
    assert_eq!(status, 200);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_drip_keep_nobody_waiting() {
    let (many, asked) = if in_full() { (2000, 10_000) } else { (400, 1000) };
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let (mut before, mut meanwhile) = (Vec::new(), Vec::new());
    for _ in 0..asked {
        before.push(ask(&store).await);
    }

    let mut dripping = Vec::new();
    for number in 0..many {
        let mut connection = TcpStream::connect(("127.0.0.1", store.port())).await.unwrap();
        connection.write_all(if number % 2 == 0 { HEADER } else { BODY }).await.unwrap();
        dripping.push(connection);
    }
    let (mut ended, mut next) = (0, (0..many).cycle());
    for _ in 0..asked {
        for number in next.by_ref().take(DRIPS) {
            // Those that took too long are gone.
            ended += usize::from(dripping[number].write_all(b" ").await.is_err());
        }
        meanwhile.push(ask(&store).await);
    }

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
