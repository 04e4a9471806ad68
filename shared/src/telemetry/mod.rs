//! What the program tells of itself: log lines, spans, and the numbers Prometheus asks for.
mod metric;
mod traces;

use std::{io::IsTerminal, time::Duration};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    app::App,
    config::{LogFormat, Settings},
};

use traces::Traces;

pub use metric::*;

/// From a quarter of a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Keep it while the program runs: what it still holds is told when it is dropped.
#[must_use]
pub struct Told {
    _traces: Option<Traces>,
}

/// Starts the log, on standard error, and spans for a collector if there is one. `service` is what traces call us.
pub fn start_log(settings: &Settings, service: &'static str) -> anyhow::Result<Told> {
    let filter = EnvFilter::try_new(&settings.log).context("PROMPT_STORE_LOG is not a filter like `info`")?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.log_format {
        LogFormat::Text => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let collector = settings.otlp_url.as_deref().filter(|url| !url.is_empty());
    let traces = collector.map(|url| Traces::to(url, service)).transpose()?;
    let spans = traces.as_ref().map(|traces| {
        // Whatever the log leaves out: a trace is no line.
        let ours = Targets::new().with_targets(["api", "worker", "shared"].map(|name| (name, Level::INFO)));
        tracing_opentelemetry::layer().with_tracer(traces.tracer()).with_filter(ours)
    });
    let started = tracing_subscriber::registry().with(lines).with(spans).try_init();
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
    Ok(Told { _traces: traces })
}

/// Each measured time is kept until it is counted into its bucket: where nobody asks for metrics, that would be for ever.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts counting. The handle renders what was counted as Prometheus reads it.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let handle = builder.install_recorder().context("cannot start the metrics")?;
    for metric in METRICS {
        metric.describe();
    }
    metrics::gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let upkeep = handle.clone();
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            upkeep.run_upkeep();
        }
    })?;
    Ok(handle)
}

/// Renders what was counted, together with how things stand right now.
pub async fn render(app: &App, metrics: &PrometheusHandle) -> String {
    let stats = app.cache.stats().await;
    let memory = &stats.memory;
    let levels = [("memory", Some(&memory.level)), ("redis", stats.redis.as_ref().map(|redis| &redis.level))];
    for (level, counts) in levels.into_iter().filter_map(|(level, counts)| Some((level, counts?))) {
        metrics::counter!(CACHE_HITS, "level" => level).absolute(counts.hits);
        metrics::counter!(CACHE_MISSES, "level" => level).absolute(counts.misses);
        metrics::counter!(CACHE_FAILURES, "level" => level).absolute(counts.failures);
    }
    metrics::gauge!(CACHE_ENTRIES).set(as_f64(memory.entries));
    metrics::gauge!(CACHE_BYTES).set(as_f64(memory.bytes));
    metrics::counter!(CACHE_EVICTIONS).absolute(memory.evictions);
    let for_workers = app.doorbell.is_of_use().await;
    if let Some(is_up) = for_workers.or(stats.redis.as_ref().map(|_| true)) {
        let is_up = is_up && stats.redis.as_ref().is_none_or(|redis| redis.available);
        metrics::gauge!(REDIS_UP).set(f64::from(u8::from(is_up)));
    }
    if let Some(redis) = &stats.redis {
        metrics::gauge!(REDIS_SECONDS).set(redis.latency_ms / 1000.0);
    }
    for (state, connections) in app.db.connections() {
        metrics::gauge!(DATABASE_CONNECTIONS, "state" => state).set(f64::from(connections));
    }
    for (file, bytes) in app.db.file_bytes() {
        metrics::gauge!(DATABASE_BYTES, "file" => file).set(as_f64(bytes));
    }
    metrics.render()
}

/// A number that is shown: beyond 2^53 its last digits do not matter.
#[expect(clippy::cast_precision_loss, reason = "its last digits do not matter")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
