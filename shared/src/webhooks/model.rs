//! A webhook, what it was sent, and what it answered.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schedule::RETRIES_MAX;
use crate::{
    clock::Timestamp,
    db::{FromRow, Json},
    error::{Error, Result, Violation},
    id::{DeliveryId, EventId, WebhookId},
    names::names,
    notifications::{Event, EventType},
    text,
};

const PATTERNS_MAX: usize = 50;
const TIMEOUT_SECONDS_MAX: i64 = 30;

/// How much a receiver is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// What has happened to what; the rest it can read.
    #[default]
    Thin,
    /// The whole of what it has happened to besides, where that has at most 256 KiB.
    Full,
}

names!(Payload { Thin = "thin", Full = "full" });

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, perhaps again.
    Pending,
    /// The receiver has taken it.
    Delivered,
    /// Nobody tries any more; it can be replayed.
    Failed,
    /// The webhook was switched off before its turn came; it can be replayed.
    EndpointDisabled,
}

names!(DeliveryState {
    Pending = "pending",
    Delivered = "delivered",
    Failed = "failed",
    EndpointDisabled = "endpoint_disabled",
});

/// A webhook to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// For people.
    pub name: String,
    /// Where it is sent: `https://`, and a machine of the public internet unless another was allowed.
    pub url: String,
    /// What is sent: `prompt.updated`, `prompt.*` or `*`.
    pub events: Vec<String>,
    /// `whsec_` and 24 to 64 random bytes in base64; left out, one is made.
    pub secret: Option<String>,
    /// Is anything sent?
    #[serde(default = "yes")]
    pub is_active: bool,
    /// How many attempts follow the first, 0 to 10.
    #[serde(default = "default_retries")]
    #[schema(minimum = 0, maximum = 10)]
    pub retry_count: i64,
    /// How long an attempt may take, 1 to 30.
    #[serde(default = "default_timeout")]
    #[schema(minimum = 1, maximum = 30)]
    pub timeout_seconds: i64,
    /// How much is told.
    #[serde(default)]
    pub payload: Payload,
}

fn yes() -> bool {
    true
}

fn default_retries() -> i64 {
    9
}

fn default_timeout() -> i64 {
    15
}

/// What is to be changed of a webhook.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookPatch {
    /// For people.
    pub name: Option<String>,
    /// Where it is sent.
    pub url: Option<String>,
    /// What is sent.
    pub events: Option<Vec<String>>,
    /// Is anything sent? Switched on again, it begins with what happens from then on.
    pub is_active: Option<bool>,
    /// How many attempts follow the first, 0 to 10.
    #[schema(minimum = 0, maximum = 10)]
    pub retry_count: Option<i64>,
    /// How long an attempt may take, 1 to 30.
    #[schema(minimum = 1, maximum = 30)]
    pub timeout_seconds: Option<i64>,
    /// How much is told.
    pub payload: Option<Payload>,
}

