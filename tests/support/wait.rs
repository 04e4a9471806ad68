//! Waiting for a condition, never for a time.
use std::time::{Duration, Instant};

/// No condition of a test takes longer, even on a busy machine: a job that lost two workers is left alone for more than
/// a minute.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Asks until the answer is `Some`, and answers it. Panics, with what was waited for, after [`PATIENCE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks how much is left until nothing is, however long it takes, as long as it becomes less.
pub async fn until_none_left(what: &str, mut ask: impl AsyncFnMut() -> usize) {
    let mut left = usize::MAX;
    while left > 0 {
        left = until(what, async || Some(ask().await).filter(|now| *now < left)).await;
    }
}
