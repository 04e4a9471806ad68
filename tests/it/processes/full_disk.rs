//! P-D6: a full disk stops writes and nothing else, loses nothing, and when there is space again writes go on by themselves.
use std::{fs, ops::Range, time::Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Engine, Processes, engine, figure, small_disk, until};

const MEGABYTES: u64 = 24;

async fn make(store: &Processes, name: &str, content: &str) -> (u16, Value) {
    store.post("/api/v1/prompts", &json!({ "category": "c", "name": name, "content": content })).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_77_where_the_disk_is_full_reads_go_on_and_writes_do_again_once_there_is_space() {
    reads_go_on("0", 0..1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_77_where_little_is_left_of_the_disk_it_is_kept() {
    // What the last write needed is taken from the twentieth that is kept, and so is what its log was written to the file.
    reads_go_on("268435456", 1..MEGABYTES * 1024 * 1024 / 20).await;
}

/// A disk is filled, and emptied again. So many bytes are free when nothing is written any more.
async fn reads_go_on(reserve: &str, left: Range<u64>) {
    // A server has its own test, with a disk of its own.
    if engine() == Engine::Postgres {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(folder.path(), u32::try_from(MEGABYTES).unwrap()) else { return };
    let filler = folder.path().join("filler");
    fs::write(&filler, vec![b'x'; 12 * 1024 * 1024]).unwrap();
    let file = folder.path().join("store.db");
    let store = Processes::embedded().with("PROMPT_STORE_DB", file.to_str().unwrap());
    let store = store.with("PROMPT_STORE_DISK_RESERVE_BYTES", reserve);
    let mut api = store.start_api().await;

    let (mut made, mut reads, mut random) = (Vec::new(), 0, StdRng::seed_from_u64(7));
    let mut refusals = 0;
    let mut fill = async |refusals_wanted: i32| {
        while refusals < refusals_wanted {
            let name = format!("n{}", random.random::<u64>());
            // Nothing that could be packed tighter.
            let content: String = (0..30_000).map(|_| char::from(random.random_range(b' '..=b'~'))).collect();
            let content = content.replace(['{', '}', '\\'], "x");
            let (status, answer) = make(&store, &name, &content).await;
            match status {
                201 => made.push((name, answer["content"].clone())),
                507 => {
                    assert_eq!(answer["code"], "storage-full");
                    refusals += 1;
                    let (name, content) = &made[made.len() / 2];
                    let (status, read) = store.get(&format!("/api/v1/prompts/search/c/{name}")).await.unwrap();
                    assert_eq!((status, &read["content"]), (200, content), "reads go on");
                    reads += 1;
                }
                other => panic!("{other}: {answer}"),
            }
        }
    };
    fill(20).await;
    let volume = rustix::fs::statvfs(folder.path()).unwrap();
    let free = volume.f_bavail * volume.f_frsize;
    assert!(left.contains(&free), "{free} bytes are free");

    fs::remove_file(&filler).unwrap();
    let since = Instant::now();
    until("writes go on", async || (make(&store, "after", "x").await.0 == 201).then_some(())).await;
    let resumed = since.elapsed();
    assert!(api.terminate().success());

    let mut api = store.start_api().await;
    for (name, content) in &made {
        let (status, read) = store.get(&format!("/api/v1/prompts/search/c/{name}")).await.unwrap();
        assert_eq!((status, &read["content"]), (200, content), "what was acknowledged is there");
    }
    assert!(api.terminate().success());
    let (code, _, said) = store.run("prompt-store", &["check", "--dry-run"]);
    assert_eq!(code, 0, "{said}");
    figure(
        "P-D6",
        format!(
            "{} made, {free} bytes left, {reads} of {reads} reads while the disk was full, writes again after {resumed:?}",
            made.len()
        ),
    );
}
