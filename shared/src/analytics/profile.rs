//! How a version did in a time, as drift and advice compare it.
use std::collections::BTreeMap;

use super::{repository, rollups, sketch::Sketch, tally::Tally, variables::VariableUse};
use crate::{
    clock::Timestamp,
    db::Conn,
    error::Result,
    id::PromptId,
    stats::{proportions::Proportion, samples::Sample},
};

/// What has a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// In milliseconds.
    ResponseTime,
    /// Input and output together.
    Tokens,
    /// In US dollars.
    Cost,
}

/// What was reported of a version in a time.
#[derive(Clone, Default)]
pub struct Profile {
    tally: Tally,
    models: BTreeMap<String, u64>,
}

impl Profile {
    /// How many events.
    #[must_use]
    pub fn events(&self) -> u64 {
        unsigned(self.tally.events)
    }

    /// Of those that said whether they succeeded.
    #[must_use]
    pub fn success(&self) -> Proportion {
        let successes = unsigned(self.tally.successes);
        Proportion { successes, trials: successes + unsigned(self.tally.failures) }
    }

    /// Of those that said whether they succeeded: how many answers could not be read.
    #[must_use]
    pub fn parse_failures(&self) -> Proportion {
        let trials = self.success().trials.max(unsigned(self.tally.parse_failures));
        Proportion { successes: unsigned(self.tally.parse_failures), trials }
    }

    /// Of those that were scored.
    #[must_use]
    pub fn score(&self) -> Sample {
        let score = self.tally.score;
        let n = unsigned(score.n);
        let variance = if n > 1 { score.m2 / crate::stats::special::count(n - 1) } else { 0.0 };
        Sample { n, mean: score.mean, variance }
    }

    /// How many values a quantity has.
    #[must_use]
    pub fn count(&self, quantity: Quantity) -> u64 {
        unsigned(match quantity {
            Quantity::ResponseTime => self.tally.latency_n,
            Quantity::Tokens => self.tally.tokens_n,
            Quantity::Cost => self.tally.cost_n,
        })
    }

    /// The value at a rank, within 1 %.
    #[must_use]
    pub fn quantile(&self, quantity: Quantity, q: f64) -> Option<f64> {
        self.sketch(quantity).quantile(q)
    }

    /// How many values lie up to the first edge, between it and the next, and so on, and above the last. Edges are values
    /// that a [`quantile`](Self::quantile) of any profile has answered, in order.
    #[must_use]
    pub fn split(&self, quantity: Quantity, edges: &[f64]) -> Vec<u64> {
        let (all, sketch) = (self.count(quantity), self.sketch(quantity));
        let mut below = 0;
        let mut counts: Vec<u64> = edges
            .iter()
            .map(|edge| {
                let up_to = sketch.count_up_to(*edge).clamp(below, all);
                up_to - std::mem::replace(&mut below, up_to)
            })
            .collect();
        counts.push(all - below);
        counts
    }

    /// How many events each model answered.
    #[must_use]
    pub fn models(&self) -> &BTreeMap<String, u64> {
        &self.models
    }

    /// Adds another time.
    pub fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        for (model, events) in &other.models {
            *self.models.entry(model.clone()).or_default() += events;
        }
    }

    fn sketch(&self, quantity: Quantity) -> &Sketch {
        match quantity {
            Quantity::ResponseTime => &self.tally.latency,
            Quantity::Tokens => &self.tally.tokens,
            Quantity::Cost => &self.tally.cost,
        }
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How a version did on each day that it was used.
pub async fn profiles(conn: &mut Conn, id: PromptId, version: i64) -> Result<BTreeMap<Timestamp, Profile>> {
    let mut days: BTreeMap<Timestamp, Profile> = BTreeMap::new();
    rollups::days_of_version(conn, id, version, |part| {
        let day = days.entry(part.bucket).or_default();
        *day.models.entry(part.model).or_default() += unsigned(part.tally.events);
        day.tally.merge(&part.tally);
    })
    .await?;
    Ok(days)
}

/// Was anything ever used?
pub async fn is_any(conn: &mut Conn) -> Result<bool> {
    rollups::is_any(conn).await
}

/// The first prompts after one that were used on that day or later.
pub async fn in_use(conn: &mut Conn, after: &str, since: Timestamp, most: i64) -> Result<Vec<PromptId>> {
    rollups::in_use(conn, after, since, most).await
}

/// The newest version that anything was reported of.
pub async fn newest_in_use(conn: &mut Conn, id: PromptId) -> Result<Option<i64>> {
    rollups::newest_in_use(conn, id).await
}

/// When a prompt was last read by name or reported of, to the day.
pub async fn last_used(conn: &mut Conn, id: PromptId) -> Result<Option<Timestamp>> {
    repository::last_used(conn, id).await
}

/// What the variables of a version were filled with.
pub async fn variables(conn: &mut Conn, id: PromptId, version: i64) -> Result<Vec<VariableUse>> {
    repository::variables(conn, id, version).await
}
