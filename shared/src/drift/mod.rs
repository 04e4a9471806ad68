//! Drift: how far a prompt has moved from what it was, version by version.
mod content;
mod model;
mod repository;
mod service;

pub use model::{Baseline, Comparison, ContentDrift, Drift, DriftStatus, Severity};
pub use service::{get, pin_baseline, unpin_baseline};
