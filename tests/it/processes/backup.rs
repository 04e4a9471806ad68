//! A store is backed up while it is used, and what is restored is whole, or refused.
use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use futures::future::join_all;
use serde_json::json;
use support::{Engine, Processes, engine, figure, in_full, until};

use super::{contents, count};

const WRITERS: usize = 8;

/// The store that a backup was restored to.
fn restored(file: &Path) -> Processes {
    Processes::embedded().with("PROMPT_STORE_DB", file.to_str().unwrap())
}

/// A store on a server is given its secret as a variable, and so are all that are made of it.
fn bring_key(store: &Processes, target: &Path) {
    if engine() == Engine::Sqlite {
        std::fs::copy(store.folder().join("store.key"), target.with_extension("key")).unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Names of prompts that were acknowledged, while it goes on.
async fn write(store: &Processes, writer: usize, stop: &AtomicBool, acknowledged: &Mutex<Vec<String>>) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("w{writer} {number}");
        let body = json!({ "category": "store", "name": name, "content": format!("content of {name}") });
        let (status, answer) = store.post("/api/v1/prompts", &body).await.unwrap();
        assert_eq!(status, 201, "{answer}");
        acknowledged.lock().unwrap().push(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_holds_all_that_was_acknowledged_before_it_began() {
    let store = Arc::new(Processes::embedded());
    let api = store.start_api().await;
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let began = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, stop, acknowledged) = (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(async move { write(&store, writer, &stop, &acknowledged).await })
        })
        .collect();
    let so_many = async |least: usize| {
        until("more is written", async || (acknowledged.lock().unwrap().len() >= least).then_some(())).await;
        acknowledged.lock().unwrap().clone()
    };
    let before: HashSet<String> = so_many(if in_full() { 10_000 } else { 400 }).await.into_iter().collect();

    let file = store.folder().join("store.backup");
    let (of, path) = (Arc::clone(&store), file.clone());
    let backing_up = tokio::task::spawn_blocking(move || of.run("prompt-store", &["backup", text(&path)]));
    let (code, _, said) = backing_up.await.unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("looked through and whole"), "{said}");
    let meanwhile = acknowledged.lock().unwrap().len();
    let all = so_many(meanwhile + 50).await.len();
    let pace = all * 1000 / usize::try_from(began.elapsed().as_millis()).unwrap();
    stop.store(true, Ordering::Relaxed);
    join_all(writers).await.into_iter().for_each(|writer| writer.unwrap());
    drop(api);

    let target = store.folder().join("restored/store.db");
    let mut restoring = store.command("prompt-store", &["restore", text(&file)]);
    let (code, _, said) = Processes::finish(restoring.env("PROMPT_STORE_DB", &target));
    assert_eq!(code, 0, "{said}");
    let again = restored(&target);
    bring_key(&store, &target);
    let _api = again.start_api().await;
    let kept = contents(&again).await;
    let lost: Vec<&String> = before.iter().filter(|name| !kept.contains_key(*name)).collect();
    assert_eq!(lost, Vec::<&String>::new());
    for (name, content) in &kept {
        assert_eq!(*content, format!("content of {name}"));
    }
    // Nothing of it is half there: each prompt has its version, its audit row and its event.
    for table in ["versions", "audit_log WHERE action = 'prompt.created'", "events WHERE event_type = 'prompt.created'"]
    {
        let rows = format!("SELECT count(*) FROM {table}");
        assert_eq!(count(&again, &rows).await, i64::try_from(kept.len()).unwrap(), "{table}");
    }
    // After a backup of PostgreSQL the search index is made anew by a job.
    until("all of it can be found", async || {
        let (_, found) = again.post("/api/v1/prompts/search", &json!({ "query": "content" })).await?;
        (found["total"] == kept.len()).then_some(())
    })
    .await;
    figure(
        "P-D5",
        format_args!(
            "backed up under {pace} writes/s: {} acknowledged before, 0 of them lost, {} in all",
            before.len(),
            kept.len()
        ),
    );
}

#[tokio::test]
async fn what_is_damaged_or_would_be_written_over_is_refused() {
    let store = Processes::embedded();
    let (code, _, said) = store.run("prompt-store", &["seed"]);
    assert_eq!(code, 0, "{said}");
    let file = store.folder().join("store.backup");
    let back_up = || store.run("prompt-store", &["backup", text(&file)]);
    assert_eq!(back_up().0, 0);
    let (code, _, said) = back_up();
    assert_eq!(code, 73);
    assert!(said.contains("store.backup` exists; nothing is written over"), "{said}");

    let target = store.folder().join("restored.db");
    let restore = |file: &Path| {
        let mut command = store.command("prompt-store", &["restore", text(file)]);
        Processes::finish(command.env("PROMPT_STORE_DB", &target))
    };
    let whole = std::fs::read(&file).unwrap();
    let damaged = store.folder().join("damaged.backup");
    let mut torn = whole.clone();
    for byte in &mut torn[20_000..24_000] {
        *byte ^= 0x55;
    }
    for (what, bytes) in [
        ("torn", torn),
        ("short", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("text", b"not a store".to_vec()),
    ] {
        std::fs::write(&damaged, bytes).unwrap();
        let (code, _, said) = restore(&damaged);
        assert_eq!(code, 73, "{what}: {said}");
        assert!(said.contains("nothing was restored: `") && !target.exists(), "{what}: {said}");
    }
    let (code, _, said) = restore(&store.folder().join("none.backup"));
    assert_eq!((code, said.contains("there is no backup")), (73, true), "{said}");

    let (code, _, said) = restore(&file);
    assert_eq!((code, said.contains("7 prompts")), (0, true), "{said}");
    let (code, _, said) = restore(&file);
    assert_eq!((code, said.contains("restored.db` exists; nothing is written over")), (73, true), "{said}");
    assert_eq!(count(&restored(&target), "SELECT count(*) FROM prompts").await, 7);
}
