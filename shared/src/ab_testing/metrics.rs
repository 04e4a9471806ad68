//! What a test measures.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::names::names;

/// What values a metric has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// 0 or 1.
    Binary,
    /// Any number.
    Continuous,
}

names!(MetricKind { Binary = "binary", Continuous = "continuous" });

/// Something that is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Metric {
    /// `success_rate`
    pub name: String,
    /// What values it has.
    pub kind: MetricKind,
    /// Is less better?
    pub lower_is_better: bool,
    /// Does a unit that took part, and of which nothing was heard, count as 0?
    pub missing_is_zero: bool,
}

/// Something that must not get worse by as much as its margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Guardrail {
    /// What is measured.
    pub metric: Metric,
    /// The harm that is not accepted any more, above 0: in the metric's unit, or as a share of the control's mean.
    pub margin: f64,
    /// Is the margin a share of the control's mean?
    pub relative: bool,
}

/// Metrics that usage events carry, and one that people give: name, kind, is less better.
const KNOWN: [(&str, MetricKind, bool); 6] = [
    ("response_quality", MetricKind::Continuous, false),
    ("success_rate", MetricKind::Binary, false),
    ("user_satisfaction", MetricKind::Continuous, false),
    ("response_time", MetricKind::Continuous, true),
    ("token_usage", MetricKind::Continuous, true),
    ("cost_usd", MetricKind::Continuous, true),
];

impl Metric {
    /// A metric that needs no explanation.
    pub(super) fn known(name: &str) -> Option<Self> {
        let (name, kind, lower_is_better) = *KNOWN.iter().find(|known| known.0 == name)?;
        Some(Self { name: name.to_owned(), kind, lower_is_better, missing_is_zero: false })
    }

    /// The names of those.
    pub(super) fn names() -> String {
        KNOWN.map(|known| format!("`{}`", known.0)).join(", ")
    }
}
