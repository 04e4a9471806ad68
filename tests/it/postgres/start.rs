//! A start on a database that cannot keep a store: one sentence, an exit code, and the way out.
use std::net::TcpListener;

use support::{PostgresServer, Processes};

use super::{SECRET, store};
use crate::processes::start::refuses;

/// `migrate` on this address ends so.
#[track_caller]
fn refuses_address(address: &str, code: i32, words: &[&str]) {
    let store = Processes::embedded();
    let mut command = store.command("prompt-store", &["migrate"]);
    let said = refuses(command.env("PROMPT_STORE_DB", address), code, words);
    for secret in ["wrong-secret", ":secret@"] {
        assert!(!said.contains(secret), "it tells the password: {said}");
    }
}

#[test]
fn an_address_that_leads_nowhere_is_said() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let port = server.port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();

    refuses_address(&format!("postgres://store:wrong-secret@127.0.0.1:{port}/prompts"), 73, &["store", "password"]);
    refuses_address(&format!("postgres://nobody:wrong-secret@127.0.0.1:{port}/prompts"), 73, &["nobody"]);
    refuses_address(&server.url("elsewhere"), 73, &["elsewhere", "createdb"]);
    refuses_address(&server.url("prompts?sslmode=require"), 73, &["TLS", "sslmode"]);
    refuses_address(&server.url("prompts?sslmode=perhaps"), 73, &["PROMPT_STORE_DB", "perhaps"]);
    refuses_address("postgres://store:secret@127.0.0.1:port/prompts", 73, &["PROMPT_STORE_DB", "postgres://user"]);
    refuses_address(&format!("postgres://store:secret@{closed}/prompts"), 69, &["does not answer", "PROMPT_STORE_DB"]);
    let silent = silent.local_addr().unwrap();
    refuses_address(&format!("postgres://store:secret@{silent}/prompts"), 69, &["does not answer", "10 s"]);
    server.sql(
        "postgres",
        &["ALTER ROLE store CONNECTION LIMIT 0", "CREATE ROLE full LOGIN CONNECTION LIMIT 0 PASSWORD 'x'"],
    );
    refuses_address(&server.url_as("full", "x", "prompts"), 69, &["connection", "PROMPT_STORE_DB_CONNECTIONS"]);
}

#[test]
fn a_database_that_cannot_keep_a_store_is_said() {
    let mut server = PostgresServer::start(&[]);
    server.sql(
        "postgres",
        &[
            "CREATE DATABASE prompts",
            "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
            "CREATE DATABASE read_only",
            "ALTER DATABASE read_only SET default_transaction_read_only = on",
            "CREATE ROLE reader LOGIN PASSWORD 'x'",
        ],
    );
    refuses_address(&server.url("bytes"), 73, &["SQL_ASCII", "UTF8"]);
    refuses_address(&server.url("read_only"), 73, &["read-only"]);
    refuses_address(&server.url_as("reader", "x", "prompts"), 73, &["reader", "own"]);
    server.become_replica();
    refuses_address(&server.url("prompts"), 73, &["replica", "primary"]);
}

#[test]
fn a_server_is_known_by_its_certificate() {
    let server = PostgresServer::start(&["ssl=on"]);
    server.create("prompts");
    refuses_address(&server.url("prompts?sslmode=verify-full"), 73, &["TLS", "sslrootcert"]);
    let root = server.root_certificate();
    let trusted = server.url(&format!("prompts?sslmode=verify-full&sslrootcert={}", root.display()));
    let store = Processes::embedded().with("PROMPT_STORE_DB", trusted);
    let (code, _, said) = store.run("prompt-store", &["migrate"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn every_host_must_be_given_the_same_key() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let store =
        Processes::embedded().with("PROMPT_STORE_DB", server.url("prompts")).with("PROMPT_STORE_SECRET_KEY", "");
    refuses(&mut store.command("prompt-store", &[]), 78, &["PROMPT_STORE_SECRET_KEY", "openssl"]);
    let store = store.with("PROMPT_STORE_SECRET_KEY", SECRET).with("PROMPT_STORE_DB_CONNECTIONS", "1");
    refuses(&mut store.command("prompt-store", &[]), 2, &["PROMPT_STORE_DB_CONNECTIONS"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn apis_that_start_at_once_make_the_tables_once() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let stores = [store(&server, "prompts"), store(&server, "prompts"), store(&server, "prompts")];
    let apis = futures::future::join_all(stores.iter().map(Processes::start_api)).await;
    assert_eq!(apis.len(), 3);
    assert_eq!(server.sql("prompts", &["SELECT count(*) - count(DISTINCT version) FROM _sqlx_migrations"]), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_stops_when_a_later_version_changes_the_tables() {
    let server = PostgresServer::start(&[]);
    server.create("prompts");
    let store = store(&server, "prompts");
    let mut api = store.start_api().await;
    server.sql(
        "prompts",
        &["INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
           SELECT max(version) + 1, 'later', true, '', 0 FROM _sqlx_migrations"],
    );
    assert_eq!(api.wait().code(), Some(73));
}
