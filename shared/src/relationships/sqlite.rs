//! How relationships that must not go in a circle are written one at a time on `SQLite`.

/// One transaction writes at a time anyway.
pub(super) const ONE_AT_A_TIME: &str = "SELECT 1";
