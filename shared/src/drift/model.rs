//! What is said about the drift of a prompt.
use serde::Serialize;
use utoipa::ToSchema;

use crate::{clock::Timestamp, db::FromRow, id::PromptId, lint::LintDelta};

/// How a prompt does in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// It was not used enough to tell.
    InsufficientData,
}

/// How much two versions differ, for whoever depends on the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Hardly at all.
    Trivial,
    /// A little.
    Minor,
    /// So much that it is another text.
    Major,
    /// Callers must change: a variable is gone, a new one has no default, or answers have another shape.
    Breaking,
}

/// How far a prompt has moved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Drift {
    /// Which prompt.
    pub prompt_id: PromptId,
    /// At which version.
    pub version: i64,
    /// How it does in use.
    pub status: DriftStatus,
    /// When this was found.
    pub evaluated_at: Timestamp,
    /// What its text has become. Null for version 1, which nothing came before.
    pub content: Option<ContentDrift>,
    /// In short, for programs: `content-minor`, `cumulative-breaking`.
    pub explanation: Vec<String>,
}

/// What a text has become, against the version before it and against the baseline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContentDrift {
    /// Against the version before it.
    #[serde(flatten)]
    pub step: Comparison,
    /// Against the baseline: the pinned version, or the first that was published, or version 1.
    pub cumulative: Comparison,
}

/// One version against an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// The earlier one.
    pub compared_to: i64,
    /// How much they differ.
    pub severity: Severity,
    /// 1 − Levenshtein distance / length of the longer, in characters. Of long texts only what changed is measured.
    pub char_similarity: f64,
    /// 2 × longest common subsequence / both lengths, in tokens.
    pub token_ratio: f64,
    /// Tokens in both / tokens in either.
    pub token_jaccard: f64,
    /// By how many per cent the number of tokens grew.
    pub tokens_delta_pct: f64,
    /// Variables that are new.
    pub variables_added: Vec<String>,
    /// Variables that are gone.
    pub variables_removed: Vec<String>,
    /// Headings that are new.
    pub sections_added: Vec<String>,
    /// Headings that are gone.
    pub sections_removed: Vec<String>,
    /// Shall answers have another shape?
    pub output_schema_changed: bool,
    /// Is it for another model, or with other settings?
    pub model_or_params_changed: bool,
    /// What the rules about texts find now and did not find then, and the reverse.
    pub lint_delta: LintDelta,
}

/// The version that later ones are compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema, FromRow)]
pub struct Baseline {
    /// Of which prompt.
    pub prompt_id: PromptId,
    /// This one.
    pub version: i64,
    /// Who chose it.
    pub pinned_by: String,
    /// When.
    pub pinned_at: Timestamp,
}
