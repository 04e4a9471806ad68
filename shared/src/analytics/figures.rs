//! What tallies say, as it is told.
use serde::Serialize;
use utoipa::ToSchema;

use super::{sketch::Sketch, tally::Tally};

/// How values are distributed. Every percentile is within 1 % of the value at its rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Distribution {
    /// How many values there are.
    pub n: i64,
    /// Their mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
}

impl Distribution {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn new(n: i64, sum: f64, sketch: &Sketch) -> Option<Self> {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| sketch.quantile(q));
        Some(Self { n, mean: sum / n as f64, p50: p50?, p95: p95?, p99: p99? })
    }
}

/// How good answers were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Score {
    /// How many calls were scored.
    pub n: i64,
    /// Their mean score.
    pub mean: f64,
    /// How far scores are from it; of two scores or more.
    pub standard_deviation: Option<f64>,
}

/// What calls add up to. A figure that no call reported is null.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// How many calls were reported.
    pub events: i64,
    /// Of them, those that said they went well.
    pub successes: i64,
    /// Of them, those that said they did not.
    pub failures: i64,
    /// The share of those that went well among those that said either.
    pub success_rate: Option<f64>,
    /// How long answers took, in milliseconds.
    pub response_time_ms: Option<Distribution>,
    /// Tokens that were sent.
    pub input_tokens: i64,
    /// Tokens that came back.
    pub output_tokens: i64,
    /// Of a call, both together.
    pub tokens: Option<Distribution>,
    /// What they cost in all, in US dollars. It is counted up to 9,223,372,036, and stays there.
    pub cost_usd: f64,
    /// What a call cost, in US dollars.
    pub cost_per_call_usd: Option<Distribution>,
    /// How good answers were.
    pub score: Option<Score>,
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
impl From<&Tally> for Figures {
    fn from(tally: &Tally) -> Self {
        let score = tally.score;
        Self {
            events: tally.events,
            successes: tally.successes,
            failures: tally.failures,
            success_rate: success_rate(tally.successes, tally.failures),
            response_time_ms: Distribution::new(tally.latency_n, tally.latency_us as f64 / 1000.0, &tally.latency),
            input_tokens: tally.input_tokens,
            output_tokens: tally.output_tokens,
            tokens: Distribution::new(
                tally.tokens_n,
                tally.input_tokens as f64 + tally.output_tokens as f64,
                &tally.tokens,
            ),
            cost_usd: usd(tally.cost_nanos),
            cost_per_call_usd: Distribution::new(tally.cost_n, usd(tally.cost_nanos), &tally.cost),
            score: (score.n > 0).then(|| Score {
                n: score.n,
                mean: score.mean,
                standard_deviation: (score.n > 1).then(|| (score.m2 / (score.n - 1) as f64).sqrt()),
            }),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(super) fn success_rate(successes: i64, failures: i64) -> Option<f64> {
    let known = successes.saturating_add(failures);
    (known > 0).then(|| successes as f64 / known as f64)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(super) fn usd(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
