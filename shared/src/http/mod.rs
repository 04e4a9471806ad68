//! Outgoing requests: to receivers of webhooks, language models and document stores. They go to the public internet
//! and to what somebody has allowed, and nowhere else; they end in time, and so do their answers.
mod addresses;
mod names;
mod service;
mod targets;

use std::{error::Error as _, sync::Arc, time::Duration};

use anyhow::Context;
use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

pub use names::Names;
pub use service::Service;
pub use targets::Allowed;

use crate::{
    clock::Timestamp,
    config::{Environment, Settings},
    error::{Error, Result},
};
use names::{Checked, NotAllowed};
use targets::Targets;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that lay unused for longer is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
const IDLE_PER_HOST: usize = 4;

/// Sends requests to others. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Outgoing {
    client: reqwest::Client,
    targets: Arc<Targets>,
}

/// A request to somebody else.
#[derive(Clone, Debug)]
pub struct Request {
    /// How it is asked.
    pub method: Method,
    /// Where it goes; see [`Outgoing::read_url`].
    pub url: String,
    /// What is said with it.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Vec<u8>,
    /// Everything together may take so long: the name, the connection, the answer and its body.
    pub deadline: Duration,
    /// So much of the answer is read, and not a byte more.
    pub answer_bytes_max: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status. A redirect is an answer like any other.
    pub status: StatusCode,
    /// What was said with it.
    pub headers: HeaderMap,
    /// Its body, or the beginning of it.
    pub body: Vec<u8>,
    /// Was there more?
    pub truncated: bool,
}

impl Answer {
    /// How long whoever answered asks to be left alone: seconds, or a date.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => Some(Timestamp::from_http_date(text)?.since(now)),
        }
    }
}

/// Why nothing came back. No more is told, as whoever chose the target may want to learn about machines it cannot
/// reach itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Requests may not go there.
    Blocked,
    /// It took too long.
    Timeout,
    /// There was no connection, or it broke.
    ConnectionFailed,
}

impl Failure {
    /// As the contract says it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Timeout => "timeout",
            Self::ConnectionFailed => "connection-failed",
        }
    }
}

impl Outgoing {
    /// As the settings allow.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        Self::with_names(settings, Names::of_the_system())
    }

    /// The same, where `names` says which addresses a name has.
    pub fn with_names(settings: &Settings, names: Names) -> anyhow::Result<Self> {
        let loopback = settings.env == Environment::Development;
        Self::to(Targets::new(&settings.allowed_targets, loopback), names)
    }

    fn to(targets: Targets, names: Names) -> anyhow::Result<Self> {
        let targets = Arc::new(targets);
        let client = builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .dns_resolver(Arc::new(Checked { names, targets: Arc::clone(&targets) }))
            .build()
            .context("cannot set up outgoing requests")?;
        Ok(Self { client, targets })
    }

    /// Reads the URL of a target. 422, if requests may not go there; what a name leads to is looked at each time a
    /// request goes out.
    pub fn read_url(&self, text: &str) -> Result<Url> {
        self.targets.read(text).map_err(|violation| Error::from_violations(vec![violation]))
    }

    /// Sends a request once.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        // The connector asks for the addresses of names only: one that stands there itself is looked at here.
        let url = self.targets.read(&request.url).map_err(|_| Failure::Blocked)?;
        let exchange = async {
            let sent = self.client.request(request.method, url).headers(request.headers).body(request.body).send();
            let mut response = sent.await.map_err(failure)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let (mut body, most) = (Vec::new(), request.answer_bytes_max);
            while let Some(chunk) = response.chunk().await.map_err(failure)? {
                body.extend_from_slice(&chunk[..chunk.len().min(most + 1 - body.len())]);
                if body.len() > most {
                    break;
                }
            }
            let truncated = body.len() > most;
            body.truncate(most);
            Ok(Answer { status, headers, body, truncated })
        };
        tokio::time::timeout(request.deadline, exchange).await.unwrap_or(Err(Failure::Timeout))
    }
}

/// What may be told of an error. The URL, which may hold what only its owner knows, is not even for the log.
fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotAllowed>() {
            return Failure::Blocked;
        }
        cause = inner.source();
    }
    let failure = if error.is_timeout() { Failure::Timeout } else { Failure::ConnectionFailed };
    tracing::debug!(error = format!("{:#}", anyhow::Error::from(error)), "an outgoing request failed");
    failure
}

/// A client for this program's own doors, at an address that its owner gave. It gives up after `deadline`.
pub fn client(deadline: Duration) -> anyhow::Result<reqwest::Client> {
    builder().timeout(deadline).build().context("cannot set up outgoing requests")
}

/// Whoever speaks TLS needs a provider of its arithmetic. The first to install one wins; it is the same one everywhere.
pub(crate) fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Follows no redirect, and ignores proxies of the environment, which would look up names themselves.
fn builder() -> reqwest::ClientBuilder {
    use_ring();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().referer(false).user_agent("prompt-store")
}
