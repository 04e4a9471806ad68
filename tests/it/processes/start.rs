//! What a process says, and how it ends, when it cannot start.
use std::{net::TcpListener, process::Command};

use shared::db::Location;
use support::{Engine, Processes, TestApp, caller, engine};

const KEY: &str = "kP7-3xQz9_vLr2TfWb8mYhNc4JdSgAe6";

/// It ends with this code, and says why in one sentence with these words.
#[track_caller]
pub(crate) fn refuses(command: &mut Command, code: i32, words: &[&str]) -> String {
    let (ended, printed, said) = Processes::finish(command);
    assert_eq!(ended, code, "{command:?}: {said}");
    assert_eq!(printed, "", "{command:?}");
    if code != 2 {
        assert_eq!(said.lines().count(), 1, "{command:?}: {said}");
        assert!(said.starts_with("prompt-store"), "{command:?}: {said}");
    }
    for word in words {
        assert!(said.contains(word), "{command:?}: no `{word}` in: {said}");
    }
    for word in ["panicked", "backtrace", "Error {", "\u{1b}"] {
        assert!(!said.contains(word), "{command:?}: `{word}` in: {said}");
    }
    said
}

fn api(store: &Processes, variables: &[(&str, &str)]) -> Command {
    let mut command = store.command("prompt-store", &[]);
    command.envs(variables.iter().copied());
    command
}

fn worker(store: &Processes, variables: &[(&str, &str)]) -> Command {
    let mut command = store.command("prompt-store-worker", &[]);
    command.envs(variables.iter().copied());
    command
}

