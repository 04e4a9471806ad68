//! What only a database on a server can do to a store: refuse it, leave it, come back, and serve two writers at once.
mod copy;
mod outages;
mod races;
mod start;

use support::{PostgresServer, Processes};

const SECRET: &str = "kP7-3xQz9_vLr2TfWb8mYhNc4JdSgAe6";

/// A store in a database of that server.
fn store(server: &PostgresServer, database: &str) -> Processes {
    Processes::embedded().with("PROMPT_STORE_DB", server.url(database)).with("PROMPT_STORE_SECRET_KEY", SECRET)
}
