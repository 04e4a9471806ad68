//! A service that the operator has named: requests go to its address, and nowhere else.
use std::time::Duration;

use anyhow::Context;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use super::{Answer, Failure, Names, Outgoing, Request, Targets};

/// So much of an answer is read.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Speaks JSON. A key that is set with [`with`](Self::with) goes to this address only: redirects are not followed.
#[derive(Clone)]
pub struct Service {
    base: String,
    http: Outgoing,
    headers: HeaderMap,
    deadline: Duration,
}

impl Service {
    /// At that address, wherever it is; only where machines are told their secrets nobody goes. Whatever it is asked, it
    /// has so long.
    pub fn new(base: &str, deadline: Duration) -> anyhow::Result<Self> {
        let host = Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let allowed = host.parse().map_err(|error| anyhow::anyhow!("{host}: {error}"))?;
        let http = Outgoing::to(Targets::new(&[allowed], false), Names::of_the_system())?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http, headers, deadline })
    }

    /// Says something with every request, and never prints it.
    pub fn with(mut self, name: HeaderName, value: &str) -> anyhow::Result<Self> {
        let mut value = HeaderValue::from_str(value).context("a key holds characters that no header may hold")?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Asks once.
    pub async fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = Request {
            method: Method::POST,
            url: format!("{}{path}", self.base),
            headers: self.headers.clone(),
            body,
            deadline: self.deadline,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.http.send(request).await
    }
}