#[test]
fn a_store_that_others_could_change_does_not_start() {
    let store = Processes::embedded();
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        refuses(&mut api(&store, &[("PROMPT_STORE_HOST", host)]), 78, &["PROMPT_STORE_ADMIN_KEY", host]);
    }
    let open = [("PROMPT_STORE_HOST", "0.0.0.0"), ("PROMPT_STORE_ADMIN_KEY", "")];
    refuses(&mut api(&store, &open), 78, &["PROMPT_STORE_ADMIN_KEY"]);
    let production = ("PROMPT_STORE_ENV", "production");
    refuses(&mut api(&store, &[production]), 78, &["PROMPT_STORE_ADMIN_KEY", "production"]);
    for weak in ["secret", &KEY[1..], &"a".repeat(64), &"ab".repeat(32), &"schlüssel".repeat(8)] {
        let variables = [("PROMPT_STORE_ADMIN_KEY", weak), production];
        let said = refuses(&mut api(&store, &variables), 78, &["PROMPT_STORE_ADMIN_KEY"]);
        assert!(!said.contains(weak), "the key is not said: {said}");
    }
    assert!(!store.is_made(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_said() {
    let store = Processes::embedded();
    let _taken = TcpListener::bind(("127.0.0.1", store.port())).unwrap();

    refuses(&mut api(&store, &[]), 71, &["PROMPT_STORE_PORT", &store.port().to_string()]);
    refuses(
        &mut api(&store, &[("PROMPT_STORE_HOST", "192.0.2.1"), ("PROMPT_STORE_ADMIN_KEY", KEY)]),
        71,
        &["PROMPT_STORE_HOST"],
    );
}

#[test]
fn a_database_that_cannot_be_opened_is_said() {
    let store = Processes::embedded();
    let file = store.folder().join("file");
    std::fs::write(&file, "this is no database, and long enough to be looked at as one\n".repeat(100)).unwrap();
    let path = |name: &str| store.folder().join(name).to_str().unwrap().to_owned();
    for database in [path("file/store.db"), path("file/deeper/store.db"), path("file"), path("")] {
        let variables = [("PROMPT_STORE_DB", database.as_str())];
        refuses(&mut api(&store, &variables), 73, &[database.trim_end_matches("store.db").trim_end_matches('/')]);
    }
    for database in ["", ":memory:", "sqlite::memory:"] {
        refuses(&mut api(&store, &[("PROMPT_STORE_DB", database)]), 73, &["PROMPT_STORE_DB"]);
    }
    for command in ["migrate", "seed", "import"] {
        let csv = path("prompts.csv");
        std::fs::write(&csv, "name,content\na,b\n").unwrap();
        let args: &[&str] = if command == "import" { &["import", &csv] } else { &[command] };
        refuses(store.command("prompt-store", args).env("PROMPT_STORE_DB", path("file")), 73, &["file"]);
    }
}

#[tokio::test]
async fn tables_of_another_version_are_said() {
    let test = TestApp::api().await;
    let location = test.location();
    // As it is said: without the password.
    let said: &str = &location.parse::<Location>().unwrap().to_string();
    let redis = ("REDIS_URL", "redis://127.0.0.1:1");
    let database = ("PROMPT_STORE_DB", location.as_str());
    let store = Processes::embedded();
    let meddle = async |sql: &'static str| {
        let mut tx = test.app.begin(&caller()).await.unwrap();
        tx.execute(sql, &[]).await.unwrap();
        tx.commit().await.unwrap();
    };

    meddle(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT max(version) + 1, 'later', TRUE, '', 0 FROM _sqlx_migrations",
    )
    .await;
    refuses(&mut api(&store, &[database]), 73, &[said, "later version"]);
    refuses(&mut worker(&store, &[database, redis]), 73, &[said, "later version"]);
    refuses(store.command("prompt-store", &["seed"]).env(database.0, database.1), 73, &["later version"]);
    refuses(store.command("prompt-store", &["migrate"]).env(database.0, database.1), 73, &["later version"]);

    meddle("DELETE FROM _sqlx_migrations WHERE version >= (SELECT max(version) - 1 FROM _sqlx_migrations)").await;
    refuses(&mut worker(&store, &[database, redis]), 73, &[said, "prompt-store migrate"]);
}

#[test]
fn a_redis_that_does_not_answer_is_said() {
    let store = Processes::embedded();
    let closed = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = |address| format!("redis://:a-password@{address}");
    let (closed, silent) = (url(closed), url(silent.local_addr().unwrap()));
    let said = [
        refuses(&mut api(&store, &[("REDIS_URL", &closed)]), 69, &["REDIS_URL"]),
        refuses(&mut worker(&store, &[("REDIS_URL", &closed)]), 69, &["REDIS_URL"]),
        refuses(&mut api(&store, &[("REDIS_URL", &silent)]), 69, &["REDIS_URL", "does not answer"]),
    ];
    assert!(said.iter().all(|said| !said.contains("a-password")), "{said:?}");
}

#[test]
fn a_worker_without_redis_or_database_says_what_it_lacks() {
    let store = Processes::embedded();
    refuses(&mut worker(&store, &[]), 78, &["REDIS_URL"]);
    refuses(&mut worker(&store, &[("REDIS_URL", "")]), 78, &["REDIS_URL"]);
    let words = match engine() {
        Engine::Sqlite => ["store.db", "PROMPT_STORE_DB"],
        Engine::Postgres => ["test_", "prompt-store migrate"],
    };
    refuses(&mut worker(&store, &[("REDIS_URL", "redis://127.0.0.1:1")]), 73, &words);
    assert!(!store.is_made(), "a worker makes no database");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let variables = [("REDIS_URL", "redis://127.0.0.1:1"), ("PROMPT_STORE_WORKER_PORT", &port)];
    refuses(&mut worker(&store, &variables), 71, &["PROMPT_STORE_WORKER_PORT"]);
}

#[test]
fn a_setting_that_cannot_be_read_is_named() {
    let store = Processes::embedded();
    for (variable, value) in [
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost:6379"),
        ("REDIS_URL", "redis://localhost:port"),
        ("REDIS_URL", "redis://localhost:6379/database"),
        ("PROMPT_STORE_PORT", "http"),
        ("PROMPT_STORE_PORT", "65536"),
        ("PROMPT_STORE_HOST", "localhost"),
        ("PROMPT_STORE_ENV", "prod"),
        ("PROMPT_STORE_LEASE_MS", "0"),
        ("PROMPT_STORE_TICK_MS", "1s"),
        ("PROMPT_STORE_LOG_FORMAT", "xml"),
        ("PROMPT_STORE_REQUIRE_IF_MATCH", "perhaps"),
        ("PROMPT_STORE_MAX_IN_FLIGHT", "-1"),
    ] {
        refuses(&mut api(&store, &[(variable, value)]), 2, &[variable]);
    }
    for (variable, value) in [("REDIS_URL", "localhost:6379"), ("PROMPT_STORE_WORKER_PORT", "x")] {
        refuses(&mut worker(&store, &[(variable, value)]), 2, &[variable]);
    }
    assert!(!store.is_made(), "nothing was made");
    refuses(&mut api(&store, &[("PROMPT_STORE_SECRET_KEY", "short")]), 78, &["PROMPT_STORE_SECRET_KEY"]);
    refuses(&mut api(&store, &[("PROMPT_STORE_LOG", "shared=loud")]), 78, &["PROMPT_STORE_LOG"]);
}
