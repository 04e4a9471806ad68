//! A file that has changed on the disk: what contradicts itself is not served, and no prompt is ever another than was written.
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use shared::start::{self, Failure, Inspection, Migration};
use support::{Engine, Processes, TestApp, engine, figure, in_full, settings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{content, start::refuses};

/// What a server keeps, it looks after itself.
fn is_kept_in_a_file() -> bool {
    engine() == Engine::Sqlite
}

/// The file of a store with so many prompts, which nobody uses; and the id, name and text of each.
async fn store(folder: &Path, prompts: usize) -> (PathBuf, Vec<(String, String, Value)>) {
    let test = TestApp::api().await;
    let mut written = Vec::new();
    for number in 0..prompts {
        let name = format!("n{number}");
        let held = match number % 3 {
            0 => {
                json!({ "messages": [{ "role": "system", "content": content(number) }, { "role": "user", "content": "{{a}}" }] })
            }
            _ => json!({ "content": content(number), "config": { "temperature": 0.1, "stop": [name] } }),
        };
        let body = support::merged(json!({ "category": "store", "name": name, "tags": ["a", "b"] }), held.clone());
        let prompt = test.post("/api/v1/prompts", body).await.expect(201);
        let id = prompt["id"].as_str().unwrap().to_owned();
        if number % 4 == 0 {
            test.put(&format!("/api/v1/prompts/{id}/labels/production"), json!({ "version": 1 })).await.expect(200);
        }
        written.push((id, name, held));
    }
    test.work().await;
    test.app.db.close().await;
    let file = folder.join("whole.db");
    fs::copy(test.location(), &file).unwrap();
    (file, written)
}

fn turn_a_bit(file: &Path, offset: u64, bit: u8) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset).unwrap();
}

