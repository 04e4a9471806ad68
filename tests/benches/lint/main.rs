//! How long a lint takes: `make bench-lint`. It ends with 1 if 100 KB of any kind of text take longer than they may.
//!
//! What is measured is the time of the processor, not of the clock on the wall: a lint waits for nothing, and what else
//! the machine does is not its doing.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made fails by panicking")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
mod texts;

use std::{hint::black_box, process::ExitCode, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use shared::{
    lint::{self, Content, Options, Text},
    templates::InputSchema,
};

use texts::{KINDS, Kind};

/// What the binaries are built with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SMALL_BYTES: usize = 100_000;
const LARGE_BYTES: usize = 512_000;
/// What 95 of 100 lints of a small text may take.
const BOUND: Duration = Duration::from_millis(50);
/// How often a text is linted; in turns with the others, so that a busy moment is not all of one kind.
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    let cases: Vec<(&Kind, usize, String)> =
        KINDS.iter().flat_map(|kind| [SMALL_BYTES, LARGE_BYTES].map(|bytes| (kind, bytes, kind.text(bytes)))).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for round in 0..=ROUNDS {
        for ((kind, _, text), times) in cases.iter().zip(&mut times) {
            let time = timed(kind, text);
            // In the first round patterns and lexicons are made.
            if round > 0 {
                times.push(time);
            }
        }
    }
    println!("\n| Text | 100 KB: least | p50 | p95 | 512 KB: least | p50 | p95 | |");
    println!("|---|---:|---:|---:|---:|---:|---:|---|");
    let mut within = true;
    for (cases, times) in cases.chunks(2).zip(times.chunks_mut(2)) {
        let [small, large] = [0, 1].map(|size| Figures::of(&mut times[size]));
        let is_slow = small.p95 > BOUND;
        within &= !is_slow;
        println!("| {} | {small} | {large} | {} |", cases[0].0.name, if is_slow { "**beyond**" } else { "" });
    }
    println!("\nMilliseconds of one core, of {ROUNDS} lints each. Bound: {} for the p95 of 100 KB.", BOUND.as_millis());
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long one lint takes.
fn timed(kind: &Kind, text: &str) -> Duration {
    let schema = InputSchema::new();
    let text = Text {
        content: Content::Whole(text),
        format: kind.format,
        declared: None,
        schema: &schema,
        read_by_program: false,
    };
    let started = spent();
    black_box(lint::check(black_box(&text), &Options::default()));
    spent().saturating_sub(started)
}

/// The time that this thread has had of a processor.
fn spent() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// What came out for one text.
struct Figures {
    least: Duration,
    p50: Duration,
    p95: Duration,
}

impl Figures {
    fn of(times: &mut [Duration]) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
        Self { least: times[0], p50: at(50), p95: at(95) }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [least, p50, p95] = [self.least, self.p50, self.p95].map(|time| time.as_secs_f64() * 1e3);
        write!(f, "{least:.1} | {p50:.1} | {p95:.1}")
    }
}
