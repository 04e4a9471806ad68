//! The settings both binaries read, each from a flag or a variable of the environment. `--help` prints them.
use std::time::Duration;

use clap::{Args, ValueEnum};
use redis::IntoConnectionInfo;

use crate::{db::Location, http::Allowed};

/// What every process of a store must agree on.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Where prompts are kept: a `SQLite` file, created with its folder, or `postgres://user:password@host/database`.
    #[arg(
        long,
        global = true,
        env = "PROMPT_STORE_DB",
        default_value = "prompt_store.db",
        value_name = "PATH|URL",
        hide_env_values = true
    )]
    pub db: Location,

    /// `PostgreSQL`: how many connections this process may have.
    #[arg(long, global = true, env = "PROMPT_STORE_DB_CONNECTIONS", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub db_connections: u32,

    /// `PostgreSQL`: how long a statement, or a pause within a transaction, may take, in milliseconds.
    #[arg(global = true, long = "db-timeout-ms", env = "PROMPT_STORE_DB_TIMEOUT_MS", default_value = "10000",
          value_name = "MS", value_parser = milliseconds)]
    pub db_timeout: Duration,

    /// `SQLite`: trust a network file system. Only where this one host opens the file.
    #[arg(long, global = true, env = "PROMPT_STORE_ALLOW_NETWORK_FS", default_value_t = false,
          action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_network_fs: bool,

    /// Where the store runs. `production` wants an admin key even where only this machine can connect, and sends nothing to
    /// this machine itself.
    #[arg(long, global = true, env = "PROMPT_STORE_ENV", default_value = "development", value_name = "NAME")]
    pub env: Environment,

    /// Internal hosts, addresses or ranges that webhooks and other outgoing requests may go to, at any port and without
    /// encryption: `hooks.internal,10.1.0.0/16`.
    #[arg(
        long,
        global = true,
        env = "PROMPT_STORE_ALLOWED_TARGETS",
        value_delimiter = ',',
        value_name = "HOST|RANGE,…"
    )]
    pub allowed_targets: Vec<Allowed>,

    /// Redis, for workers of their own: `redis://localhost:6379`. Unset, this process works its jobs itself.
    #[arg(long, global = true, env = "REDIS_URL", value_name = "URL", hide_env_values = true, value_parser = redis_url)]
    pub redis_url: Option<String>,

    /// What the keys of this store begin with, where several share one Redis.
    #[arg(long, global = true, env = "PROMPT_STORE_REDIS_PREFIX", default_value = "prompt-store", value_name = "TEXT")]
    pub redis_prefix: String,

    /// Signs cursors; at least 32 bytes, the same on every host. Unset, a key is made beside the `SQLite` file.
    #[arg(long, global = true, env = "PROMPT_STORE_SECRET_KEY", value_name = "TEXT", hide_env_values = true)]
    pub secret_key: Option<String>,

    /// How long a worker may be silent before its job goes to another, in milliseconds.
    #[arg(global = true, long = "lease-ms", env = "PROMPT_STORE_LEASE_MS", default_value = "15000", value_name = "MS",
          value_parser = milliseconds)]
    pub lease: Duration,

    /// How often workers look for jobs that nobody rang for, in milliseconds.
    #[arg(global = true, long = "tick-ms", env = "PROMPT_STORE_TICK_MS", default_value = "500", value_name = "MS",
          value_parser = milliseconds)]
    pub tick: Duration,

    /// What is logged, on standard error: `info`, or `warn,shared=debug`.
    #[arg(
        long,
        global = true,
        env = "PROMPT_STORE_LOG",
        default_value = "info,apalis_core=warn,apalis=warn",
        value_name = "FILTER"
    )]
    pub log: String,

    /// How it is logged.
    #[arg(long, global = true, env = "PROMPT_STORE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Where the store runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// On somebody's own machine.
    Development,
    /// Where others depend on it.
    Production,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: an object a line.
    Json,
}

/// How the processes of a store share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One process does everything.
    Embedded,
    /// Workers are processes of their own, told through Redis.
    Distributed,
}

impl Mode {
    /// As `/health` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Distributed => "distributed",
        }
    }
}

impl Settings {
    /// `REDIS_URL` says which; it is never guessed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.redis_url().is_some() { Mode::Distributed } else { Mode::Embedded }
    }

    /// The address of Redis; set but empty is not set.
    #[must_use]
    pub fn redis_url(&self) -> Option<&str> {
        self.redis_url.as_deref().filter(|url| !url.is_empty())
    }
}

/// A number of milliseconds, at least one.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(millis @ 1..=86_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err("it must be a whole number of milliseconds, 1 to 86400000 (a day)".to_owned()),
    }
}

fn redis_url(text: &str) -> Result<String, String> {
    if text.is_empty() || text.into_connection_info().is_ok() {
        return Ok(text.to_owned());
    }
    Err("it must be an address like redis://localhost:6379".to_owned())
}

/// A refused setting, told with the variable it may have come from: clap itself names only the flag.
#[must_use]
pub fn name_the_variable<C: clap::CommandFactory>(error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let command = C::command();
    let named = |arg: &&clap::Arg| arg.get_long().is_some_and(|long| flag.starts_with(&format!("--{long} ")));
    let variable = command.get_arguments().find(named).and_then(|arg| arg.get_env()?.to_str());
    match variable {
        Some(variable) if std::env::var_os(variable).is_some() => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            clap::Error::raw(error.kind(), format!("{first}\n\nThe setting comes from the variable {variable}.\n"))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_a_whole_number_from_one_to_a_day() {
        assert_eq!(milliseconds("1500"), Ok(Duration::from_millis(1500)));
        for text in ["0", "-1", "1.5", "", "15s", "86400001"] {
            assert!(milliseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_redis_url_is_none() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            settings: Settings,
        }
        use clap::Parser;
        let settings = |args: &[&str]| Cli::try_parse_from([&["x"], args].concat()).map(|cli| cli.settings);
        assert_eq!(settings(&["--redis-url", ""]).unwrap().mode(), Mode::Embedded);
        assert_eq!(settings(&["--redis-url", "redis://x"]).unwrap().mode(), Mode::Distributed);
        for no_address in ["localhost:6379", "redis://localhost:port", "redis://localhost/database", "http://x"] {
            assert!(settings(&["--redis-url", no_address]).is_err(), "{no_address}");
        }
    }
}
