//! How long the product takes on either engine, beside the very statements it runs sent by sqlx alone: `make
//! bench-engines`. It ends with 1 if a ratio is beyond its bound.
//!
//! What the product runs is not written down here: it is recorded while an operation runs once, and replayed with
//! parameters of the same kind. So the bare side sends the same texts, in the same transactions, over connections set
//! up alike, and reads the same columns. It has its parameters ready, where the product still checks its input, makes
//! ids and hashes; and its pools do nothing when a connection is taken or given back.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![allow(clippy::large_futures, reason = "they stay where they are made, on the one thread")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod connection;
mod contest;
mod operations;
mod recorder;
mod replay;
mod statements;
mod store;

use std::process::ExitCode;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use contest::Figures;
use store::Store;

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Through the domain: checks, ids, hashes and the audit log included.
const DOMAIN_BOUND: f64 = 1.3;
/// `Conn` alone.
const CONN_BOUND: f64 = 1.05;

/// What statfs(2) calls a file system in memory.
const TMPFS: u64 = 0x0102_1994;

fn main() -> ExitCode {
    let core = pin();
    // As the binaries have them: nothing of either is on the way of a statement unless it is switched on.
    let (settings, _) = support::settings(&[]);
    let _told = shared::telemetry::start_log(&settings, "bench").unwrap();
    let metrics = shared::telemetry::start_metrics().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let within = runtime.block_on(run(core));
    assert!(metrics.render().contains("prompt_store_statement_seconds"), "statements were not counted");
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Stays on one core, with every thread and process that follows: sqlx has a thread for each connection of SQLite,
/// and what a statement takes would depend on which core it wakes up.
fn pin() -> usize {
    let allowed = sched_getaffinity(None).unwrap();
    let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).unwrap();
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).unwrap();
    core
}

async fn run(core: usize) -> bool {
    let sqlite = Store::sqlite().await;
    let kind = rustix::fs::statfs(sqlite.folder()).unwrap().f_type;
    assert_ne!(
        u64::try_from(kind),
        Ok(TMPFS),
        "{} is memory: set TMPDIR to a folder on a disk",
        sqlite.folder().display()
    );
    println!(
        "\nEverything on core {core}, the server included, in {}; every commit on disk.\n",
        sqlite.folder().display()
    );
    heading();
    let mut within = true;
    for store in [sqlite, Store::postgres().await] {
        for (operation, statements, figures) in operations::measure(&store).await {
            within &= line(store.name(), operation, statements, &figures, DOMAIN_BOUND);
        }
        store.close().await;
    }
    // One of its own, in which no second connection was ever needed.
    let store = Store::sqlite().await;
    for (operation, statements, figures) in connection::measure(&store).await {
        within &= line(store.name(), operation, statements, &figures, CONN_BOUND);
    }
    store.close().await;
    println!("\nMicroseconds, medians. Ratio: the median over pairs of blocks, with its quartiles.");
    println!("Statements: of one operation, with BEGIN and COMMIT.");
    within
}

fn heading() {
    println!("| Engine | Operation | Statements | Product | sqlx | Ratio | Quartiles | Bound | |");
    println!("|---|---|---:|---:|---:|---:|---|---:|---|");
}

fn line(engine: &str, operation: &str, statements: usize, figures: &Figures, bound: f64) -> bool {
    let Figures { product, bare, ratio, quartiles: (low, high) } = figures;
    let within = *ratio <= bound;
    let verdict = if within { "" } else { "**beyond**" };
    println!(
        "| {engine} | {operation} | {statements} | {product:.1} | {bare:.1} | {ratio:.3} | {low:.3} to {high:.3} | \
         {bound:.2} | {verdict} |"
    );
    within
}
