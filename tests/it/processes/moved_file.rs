//! A file that is moved, removed or replaced below a running store: nothing is acknowledged any more that would be lost.
use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use support::{Engine, Processes, engine, until};

use super::{contents, start::refuses};

/// A server looks after its own files.
fn is_kept_in_a_file() -> bool {
    engine() == Engine::Sqlite
}

async fn make(store: &Processes, name: &str) -> (u16, Value) {
    store.post("/api/v1/prompts", &json!({ "category": "c", "name": name, "content": name })).await.unwrap()
}

/// Writes are refused with the way out, health and readiness say so, and reads go on.
async fn only_reads(store: &Processes) {
    let (status, problem) = make(store, "after").await;
    assert_eq!((status, &problem["code"]), (503, &json!("storage-moved")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("puts the file back"), "{problem}");
    let (_, health) = store.get("/health").await.unwrap();
    assert_eq!(
        (&health["status"], &health["checks"]["database"]["status"]),
        (&json!("unhealthy"), &json!("unhealthy"))
    );
    assert_eq!(store.get("/health/ready").await.unwrap().0, 503);
    for _ in 0..20 {
        let (status, prompt) = store.get("/api/v1/prompts/search/c/before").await.unwrap();
        assert_eq!((status, &prompt["content"]), (200, &json!("before")), "{prompt}");
        assert_eq!(store.get("/api/v1/prompts").await.unwrap().0, 200);
    }
}

struct Moved {
    store: Processes,
    file: PathBuf,
}

impl Moved {
    async fn start() -> (Self, support::Process) {
        let store = Processes::embedded();
        let api = store.start_api().await;
        assert_eq!(make(&store, "before").await.0, 201);
        let file = store.folder().join("store.db");
        (Self { store, file }, api)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_is_written_to_again_when_it_is_back_and_nothing_is_lost() {
    if !is_kept_in_a_file() {
        return;
    }
    let (Moved { store, file }, mut api) = Moved::start().await;
    let away = store.folder().join("moved.db");
    fs::rename(&file, &away).unwrap();
    only_reads(&store).await;
    assert!(!file.exists(), "no empty one is made in its place");

    fs::rename(&away, &file).unwrap();
    until("writes go on", async || (make(&store, "later").await.0 == 201).then_some(())).await;
    assert_eq!(store.get("/health/ready").await.unwrap().0, 200);

    // Killed while the file is away, its log stays behind; without the file nobody starts on it.
    fs::rename(&file, &away).unwrap();
    api.kill();
    refuses(&mut store.command("prompt-store", &[]), 73, &["store.db-wal", "Put the database back"]);
    fs::rename(&away, &file).unwrap();
    let _api = store.start_api().await;
    let mut found: Vec<String> = contents(&store).await.into_keys().collect();
    found.sort();
    assert_eq!(found, ["before", "later"], "what was acknowledged is there, and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_removed_or_lost_its_log_is_only_read() {
    if !is_kept_in_a_file() {
        return;
    }
    for gone in [&["", "-wal", "-shm"][..], &["-wal"]] {
        let (moved, _api) = Moved::start().await;
        for suffix in gone {
            fs::remove_file(moved.beside(suffix)).unwrap();
        }
        only_reads(&moved.store).await;
        // What was acknowledged can still be brought to another store.
        let export = moved.store.client().get(moved.store.url("/api/v1/bulk/export")).send().await.unwrap();
        assert!(export.text().await.unwrap().contains("\"before\""), "{gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_restored_below_a_running_store_is_not_mixed_with_it() {
    if !is_kept_in_a_file() {
        return;
    }
    let (moved, mut api) = Moved::start().await;
    let store = &moved.store;
    let backup = store.folder().join("store.backup");
    assert_eq!(store.run("prompt-store", &["backup", backup.to_str().unwrap()]).0, 0);
    assert_eq!(make(store, "since").await.0, 201);
    for suffix in ["", "-wal", "-shm"] {
        fs::rename(moved.beside(suffix), store.folder().join(format!("aside.db{suffix}"))).unwrap();
    }
    let (code, _, said) = store.run("prompt-store", &["restore", backup.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    only_reads(store).await;
    assert_eq!(contents(store).await.len(), 2, "it still reads what it was started with");
    api.terminate();

    let _api = store.start_api().await;
    assert_eq!(contents(store).await.len(), 1, "now it is the restored one");
    assert_eq!(make(store, "since").await.0, 201);
}

#[test]
fn a_store_is_kept_in_nothing_but_a_regular_file() {
    let store = Processes::embedded();
    let pipe = store.folder().join("pipe.db");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
        .unwrap();
    for (place, word) in [(pipe.clone(), "a pipe"), (store.folder().to_owned(), "a directory")] {
        let mut command = store.command("prompt-store", &["migrate"]);
        refuses(command.env("PROMPT_STORE_DB", &place), 73, &[word]);
    }
    let backup = store.folder().join("store.backup");
    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    assert_eq!(store.run("prompt-store", &["backup", backup.to_str().unwrap()]).0, 0);
    let mut command = store.command("prompt-store", &["restore", backup.to_str().unwrap()]);
    refuses(command.env("PROMPT_STORE_DB", &pipe), 73, &["nothing was restored", "no regular file"]);
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&fs::symlink_metadata(&pipe).unwrap().file_type()));
}
