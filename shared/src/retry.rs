//! How long to wait before trying again. The only file that knows `backoff`.
use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

/// The wait before try number `attempt` + 1: doubling from `first`, never above `most`, give or take a fifth,
/// so that a crowd that failed together does not come back together.
#[must_use]
pub fn delay(attempt: u32, first: Duration, most: Duration) -> Duration {
    let mut waits = ExponentialBackoff {
        current_interval: first,
        initial_interval: first,
        multiplier: 2.0,
        randomization_factor: 0.2,
        max_interval: most,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut wait = first;
    // Past 32 doublings every wait has long been at its most.
    for _ in 0..attempt.clamp(1, 32) {
        wait = waits.next_backoff().unwrap_or(most);
    }
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_give_or_take_a_fifth() {
        let (first, most) = (Duration::from_secs(1), Duration::from_mins(1));
        for (attempt, about) in [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (1000, 60.0)] {
            let wait = delay(attempt, first, most).as_secs_f64();
            assert!((about * 0.8..=about * 1.2).contains(&wait), "attempt {attempt}: {wait} s");
        }
    }
}
