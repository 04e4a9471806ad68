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

    /// What a call cost, in billionths of a US dollar. `None`, if the price of the model is not known.
    #[must_use]
    pub fn nanos(&self, model: &str, input_tokens: i64, output_tokens: i64) -> Option<i64> {
        let price = self.0.get(model)?;
        // A dollar for a million tokens is a thousand billionths for one.
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "bounded far below 2^53")]
        Some(((input_tokens as f64 * price.input + output_tokens as f64 * price.output) * 1000.0).round() as i64)
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
