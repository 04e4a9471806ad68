//! The settings both binaries read, each from a flag or a variable of the environment. `--help` prints them.
use std::{convert::Infallible, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use url::Url;

use crate::{db::Location, http::Allowed, prices::Prices, redis_client, secret::Hidden};

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

    /// `SQLite`: with less space than this on its disk, in bytes, or less than a twentieth of it, the store is only read: a disk
    /// that is full to the last byte cannot even be cleaned up. 0 writes as long as it can.
    #[arg(long, global = true, env = "PROMPT_STORE_DISK_RESERVE_BYTES", default_value_t = 256 * 1024 * 1024,
          value_name = "BYTES")]
    pub disk_reserve_bytes: u64,

    /// `SQLite`: copy a store of an earlier version before its tables are brought up to date. It needs as much space again.
    #[arg(long, global = true, env = "PROMPT_STORE_COPY_BEFORE_UPDATE", default_value_t = true,
          action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub copy_before_update: bool,

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

    /// Redis, for workers of their own: `redis://localhost:6379`, or `rediss://…` for TLS. Unset, this process works its
    /// jobs itself.
    #[arg(long, global = true, env = "REDIS_URL", value_name = "URL", hide_env_values = true, value_parser = redis_url)]
    pub redis_url: Option<Hidden>,

    /// What the keys of this store begin with, where several share one Redis.
    #[arg(long, global = true, env = "PROMPT_STORE_REDIS_PREFIX", default_value = "prompt-store", value_name = "TEXT")]
    pub redis_prefix: String,

    /// `rediss://`: a file, in PEM form, of the authorities that vouch for this Redis. Unset, those of the web.
    #[arg(long, global = true, env = "PROMPT_STORE_REDIS_CA_FILE", value_name = "FILE")]
    pub redis_ca_file: Option<PathBuf>,

    /// `rediss://`: our own certificate, in PEM form, for a Redis that wants one.
    #[arg(long, global = true, env = "PROMPT_STORE_REDIS_CERT_FILE", value_name = "FILE")]
    pub redis_cert_file: Option<PathBuf>,

    /// `rediss://`: the key of that certificate, in PEM form.
    #[arg(long, global = true, env = "PROMPT_STORE_REDIS_KEY_FILE", value_name = "FILE")]
    pub redis_key_file: Option<PathBuf>,

    /// Signs cursors; at least 32 bytes, the same on every host. Unset, a key is made beside the `SQLite` file.
    #[arg(long, global = true, env = "PROMPT_STORE_SECRET_KEY", value_name = "TEXT", hide_env_values = true)]
    pub secret_key: Option<Hidden>,

    /// Labels that only keys with the scope `prompts:publish` may move.
    #[arg(
        long,
        global = true,
        env = "PROMPT_STORE_PROTECTED_LABELS",
        value_delimiter = ',',
        default_value = "production",
        value_name = "LABEL,…"
    )]
    pub protected_labels: Vec<String>,

    /// How long a worker may be silent before its job goes to another, in milliseconds.
    #[arg(global = true, long = "lease-ms", env = "PROMPT_STORE_LEASE_MS", default_value = "15000", value_name = "MS",
          value_parser = milliseconds)]
    pub lease: Duration,

    /// How often workers look for jobs that nobody rang for, in milliseconds.
    #[arg(global = true, long = "tick-ms", env = "PROMPT_STORE_TICK_MS", default_value = "500", value_name = "MS",
          value_parser = milliseconds)]
    pub tick: Duration,

    /// How much memory a process may use to answer reads again that it has answered before, in bytes; 0 turns that off.
    #[arg(long, global = true, env = "PROMPT_STORE_CACHE_BYTES", default_value_t = 64 * 1024 * 1024, value_name = "BYTES")]
    pub cache_bytes: u64,

    /// No answer that is kept is older, whatever was lost on the way, in milliseconds.
    #[arg(global = true, long = "cache-max-age-ms", env = "PROMPT_STORE_CACHE_MAX_AGE_MS", default_value = "5000",
          value_name = "MS", value_parser = milliseconds)]
    pub cache_max_age: Duration,

    /// What models cost: a file of JSON like `{"small-model": {"input": 0.15, "output": 0.6}}`, in US dollars for a million
    /// tokens. Of calls that report tokens and no cost, the cost follows from it.
    #[arg(long, global = true, env = "PROMPT_STORE_PRICES", value_name = "FILE", value_parser = Prices::from_file,
          default_value = "", hide_default_value = true)]
    pub prices: Prices,

    /// How many days reported calls are kept one by one. What they add up to stays.
    #[arg(long, global = true, env = "PROMPT_STORE_USAGE_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=400))]
    pub usage_days: u32,

    /// How many days jobs that were given up are kept, for a person to look at and to have them tried again.
    #[arg(long, global = true, env = "PROMPT_STORE_DEAD_JOBS_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_jobs_days: u32,

    /// Who refines prompts.
    #[command(flatten)]
    pub llm: LlmSettings,

    /// A store of documents that gets what refinements led to: its address, `https://documents.internal`.
    #[arg(long, global = true, env = "DOC_STORE_URL", value_name = "URL", value_parser = service_url)]
    pub doc_store_url: Option<String>,

    /// What is logged, on standard error: `info`, or `warn,shared=debug`.
    #[arg(
        long,
        global = true,
        env = "PROMPT_STORE_LOG",
        default_value = "info,apalis_core=off,apalis=off",
        value_name = "FILTER"
    )]
    pub log: String,

    /// Who collects traces, by the protocol of OpenTelemetry over HTTP: an address like `http://localhost:4318`.
    #[arg(long = "otlp-url", global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = service_url)]
    pub otlp_url: Option<String>,

    /// How it is logged.
    #[arg(long, global = true, env = "PROMPT_STORE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Language models that can be asked: one is there when its address is, or its key.
