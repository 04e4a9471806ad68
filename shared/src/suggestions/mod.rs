//! Suggestions: what could be better about a prompt, stored or not, and which rules are not to say so.
mod model;
mod repository;
mod service;

pub use model::{LintRequest, NewSuppression, text};
pub use service::{delete_suppression, get, lint, options, suppress};
