//! Where outgoing requests go, and where they do not: counted at the socket, whatever the program says of itself.
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Method, StatusCode, header};
use shared::http::{Answer, Failure, Names, Outgoing, Request};
use support::{Hosts, Receiver, settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const CAP: usize = 16 * 1024;

/// Listens on every address of this machine, and counts who comes.
struct Counter {
    port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Counter {
    async fn start() -> Self {
        Self::at(0).await
    }

    async fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("::", port)).await.unwrap();
        let (port, accepted) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&accepted);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, accepted }
    }

    /// How many came. The listener has had its turn: it is asked after a connection of our own.
    async fn count(&self) -> usize {
        let before = self.accepted.load(Ordering::SeqCst);
        let own = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        support::until("our own connection is counted", async || {
            (self.accepted.load(Ordering::SeqCst) > before).then_some(())
        })
        .await;
        drop(own);
        self.accepted.fetch_sub(1, Ordering::SeqCst) - 1
    }
}

fn outgoing(args: &[&str]) -> Outgoing {
    Outgoing::new(&settings(args).0).unwrap()
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<Answer, Failure> {
    let deadline = Duration::from_secs(2);
    let (method, headers) = (Method::GET, HeaderMap::new());
    let request = Request { method, url: url.to_owned(), headers, body: Vec::new(), deadline, answer_bytes_max: CAP };
    outgoing.send(request).await
}

/// Ways to name this machine, or one beside it, that are not plain to see, with `PORT` for the listener's.
const HOSTILE: [&str; 74] = [
    "http://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://017700000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.255.0.7:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://a.localhost:PORT/",
    "http://[::1]:PORT/",
    "https://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://0.1:PORT/",
    "http://255.255.255.255:PORT/",
    "http://10.0.0.1:PORT/",
    "http://10.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://172.31.255.254:PORT/",
    "http://192.168.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://169.254.1.1:PORT/",
    "http://169.254.169.254/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/",
    "http://metadata/",
    "http://METADATA.google.internal./",
    "http://instance-data/latest/",
    "http://192.0.0.192/",
    "http://192.0.2.1:PORT/",
    "http://198.18.0.1:PORT/",
    "http://198.51.100.1:PORT/",
    "http://203.0.113.1:PORT/",
    "http://192.88.99.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://240.0.0.1:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[fd12:3456::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://user@127.0.0.1:PORT/",
    "http://user:pass@localhost:PORT/",
    "http://@127.0.0.1:PORT/",
    "http://example.com@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT\\@example.com/",
    "http:127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "http://１２７.０.０.１:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://localhost\t:PORT/",
    "gopher://127.0.0.1:PORT/",
    "file:///etc/passwd",
];

/// Those that, in development, say no more than that this machine is meant.
const LOOPBACK: [&str; 20] = [
    "http://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://017700000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.255.0.7:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://a.localhost:PORT/",
    "http://[::1]:PORT/",
    "https://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
];

/// Asks for every hostile URL, in production and, unless it may be gone to there, in development. Answers how often.
async fn ask_for_all(port: u16) -> usize {
    let production = outgoing(&["--env", "production"]);
    let development = outgoing(&[]);
    let mut asked = 0;
    for url in HOSTILE {
        let shown = url.replace("PORT", &port.to_string());
        assert!(production.read_url(&shown).is_err(), "{url} is kept");
        assert_eq!(get(&production, &shown).await.unwrap_err(), Failure::Blocked, "{url}");
        asked += 1;
        if !LOOPBACK.contains(&url) && url != "http://[::ffff:7f00:1]:PORT/" {
            assert_eq!(get(&development, &shown).await.unwrap_err(), Failure::Blocked, "{url} in development");
            asked += 1;
        }
    }
    asked
}

#[tokio::test]
async fn no_spelling_of_an_internal_address_leads_to_a_connection() {
    assert_eq!(HOSTILE.iter().collect::<BTreeSet<_>>().len(), HOSTILE.len());
    let counter = Counter::start().await;
    let asked = ask_for_all(counter.port).await;
    let connections = counter.count().await;
    println!("{} hostile URLs, {asked} requests, {connections} connections", HOSTILE.len());
    assert_eq!(connections, 0);
}

#[tokio::test]
async fn nor_does_it_where_every_address_would_be_answered() {
    let Some(hosts) = Hosts::new(&["everybody"]) else { return };
    let everybody = hosts.get("everybody");
    everybody.be_everybody();
    let (asked, connections, control) = everybody
        .run(async || {
            let counters = [Counter::start().await, Counter::at(80).await, Counter::at(443).await];
            let port = counters[0].port;
            let asked = ask_for_all(port).await;
            let mut connections = 0;
            for counter in &counters {
                connections += counter.count().await;
            }
            // Who goes there without asking is seen.
            for inside in ["10.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "192.0.2.1", "fd00:ec2::254"] {
                TcpStream::connect((inside, port)).await.unwrap();
            }
            (asked, connections, counters[0].count().await)
        })
        .await;
    println!(
        "{} hostile URLs, {asked} requests where every address answers: {connections} connections; {control} of 6 that \
         were made on purpose",
        HOSTILE.len()
    );
    assert_eq!((connections, control), (0, 6));
}

#[tokio::test]
async fn the_counter_would_have_seen_a_connection() {
    let counter = Counter::start().await;
    let _ = get(&outgoing(&[]), &format!("http://127.0.0.1:{}/", counter.port)).await;
    assert_eq!(counter.count().await, 1);
}

#[tokio::test]
async fn a_name_leads_nowhere_internal_whatever_its_addresses() {
    let counter = Counter::start().await;
    let port = counter.port;
    for address in [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "fe80::1",
        "fd00::1",
        "2002:7f00:1::",
        "224.0.0.1",
    ] {
        let told = SocketAddr::new(address.parse::<IpAddr>().unwrap(), port);
        let names = Names::told_by(move |_| vec![told, told]);
        let outgoing = Outgoing::with_names(&settings(&["--env", "production"]).0, names).unwrap();
        assert!(outgoing.read_url("https://receiver.example/").is_ok());
        let outcome = get(&outgoing, "https://receiver.example/").await;
        assert_eq!(outcome.unwrap_err(), Failure::Blocked, "{address}");
    }
    assert_eq!(counter.count().await, 0);
}

#[tokio::test]
async fn a_name_that_says_something_else_each_time_gains_nothing() {
    let (allowed, counter) = (Receiver::start().await, Counter::start().await);
    let (good, bad) = (allowed.address(), SocketAddr::new("127.0.0.2".parse().unwrap(), counter.port));
    let asked = Arc::new(AtomicUsize::new(0));
    let turn = Arc::clone(&asked);
    let names =
        Names::told_by(
            move |_| if turn.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { vec![bad, good] } else { vec![bad] },
        );
    let arguments = ["--env", "production", "--allowed-targets", "127.0.0.1/32"];
    for _ in 0..10 {
        // A client of its own each time: no connection is used twice.
        let outgoing = Outgoing::with_names(&settings(&arguments).0, names.clone()).unwrap();
        let _ = get(&outgoing, "https://receiver.example/").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 10, "one question for each connection");
    assert_eq!(counter.count().await, 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nobody_follows_it() {
    let counter = Counter::start().await;
    let location = format!("http://127.0.0.1:{}/secret", counter.port);
    let receiver = Receiver::answering(move |_, _| (StatusCode::FOUND, [(header::LOCATION, location.clone())])).await;
    let answer = get(&outgoing(&[]), &receiver.url()).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(counter.count().await, 0);
}

#[tokio::test]
async fn what_is_allowed_is_reached() {
    let receiver = Receiver::start().await;
    for allowed in ["127.0.0.1", "127.0.0.0/8", "localhost,10.0.0.0/8"] {
        let outgoing = outgoing(&["--env", "production", "--allowed-targets", allowed]);
        let host = if allowed.starts_with("localhost") { "localhost" } else { "127.0.0.1" };
        let url = format!("http://{host}:{}/", receiver.address().port());
        assert_eq!(get(&outgoing, &url).await.unwrap().status, StatusCode::NO_CONTENT, "{allowed}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {
            counted.fetch_add(8192, Ordering::SeqCst);
        }
    });
    let answer = get(&outgoing(&[]), &url).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (CAP, true));
    println!("of an answer of 1 GiB {} KiB left the receiver", sent.load(Ordering::SeqCst) / 1024);
    assert!(sent.load(Ordering::SeqCst) < 64 * 1024 * 1024);
}

#[tokio::test]
async fn whoever_drips_hangs_or_talks_nonsense_is_given_up_in_time() {
    for (what, expected) in [
        ("drips", Failure::Timeout),
        ("hangs", Failure::Timeout),
        ("nonsense", Failure::ConnectionFailed),
        ("closes", Failure::ConnectionFailed),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            match what {
                "drips" => {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
                    let mut ticks = tokio::time::interval(Duration::from_millis(100));
                    while stream.write_all(b"x").await.is_ok() {
                        ticks.tick().await;
                    }
                }
                "hangs" => std::future::pending().await,
                "nonsense" => drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await),
                _ => drop(stream),
            }
        });
        let started = Instant::now();
        assert_eq!(get(&outgoing(&[]), &url).await.unwrap_err(), expected, "{what}");
        assert!(started.elapsed() < Duration::from_secs(10), "{what}: {:?}", started.elapsed());
    }
}
