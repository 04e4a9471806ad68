//! A collection of real prompts, which is not part of the repository: `PROMPT_STORE_TEST_PROMPTS` names a CSV file with
//! the columns `act` and `prompt`.
use std::collections::{BTreeSet, HashMap};

use crate::skipped;

const VARIABLE: &str = "PROMPT_STORE_TEST_PROMPTS";

/// Names and texts; of a name that is repeated the first, as an import takes them. Where there is no collection, it says so.
pub fn real_prompts() -> Option<Vec<(String, String)>> {
    let Some(path) = std::env::var(VARIABLE).ok().filter(|path| !path.is_empty()) else {
        skipped(&format!("{VARIABLE}, a CSV file of real prompts"));
        return None;
    };
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows = reader.deserialize::<HashMap<String, String>>();
    let mut seen = BTreeSet::new();
    let rows = rows.map(|row| row.unwrap()).map(|mut row| (row.remove("act").unwrap(), row.remove("prompt").unwrap()));
    Some(rows.filter(|(name, _)| seen.insert(name.clone())).collect())
}
