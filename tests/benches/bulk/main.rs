//! How fast bulk operations and jobs are, beside what nobody can do without: `make bench-bulk`. It ends with 1 if a
//! ratio is below its bound.
//!
//! A bulk create is everything from the order to the last item: reading and checking the items, their states, the
//! counts and the leases. Beside it stands a loop of batched inserts into the tables that a prompt fills, with the same
//! indexes, the same rows a commit and the same durability, whose ids and hashes were made before. A job is beside two
//! updates of a row, each on disk: it cannot be taken and settled with less.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![allow(clippy::large_futures, reason = "they stay where they are made")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod bare;
mod store;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::Value;
use shared::{
    App,
    bulk::{self, BulkCreate, BulkOperation, OperationStatus, RunBulkOperation},
    id::JobId,
    jobs::{self, Queue},
};

use store::{caller, order, rows_of};
use support::BenchStore;

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CREATE_BOUND: f64 = 0.5;
const JOBS_BOUND: f64 = 0.7;

/// Ten operations of as many items as a request may have.
const BLOCKS: usize = 10;
const ITEMS: usize = 10_000;
const JOBS: usize = 200;

fn main() -> ExitCode {
    let (settings, _) = support::settings(&[]);
    let _told = shared::telemetry::start_log(&settings, "bench").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let within = runtime.block_on(run());
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run() -> bool {
    println!("\n| Engine | What | Product | Bare | Ratio | Bound | |\n|---|---|---:|---:|---:|---:|---|");
    let mut within = true;
    for store in [BenchStore::sqlite().await, BenchStore::postgres().await] {
        within &= line(store.name(), "prompts/s", ITEMS, &creates(&store).await, CREATE_BOUND);
        within &= line(store.name(), "jobs/s", JOBS, &jobs(&store).await, JOBS_BOUND);
        store.app.db.close().await;
    }
    println!("\nBlocks of both sides take turns; medians. Ratio: the median over pairs of blocks.");
    within
}

/// How long each block took: the product's and the bare one.
type Pairs = Vec<(Duration, Duration)>;

fn line(engine: &str, what: &str, count: usize, pairs: &Pairs, bound: f64) -> bool {
    let count = f64::from(u32::try_from(count).unwrap());
    let rate = |time: Duration| count / time.as_secs_f64();
    let product = median(pairs.iter().map(|pair| rate(pair.0)).collect());
    let bare = median(pairs.iter().map(|pair| rate(pair.1)).collect());
    let ratio = median(pairs.iter().map(|(product, bare)| bare.as_secs_f64() / product.as_secs_f64()).collect());
    let verdict = if ratio >= bound { "" } else { "**below**" };
    println!("| {engine} | {what} | {product:.0} | {bare:.0} | {ratio:.2} | {bound:.1} | {verdict} |");
    ratio >= bound
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn creates(store: &BenchStore) -> Pairs {
    let mut pairs = Vec::new();
    for block in 0..BLOCKS {
        let prompts: Vec<Value> = (0..ITEMS).map(|item| order("product", &format!("{block} {item}"))).collect();
        let rows = bare::rows("bare", block, ITEMS);
        let product = async {
            let began = Instant::now();
            let operation = bulk::create(&store.app, &caller(), BulkCreate { prompts, ..BulkCreate::default() }).await;
            work_all(store, Queue::BulkOperations).await;
            check(store, &operation.unwrap()).await;
            began.elapsed()
        };
        let bare = async {
            let began = Instant::now();
            bare::insert(&store.app, &rows).await;
            began.elapsed()
        };
        pairs.push(if block % 2 == 0 {
            let product = product.await;
            (product, bare.await)
        } else {
            let bare = bare.await;
            (product.await, bare)
        });
    }
    let all = i64::try_from(BLOCKS * ITEMS).unwrap();
    for category in ["product", "bare"] {
        assert_eq!(rows_of(&store.app, category).await, [all, all, 2 * all, all, all, all, all], "{category}");
    }
    pairs
}

async fn work_all(store: &BenchStore, queue: Queue) {
    while let [job, ..] = jobs::due(&store.app, queue, 1).await.unwrap()[..] {
        worker::work(&store.app, job).await.unwrap();
    }
}

async fn check(store: &BenchStore, operation: &BulkOperation) {
    let ended = bulk::get(&store.app, operation.id).await.unwrap();
    assert_eq!((ended.status, ended.successful_items), (OperationStatus::Completed, ended.total_items));
}

/// Jobs of an operation that is over, which find nothing to do.
async fn jobs(store: &BenchStore) -> Pairs {
    let request = BulkCreate { prompts: vec![order("jobs", "one")], ..BulkCreate::default() };
    let operation = bulk::create(&store.app, &caller(), request).await.unwrap();
    work_all(store, Queue::SmallBulkOperations).await;
    let mut pairs = Vec::new();
    for block in 0..BLOCKS {
        let mut tx = store.app.begin(&caller()).await.unwrap();
        for job in 0..JOBS {
            let round = i64::try_from(1 + block * JOBS + job).unwrap();
            tx.enqueue(&RunBulkOperation { operation_id: operation.id, round }).await.unwrap();
        }
        tx.commit().await.unwrap();
        let waiting = jobs::due(&store.app, Queue::BulkOperations, i64::MAX).await.unwrap();
        assert_eq!(waiting.len(), JOBS);
        // In tasks, as workers run them: the main thread of a runtime is slow to hear of what happens on the others.
        let product = tokio::spawn(timed_jobs(store.app.clone(), waiting.clone())).await.unwrap();
        pairs.push((product, tokio::spawn(bare::update_twice(store.app.clone(), waiting)).await.unwrap()));
    }
    pairs
}

async fn timed_jobs(app: App, waiting: Vec<JobId>) -> Duration {
    let began = Instant::now();
    for job in waiting {
        worker::work(&app, job).await.unwrap();
    }
    began.elapsed()
}
