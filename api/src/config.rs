//! The settings only the API has: where it listens, whom it lets in, and how much it takes.
use std::{net::IpAddr, time::Duration};

use clap::Args;
use shared::{
    config::{Environment, milliseconds},
    secret::Hidden,
};

/// What the HTTP door must know.
#[derive(Args, Clone, Debug)]
pub struct Edge {
    /// Where to listen. Addresses that others can reach need `PROMPT_STORE_ADMIN_KEY`.
    #[arg(long, env = "PROMPT_STORE_HOST", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: IpAddr,

    /// Where to listen; 0 picks a free port.
    #[arg(long, env = "PROMPT_STORE_PORT", default_value_t = 5110, value_name = "PORT")]
    pub port: u16,

    /// The key every request must carry, as `Authorization: Bearer …`; at least 32 bytes.
    #[arg(long, env = "PROMPT_STORE_ADMIN_KEY", value_name = "TEXT", hide_env_values = true)]
    pub admin_key: Option<Hidden>,

    /// Without an admin key: names this store may be asked by, besides `localhost` and loopback addresses.
    #[arg(long, env = "PROMPT_STORE_ALLOWED_HOSTS", value_delimiter = ',', value_name = "NAME,…")]
    pub allowed_hosts: Vec<String>,

    /// Refuse changes of a prompt that do not say which revision they change.
    #[arg(long, env = "PROMPT_STORE_REQUIRE_IF_MATCH", default_value_t = false, action = clap::ArgAction::Set,
          num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub require_if_match: bool,

    /// How long a connection may take to send its header, in milliseconds.
    #[arg(long = "header-timeout-ms", env = "PROMPT_STORE_HEADER_TIMEOUT_MS", default_value = "10000",
          value_name = "MS", value_parser = milliseconds)]
    pub header_timeout: Duration,

    /// How long a body may take to arrive, in milliseconds.
    #[arg(long = "body-timeout-ms", env = "PROMPT_STORE_BODY_TIMEOUT_MS", default_value = "15000",
          value_name = "MS", value_parser = milliseconds)]
    pub body_timeout: Duration,

    /// How long a stream of lines may pause, in milliseconds.
    #[arg(long = "stream-idle-ms", env = "PROMPT_STORE_STREAM_IDLE_MS", default_value = "30000",
          value_name = "MS", value_parser = milliseconds)]
    pub stream_idle: Duration,

    /// How long an answer may take, in milliseconds.
    #[arg(long = "handler-timeout-ms", env = "PROMPT_STORE_HANDLER_TIMEOUT_MS", default_value = "30000",
          value_name = "MS", value_parser = milliseconds)]
    pub handler_timeout: Duration,

    /// How many requests a second each key may make; 0 is no limit. Each process counts for itself.
    #[arg(long, env = "PROMPT_STORE_RATE_PER_KEY", default_value_t = 0, value_name = "N")]
    pub rate_per_key: u32,

    /// How many requests a second each address may make; 0 is no limit. Behind a proxy all come from one.
    #[arg(long, env = "PROMPT_STORE_RATE_PER_ADDRESS", default_value_t = 0, value_name = "N")]
    pub rate_per_address: u32,

    /// How many connections may be open at once.
    #[arg(long, env = "PROMPT_STORE_MAX_CONNECTIONS", default_value_t = 2048, value_name = "N")]
    pub max_connections: u32,

    /// How many requests may be worked at once; more wait half a second, then get 503.
    #[arg(long, env = "PROMPT_STORE_MAX_IN_FLIGHT", default_value_t = 256, value_name = "N")]
    pub max_in_flight: u32,
}

const KEY_BYTES_MIN: usize = 32;
/// Fewer different characters than this are no secret, however many there are.
const KEY_CHARS_MIN: usize = 10;

impl Edge {
    /// The admin key; set but empty is not set.
    #[must_use]
    pub fn admin_key(&self) -> Option<&str> {
        self.admin_key.as_deref().filter(|key| !key.is_empty())
    }

    /// May whoever can connect do everything? On one's own machine only, and until there is an admin key.
    #[must_use]
    pub fn is_open(&self, env: Environment) -> bool {
        self.admin_key().is_none() && self.host.is_loopback() && env == Environment::Development
    }

    /// Refuses a store that nobody could manage, as it is open to nobody and knows no administrator.
    pub fn refuse_without_administrator(&self, env: Environment) -> Result<(), String> {
        let how = "set PROMPT_STORE_ADMIN_KEY to a secret of at least 32 bytes (`openssl rand -hex 32` makes one), or make \
                   a key with `prompt-store keys create --name admin --scope admin`";
        if self.admin_key().is_some() || self.is_open(env) {
            return Ok(());
        }
        if !self.host.is_loopback() {
            return Err(format!(
                "anyone could read and change every prompt: {} can be reached from other machines and there is no \
                 admin key; {how}, or listen on 127.0.0.1",
                self.host
            ));
        }
        Err(format!("PROMPT_STORE_ENV is production and there is no admin key; {how}"))
    }

    /// Refuses an admin key that can be guessed.
    pub fn check(&self) -> Result<(), String> {
        let Some(key) = self.admin_key() else { return Ok(()) };
        let mut chars: Vec<char> = key.chars().collect();
        chars.sort_unstable();
        chars.dedup();
        if key.len() < KEY_BYTES_MIN || chars.len() < KEY_CHARS_MIN || !key.is_ascii() {
            return Err(format!(
                "PROMPT_STORE_ADMIN_KEY can be guessed: it must be random ASCII text of at least {KEY_BYTES_MIN} bytes \
                 (`openssl rand -hex 32` makes one)"
            ));
        }
        Ok(())
    }
}
