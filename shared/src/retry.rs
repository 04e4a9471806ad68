//! How long to wait before trying again. The only file that knows `backoff`.
use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

use crate::error::Result;

/// So often an operation runs before it is given up that other transactions are always faster.
pub const RACES: u32 = 5;

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

/// A wait of about this long, give or take a fifth.
#[must_use]
pub fn about(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.8..=1.2))
}

/// Runs an operation of one transaction, and at once again while another transaction was faster: then it has had
/// no effect, and its next run sees what the other has written.
pub async fn races<T, F: Future<Output = Result<T>>>(mut operation: impl FnMut() -> F) -> Result<T> {
    for run in 1..RACES {
        match operation().await {
            Err(error) if error.is_race() => tokio::time::sleep(after_race(run)).await,
            outcome => return outcome,
        }
    }
    operation().await
}

/// The wait after a lost race.
#[must_use]
pub fn after_race(run: u32) -> Duration {
    delay(run, Duration::from_millis(5), Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn a_lost_race_is_run_again_and_five_are_enough() {
        let mut runs = 0;
        let lost = races(|| {
            runs += 1;
            async { Err::<(), _>(Error::race("test")) }
        });
        assert_eq!(lost.await.unwrap_err().code(), "write-conflict");
        assert_eq!(runs, 5);
        let mut runs = 0;
        let won = races(|| {
            runs += 1;
            let won = runs == 3;
            async move { if won { Ok(()) } else { Err(Error::race("test")) } }
        });
        won.await.unwrap();
        let mut runs = 0;
        let refused = races(|| {
            runs += 1;
            async { Err::<(), _>(Error::conflict("no-change", "test")) }
        });
        assert!(refused.await.is_err());
        assert_eq!(runs, 1, "anything else is no race");
    }

    #[test]
    fn waits_double_up_to_the_most_give_or_take_a_fifth() {
        let (first, most) = (Duration::from_secs(1), Duration::from_mins(1));
        for (attempt, about) in [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (1000, 60.0)] {
            let wait = delay(attempt, first, most).as_secs_f64();
            assert!((about * 0.8..=about * 1.2).contains(&wait), "attempt {attempt}: {wait} s");
        }
    }
}