/// Somebody who is told of events.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// `whk_…`
    pub id: WebhookId,
    /// For people.
    pub name: String,
    /// Where it is sent.
    pub url: String,
    /// What is sent.
    pub events: Vec<String>,
    /// How much is told.
    pub payload: Payload,
    /// Is anything sent?
    pub is_active: bool,
    /// How many attempts follow the first.
    pub retry_count: i64,
    /// How long an attempt may take.
    pub timeout_seconds: i64,
    /// What deliveries are signed with. Shown once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until then deliveries are signed with the secret before this one, too.
    pub previous_secret_until: Option<Timestamp>,
    /// How many attempts have failed since the last that went well.
    pub consecutive_failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// Until then it is left alone, as it failed too often in a row.
    pub paused_until: Option<Timestamp>,
    /// Why the store switched it off: `gone`, `failing`.
    pub disabled_reason: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A webhook as its table holds it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct WebhookRow {
    pub(super) id: WebhookId,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) events: Json<Vec<String>>,
    pub(super) payload: Payload,
    pub(super) is_active: bool,
    pub(super) active_after: i64,
    pub(super) retry_count: i64,
    pub(super) timeout_seconds: i64,
    pub(super) secret: String,
    pub(super) previous_secret: Option<String>,
    pub(super) previous_secret_until: Option<Timestamp>,
    pub(super) failures: i64,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) paused_until: Option<Timestamp>,
    pub(super) disabled_reason: Option<String>,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl WebhookRow {
    /// What is wrong with it, its URL aside.
    pub(super) fn check(&mut self) -> Result<()> {
        let mut violations = Vec::new();
        match text::identifier(&self.name, "/name", text::NAME_CHARS_MAX) {
            Ok(name) => self.name = name,
            Err(violation) => violations.push(violation),
        }
        if self.events.0.is_empty() || self.events.0.len() > PATTERNS_MAX {
            let detail = format!("give 1 to {PATTERNS_MAX} events, or [\"*\"]; `GET /notifications/events` lists them");
            violations.push(Violation::new("/events", "out-of-range", detail));
        }
        for (index, pattern) in self.events.0.iter().enumerate().filter(|(_, pattern)| !is_pattern(pattern)) {
            let detail =
                format!("no event is called `{}`; `GET /notifications/events` lists them", pattern.escape_debug());
            violations.push(Violation::new(format!("/events/{index}"), "unknown-event", detail));
        }
        if !(0..=RETRIES_MAX).contains(&self.retry_count) {
            let detail = format!("`retry_count` must be 0 to {RETRIES_MAX}");
            violations.push(Violation::new("/retry_count", "out-of-range", detail));
        }
        if !(1..=TIMEOUT_SECONDS_MAX).contains(&self.timeout_seconds) {
            let detail = format!("`timeout_seconds` must be 1 to {TIMEOUT_SECONDS_MAX}");
            violations.push(Violation::new("/timeout_seconds", "out-of-range", detail));
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
    }

    /// Is this to be sent to it?
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.events.0.iter().any(|pattern| matches(pattern, event.event_type))
    }

    /// As it is seen from outside.
    pub(super) fn show(self) -> Webhook {
        Webhook {
            id: self.id,
            name: self.name,
            url: self.url,
            events: self.events.0,
            payload: self.payload,
            is_active: self.is_active,
            retry_count: self.retry_count,
            timeout_seconds: self.timeout_seconds,
            secret: None,
            previous_secret_until: self.previous_secret_until,
            consecutive_failures: self.failures,
            failing_since: self.failing_since,
            paused_until: self.paused_until,
            disabled_reason: self.disabled_reason,
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

fn is_pattern(pattern: &str) -> bool {
    EventType::ALL.iter().any(|event| matches(pattern, *event))
}

fn matches(pattern: &str, event_type: EventType) -> bool {
    let name = event_type.to_string();
    match pattern.strip_suffix(".*") {
        Some(group) => name.split('.').next() == Some(group),
        None => pattern == "*" || pattern == name,
    }
}

/// An event on its way to a receiver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Delivery {
    /// `dlv_…`; the header `webhook-id` of all its attempts.
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Of what; null for a test.
    pub event_id: Option<EventId>,
    /// `prompt.created`, or `webhook.test`.
    pub event_type: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// The status the last attempt was answered with.
    pub last_status: Option<i64>,
    /// Why the last attempt failed: `timeout`, `connection-failed`, `blocked`, `status`, `gone`.
    pub last_error: Option<String>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// One attempt to deliver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Attempt {
    /// From 1.
    pub attempt: i64,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// What it was answered with.
    pub status: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub response: Option<String>,
}

/// A delivery and its last attempts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryLog {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The last hundred, the newest first.
    pub log: Vec<Attempt>,
}

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// They stand here.
    pub state: Option<DeliveryState>,
    /// They tell of this.
    pub event_type: Option<String>,
}

/// A time whose events are to be sent again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// From then on.
    pub since: Timestamp,
    /// Until before then; left out, until now.
    pub until: Option<Timestamp>,
}

/// What is sent again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Replayed {
    /// So many deliveries.
    pub replayed_count: i64,
}

/// What has been told, and to whom.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Deliveries by where they stand.
    pub status_counts: BTreeMap<String, i64>,
    /// Events by type.
    pub event_counts: BTreeMap<String, i64>,
    /// The last twenty, the newest first.
    pub recent_events: Vec<Event>,
    /// The webhooks.
    pub webhook_stats: WebhookStats,
    /// Events that are kept.
    pub total_notifications: i64,
}

/// How many webhooks there are.
#[derive(Clone, Debug, Serialize, ToSchema, FromRow)]
pub struct WebhookStats {
    /// All of them.
    pub total: i64,
    /// They are sent what happens.
    pub active: i64,
    /// They failed too often in a row, and are tried again later.
    pub failing: i64,
    /// The store switched them off.
    pub disabled: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_one_event_a_group_or_all() {
        for pattern in ["*", "prompt.*", "prompt.updated", "ab_test.*", "webhook.disabled"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "prompt", "prompt.", "prompt.*.*", "prompt.up*", "*.created", "PROMPT.*", "nothing.*", ".*"]
        {
            assert!(!is_pattern(pattern), "{pattern}");
        }
        assert!(!matches("relationship.*", EventType::PromptCreated));
    }
}