/// Reads every prompt in three ways. How many answers there were of each kind; none may be another than was written.
async fn read_all(test: &TestApp, written: &[(String, String, Value)]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for (id, name, held) in written {
        for path in [
            format!("/api/v1/prompts/{id}"),
            format!("/api/v1/prompts/search/store/{name}"),
            format!("/api/v1/prompts/{id}/versions/1"),
        ] {
            let reply = test.get(&path).await;
            let kind = match reply.status.as_u16() {
                200 => {
                    for member in ["content", "messages"] {
                        assert_eq!(reply.body[member], held[member], "{path} is another than was written");
                    }
                    "served"
                }
                404 => "not found",
                503 => {
                    assert_eq!(reply.body["code"], "storage-damaged", "{}", reply.body);
                    "refused"
                }
                500 => "not understood",
                other => panic!("{other}: {}", reply.body),
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_bit_turns_no_prompt_is_another_than_was_written() {
    if !is_kept_in_a_file() {
        return;
    }
    let (flips, prompts) = if in_full() { (200, 100) } else { (40, 30) };
    let folder = TempDir::new().unwrap();
    let (whole, written) = store(folder.path(), prompts).await;
    let length = fs::metadata(&whole).unwrap().len();
    let mut random = StdRng::seed_from_u64(9);
    let turned: Vec<(u64, u8)> =
        (0..flips).map(|_| (random.random_range(0..length), random.random_range(0..8))).collect();

    let outcomes = stream::iter(turned.iter().enumerate().map(|(number, (offset, bit))| {
        let damaged = folder.path().join(format!("{number}.db"));
        let (whole, written) = (&whole, &written);
        async move {
            fs::copy(whole, &damaged).unwrap();
            turn_a_bit(&damaged, *offset, *bit);
            let opened = TestApp::opened(&damaged).await;
            fs::remove_file(&damaged).unwrap();
            match opened {
                Ok(test) => Ok(read_all(&test, written).await),
                Err(failure) => Err(failure),
            }
        }
    }));
    let outcomes: Vec<Result<BTreeMap<&str, usize>, Failure>> = outcomes.buffered(4).collect().await;

    let (mut refused, mut kinds) = (0, BTreeMap::<&str, usize>::new());
    for outcome in outcomes {
        match outcome {
            Ok(found) => found.into_iter().for_each(|(kind, count)| *kinds.entry(kind).or_default() += count),
            Err(Failure::Damaged(_) | Failure::Database(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "some contradict themselves");
    assert_eq!(kinds.get("not found"), None, "what is there is found: {kinds:?}");
    figure(
        "P-D7",
        format_args!(
            "{flips} bits turned in {length} bytes: {refused} stores not opened; of the others' answers {kinds:?}"
        ),
    );
}

/// Turns a bit in the text of one prompt, where the file is consistent with itself all the same.
fn turn_a_bit_of(file: &Path, text: &str) {
    let bytes = fs::read(file).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - text.len()).filter(|place| bytes[*place..].starts_with(text.as_bytes())).collect();
    assert!(!places.is_empty());
    for place in places {
        turn_a_bit(file, u64::try_from(place).unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_a_turned_bit_is_refused_and_said_and_all_others_are_served() {
    if !is_kept_in_a_file() {
        return;
    }
    let store = Processes::embedded();
    {
        let mut api = store.start_api().await;
        for name in ["damaged", "whole"] {
            let body = json!({ "category": "a", "name": name, "content": format!("{name} text of this prompt") });
            assert_eq!(store.post("/api/v1/prompts", &body).await.unwrap().0, 201);
        }
        api.terminate();
    }
    turn_a_bit_of(&store.folder().join("store.db"), "damaged text of this prompt");

    let api = store.start_api().await;
    let (status, problem) = store.get("/api/v1/prompts/search/a/damaged").await.unwrap();
    assert_eq!((status, &problem["code"]), (503, &json!("storage-damaged")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("backup"), "{problem}");
    let (status, prompt) = store.get("/api/v1/prompts/search/a/whole").await.unwrap();
    assert_eq!((status, &prompt["content"]), (200, &json!("whole text of this prompt")));
    let (status, list) = store.get("/api/v1/prompts").await.unwrap();
    assert_eq!((status, &list["total"]), (200, &json!(2)), "lists show no text");
    drop(api);

    let (code, _, said) = store.run("prompt-store", &["check"]);
    assert_eq!(code, 1);
    assert!(said.contains("ver_") && said.contains("not what was written"), "{said}");
    let (code, found, _) = store.run("prompt-store", &["doctor"]);
    assert_eq!(code, 1);
    assert!(found.contains("WRONG  data: 1 versions are not what was written"), "{found}");
    let export = store.folder().join("store.ndjson");
    let (code, _, said) = store.run("prompt-store", &["export", "-o", export.to_str().unwrap()]);
    let lines = fs::read_to_string(&export).unwrap();
    assert_eq!((code, lines.lines().count()), (1, 2), "the whole prompt, and what was left out: {said}");
    assert!(said.contains("`a/damaged`") && said.contains("version 1 is damaged"), "{said}");
    let backup = store.folder().join("store.backup");
    let (code, _, said) = store.run("prompt-store", &["backup", backup.to_str().unwrap()]);
    assert_eq!((code, backup.exists()), (1, true), "what is left is kept, and what is not is said: {said}");
    assert!(said.contains("1 versions are not what was written"), "{said}");
}

/// So many pages at the end of the file are overwritten, as by a disk that fails.
fn spoil(file: &Path, last: u64) {
    let pages = fs::metadata(file).unwrap().len() / 4096;
    let file = OpenOptions::new().write(true).open(file).unwrap();
    for page in pages - last..pages {
        file.write_all_at(&[0xa5; 512], page * 4096).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_contradicts_itself_is_not_served_and_it_is_said_how_to_go_on() {
    if !is_kept_in_a_file() {
        return;
    }
    let store = Processes::embedded();
    assert_eq!(store.run("prompt-store", &["seed", "--demo"]).0, 0);
    let backup = store.folder().join("store.backup");
    assert_eq!(store.run("prompt-store", &["backup", backup.to_str().unwrap()]).0, 0);
    let file = store.folder().join("store.db");
    spoil(&file, 200);

    refuses(&mut store.command("prompt-store", &[]), 74, &["damaged", "store.db", "prompt-store restore"]);

    // As it says.
    for suffix in ["", "-wal", "-shm"] {
        let moved = fs::rename(
            store.folder().join(format!("store.db{suffix}")),
            store.folder().join(format!("damaged{suffix}")),
        );
        assert!(moved.is_ok() || !suffix.is_empty(), "only the log may not be there");
    }
    assert_eq!(store.run("prompt-store", &["restore", backup.to_str().unwrap()]).0, 0);
    let _api = store.start_api().await;
    assert_eq!(store.get("/api/v1/prompts").await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_serves_while_it_looks_ends_when_it_finds_damage() {
    if !is_kept_in_a_file() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let (file, _) = store(folder.path(), 30).await;
    spoil(&file, 2);
    let (settings, _) = settings(&["--db", file.to_str().unwrap()]);
    let app = start::open(settings, Migration::Forbidden).await.unwrap();

    let inspection = Inspection::begin(&app, Duration::ZERO).await.unwrap();
    let shutdown = CancellationToken::new();
    let watched = start::watch(app, inspection, shutdown.clone()).await;

    assert!(matches!(watched, Err(Failure::Damaged(_))), "{watched:?}");
    assert!(shutdown.is_cancelled());
}
