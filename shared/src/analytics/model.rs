//! What is reported of a call, and what it must be like.
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    config::Settings,
    db::FromRow,
    error::{Error, Result},
    id::PromptId,
    prices::{self, Prices},
    violations::Violations,
};

/// The most events of one request.
pub const EVENTS_MAX: usize = 1000;
/// A clock may be wrong by so much.
const AHEAD_MAX: Duration = Duration::from_mins(5);
/// Events may come so late.
const LATE_MAX: Duration = Duration::from_hours(24 * 400);
const RESPONSE_TIME_MAX: f64 = 86_400_000.0;
const TOKENS_MAX: i64 = 1_000_000_000;
const COST_MAX: f64 = prices::CALL_USD_MAX;
const SCORE_MAX: f64 = 1e9;

/// A call of a language model with a prompt, as its caller reports it.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageEvent {
    /// Which prompt was used.
    pub prompt_id: PromptId,
    /// At which of its versions.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The caller's own name of the event: sent again with the same, about the same prompt and by the same key, it counts once.
    /// Names of others are no matter. A name is kept for as many days as calls are kept one by one
    /// (`PROMPT_STORE_USAGE_DAYS`, 30 unless set): a named event that `occurred_at` before that is refused (`too-old`), and one
    /// that does not say when it was counts again if it is sent again later than that.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub event_id: Option<String>,
    /// Did the call do what it should?
    #[serde(default)]
    pub success: Option<bool>,
    /// Of a call that did not: why, in a word. `parse`: the answer could not be read as what was asked for.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub failure_kind: Option<String>,
    /// How long the answer took, in milliseconds.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 86_400_000)]
    pub response_time_ms: Option<f64>,
    /// Tokens of what was sent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub input_tokens: Option<i64>,
    /// Tokens of what came back.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub output_tokens: Option<i64>,
    /// What it cost, in US dollars. Left out, it follows from the tokens, if the price of the model is configured.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub cost_usd: Option<f64>,
    /// How good the answer was, on whatever scale; more is better.
    #[serde(default)]
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    pub score: Option<f64>,
    /// Which model answered.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub model: Option<String>,
    /// Which service asked.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub service_name: Option<String>,
    /// For whom.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub user_id: Option<String>,
    /// In which session.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub session_id: Option<String>,
    /// The A/B test that chose the prompt. The event counts there if the test has begun and is not over, the prompt at this
    /// version is what the arm shows (`variant`, or else the one its user or session has), and the key reaches every prompt of
    /// the test and the label it is about. Else it counts for its prompt alone.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub ab_test_id: Option<String>,
    /// The variant it chose.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub variant: Option<String>,
    /// When it was; now, unless said. Up to 400 days late, or as many as its `event_id` is kept, if it has one.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
}

/// What became of the events of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// So many are on disk now.
    pub accepted: i64,
    /// So many were there before.
    pub duplicates: i64,
}

/// An event as it is kept.
#[derive(Clone, Debug, FromRow)]
#[expect(clippy::struct_field_names, reason = "as the table and the contract call it")]
pub(super) struct Event {
    pub(super) event_id: Option<String>,
    pub(super) prompt_id: PromptId,
    pub(super) version: i64,
    pub(super) occurred_at: Timestamp,
    pub(super) success: Option<i64>,
    pub(super) response_time_us: Option<i64>,
    pub(super) input_tokens: Option<i64>,
    pub(super) output_tokens: Option<i64>,
    pub(super) cost_nanos: Option<i64>,
    pub(super) score: Option<f64>,
    pub(super) model: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) ab_test_id: Option<String>,
    pub(super) variant: Option<String>,
    pub(super) failure_kind: Option<String>,
}

