//! How fast usage is taken in, beside what nobody can do without, and how long a summary takes: `make bench-analytics`. It
//! ends with 1 if a bound is missed.
//!
//! Single events of 64 callers are beside a loop of prepared inserts of the same row, one a commit; lists of a thousand
//! beside batched inserts of the same rows, as many a commit. Both sides wait for the disk. The summary is that of a month
//! with ten million events, from what they add up to.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![allow(clippy::large_futures, reason = "they stay where they are made")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod bare;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::json;
use shared::{
    App, Caller,
    analytics::{self, UsageEvent},
    id::PromptId,
    jobs::{self, Queue},
    prompts,
};
use support::BenchStore;

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SINGLE_BOUND: f64 = 10.0;
const LISTS_BOUND: f64 = 0.5;
const SUMMARY_BOUND: Duration = Duration::from_millis(20);

const BLOCKS: usize = 7;
const CALLERS: usize = 64;
/// Of each caller in a block.
const SINGLE: usize = 100;
/// Of the bare loop in a block.
const BARE_SINGLE: usize = 300;
const LISTS: usize = 10;
const LIST: usize = 1000;
/// The month's events.
const MONTH: i64 = 10_000_000;
const SUMMARIES: usize = 300;

fn main() -> ExitCode {
    let (settings, _) = support::settings(&[]);
    let _told = shared::telemetry::start_log(&settings, "bench").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let within = runtime.block_on(run());
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn caller() -> Caller {
    Caller::system("bench")
}

async fn run() -> bool {
    println!("\n| Engine | What | Product | Bare | Ratio | Bound | |\n|---|---|---:|---:|---:|---:|---|");
    let mut within = true;
    for store in [BenchStore::sqlite().await, BenchStore::postgres().await] {
        let id = prompt(&store.app).await;
        let (mut singles, mut lists) = (Vec::new(), Vec::new());
        for block in 0..BLOCKS {
            singles.push((single(&store.app, id).await, bare::single(&store.app, id, BARE_SINGLE).await));
            lists.push((listed(&store.app, id, block).await, bare::lists(&store.app, id, LISTS, LIST).await));
            roll_up(&store.app).await;
        }
        within &= line(store.name(), "single events/s", &singles, SINGLE_BOUND);
        within &= line(store.name(), "events/s in lists", &lists, LISTS_BOUND);
        within &= summaries(&store).await;
        store.app.db.close().await;
    }
    println!("\nBlocks of both sides take turns; medians. Ratio: the median over pairs of blocks.");
    within
}

/// Rates of each block: the product's and the bare one's.
fn line(engine: &str, what: &str, pairs: &[(f64, f64)], bound: f64) -> bool {
    let product = median(pairs.iter().map(|pair| pair.0).collect());
    let bare = median(pairs.iter().map(|pair| pair.1).collect());
    let ratio = median(pairs.iter().map(|pair| pair.0 / pair.1).collect());
    let verdict = if ratio >= bound { "" } else { "**below**" };
    println!("| {engine} | {what} | {product:.0} | {bare:.0} | {ratio:.2} | {bound:.1} | {verdict} |");
    ratio >= bound
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rate(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / time.as_secs_f64()
}

async fn prompt(app: &App) -> PromptId {
    let new = json!({ "category": "bench", "name": "one", "content": "Say {{what}}." });
    prompts::create(app, &caller(), serde_json::from_value(new).unwrap()).await.unwrap().id
}

fn event(id: PromptId, name: &str, n: usize) -> UsageEvent {
    let event = json!({ "prompt_id": id, "version": 1, "event_id": name, "success": !n.is_multiple_of(10),
        "response_time_ms": 100 + n % 900, "input_tokens": 200 + n % 50, "output_tokens": 50 + n % 100,
        "cost_usd": 0.002, "score": 0.5, "model": "some-model", "service_name": "some-service",
        "user_id": format!("user-{}", n % 1000) });
    serde_json::from_value(event).unwrap()
}

async fn single(app: &App, id: PromptId) -> f64 {
    let name = || format!("single-{}", shared::id::request_id());
    let events: Vec<Vec<_>> =
        (0..CALLERS).map(|_| (0..SINGLE).map(|n| vec![event(id, &name(), n)]).collect()).collect();
    let began = Instant::now();
    let callers: Vec<_> = events
        .into_iter()
        .map(|events| {
            let app = app.clone();
            tokio::spawn(async move {
                for event in events {
                    analytics::record(&app, &caller(), event, true).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    rate(CALLERS * SINGLE, began.elapsed())
}

async fn listed(app: &App, id: PromptId, block: usize) -> f64 {
    let lists: Vec<Vec<_>> =
        (0..LISTS).map(|list| (0..LIST).map(|n| event(id, &format!("list-{block}-{list}-{n}"), n)).collect()).collect();
    let app = app.clone();
    // In a task, as requests are served: the main thread of a runtime is slow to hear of what happens on the others.
    let took = tokio::spawn(async move {
        let began = Instant::now();
        for list in lists {
            analytics::record(&app, &caller(), list, false).await.unwrap();
        }
        began.elapsed()
    });
    rate(LISTS * LIST, took.await.unwrap())
}

async fn roll_up(app: &App) {
    analytics::order_roll_up(app, &caller()).await.unwrap();
    while let [job, ..] = jobs::due(app, Queue::UsageRollups, 1).await.unwrap()[..] {
        worker::work(app, job).await.unwrap();
    }
}

async fn summaries(store: &BenchStore) -> bool {
    let events = bare::fill_month(&store.app, MONTH).await;
    let mut times = Vec::with_capacity(SUMMARIES);
    for _ in 0..SUMMARIES {
        let began = Instant::now();
        let summary = analytics::summary(&store.app, &support::caller(), 30).await.unwrap();
        times.push(began.elapsed());
        assert_eq!((summary.totals.events, summary.top_prompts.is_empty()), (events, false));
    }
    times.sort();
    let (p50, p95) = (times[SUMMARIES / 2], times[SUMMARIES * 95 / 100]);
    let verdict = if p95 < SUMMARY_BOUND { "" } else { "**above**" };
    println!(
        "| {} | summary of {events} events, p95 (p50 {p50:.1?}) | {p95:.1?} | | | {SUMMARY_BOUND:.0?} | {verdict} |",
        store.name()
    );
    p95 < SUMMARY_BOUND
}
