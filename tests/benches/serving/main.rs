//! How fast the store answers over HTTP: `make bench`. It ends with 1 if an aim is missed.
//!
//! The real binary serves a store in a file, and wrk asks it from the same machine. Every kind of request takes turns with
//! the server's own `/health/live`, which does nothing; the ratio is the median over pairs of turns, so that it holds on a
//! machine that does other things meanwhile. nginx, that gives a file of a kilobyte away, stands beside them.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod load;
mod store;

use std::{process::ExitCode, time::Duration};

use support::{Processes, variable};
use tempfile::TempDir;

use load::{Kind, Nginx, Served, Turn, on_disk, serve};

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const CONNECTIONS: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 3;
/// Nothing happens for so long, and what that costs is counted.
const IDLE: Duration = Duration::from_secs(10);

/// What part of the answers of `/health/live` is aimed at, for 64 connections.
const AIMS: [(&str, f64); 3] = [("by name", 0.75), ("by name, 304", 0.83), ("select of a test", 0.375)];
/// Of bare inserts, one a commit.
const CREATE_AIM: f64 = 0.5;
const START_AIM: Duration = Duration::from_millis(300);
const IDLE_MIB_AIM: f64 = 40.0;
/// Of a core.
const IDLE_PERCENT_AIM: f64 = 0.5;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if runtime.block_on(run()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn turn() -> Duration {
    Duration::from_secs(variable("BENCH_SECONDS", 2))
}

async fn run() -> bool {
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= variable("BENCH_PROMPTS", 100_000)).collect();
    let mut within = true;
    let mut costs = Vec::new();
    let mut grown = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        let store = as_shipped(Processes::embedded());
        let made = store::fill(&store.location(), *size).await;
        let bytes = on_disk(&store.location());
        let served = serve(&store).await;
        let idle = idle(&served).await;
        let scene = store::Scene::new(&store, &made).await;
        if index == 0 {
            within &= everything(&store, &scene).await;
            println!("\n| Prompts | Request | 64 connections, /s | p99, ms | Of `/health/live` | Of the first |");
            println!("|---:|---|---:|---:|---:|---:|");
        }
        growth(*size, &scene, &mut grown);
        costs.push((*size, served.start, idle, served.memory(), bytes));
        drop(served);
    }
    println!(
        "\n| Prompts | Start to live, ms | Idle, MiB | Idle, % of a core | Loaded, MiB | On disk, bytes a prompt |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for (size, start, (memory, share), loaded, bytes) in &costs {
        let each = bytes / *size as u64;
        println!("| {size} | {:.0} | {memory:.1} | {share:.2} | {loaded:.1} | {each} |", start.as_secs_f64() * 1e3);
        within &= *start <= START_AIM;
    }
    let (memory, share) = costs[0].2;
    within && memory <= IDLE_MIB_AIM && share < IDLE_PERCENT_AIM && holds(&grown)
}

/// Tests are in a hurry; what is measured is not.
fn as_shipped(store: Processes) -> Processes {
    store.with("PROMPT_STORE_TICK_MS", "500").with("PROMPT_STORE_LEASE_MS", "15000")
}

/// What a store costs that nobody uses: MiB, and the share of a core.
async fn idle(served: &Served) -> (f64, f64) {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = served.processor();
    tokio::time::sleep(IDLE).await;
    (served.memory(), (served.processor() - before) / IDLE.as_secs_f64() * 100.0)
}

