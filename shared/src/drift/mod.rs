//! Drift: how far a prompt has moved from what it was, version by version and day by day.
mod content;
mod evaluate;
mod model;
mod performance;
mod repository;
mod service;

pub use content::{Similarity, similarity, tokens};
pub use evaluate::{EvaluateDrift, evaluate_all, order_evaluation};
pub use model::{
    Baseline, Comparison, ContentDrift, Drift, DriftSeverity, DriftStatus, MetricDrift, Missing, Performance, Severity,
    Summary, Thresholds, Window,
};
pub use service::{get, performance_of, pin_baseline, unpin_baseline};
