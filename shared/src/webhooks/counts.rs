//! What Prometheus is told of deliveries. Every series is there from the start: one that begins with its first event has not
//! risen, as Prometheus sees it, and an alert on the rise would miss that event.
use super::sending::{FAILING, GONE, STATUS};
use crate::{
    http::Failure,
    telemetry::{WEBHOOK_ATTEMPTS, WEBHOOKS_DISABLED},
};

const DELIVERED: &str = "delivered";
/// How an attempt can end.
const OUTCOMES: [&str; 6] =
    [DELIVERED, STATUS, GONE, Failure::Blocked.code(), Failure::Timeout.code(), Failure::ConnectionFailed.code()];
/// Why a webhook can be switched off.
const REASONS: [&str; 2] = [GONE, FAILING];

/// Every counter of deliveries, at 0.
pub fn count_from_zero() {
    for outcome in OUTCOMES {
        metrics::counter!(WEBHOOK_ATTEMPTS, "outcome" => outcome).increment(0);
    }
    for reason in REASONS {
        metrics::counter!(WEBHOOKS_DISABLED, "reason" => reason).increment(0);
    }
}

/// One attempt more, which ended with this error, or without.
pub(super) fn attempt(error: Option<&str>) {
    let outcome = error.unwrap_or(DELIVERED);
    debug_assert!(OUTCOMES.contains(&outcome), "`{outcome}` is not counted from 0");
    metrics::counter!(WEBHOOK_ATTEMPTS, "outcome" => outcome.to_owned()).increment(1);
}

/// One webhook more that was switched off.
pub(super) fn disabled(reason: &str) {
    debug_assert!(REASONS.contains(&reason), "`{reason}` is not counted from 0");
    metrics::counter!(WEBHOOKS_DISABLED, "reason" => reason.to_owned()).increment(1);
}
