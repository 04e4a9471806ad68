//! The harness's own PostgreSQL: what a test does to it, it does.
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use support::PostgresServer;

#[test]
fn a_database_that_is_stopped_or_killed_keeps_what_it_has() {
    let mut postgres = PostgresServer::start(&["fsync=on"]);
    postgres.create("kept");
    postgres.sql("kept", &["CREATE TABLE n (n INTEGER)", "INSERT INTO n VALUES (1)"]);

    let ends: [fn(&mut PostgresServer); 3] =
        [PostgresServer::stop_fast, PostgresServer::stop_immediately, PostgresServer::kill];
    for (number, end) in (2..).zip(ends) {
        end(&mut postgres);
        postgres.revive();
        postgres.sql("kept", &[&format!("INSERT INTO n VALUES ({number})")]);
    }

    postgres.copy("kept", "copied");
    assert_eq!(postgres.sql("copied", &["SELECT string_agg(n::TEXT, ' ' ORDER BY n) FROM n"]), "1 2 3 4");
    postgres.drop(&["kept".to_owned(), "copied".to_owned()]);
    assert_eq!(postgres.sql("postgres", &["SELECT count(*) FROM pg_database WHERE datname = 'kept'"]), "0");
}

#[test]
fn a_database_that_is_paused_takes_connections_and_answers_nobody_until_it_goes_on() {
    let postgres = PostgresServer::start(&[]);

    postgres.pause();

    let mut client = TcpStream::connect(("127.0.0.1", postgres.port())).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // Asks whether it speaks TLS, which it answers before anything else.
    client.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    assert_eq!(client.read(&mut answer).unwrap_err().kind(), ErrorKind::WouldBlock);
    postgres.resume();
    client.set_read_timeout(Some(support::PATIENCE)).unwrap();
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"N");
}

#[test]
fn a_database_with_a_certificate_is_known_by_it() {
    let postgres = PostgresServer::start(&["ssl=on"]);
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-starttls", "postgres", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
    openssl.args(["-connect", &format!("127.0.0.1:{}", postgres.port())]);
    openssl.arg("-CAfile").arg(postgres.root_certificate());

    let output = openssl.stdin(Stdio::null()).output().unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