/// Every kind of request, in turns with `/health/live`.
async fn everything(store: &Processes, scene: &store::Scene) -> bool {
    let folder = TempDir::new().unwrap();
    let live = Kind::get("live", store.url("/health/live"));
    let nginx = Nginx::start(store.another_port());
    let uncached = as_shipped(Processes::embedded())
        .with("PROMPT_STORE_DB", store.location())
        .with("PROMPT_STORE_CACHE_BYTES", "0");
    let _cold = serve(&uncached).await;
    let mut kinds = vec![Kind::get("nginx, a file of 1 KB", nginx.url.clone())];
    kinds.extend(scene.kinds(&uncached));
    println!(
        "\n| Request | Connections | Answers/s | p50 of turns, p99 ms | `/health/live`, /s | Ratio | p99 ratio | Aim | |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---|");
    let (mut within, mut created) = (true, 0.0_f64);
    for kind in &kinds {
        for connections in CONNECTIONS {
            let mut pairs = Vec::new();
            for _ in 0..ROUNDS {
                let beside = live.run(connections, turn(), folder.path());
                pairs.push((kind.run(connections, turn(), folder.path()), beside));
            }
            let (kept, rate) = line(kind, connections, &pairs);
            within &= kept;
            if kind.name == "create" {
                created = created.max(rate);
            }
        }
    }
    let bare = store::bare_inserts().await;
    println!(
        "\nBare inserts of a prompt, one a commit: {bare:.0}/s; the best of `create` is {:.2} of it (aim {CREATE_AIM}).",
        created / bare
    );
    within && created / bare >= CREATE_AIM
}

fn line(kind: &Kind, connections: usize, pairs: &[(Turn, Turn)]) -> (bool, f64) {
    let median_of = |of: fn(&(Turn, Turn)) -> f64| median(pairs.iter().map(of).collect());
    let ratio = median_of(|(kind, live)| kind.rate / live.rate);
    let slower = median_of(|(kind, live)| kind.p99 / live.p99);
    let aim = AIMS.iter().find(|(name, _)| *name == kind.name && connections == 64);
    let kept =
        aim.is_none_or(|(_, aim)| ratio >= *aim) && (kind.name != "by name" || connections != 64 || slower <= 3.0);
    println!(
        "| {} | {connections} | {:.0} | {:.2} | {:.0} | {ratio:.2} | {slower:.2} | {} | {} |",
        kind.name,
        median_of(|(kind, _)| kind.rate),
        median_of(|(kind, _)| kind.p99),
        median_of(|(_, live)| live.rate),
        aim.map_or(String::new(), |(_, aim)| format!("{aim:.2}")),
        if kept { "" } else { "**missed**" },
    );
    (kept, median_of(|(kind, _)| kind.rate))
}

/// How the kinds that grow do in a store of this size. Keeps the ratio of each.
fn growth(size: usize, scene: &store::Scene, grown: &mut Vec<(&'static str, usize, f64)>) {
    let folder = TempDir::new().unwrap();
    for kind in scene.growing() {
        let turns: Vec<(Turn, Turn)> = (0..ROUNDS)
            .map(|_| (scene.live().run(64, turn(), folder.path()), kind.run(64, turn(), folder.path())))
            .collect();
        let median_of = |of: fn(&(Turn, Turn)) -> f64| median(turns.iter().map(of).collect());
        let ratio = median_of(|(live, kind)| kind.rate / live.rate);
        let first = grown.iter().find(|(name, ..)| *name == kind.name).map_or(ratio, |(_, _, first)| *first);
        println!(
            "| {size} | {} | {:.0} | {:.2} | {ratio:.3} | {:.2} |",
            kind.name,
            median_of(|(_, kind)| kind.rate),
            median_of(|(_, kind)| kind.p99),
            ratio / first,
        );
        grown.push((kind.name, size, ratio));
    }
}

/// A read by name costs the same in a store of any size.
fn holds(grown: &[(&'static str, usize, f64)]) -> bool {
    let of = |size: Option<usize>| {
        let found = grown
            .iter()
            .filter(|(name, ..)| *name == "by name")
            .find(|(_, its, _)| size.is_none_or(|size| size == *its));
        found.map(|(.., ratio)| *ratio)
    };
    match (of(None), of(SIZES.last().copied())) {
        (Some(first), Some(last)) => last / first >= 0.85,
        _ => true,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
