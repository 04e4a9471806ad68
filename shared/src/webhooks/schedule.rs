//! When a receiver that did not take what it was sent is tried again, and when it is left alone.
use std::time::Duration;

use crate::{clock::Timestamp, retry};

/// The waits of Standard Webhooks: three days and a bit.
const STEPS: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
    Duration::from_hours(24),
];
/// So many attempts may follow the first.
pub(super) const RETRIES_MAX: i64 = 10;
/// A receiver that is overloaded, or behind something that is, gets at least this long.
const BREATH: Duration = Duration::from_mins(1);
/// After so many failures in a row, whatever the delivery, only one attempt at a time finds out whether it is back.
pub(super) const FAILURES_MAX: i64 = 10;
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MOST: Duration = Duration::from_mins(5);
/// A receiver that has taken nothing for so long is switched off.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(5 * 24);

/// The wait after failed try number `tries`, from 1. The receiver may ask for up to twice as long.
pub(super) fn wait(tries: i64, is_overloaded: bool, asked: Option<Duration>) -> Duration {
    let step = usize::try_from(tries - 1).unwrap_or(0).min(STEPS.len() - 1);
    let step = STEPS[step];
    let wait = match asked {
        Some(asked) => asked.clamp(step, step * 2),
        None => retry::about(step),
    };
    if is_overloaded { wait.max(BREATH) } else { wait }
}

/// How long a receiver that failed so often in a row is left alone; not at all, if that was not often.
pub(super) fn pause(failures: i64) -> Option<Duration> {
    let over = u32::try_from(failures - FAILURES_MAX).ok()?;
    Some(retry::delay(over + 1, PAUSE_FIRST, PAUSE_MOST))
}

/// Has it failed for so long that nobody can want to go on?
pub(super) fn is_given_up(failures: i64, failing_since: Timestamp, now: Timestamp) -> bool {
    failures >= FAILURES_MAX && now.since(failing_since) >= GIVEN_UP_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_those_of_the_standard_give_or_take_a_fifth() {
        let total: Duration = STEPS[..9].iter().sum();
        assert_eq!(total, Duration::from_mins(75 * 60 + 35) + Duration::from_secs(5));
        for (tries, step) in (1..).zip(STEPS) {
            let wait = wait(tries, false, None).as_secs_f64();
            assert!((step.as_secs_f64() * 0.8..=step.as_secs_f64() * 1.2).contains(&wait), "{tries}: {wait}");
        }
        assert!(wait(1, true, None) >= BREATH);
    }

    #[test]
    fn a_receiver_may_ask_for_up_to_twice_as_long_and_not_for_less() {
        let minutes = Duration::from_mins;
        for (asked, given) in [(0, 5), (5, 5), (7, 7), (10, 10), (600, 10)] {
            assert_eq!(wait(2, false, Some(minutes(asked))), minutes(given), "{asked}");
        }
    }

    #[test]
    fn ten_failures_in_a_row_are_a_pause_and_five_days_of_them_the_end() {
        assert_eq!(pause(9), None);
        assert!(pause(10).unwrap() <= Duration::from_secs(6));
        assert!((240..=360).contains(&pause(100).unwrap().as_secs()));
        let (began, day) = (Timestamp::from_millis(0), Duration::from_hours(24));
        assert!(!is_given_up(9, began, began + 9 * day) && !is_given_up(10, began, began + 4 * day));
        assert!(is_given_up(10, began, began + 5 * day));
    }
}
