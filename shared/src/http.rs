//! Outgoing requests: one client, with a deadline, that goes nowhere it was not sent.
use std::time::Duration;

use anyhow::Context;

/// A client that gives up after `deadline`, follows no redirect and ignores proxies of the environment.
pub fn client(deadline: Duration) -> anyhow::Result<reqwest::Client> {
    // The first to install a provider wins; it is the same one everywhere.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(deadline)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("cannot set up outgoing requests")
}
