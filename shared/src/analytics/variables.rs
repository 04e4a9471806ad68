//! What variables are filled with: counted in memory, written a moment later, and never the values themselves.
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard},
};

use serde_json::{Map, Value};

use super::repository;
use crate::{app::App, caller::Caller, db::FromRow, error::Result, id::PromptId};

/// So many variables are counted at once; what comes beyond is not.
const COUNTED_MAX: usize = 100_000;

/// What a variable was filled with.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct VariableUse {
    /// Its name.
    pub variable: String,
    /// How often it was filled.
    pub renders: i64,
    /// How often with nothing.
    pub empty: i64,
    /// Of the value that leads.
    pub(super) value_hash: i64,
    /// How much more often it came than all others together, at least (Boyer and Moore's majority vote).
    pub(super) lead: i64,
}

impl VariableUse {
    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.renders += other.renders;
        self.empty += other.empty;
        if self.value_hash == other.value_hash {
            self.lead += other.lead;
        } else if other.lead > self.lead {
            (self.value_hash, self.lead) = (other.value_hash, other.lead - self.lead);
        } else {
            self.lead -= other.lead;
        }
    }

    /// The share of the value that comes most often; near it, if that is most of the time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn constant_share(&self) -> f64 {
        f64::midpoint(1.0, self.lead as f64 / self.renders.max(1) as f64)
    }
}

/// By prompt, version and variable.
type Counts = BTreeMap<(PromptId, i64, String), VariableUse>;

#[derive(Default)]
struct Counted(Mutex<Counts>);

impl Counted {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("nobody panics while counting")
    }
}

/// A version was filled with these values.
pub fn count_values(app: &App, id: PromptId, version: i64, values: &Map<String, Value>) {
    let counted = app.memory.of::<Counted>();
    let mut counts = counted.counts();
    for (variable, value) in values {
        let key = (id, version, variable.clone());
        if counts.len() >= COUNTED_MAX && !counts.contains_key(&key) {
            return;
        }
        let is_empty = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        let once = VariableUse {
            variable: variable.clone(),
            renders: 1,
            empty: i64::from(is_empty),
            value_hash: hash(value),
            lead: 1,
        };
        counts.entry(key).and_modify(|counted| counted.merge(&once)).or_insert(once);
    }
}

/// The same in every process of one build, which is enough: after another it counts from there.
fn hash(value: &Value) -> i64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// Writes down what was counted since the last time. What cannot be written now is counted again.
pub(super) async fn write(app: &App, caller: &Caller) -> Result<()> {
    let counted = app.memory.of::<Counted>();
    let counts = std::mem::take(&mut *counted.counts());
    if counts.is_empty() {
        return Ok(());
    }
    let written = write_all(app, caller, &counts).await;
    if written.is_err() {
        let mut since = counted.counts();
        for (key, counted) in counts {
            since.entry(key).and_modify(|other| other.merge(&counted)).or_insert(counted);
        }
    }
    written
}

async fn write_all(app: &App, caller: &Caller, counts: &Counts) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    for ((id, version, variable), counted) in counts {
        let before = repository::variable(&mut tx, *id, *version, variable).await?;
        let sum = match before {
            Some(mut before) => {
                before.merge(counted);
                before
            }
            None => counted.clone(),
        };
        repository::put_variable(&mut tx, *id, *version, &sum).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_nearly_always_comes_has_nearly_the_whole_share() {
        let once = |value_hash| VariableUse { variable: "v".into(), renders: 1, empty: 0, value_hash, lead: 1 };
        let count = |values: Vec<i64>| {
            let mut counted = once(values[0]);
            values[1..].iter().for_each(|value| counted.merge(&once(*value)));
            counted.constant_share()
        };
        assert!((count(vec![7; 100]) - 1.0).abs() < 1e-12);
        let mostly = (0..1000).map(|n| if n % 50 == 0 { n } else { 7 }).collect();
        assert!((count(mostly) - 0.98).abs() < 1e-12);
        assert!(count((0..1000).collect()) < 0.51);
    }
}
