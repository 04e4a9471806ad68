//! The domain library of Prompt Store: everything both binaries agree on. It does not know HTTP.
#![cfg_attr(test, allow(clippy::unwrap_used))]
pub mod app;
pub mod caller;
pub mod change;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod health;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod jobs;
pub mod lint;
mod names;
pub mod objects;
pub mod page;
pub mod retry;
pub mod search;
pub mod secret;
pub mod start;
pub mod telemetry;
pub mod templates;
pub mod text;
pub mod uses;

pub mod administration;
pub mod audit;
pub mod bulk;
pub mod drift;
pub mod lifecycle;
pub mod notifications;
pub mod prompts;
pub mod relationships;
pub mod serving;
pub mod suggestions;
pub mod versions;
pub mod webhooks;

pub use app::App;
pub use caller::Caller;
pub use error::{Error, Result, Violation};
