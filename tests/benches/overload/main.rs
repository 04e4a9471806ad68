//! What becomes of a store that is asked for more than it can do: `make bench-overload`. It ends with 1 if a promise is broken.
//!
//! The real binary serves a store in a file. First as many ask as keep it busy, which is its capacity. Then four fifths of that
//! come, at moments of their own, which is a busy day; then four times as many as it can serve, for a minute; and then four
//! fifths again. The store has one processor, and those who ask another. Meanwhile somebody asks `/health/live` fifty times a second, as an orchestrator would.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod hostile;
mod load;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use serde_json::json;
use shared::{Caller, prompts, versions::ChangeType};
use support::{Process, Processes, open_for_bench, variable};

use load::{Make, Outcome, closed, open};

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PROMPTS: usize = 10_000;
/// Of those that keep it busy.
const BUSY: usize = 16;

const GOODPUT_AIM: f64 = 0.8;
const SLOWER_AIM: f64 = 2.0;
const HEALTH_AIM: Duration = Duration::from_millis(100);
const MEMORY_AIM: f64 = 512.0;
const RECOVERY_AIM: Duration = Duration::from_secs(5);

/// The store has a processor of its own: whoever asks for four times as much must not take from it what it could serve with.
const OF_THE_STORE: usize = 0;
const OF_THOSE_WHO_ASK: usize = 1;

/// Binds a thread, or this one and those that it starts.
fn bind(thread: Option<Pid>, processor: usize) {
    let mut only = CpuSet::new();
    only.set(processor);
    sched_setaffinity(thread, &only).unwrap();
}

/// Binds every thread of a process, and so those that they start.
fn bind_all(process: &Process, processor: usize) {
    for thread in std::fs::read_dir(format!("/proc/{}/task", process.id())).unwrap() {
        let id = thread.unwrap().file_name().to_str().unwrap().parse().unwrap();
        bind(Pid::from_raw(id), processor);
    }
}

fn main() -> ExitCode {
    bind(None, OF_THOSE_WHO_ASK);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if runtime.block_on(run()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run() -> bool {
    println!(
        "| Request | Capacity, /s | p99 at 0.8, ms | Asked, /s | Answered, /s | Of capacity | p99, ms | Times | Refused | \
         Health p99, ms | MiB | Calm after, s | |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|");
    let only: String = variable("BENCH_ONLY", String::new());
    let mut within = true;
    for (name, make) in kinds() {
        if name.contains(only.as_str()) {
            within &= overload(name, &make).await;
        }
    }
    if "templates".contains(only.as_str()) {
        let (store, api) = serve().await;
        within &= hostile::run(&store, &api, time()).await;
    }
    within
}

fn time() -> Duration {
    Duration::from_secs(variable("BENCH_SECONDS", 60))
}

/// A store with prompts, that serves.
async fn serve() -> (Processes, Process) {
    let store = Processes::embedded().with("PROMPT_STORE_TICK_MS", "500").with("PROMPT_STORE_LEASE_MS", "15000");
    fill(&store.location()).await;
    let api = store.start_api().await;
    bind_all(&api, OF_THE_STORE);
    (store, api)
}

/// A request of so many bytes of JSON.
fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn kinds() -> Vec<(&'static str, Make)> {
    let words = ["summary", "review", "translate", "classify", "extract", "answer", "rewrite"];
    let run = std::process::id();
    let list =
        |n: u64| format!("GET /api/v1/prompts?limit=50&category=folder{} HTTP/1.1\r\nHost: localhost\r\n\r\n", n % 50);
    let search = move |n: u64| {
        let word = words[usize::try_from(n % 7).unwrap()];
        post("/api/v1/prompts/search", &format!(r#"{{"query": "{word} care", "limit": 10}}"#))
    };
    let create = move |n: u64| {
        let content = "Say it again. ".repeat(50);
        let body = json!({ "category": "made", "name": format!("{run} {n} {:?}", Instant::now()), "content": content });
        post("/api/v1/prompts", &body.to_string())
    };
    vec![
        ("list of 50", Arc::new(move |n| list(n).into_bytes())),
        ("search", Arc::new(search)),
        ("create", Arc::new(create)),
    ]
}

async fn fill(file: &str) {
    let app = open_for_bench(file).await;
    let words = ["summary", "review", "translate", "classify", "extract", "answer", "rewrite"];
    for first in (0..PROMPTS).step_by(500) {
        let draft = |n: usize| {
            let content = format!("Please {} the text of number {n} with care. ", words[n % words.len()]).repeat(15);
            let new =
                json!({ "category": format!("folder{}", n % 50), "name": format!("prompt {n}"), "content": content });
            serde_json::from_value::<prompts::NewPrompt>(new).unwrap().check().unwrap()
        };
        let drafts: Vec<_> = (first..first + 500).map(draft).collect();
        let mut tx = app.begin(&Caller::system("bench")).await.unwrap();
        prompts::insert_many(&mut tx, &drafts.iter().collect::<Vec<_>>(), ChangeType::Create).await.unwrap();
        tx.commit().await.unwrap();
    }
    app.db.close().await;
}

async fn overload(name: &str, make: &Make) -> bool {
    let (store, api) = serve().await;
    let (port, time) = (store.port(), time());
    closed(port, make, BUSY, Duration::from_secs(2)).await;
    let peak = closed(port, make, BUSY, time / 6).await;
    let capacity = peak.goodput();
    let calm = open(port, make, capacity * 0.8, time / 3).await;
    let (storm, health) = tokio::join!(open(port, make, capacity * 4.0, time), probe(port, time));
    let after = open(port, make, capacity * 0.8, Duration::from_secs(10)).await;

    let (before, meanwhile) = (calm.within(990), storm.within(990));
    let (share, slower) = (storm.goodput() / capacity, meanwhile.as_secs_f64() / before.as_secs_f64());
    let recovered = after.calm_after(before * 2).unwrap_or(Duration::MAX);
    let (alive, memory) = (health.within(990), api.peak_mib());
    let kept = share >= GOODPUT_AIM
        && slower <= SLOWER_AIM
        && alive <= HEALTH_AIM
        && memory <= MEMORY_AIM
        && recovered <= RECOVERY_AIM
        && is_sound(&calm)
        && is_sound(&storm)
        && is_sound(&health);
    let refused: usize = storm.statuses().iter().filter(|(status, _)| **status == 503).map(|(_, count)| count).sum();
    println!(
        "| {name} | {capacity:.0} | {:.1} | {:.0} | {:.0} | {share:.2} | {:.1} | {slower:.2} | {refused} | {:.1} | {memory:.0} | \
         {:.1} | {} |",
        milliseconds(before),
        capacity * 4.0,
        storm.goodput(),
        milliseconds(meanwhile),
        milliseconds(alive),
        recovered.as_secs_f64(),
        if kept { "" } else { "**missed**" },
    );
    println!(
        "<!-- calm {:?} p50 {:?}; storm {:?}, unsent {}, p50 {:?}, p99.9 {:?}; after {:?} -->",
        calm.statuses(),
        calm.within(500),
        storm.statuses(),
        storm.unsent,
        storm.within(500),
        storm.within(999),
        after.statuses()
    );
    kept
}

/// As asked, or told to come back, and when.
fn is_sound(outcome: &Outcome) -> bool {
    outcome.is_polite() && outcome.statuses().keys().all(|status| [200, 201, 503].contains(status))
}

/// Asks whether it lives, as an orchestrator does.
async fn probe(port: u16, time: Duration) -> Outcome {
    let make: Make = Arc::new(|_| b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec());
    open(port, &make, 50.0, time).await
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
