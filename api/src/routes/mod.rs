//! A file for each domain: decode, call one operation, respond.
pub(crate) mod ab_tests;
pub(crate) mod analytics;
pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod cache;
pub(crate) mod drift;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod lifecycle;
pub(crate) mod notifications;
pub(crate) mod prompts;
pub(crate) mod refinement;
pub(crate) mod relationships;
pub(crate) mod search;
pub(crate) mod serving;
pub(crate) mod suggestions;
pub(crate) mod versions;
pub(crate) mod webhooks;

/// A body with nothing to say.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
