//! What is promised in numbers: each test takes small ones in the ordinary run, and those of the promise in
//! `make promises`, which prints what came out.
use std::{fmt::Display, time::Duration};

/// Are the promises to be shown in full?
pub fn in_full() -> bool {
    std::env::var("PROMISES").is_ok_and(|form| form == "long")
}

/// Prints what came out.
#[expect(clippy::print_stdout, reason = "a figure is for whoever reads the log of a run")]
pub fn figure(promise: &str, figure: impl Display) {
    println!("{promise}: {figure}");
}

/// The time within which so many of a hundred were.
pub fn percentile(times: &[Duration], of_hundred: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[(times.len() - 1) * of_hundred / 100]
}
