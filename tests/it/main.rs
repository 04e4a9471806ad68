//! Everything that is tested through a door: one binary, a folder for each domain.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod audit;
mod bulk;
mod drift;
mod edge;
mod hosts;
mod jobs;
mod lifecycle;
mod notifications;
mod openapi;
mod outgoing;
mod postgres;
mod processes;
mod prompts;
mod readme;
mod relationships;
mod search;
mod servers;
mod serving;
mod sources;
mod sql;
mod suggestions;
mod tidy;
mod usage;
mod versions;
mod webhooks;
