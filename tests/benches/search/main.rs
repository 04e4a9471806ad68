//! How long searches take, beside what the engine alone takes for the same words: `make bench-search`. It ends with 1 if
//! an aim is missed.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![allow(clippy::large_futures, reason = "they stay where they are made, on the one thread")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]
mod corpus;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shared::{
    App, Caller,
    bulk::{self, OnConflict},
    db::{Db, Dialect},
    prompts::{self, SearchRequest},
    search,
};
use support::PostgresServer;
use tempfile::TempDir;

use corpus::Corpus;

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Queries of each kind.
const QUERIES: usize = 200;
/// Rounds over the kinds, so that a busy moment hits them all.
const ROUNDS: usize = 3;
const FACETS: [&str; 6] = ["category", "tags", "lifecycle_status", "labels", "template_format", "created_by"];

/// The best twenty, as the engine itself finds them.
const BARE_SQLITE: &str = "SELECT rowid FROM search_index WHERE search_index MATCH $1 ORDER BY rank LIMIT 20";
const BARE_POSTGRES: &str = "SELECT doc FROM search_texts WHERE terms @@ CAST($1 AS tsquery)
                             ORDER BY ts_rank(terms, CAST($1 AS tsquery), 1) DESC LIMIT 20";

/// The middle and the 95th of a hundred, in milliseconds.
#[derive(Clone, Copy)]
struct Spread {
    p50: f64,
    p95: f64,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
        Self { p50: at(50), p95: at(95) }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    println!("\n| Engine | Prompts | Query | p50 ms | p95 ms | Aim | |");
    println!("|---|---:|---|---:|---:|---|---|");
    let mut within = true;
    for prompts in [10_000, 100_000] {
        let folder = TempDir::with_prefix("prompt-store-bench-").unwrap();
        let app = support::open_for_bench(folder.path().join("store.db").to_str().unwrap()).await;
        within &= measure(&app, prompts).await;
        app.db.close().await;
    }
    let server = PostgresServer::start(&[]);
    server.create("bench");
    let app = support::open_for_bench(&server.url("bench")).await;
    within &= measure(&app, 10_000).await;
    app.db.close().await;
    println!(
        "\nOne query at a time, {QUERIES} of each kind, the best of {ROUNDS} rounds for each. Bare: the best twenty, by the engine's own rank,"
    );
    println!("with the terms as they stand in the index; no facets, no prompts, no corrections.");
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn fill(app: &App, corpus: &mut Corpus, prompts: usize) {
    let (started, caller) = (Instant::now(), Caller::system("bench"));
    for from in (0..prompts).step_by(500) {
        let chunk: Vec<Value> = (from..from + 500).map(|number| corpus.prompt(number)).collect();
        bulk::create_now(app, &caller, chunk, OnConflict::Fail).await.unwrap();
        if from % 10_000 == 0 {
            eprint!("\r{from} of {prompts} prompts");
        }
    }
    eprintln!("\r{prompts} prompts in {:.0} s", started.elapsed().as_secs_f64());
}

/// A query of each kind.
struct Case {
    words: Vec<String>,
    sentence: Vec<String>,
    misspelt: String,
    typed: String,
}

impl Case {
    fn new(corpus: &mut Corpus) -> Self {
        let words = corpus.query(2);
        let misspelt = format!("{} {} ", corpus.misspelt(&words[0]), words[1]);
        let typed = words[0][..3].to_owned();
        Self { words, sentence: corpus.query(8), misspelt, typed }
    }
}

async fn measure(app: &App, prompts: usize) -> bool {
    let mut corpus = Corpus::new();
    fill(app, &mut corpus, prompts).await;
    let warm = Instant::now();
    search::warm_up(app).await.unwrap();
    eprintln!("warm after {:.0} ms", warm.elapsed().as_secs_f64() * 1000.0);
    let cases: Vec<Case> = (0..QUERIES).map(|_| Case::new(&mut corpus)).collect();
    let facets = json!({ "facets": FACETS });
    let filter = json!({ "facets": FACETS, "category": "area3/*", "lifecycle_status": "draft" });
    let mut best: Vec<Vec<Duration>> = vec![vec![Duration::MAX; cases.len()]; 8];
    for _ in 0..ROUNDS {
        for (number, case) in cases.iter().enumerate() {
            let plain = format!("{} ", case.words.join(" "));
            let times = [
                bare(app, &case.words, " AND ", " & ").await,
                ask(app, &plain, &json!({})).await,
                ask(app, &plain, &facets).await,
                ask(app, &plain, &filter).await,
                bare(app, &case.sentence, " OR ", " | ").await,
                ask(app, &format!("{} ", case.sentence.join(" ")), &facets).await,
                ask(app, &case.misspelt, &facets).await,
                suggest(app, &case.typed).await,
            ];
            for (best, time) in best.iter_mut().zip(times) {
                best[number] = best[number].min(time);
            }
        }
    }
    report(app, prompts, best.into_iter().map(Spread::of).collect())
}

fn report(app: &App, prompts: usize, spreads: Vec<Spread>) -> bool {
    let engine = match app.db {
        Db::Sqlite { .. } => "SQLite",
        Db::Postgres { .. } => "PostgreSQL",
    };
    let small = prompts <= 10_000;
    let aim = |bare: Spread| if small { bare.p95 * 1.5 + 3.0 } else { 150.0 };
    let both = spreads[0];
    let kinds = [
        ("bare: both words", None),
        ("two words", Some(aim(both))),
        ("two words, six facets", Some(aim(both))),
        ("two words, two filters, six facets", Some(aim(both))),
        ("bare: any of eight words", None),
        ("a sentence of eight words, six facets", Some(if small { f64::MAX } else { 150.0 })),
        ("a word misspelt, six facets", Some(if small { 30.0 } else { 150.0 })),
        ("suggestions for three letters", Some(10.0)),
    ];
    let mut within = true;
    for ((kind, aim), Spread { p50, p95 }) in kinds.into_iter().zip(spreads) {
        let aim = aim.filter(|aim| *aim < f64::MAX);
        let met = aim.is_none_or(|aim| p95 <= aim);
        within &= met;
        let aim = aim.map_or(String::new(), |aim| format!("p95 ≤ {aim:.1}"));
        let verdict = if met { "" } else { "**missed**" };
        println!("| {engine} | {prompts} | {kind} | {p50:.2} | {p95:.2} | {aim} | {verdict} |");
    }
    within
}

async fn ask(app: &App, query: &str, more: &Value) -> Duration {
    let mut body = more.clone();
    body["query"] = json!(query);
    let request: SearchRequest = shared::objects::read(body).unwrap();
    let started = Instant::now();
    let results = prompts::search(app, &support::caller(), &request).await.unwrap();
    let took = started.elapsed();
    std::hint::black_box(results);
    took
}

async fn suggest(app: &App, typed: &str) -> Duration {
    let started = Instant::now();
    std::hint::black_box(search::suggest(app, &support::caller(), Some(typed), 10).await.unwrap());
    started.elapsed()
}

async fn bare(app: &App, words: &[String], sqlite: &str, postgres: &str) -> Duration {
    let mut conn = app.db.read().await.unwrap();
    let (statement, expression) = match conn.dialect() {
        Dialect::Sqlite => {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            (BARE_SQLITE, quoted.join(sqlite))
        }
        Dialect::Postgres => {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            (BARE_POSTGRES, quoted.join(postgres))
        }
    };
    let started = Instant::now();
    let rows: Vec<(i64,)> = conn.fetch_all(statement, &[&expression]).await.unwrap();
    let took = started.elapsed();
    std::hint::black_box(rows);
    took
}
