//! What only a real socket shows: headers that never end, too many of them, broken framing.
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    process::Child,
    time::{Duration, Instant},
};

use support::{PATIENCE, Processes};

const PROMPTS: &str = "/api/v1/prompts";

/// An API that is killed with the value.
struct Api(Child);

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An API that waits half a second for a header, and as long for a body.
async fn impatient() -> (Processes, Api) {
    let processes = Processes::embedded();
    let patience = ["--header-timeout-ms", "500", "--body-timeout-ms", "500"];
    let api = Api(processes.command("prompt-store", &patience).spawn().unwrap());
    let ready = async || processes.get("/health/ready").await.filter(|(status, _)| *status == 200);
    support::until("the API is ready", ready).await;
    (processes, api)
}

fn connect(processes: &Processes) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", processes.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What comes back until the other side closes.
fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection was not closed: {error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes, and what comes back until the other side closes.
fn exchange(processes: &Processes, bytes: &[u8]) -> String {
    let mut stream = connect(processes);
    // The other side may have refused, and closed, before all of it is written.
    let _ = stream.write_all(bytes);
    answer(stream)
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_is_given_up() {
    let (processes, _api) = impatient().await;
    // row 22
    for start in ["", "GET ", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let mut stream = connect(&processes);
        stream.write_all(start.as_bytes()).unwrap();
        let before = Instant::now();
        let answer = answer(stream);
        assert!(before.elapsed() < Duration::from_secs(10), "{start:?}: {:?}", before.elapsed());
        assert!(answer.is_empty() || status(&answer) == 408, "{start:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_22_a_chunked_body_that_never_ends_is_given_up() {
    let (processes, _api) = impatient().await;
    // row 22
    let start = format!(
        "POST {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{{\"\r\n"
    );
    let answer = exchange(&processes, start.as_bytes());
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("\"body-timeout\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_23_a_header_that_is_too_large_is_refused() {
    let (processes, _api) = impatient().await;
    let many: String = (0..101).map(|number| format!("X-{number}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(17 * 1024));
    // row 23
    for headers in [many, long] {
        let answer =
            exchange(&processes, format!("GET {PROMPTS} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes());
        assert_eq!(status(&answer), 431, "{answer}");
    }
    let some: String = (0..90).map(|number| format!("X-{number}: y\r\n")).collect();
    let request = format!("GET {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{some}\r\n");
    assert_eq!(status(&exchange(&processes, request.as_bytes())), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_32_broken_framing_is_refused_and_the_connection_closed() {
    let (processes, _api) = impatient().await;
    let body = r#"{"category":"a","name":"b","content":"c"}"#;
    let length = body.len();
    let post = format!("POST {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    // row 32
    for request in [
        format!("{post}Content-Length: {length}\r\nContent-Length: 3\r\n\r\n{body}"),
        format!("{post}Content-Length: 3, {length}\r\n\r\n{body}"),
        format!("{post}Content-Length: +{length}\r\n\r\n{body}"),
        format!("{post}Content-Length: -1\r\n\r\n{body}"),
        format!("{post}Transfer-Encoding: gzip\r\n\r\n{chunked}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n{chunked}"),
        format!("{post}X: a\r\n b\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("{post}Content-Length : {length}\r\n\r\n{body}"),
        "GET /health/live\r\n\r\n".to_owned(),
        "GET /health/live HTTP/3.0\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\r\n\r\n".to_owned(),
    ] {
        let answer = exchange(&processes, request.as_bytes());
        assert_eq!(status(&answer), 400, "{request}\n{answer}");
    }
    let (_, page) = processes.get(PROMPTS).await.unwrap();
    assert_eq!(page["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_32_two_lengths_of_a_body_never_make_two_requests() {
    let (processes, _api) = impatient().await;
    let body = r#"{"category":"a","name":"b","content":"c"}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let hidden = format!("POST {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}");
    let length = format!("Content-Length: {}\r\n", chunked.len() + hidden.len());
    // row 32: the chunks count, and nothing after them is taken for a request.
    for framing in
        [format!("{length}Transfer-Encoding: chunked\r\n"), format!("Transfer-Encoding: chunked\r\n{length}")]
    {
        let head = format!("POST {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}");
        let answer = exchange(&processes, format!("{head}\r\n{chunked}{hidden}").as_bytes());
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    let (_, page) = processes.get(PROMPTS).await.unwrap();
    assert_eq!(page["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_21_a_length_that_is_too_large_closes_the_connection() {
    let (processes, _api) = impatient().await;
    // row 21
    let request = format!(
        "POST {PROMPTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 10737418240\r\n\r\n{{"
    );
    let before = Instant::now();
    let answer = exchange(&processes, request.as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn row_96_a_request_has_one_host() {
    let (processes, _api) = impatient().await;
    // row 96
    for (request, expected) in [
        ("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        ("GET /health/live HTTP/1.1\r\n\r\n", 400),
        ("GET /health/live HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health/live HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\n\r\n", 400),
        ("GET http://localhost/health/live HTTP/1.1\r\n\r\n", 400),
        ("GET /health/live HTTP/1.0\r\n\r\n", 200),
        ("GET /health/live HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    ] {
        let answer = exchange(&processes, request.as_bytes());
        assert_eq!(status(&answer), expected, "{request}\n{answer}");
        assert!(expected == 200 || answer.contains("bad-host"), "{answer}");
    }
}
