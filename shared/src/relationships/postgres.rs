//! How relationships that must not go in a circle are written one at a time on `PostgreSQL`.

/// Two transactions that each close half of a circle would not see each other.
pub(super) const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtext('prompt-store relationships'), hashtext(current_schema()))";
