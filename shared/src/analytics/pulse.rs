//! The stream of a version's events, watched as they come: did its mean move? Constant memory for each stream.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{model::Event, repository};
use crate::{
    clock::Timestamp,
    db::Conn,
    error::Result,
    id::PromptId,
    stats::page_hinkley::{Direction, PageHinkley},
};

/// So many values tell what is usual of a quantity, before any of them is held against that.
const USUAL: u64 = 200;
/// Of shares: moves of up to 0.05 are tolerated.
const OF_SHARES: (f64, f64) = (0.05, 10.0);
/// Of logarithms in standard deviations of the usual.
const OF_LOGS: (f64, f64) = (0.2, 30.0);
const INSTANCES_MIN: u64 = 30;

/// A stream has moved. It says so at once, and is wrong more often than drift is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EarlyWarning {
    /// `success_rate`, `response_time`, `token_usage` or `cost_usd`.
    pub metric: String,
    /// `up` or `down`.
    pub direction: String,
    /// When the event occurred that tipped the scale.
    pub at: Timestamp,
    /// After so many values.
    pub n: u64,
}

/// What is remembered of a version's stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pulse {
    success: Watch,
    latency: Logs,
    tokens: Logs,
    cost: Logs,
    warnings: Vec<EarlyWarning>,
}

/// The sums of Page and Hinkley.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Watch {
    n: u64,
    mean: f64,
    up: f64,
    down: f64,
}

impl Watch {
    fn push(&mut self, value: f64, (delta, lambda): (f64, f64)) -> Option<(Direction, u64)> {
        let mut watch = PageHinkley::new(delta, lambda, INSTANCES_MIN);
        (watch.n, watch.mean, watch.up, watch.down) = (self.n, self.mean, self.up, self.down);
        let moved = watch.push(value);
        let n = watch.n;
        *self = Self { n, mean: watch.mean, up: watch.up, down: watch.down };
        let moved = moved?;
        // What it moved to is usual from now on.
        *self = Self::default();
        Some((moved, n))
    }
}

/// Logarithms, in standard deviations of the first ones.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Logs {
    n: u64,
    mean: f64,
    m2: f64,
    watch: Watch,
}

impl Logs {
    fn push(&mut self, value: f64) -> Option<(Direction, u64)> {
        let log = value.max(1e-9).ln();
        if self.n < USUAL {
            self.n += 1;
            let off = log - self.mean;
            self.mean += off / crate::stats::special::count(self.n);
            self.m2 += off * (log - self.mean);
            return None;
        }
        let sd = (self.m2 / crate::stats::special::count(self.n - 1)).sqrt();
        if sd <= 0.0 {
            return None;
        }
        let moved = self.watch.push((log - self.mean) / sd, OF_LOGS)?;
        *self = Self::default();
        Some(moved)
    }
}

impl Pulse {
    #[expect(clippy::cast_precision_loss, reason = "below 2^53, as they were checked")]
    pub(super) fn push(&mut self, event: &Event) {
        let tokens = event.input_tokens.or(event.output_tokens);
        let tokens = tokens.map(|_| event.input_tokens.unwrap_or(0) + event.output_tokens.unwrap_or(0));
        let moved = [
            ("success_rate", event.success.and_then(|success| self.success.push(success as f64, OF_SHARES))),
            ("response_time", event.response_time_us.and_then(|us| self.latency.push(us as f64))),
            ("token_usage", tokens.and_then(|tokens| self.tokens.push(tokens as f64))),
            ("cost_usd", event.cost_nanos.and_then(|nanos| self.cost.push(nanos as f64))),
        ];
        for (metric, moved) in moved {
            let Some((direction, n)) = moved else { continue };
            let direction = match direction {
                Direction::Up => "up",
                Direction::Down => "down",
            };
            self.warnings.retain(|before| before.metric != metric);
            let at = event.occurred_at;
            self.warnings.push(EarlyWarning { metric: metric.to_owned(), direction: direction.to_owned(), at, n });
        }
    }
}

/// The last time each of a version's streams has moved, if that was since.
pub async fn early_warnings(
    conn: &mut Conn,
    id: PromptId,
    version: i64,
    since: Timestamp,
) -> Result<Vec<EarlyWarning>> {
    let pulse = repository::pulse(conn, (&id.to_string(), version)).await?.unwrap_or_default();
    Ok(pulse.warnings.into_iter().filter(|warning| warning.at >= since).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_falls_is_noticed_and_one_that_stays_is_not() {
        let mut watch = Watch::default();
        let steady = (0..2000).filter_map(|n| watch.push(f64::from(u8::from(n % 10 != 0)), OF_SHARES));
        assert_eq!(steady.count(), 0);
        let mut falling = (0..500).filter_map(|n| watch.push(f64::from(u8::from(n % 5 > 1)), OF_SHARES));
        assert_eq!(falling.next().map(|(direction, _)| direction), Some(Direction::Down));
    }

    #[test]
    fn times_that_double_are_noticed() {
        let mut logs = Logs::default();
        let value = |n: u32| f64::from(1 + n.wrapping_mul(2_654_435_761) % 100);
        assert_eq!((0..2000).filter_map(|n| logs.push(value(n))).count(), 0);
        let mut slower = (0..1000).filter_map(|n| logs.push(4.0 * value(n)));
        assert_eq!(slower.next().map(|(direction, _)| direction), Some(Direction::Up));
    }
}
