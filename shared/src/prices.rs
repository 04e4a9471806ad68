//! What models cost, as the configuration says.
use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde::Deserialize;

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: f64,
    output: f64,
    /// How many tokens the model can read at once.
    #[serde(default)]
    context: Option<u64>,
}

/// The most that one call can cost, in US dollars.
pub const CALL_USD_MAX: f64 = 1_000_000.0;

/// Prices by the name of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices(Arc<BTreeMap<String, Price>>);

impl Prices {
    /// Reads a table: `{"small-model": {"input": 0.15, "output": 0.6, "context": 128000}}`, in US dollars for a million
    /// tokens, and tokens. The context may be left out.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        let prices: BTreeMap<String, Price> = crate::misfit::read_any(&mut json, "the table")
            .map_err(|error| format!("it is no table of prices: {error}"))?;
        json.end().map_err(|error| format!("it is no table of prices: {error}"))?;
        let wrong = |price: f64| !price.is_finite() || price < 0.0;
        match prices.iter().find(|(_, price)| wrong(price.input) || wrong(price.output)) {
            Some((model, _)) => Err(format!("the price of `{model}` is negative")),
            None => Ok(Self(Arc::new(prices))),
        }
    }

    /// Reads the table that a file holds, for `clap`.
    pub fn from_file(path: &str) -> Result<Self, String> {
        if path.is_empty() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(Path::new(path)).map_err(|error| format!("it cannot be read: {error}"))?;
        Self::from_json(&text)
    }

    /// How many tokens a model can read at once. `None`, if that is not known.
    #[must_use]
    pub fn context(&self, model: &str) -> Option<u64> {
        self.0.get(model)?.context
    }

    /// What a call cost, in billionths of a US dollar, at most 1,000,000 dollars. `None`, if the price of the model is not
    /// known.
    #[must_use]
    pub fn nanos(&self, model: &str, input_tokens: i64, output_tokens: i64) -> Option<i64> {
        let price = self.0.get(model)?;
        // A dollar for a million tokens is a thousand billionths for one.
        #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53")]
        let nanos = |input: i64, output: i64| (input as f64 * price.input + output as f64 * price.output) * 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "bounded in this line")]
        Some(nanos(input_tokens, output_tokens).min(CALL_USD_MAX * 1e9).round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_what_its_tokens_do() {
        let prices = Prices::from_json(r#"{"m": {"input": 0.15, "output": 0.6}}"#).unwrap();
        assert_eq!(prices.nanos("m", 1000, 500), Some(450_000));
        assert_eq!(prices.nanos("m", 1, 0), Some(150));
        assert_eq!(prices.nanos("unknown", 1, 1), None);
        let dear = Prices::from_json(r#"{"m": {"input": 1e300, "output": 0}}"#).unwrap();
        assert_eq!(dear.nanos("m", i64::MAX, 0), Some(1_000_000_000_000_000));
    }

    #[test]
    fn a_wrong_table_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "no table"),
            (r#"{"m": 1}"#, "no table"),
            (r#"{"m": {"input": 1}}"#, "output"),
            (r#"{"m": {"input": -1, "output": 1}}"#, "`m` is negative"),
        ] {
            let refused = Prices::from_json(text).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
