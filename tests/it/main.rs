//! Everything that is tested through a door: one binary, a folder per domain.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod smoke;
