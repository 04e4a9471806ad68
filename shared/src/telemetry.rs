//! What the program tells of itself: log lines, and the numbers Prometheus asks for.
use std::{io::IsTerminal, time::Duration};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// From a quarter of a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts the log, on standard error.
pub fn start_log(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).context("PROMPT_STORE_LOG is not a filter like `info`")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    let started = match settings.log_format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// Each measured time is kept until it is counted into its bucket: where nobody asks for metrics, that would be for ever.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts counting. The handle renders what was counted as Prometheus reads it.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let handle = builder.install_recorder().context("cannot start the metrics")?;
    describe();
    let upkeep = handle.clone();
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            upkeep.run_upkeep();
        }
    })?;
    Ok(handle)
}

fn describe() {
    metrics::describe_counter!("prompt_store_http_requests_total", "Requests answered, by route, method and status.");
    metrics::describe_histogram!("prompt_store_http_request_seconds", "How long answers took, by route and method.");
    metrics::describe_histogram!("prompt_store_statement_seconds", "How long SQL statements took, commits included.");
    metrics::describe_counter!("prompt_store_jobs_total", "Jobs that were run, by queue and outcome.");
    metrics::describe_histogram!("prompt_store_job_seconds", "How long jobs ran, by queue.");
    metrics::describe_gauge!("prompt_store_jobs", "Jobs in the ledger, by queue and state.");
    metrics::describe_gauge!(
        "prompt_store_oldest_job_age_seconds",
        "How long the oldest due job has waited, by queue."
    );
}
