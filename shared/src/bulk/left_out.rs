//! What an export has nothing of, and says so in a line of its own.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::records::Kind;
use crate::{error::Error, id::PromptId};

/// A prompt of which an export has nothing, because one of its versions is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOutRecord {
    pub(super) kind: Kind,
    pub(super) prompt_id: PromptId,
    pub(super) category: String,
    pub(super) name: String,
    /// The first of its versions that is damaged.
    pub(super) damaged_version: i64,
}

impl LeftOutRecord {
    /// There is nothing to import.
    pub(super) fn refusal(&self) -> Error {
        Error::conflict("left-out", self.to_string())
    }
}

impl fmt::Display for LeftOutRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prompt_id, category, name, damaged_version, .. } = self;
        write!(
            f,
            "`{category}/{name}` ({prompt_id}) was left out of the export: its version {damaged_version} is damaged"
        )
    }
}

/// What a line of an export says was left out of it, in a sentence.
#[must_use]
pub fn left_out(line: &str) -> Option<String> {
    // Every line begins with its kind.
    let begins = line.starts_with(r#"{"kind":"left_out""#);
    let record: Option<LeftOutRecord> = if begins { serde_json::from_str(line).ok() } else { None };
    record.map(|record| record.to_string())
}