#[derive(Args, Clone, Debug)]
pub struct LlmSettings {
    /// An interpreter: its address.
    #[arg(long, global = true, env = "INTERPRETER_URL", value_name = "URL", value_parser = service_url)]
    pub interpreter_url: Option<String>,

    /// A proxy of the models of Bedrock: its address.
    #[arg(long, global = true, env = "BEDROCK_PROXY_URL", value_name = "URL", value_parser = service_url)]
    pub bedrock_proxy_url: Option<String>,

    /// Which model the proxy is asked for; its own choice, unless said.
    #[arg(long, global = true, env = "BEDROCK_PROXY_MODEL", value_name = "NAME")]
    pub bedrock_proxy_model: Option<String>,

    /// A service that speaks as `OpenAI` does, with the path before `/chat/completions`: `OpenAI`'s own, unless said.
    #[arg(long = "openai-base-url", global = true, env = "OPENAI_BASE_URL", value_name = "URL", value_parser = service_url)]
    pub openai_url: Option<String>,

    /// Its key, which goes to that address and nowhere else.
    #[arg(long = "openai-api-key", global = true, env = "OPENAI_API_KEY", value_name = "TEXT", hide_env_values = true)]
    pub openai_key: Option<Hidden>,

    /// Which model it is asked for.
    #[arg(long, global = true, env = "OPENAI_MODEL", default_value = "gpt-4.1-mini", value_name = "NAME")]
    pub openai_model: String,

    /// A service that speaks as Anthropic does, with the path before `/v1/messages`: Anthropic's own, unless said.
    #[arg(long = "anthropic-base-url", global = true, env = "ANTHROPIC_BASE_URL", value_name = "URL",
          value_parser = service_url)]
    pub anthropic_url: Option<String>,

    /// Its key, which goes to that address and nowhere else.
    #[arg(
        long = "anthropic-api-key",
        global = true,
        env = "ANTHROPIC_API_KEY",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub anthropic_key: Option<Hidden>,

    /// Which model it is asked for.
    #[arg(long, global = true, env = "ANTHROPIC_MODEL", default_value = "claude-sonnet-4-5", value_name = "NAME")]
    pub anthropic_model: String,

    /// How long a model may take to answer, in milliseconds.
    #[arg(global = true, long = "llm-timeout-ms", env = "PROMPT_STORE_LLM_TIMEOUT_MS", default_value = "120000",
          value_name = "MS", value_parser = milliseconds)]
    pub llm_timeout: Duration,

    /// What a refinement may cost, in US dollars: once so much is spent on it, nobody is asked again.
    #[arg(long = "llm-session-usd", global = true, env = "PROMPT_STORE_LLM_SESSION_USD", default_value = "1",
          value_name = "USD", value_parser = dollars)]
    pub llm_session_nanos: i64,

    /// What all refinements of a day (UTC) may cost together, in US dollars.
    #[arg(long = "llm-day-usd", global = true, env = "PROMPT_STORE_LLM_DAY_USD", default_value = "20",
          value_name = "USD", value_parser = dollars)]
    pub llm_day_nanos: i64,

    /// What a call is taken to cost, in US dollars, while it is not known what it cost: its model has no price, or its
    /// answer never came.
    #[arg(long = "llm-call-usd", global = true, env = "PROMPT_STORE_LLM_CALL_USD", default_value = "0.05",
          value_name = "USD", value_parser = dollars)]
    pub llm_call_nanos: i64,
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

/// Billionths of a US dollar.
fn dollars(text: &str) -> Result<i64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=1_000_000.0).contains(value));
    #[expect(clippy::cast_possible_truncation, reason = "a million dollars are far below 2^53 billionths")]
    value.map(|value| (value * 1e9).round() as i64).ok_or_else(|| "it must be US dollars, 0 to 1000000".to_owned())
}

/// The address of a service, to which paths are added.
fn service_url(text: &str) -> Result<String, String> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    match Url::parse(text) {
        _ if text.is_empty() => Ok(String::new()),
        Ok(url) if is_plain(&url) => Ok(text.to_owned()),
        _ => {
            Err("it must be an address like https://models.example.com/v1, without a user, query or fragment"
                .to_owned())
        }
    }
}

fn redis_url(text: &str) -> Result<Hidden, String> {
    if !text.is_empty() {
        redis_client::check_url(text)?;
    }
    text.parse().map_err(|never: Infallible| match never {})
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
    fn the_address_of_a_service_is_plain() {
        for text in ["", "http://localhost:8080", "https://api.example.com/v1/"] {
            assert_eq!(service_url(text), Ok(text.to_owned()));
        }
        for text in ["localhost:80", "ftp://a", "https://u:p@a", "https://a?b=c", "https://a#b", "https://", "a b"] {
            assert!(service_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dollars_are_a_number_that_somebody_has() {
        assert_eq!((dollars("1"), dollars("0"), dollars("0.05")), (Ok(1_000_000_000), Ok(0), Ok(50_000_000)));
        for text in ["", "-1", "nan", "inf", "1e9", "$1"] {
            assert!(dollars(text).is_err(), "{text}");
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
        assert!(settings(&["--redis-url", "rediss://x"]).is_ok());
        for no_address in [
            "localhost:6379",
            "redis://localhost:port",
            "redis://localhost/database",
            "http://x",
            "rediss://x/#insecure",
        ] {
            assert!(settings(&["--redis-url", no_address]).is_err(), "{no_address}");
        }
    }
}
