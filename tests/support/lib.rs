//! The test harness: one [`TestApp`] is one isolated store, one [`Processes`] the real binaries.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a harness fails by panicking")]
mod accident;
mod afterwards;
mod certificate;
mod chaos;
mod database;
mod hosts;
mod place;
mod postgres_server;
mod processes;
mod redis_server;
mod wait;

use std::{sync::OnceLock, time::Duration};

use api::{Door, config::Edge};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use clap::{Args, FromArgMatches};
use serde_json::Value;
use shared::{
    App, Caller,
    clock::{Clock, Timestamp},
    config::Settings,
    db::Db,
    id::JobId,
    jobs::{self, Doorbell, Queue},
    secret::SecretKey,
    uses::UseCounter,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use database::Database;

pub use accident::Accident;
pub use afterwards::Afterwards;
pub use chaos::{Chaos, chaos};
pub use database::{Engine, engine};
pub use hosts::{Host, Hosts};
pub use postgres_server::PostgresServer;
pub use processes::{Process, Processes, binary};
pub use redis_server::RedisServer;
pub use wait::{PATIENCE, until};

/// When every test begins.
pub const BEGINNING: &str = "2026-01-01T12:00:00.000Z";

/// One store, with its API in this process.
pub struct TestApp {
    /// The store itself, for what no door shows.
    pub app: App,
    router: Router,
    worker: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    database: Database,
}

impl TestApp {
    /// An API alone: the bell is silent, and [`work`](Self::work) runs what waits. Only the test moves the clock.
    pub async fn api() -> Self {
        Self::with(&[]).await
    }

    /// The same, with settings of the door: `["--require-if-match", "true"]`.
    pub async fn with(args: &[&str]) -> Self {
        Self::start(args, Doorbell::Silent, Clock::fixed(BEGINNING.parse().unwrap())).await
    }

    /// An API with its worker in the process.
    pub async fn embedded() -> Self {
        let mut test = Self::start(&[], Doorbell::local(), Clock::System).await;
        test.start_worker();
        test
    }

    /// An API and a worker with a real Redis between them.
    pub async fn distributed() -> Self {
        Self::distributed_over(RedisServer::shared()).await
    }

    /// The same over a Redis of the test's own.
    pub async fn distributed_over(redis: &RedisServer) -> Self {
        let prefix = format!("test-{}", JobId::generate(Clock::System.now()));
        let doorbell = Doorbell::redis(&redis.url(), &prefix).await.unwrap();
        let mut test = Self::start(&["--redis-url", &redis.url()], doorbell, Clock::System).await;
        test.start_worker();
        test
    }

    async fn start(args: &[&str], doorbell: Doorbell, clock: Clock) -> Self {
        let database = Database::migrated();
        let location = database.location();
        // Few connections each, so that as many tests run at once as there are processors.
        let store = ["--db", &location, "--db-connections", "5", "--lease-ms", "1000", "--tick-ms", "50"];
        let args = [&store, args].concat();
        let (settings, edge) = settings(&args);
        let db = Db::open(&settings).await.unwrap();
        if engine() == Engine::Sqlite {
            db.migrate().await.unwrap();
        }
        let secret = SecretKey::from_text(&"test secret ".repeat(3)).unwrap();
        let started_at = clock.now();
        let uses = UseCounter::default();
        let app = App { db, doorbell, clock, settings: settings.into(), secret, uses, started_at };
        let door = Door::new(app.clone(), edge, metrics(), CancellationToken::new());
        Self { router: api::router(door), app, worker: None, database }
    }

    /// Starts a worker in this process. It ends with the test.
    pub fn start_worker(&mut self) {
        let shutdown = CancellationToken::new();
        let instance = format!("test-{}", JobId::generate(Clock::System.now()));
        let worker = tokio::spawn(worker::run(self.app.clone(), instance, shutdown.clone()));
        self.worker = Some((shutdown, worker));
    }

    /// Stops the worker, and waits until it has.
    pub async fn stop_worker(&mut self) {
        if let Some((shutdown, worker)) = self.worker.take() {
            shutdown.cancel();
            worker.await.unwrap().unwrap();
        }
    }

    /// Where the store is kept, as `PROMPT_STORE_DB` says it.
    pub fn location(&self) -> String {
        self.database.location()
    }

    /// Works every waiting job, and every job those enqueue, to the end.
    pub async fn work(&self) {
        loop {
            let mut waiting = Vec::new();
            for queue in Queue::ALL {
                waiting.extend(jobs::due(&self.app, queue, 100).await.unwrap());
            }
            if waiting.is_empty() {
                return;
            }
            for id in waiting {
                worker::work(&self.app, id).await.unwrap();
            }
        }
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// A number the database knows: `SELECT count(*) FROM prompts`.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let (count,) = self.app.db.read().await.unwrap().fetch_one::<(i64,)>(sql, &[]).await.unwrap();
        count
    }

    /// Sends a request that is made by hand.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status, headers: parts.headers, body, bytes: bytes.to_vec() }
    }

    /// Sends a request with headers and a body of text.
    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    async fn json(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.request(method, path, &[&json, headers].concat(), body.to_string()).await
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path, &[], Body::empty()).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.json(Method::POST, path, &[], &body).await
    }

    /// `POST` of JSON, with headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        self.json(Method::POST, path, headers, &body).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.json(Method::PUT, path, &[], &body).await
    }

    /// `PUT` of JSON, with headers.
    pub async fn put_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        self.json(Method::PUT, path, headers, &body).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path, &[], Body::empty()).await
    }

    /// A prompt with this content, made and read back.
    pub async fn prompt(&self, category: &str, name: &str, content: &str) -> Value {
        let body = serde_json::json!({ "category": category, "name": name, "content": content });
        self.post("/api/v1/prompts", body).await.expect(201)
    }

    /// Now, as the store sees it.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((shutdown, _)) = &self.worker {
            shutdown.cancel();
        }
    }
}

/// Settings as a command line gives them, and otherwise as they are by default.
pub fn settings(args: &[&str]) -> (Settings, Edge) {
    let command = Edge::augment_args(Settings::augment_args(clap::Command::new("test").no_binary_name(true)));
    let matches = command.get_matches_from(args);
    (Settings::from_arg_matches(&matches).unwrap(), Edge::from_arg_matches(&matches).unwrap())
}

/// Who a test writes as, where it does not go through the door.
pub fn caller() -> Caller {
    Caller::system("test")
}

/// Metrics are counted once for the whole process.
fn metrics() -> metrics_exporter_prometheus::PrometheusHandle {
    static METRICS: OnceLock<metrics_exporter_prometheus::PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| shared::telemetry::start_metrics().unwrap()).clone()
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, if it is JSON.
    pub body: Value,
    /// Its body, as it came.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body of an answer that must have this status. A refusal must be a whole problem.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        if status >= 400 {
            assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
            let problem = &self.body;
            for key in ["type", "title", "detail", "instance", "code", "request_id"] {
                assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "no `{key}` in {problem}");
            }
            assert_eq!(problem["status"], status);
            assert_eq!(problem["request_id"], self.headers["x-request-id"].to_str().unwrap());
        }
        self.body
    }

    /// The code of a refusal that must have this status.
    #[track_caller]
    pub fn code(self, status: u16) -> String {
        self.expect(status)["code"].as_str().unwrap().to_owned()
    }

    /// Where and why a 422 was refused: `[("/name", "too-long")]`.
    #[track_caller]
    pub fn violations(self) -> Vec<(String, String)> {
        let problem = self.expect(422);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }

    /// A header, as text.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header `{name}`")).to_str().unwrap()
    }
}
