//! Every number that is told, in one place: no other file names one.
use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What a number does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// How often something took how long.
    Histogram,
}

/// A number, as Prometheus knows it. What its labels can be is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// `prompt_store_…`, with its unit last.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// What it says, in a sentence.
    pub help: &'static str,
}

impl Metric {
    pub(super) fn describe(&self) {
        match self.kind {
            Kind::Counter => describe_counter!(self.name, self.help),
            Kind::Gauge => describe_gauge!(self.name, self.help),
            Kind::Histogram => describe_histogram!(self.name, self.help),
        }
    }
}

macro_rules! metrics {
    ($($constant:ident: $kind:ident = $name:literal, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// All of them.
        pub const METRICS: &[Metric] = &[$(Metric { name: $name, kind: Kind::$kind, help: $help }),*];
    };
}

metrics! {
    HTTP_REQUESTS: Counter = "prompt_store_http_requests_total",
        "Requests answered, by route, method and status.";
    HTTP_RESPONSES: Counter = "prompt_store_http_responses_total",
        "Requests answered, by class: 1xx to 5xx.";
    HTTP_SECONDS: Histogram = "prompt_store_http_request_seconds",
        "How long answers took, by route and method.";
    HTTP_IN_FLIGHT: Gauge = "prompt_store_http_requests_in_flight",
        "Requests that are being answered.";
    STATEMENT_SECONDS: Histogram = "prompt_store_statement_seconds",
        "How long SQL statements took, commits included.";
    DATABASE_CONNECTIONS: Gauge = "prompt_store_database_connections",
        "Connections of this process to the database, by state: idle, used.";
    DATABASE_BYTES: Gauge = "prompt_store_database_bytes",
        "Lengths of the files of SQLite, by file: main, wal.";
    CACHE_HITS: Counter = "prompt_store_cache_hits_total",
        "Reads answered by a level of the cache: memory, redis.";
    CACHE_MISSES: Counter = "prompt_store_cache_misses_total",
        "Reads that a level of the cache could not answer.";
    CACHE_FAILURES: Counter = "prompt_store_cache_failures_total",
        "Questions that a level of the cache did not answer in time.";
    CACHE_EVICTIONS: Counter = "prompt_store_cache_evictions_total",
        "Answers that had to go from memory, because there was no room.";
    CACHE_ENTRIES: Gauge = "prompt_store_cache_entries",
        "Answers kept in memory.";
    CACHE_BYTES: Gauge = "prompt_store_cache_bytes",
        "How much memory they take, nearly.";
    REDIS_UP: Gauge = "prompt_store_redis_up",
        "Does Redis do what the cache and workers ask of it? 1 or 0; not there without Redis.";
    REDIS_SECONDS: Gauge = "prompt_store_redis_last_answer_seconds",
        "How long Redis took to answer the cache the last time.";
    JOBS_RUN: Counter = "prompt_store_job_runs_total",
        "Jobs that were run, by queue and outcome.";
    JOB_SECONDS: Histogram = "prompt_store_job_seconds",
        "How long jobs ran, by queue.";
    JOBS: Gauge = "prompt_store_jobs",
        "Jobs in the ledger, by queue and state.";
    OLDEST_JOB_AGE: Gauge = "prompt_store_oldest_job_age_seconds",
        "How long the oldest due job has waited, by queue.";
    WEBHOOK_ATTEMPTS: Counter = "prompt_store_webhook_attempts_total",
        "Attempts to deliver an event, by outcome.";
    WEBHOOKS_DISABLED: Counter = "prompt_store_webhooks_disabled_total",
        "Webhooks that were switched off, by reason.";
    WEBHOOK_DELIVERIES: Gauge = "prompt_store_webhook_deliveries_pending",
        "Deliveries that are not made yet.";
    OLDEST_DELIVERY_AGE: Gauge = "prompt_store_webhook_oldest_delivery_age_seconds",
        "How long ago the oldest of them was to be made.";
    LLM_CALLS: Counter = "prompt_store_llm_calls_total",
        "Calls of language models, by service and outcome.";
    LLM_SECONDS: Histogram = "prompt_store_llm_call_seconds",
        "How long they took, by service.";
    LLM_DOLLARS: Counter = "prompt_store_llm_cost_nanodollars_total",
        "What they cost, in billionths of a US dollar, by service.";
    BUILD_INFO: Gauge = "prompt_store_build_info",
        "1, with the version of the program.";
}
