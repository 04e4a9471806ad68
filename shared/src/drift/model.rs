//! What is said about the drift of a prompt.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    analytics::EarlyWarning, clock::Timestamp, db::FromRow, id::PromptId, lint::LintDelta, names::names,
    versions::CallChange,
};

/// How a prompt does in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// It was not used enough to tell.
    InsufficientData,
    /// As it did in the reference.
    Stable,
    /// Something may have moved.
    Warning,
    /// Something has moved, and was seen to on two days in a row.
    Drift,
}

names!(DriftStatus {
    InsufficientData = "insufficient_data",
    Stable = "stable",
    Warning = "warning",
    Drift = "drift",
});

/// How far a metric has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftSeverity {
    /// So far that it matters.
    Moderate,
    /// Further.
    High,
}

/// How a version does in use, against its reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Performance {
    /// The worst of all metrics.
    pub status: DriftStatus,
    /// What is compared with: the pinned time, or the version's first two weeks, or longer until there are 1000 events.
    pub reference: Option<Window>,
    /// What is compared: the last days that are no part of the reference.
    pub current: Option<Window>,
    /// How many events are missing, where there are too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// What was compared.
    pub metrics: Vec<MetricDrift>,
    /// What moved lately, told at once, and wrongly more often.
    pub early_warnings: Vec<EarlyWarning>,
}

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Window {
    /// It begins with this moment.
    pub from: Timestamp,
    /// It ends before this one.
    pub to: Timestamp,
    /// How many events were reported.
    pub n: u64,
}

/// How many events are missing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// In the reference.
    pub reference: u64,
    /// In the time that is compared.
    pub current: u64,
}

/// How a metric has moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricDrift {
    /// `success_rate`, `score`, `response_time`, `token_usage`, `cost_usd` or `model`.
    pub metric: String,
    /// `two_proportion_z`, `fisher_exact`, `welch_t`, `psi_chi_square` or `chi_square`.
    pub test: String,
    /// Of that test.
    pub statistic: Option<f64>,
    /// Of that test.
    pub p_value: f64,
    /// By Benjamini and Hochberg over the metrics.
    pub p_adjusted: f64,
    /// How far: the change of a rate, of a score in standard deviations, the population stability index of a
    /// distribution, the distance of Jensen and Shannon of models.
    pub effect: f64,
    /// From where on that matters.
    pub thresholds: Thresholds,
    /// Into how many bins the values were counted.
    pub bins: Option<usize>,
    /// As it was.
    pub reference_summary: Summary,
    /// As it is.
    pub current_summary: Summary,
    /// `better` or `worse`; null where nothing moved, or neither can be said.
    pub direction: Option<String>,
    /// At how many daily evaluations in a row it was sure.
    pub consecutive: i64,
    /// What follows.
    pub status: DriftStatus,
    /// How much it matters.
    pub severity: Option<DriftSeverity>,
}

/// From where on an effect matters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Thresholds {
    /// It matters.
    pub alert: f64,
    /// It matters much.
    pub high: f64,
    /// Of distributions: what is exceeded without any drift once in a thousand times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_001: Option<f64>,
}

/// A metric in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MetricSummary)]
pub struct Summary {
    /// How many events had a value.
    pub n: u64,
    /// The share that succeeded, or the mean score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Half of the values are below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// Of twenty values, one is above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
}

/// How much two versions differ, for whoever depends on the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = ContentDriftSeverity)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Hardly at all.
    Trivial,
    /// A little.
    Minor,
    /// So much that it is another text, or a variable is gone: callers need not change, and what they give for it is not used.
    Major,
    /// Callers must change: a call that was taken may be refused, or answers have another shape.
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
    /// How it does in use.
    pub performance: Performance,
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
#[schema(as = DriftComparison)]
pub struct Comparison {
    /// The earlier one.
    pub compared_to: i64,
    /// How much they differ.
    pub severity: Severity,
    /// 1 − Levenshtein distance / length of the longer, in characters. Of long texts only what changed is measured. Here and
    /// below, composed and decomposed, half-width and full-width characters are the same.
    pub char_similarity: f64,
    /// 2 × longest common subsequence / both lengths, in tokens: words in lower case, signs, and of scripts without spaces
    /// between words (Chinese, Japanese, Thai, Lao, Myanmar, Khmer) runs of one or two characters, or else each character.
    pub token_ratio: f64,
    /// Tokens in both / tokens in either.
    pub token_jaccard: f64,
    /// By how many per cent the number of tokens grew.
    pub tokens_delta_pct: f64,
    /// Variables that are new.
    pub variables_added: Vec<String>,
    /// Variables that are gone.
    pub variables_removed: Vec<String>,
    /// Variables for which callers must change: they must be given now, or be of another type.
    pub callers_must_change: Vec<CallChange>,
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
    /// The time that later ones are compared with begins here; null: with the version's first days.
    #[serde(default)]
    pub reference_from: Option<Timestamp>,
    /// And ends before this moment.
    #[serde(default)]
    pub reference_to: Option<Timestamp>,
    /// Who chose it.
    pub pinned_by: String,
    /// When.
    pub pinned_at: Timestamp,
}

impl Baseline {
    /// The time that later ones are compared with, if one was pinned.
    pub(super) fn reference(&self) -> Option<(Timestamp, Timestamp)> {
        self.reference_from.zip(self.reference_to)
    }
}