impl Event {
    #[expect(clippy::cast_possible_truncation, reason = "bounded when they were checked")]
    fn new(event: UsageEvent, now: Timestamp, prices: &Prices) -> Self {
        let (input, output) = (event.input_tokens, event.output_tokens);
        let computed = || match &event.model {
            Some(model) if input.or(output).is_some() => prices.nanos(model, input.unwrap_or(0), output.unwrap_or(0)),
            _ => None,
        };
        Self {
            cost_nanos: event.cost_usd.map(|usd| (usd * 1e9).round() as i64).or_else(computed),
            event_id: event.event_id,
            prompt_id: event.prompt_id,
            version: event.version,
            occurred_at: event.occurred_at.unwrap_or(now),
            success: event.success.map(i64::from),
            response_time_us: event.response_time_ms.map(|ms| (ms * 1000.0).round() as i64),
            input_tokens: input,
            output_tokens: output,
            score: event.score,
            model: event.model,
            service_name: event.service_name,
            user_id: event.user_id,
            session_id: event.session_id,
            ab_test_id: event.ab_test_id,
            variant: event.variant,
            failure_kind: event.failure_kind,
        }
    }
}

/// The events of a request, each as it is kept; or everything that is wrong with them. A single one has no index in its
/// pointers.
pub(super) fn check(events: Vec<UsageEvent>, single: bool, now: Timestamp, settings: &Settings) -> Result<Vec<Event>> {
    if events.is_empty() || events.len() > EVENTS_MAX {
        return Err(Error::invalid("", "out-of-range", format!("a list must hold 1 to {EVENTS_MAX} events")));
    }
    let mut wrong = Violations::default();
    for (index, event) in events.iter().enumerate() {
        let at = if single { String::new() } else { format!("/{index}") };
        look_at(event, &at, now, settings, &mut wrong);
    }
    wrong.end()?;
    Ok(events.into_iter().map(|event| Event::new(event, now, &settings.prices)).collect())
}

fn look_at(event: &UsageEvent, at: &str, now: Timestamp, settings: &Settings, wrong: &mut Violations) {
    let mut unless = |fits: bool, field: &str, code: &'static str, must: &str| {
        wrong.unless(fits, format!("{at}/{field}"), code, must);
    };
    unless(event.version >= 1, "version", "out-of-range", "must be at least 1");
    for (field, tokens) in [("input_tokens", event.input_tokens), ("output_tokens", event.output_tokens)] {
        let fits = tokens.is_none_or(|tokens| (0..=TOKENS_MAX).contains(&tokens));
        unless(fits, field, "out-of-range", "must be from 0 to 1,000,000,000");
    }
    for (field, text, most) in [
        ("event_id", &event.event_id, 128),
        ("model", &event.model, 128),
        ("service_name", &event.service_name, 128),
        ("user_id", &event.user_id, 256),
        ("session_id", &event.session_id, 256),
        ("ab_test_id", &event.ab_test_id, 64),
        ("variant", &event.variant, 64),
        ("failure_kind", &event.failure_kind, 64),
    ] {
        let fits = text
            .as_ref()
            .is_none_or(|text| (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control));
        unless(fits, field, "invalid", &format!("must be 1 to {most} characters, without control characters"));
    }
    if let Some(occurred) = event.occurred_at {
        unless(occurred <= now + AHEAD_MAX, "occurred_at", "in-the-future", "must not be in the future");
        unless(occurred >= now - LATE_MAX, "occurred_at", "too-old", "must not be more than 400 days ago");
        // What came before that may have been here, and its name forgotten.
        let named_since = now + AHEAD_MAX - Duration::from_hours(24) * settings.usage_days;
        let must = format!(
            "must not be more than {} days ago in an event with an `event_id`, for whether it was sent before is known no \
             longer; leave the `event_id` out",
            settings.usage_days
        );
        let is_known = event.event_id.is_none() || occurred >= named_since;
        unless(is_known || occurred < now - LATE_MAX, "occurred_at", "too-old", &must);
    }
    for (field, value, least, most) in [
        ("response_time_ms", event.response_time_ms, 0.0, RESPONSE_TIME_MAX),
        ("cost_usd", event.cost_usd, 0.0, COST_MAX),
        ("score", event.score, -SCORE_MAX, SCORE_MAX),
    ] {
        wrong.within(value.unwrap_or(0.0), (least, most), format!("{at}/{field}"));
    }
}
