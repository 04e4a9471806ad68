//! The test harness: one [`TestApp`] is one isolated store, one [`Processes`] the real binaries.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a harness fails by panicking")]
mod accident;
mod afterwards;
mod bench_store;
mod certificate;
mod chaos;
mod collection;
mod database;
mod events;
mod hosts;
mod neighbours;
mod place;
mod postgres_server;
mod processes;
mod promises;
mod receiver;
mod redis_server;
mod reply;
mod small_disk;
pub mod terms;
mod wait;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use api::{Door, config::Edge};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use clap::{Args, FromArgMatches};
use serde_json::Value;
use shared::{
    App, Caller,
    cache::Cache,
    clock::{Clock, Timestamp},
    config::Settings,
    db::Db,
    http::Outgoing,
    id::JobId,
    jobs::{self, Doorbell, Queue},
    llm::Services,
    memory::Memory,
    search::Index,
    secret::SecretKey,
    start::{self, Failure, Inspection, Migration},
    uses::UseCounter,
    webhooks,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use database::Database;

pub use accident::Accident;
pub use afterwards::Afterwards;
pub use bench_store::BenchStore;
pub use chaos::{Accidents, Chaos, chaos};
pub use collection::real_prompts;
pub use database::{Engine, engine};
pub use events::{Events, Told};
pub use hosts::{Host, Hosts, skipped};
pub use neighbours::{Neighbour, deployed, program};
pub use postgres_server::PostgresServer;
pub use processes::{Process, Processes, binary};
pub use promises::{figure, in_full, percentile};
pub use receiver::{Received, Receiver};
pub use redis_server::{RedisServer, Tls};
pub use reply::Reply;
pub use small_disk::small_disk;
pub use wait::{PATIENCE, until, until_none_left};

/// When every test begins.
pub const BEGINNING: &str = "2026-01-01T12:00:00.000Z";

/// One store, with its API in this process.
pub struct TestApp {
    /// The store itself, for what no door shows.
    pub app: App,
    router: Router,
    worker: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    database: Arc<Database>,
    args: Vec<String>,
    key: Option<&'static str>,
}

/// The key of the operator, where there is one.
const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";

impl TestApp {
    /// An API alone: the bell is silent, and [`work`](Self::work) runs what waits. Only the test moves the clock.
    pub async fn api() -> Self {
        Self::with(&[]).await
    }

    /// The same, with settings of the door: `["--require-if-match", "true"]`.
    pub async fn with(args: &[&str]) -> Self {
        Self::start(args, Doorbell::Silent, Clock::fixed(BEGINNING.parse().unwrap())).await
    }

    /// The same on this engine, whatever the run is about.
    pub async fn on(engine: Engine) -> Self {
        let clock = Clock::fixed(BEGINNING.parse().unwrap());
        Self::over(Arc::new(Database::migrated_on(engine)), &[], Doorbell::Silent, clock).await
    }

    /// A store where others depend on it. What is asked of it is asked by the operator.
    pub async fn in_production() -> Self {
        let mut test = Self::with(&["--env", "production", "--admin-key", ADMIN_KEY]).await;
        test.key = Some(ADMIN_KEY);
        test
    }

    /// An API with its worker in the process.
    pub async fn embedded() -> Self {
        let mut test = Self::start(&[], Doorbell::local(), Clock::System).await;
        test.start_worker();
        test
    }

    /// The same, by a clock that only the test moves.
    pub async fn embedded_with_its_own_clock() -> Self {
        let clock = Clock::fixed(BEGINNING.parse().unwrap());
        let mut test = Self::start(&[], Doorbell::local(), clock).await;
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
        let doorbell = Doorbell::redis(&redis.client(), &prefix).await.unwrap();
        let args = ["--redis-url", &redis.url(), "--redis-prefix", &prefix];
        let mut test = Self::start(&args, doorbell, Clock::System).await;
        test.start_worker();
        test
    }

    /// Another process over the same store, as far as one process can be two: it has its own connections, and
    /// whatever it keeps in memory. Both have one clock.
    pub async fn another(&self) -> Self {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.another_with(&args).await
    }

    /// The same, with settings of its own.
    pub async fn another_with(&self, args: &[&str]) -> Self {
        Self::over(Arc::clone(&self.database), args, Doorbell::Silent, self.app.clock.clone()).await
    }

    /// A store that is there already, opened and looked through as a process does, or why it is not.
    pub async fn opened(file: &std::path::Path) -> Result<Self, Failure> {
        let database = Arc::new(Database::copy_of(file));
        let (settings, edge) = settings(&["--db", &database.location()]);
        let app = start::open(settings, Migration::Forbidden).await?;
        Inspection::begin(&app, PATIENCE).await?;
        let door = Door::new(app.clone(), edge, metrics(), CancellationToken::new());
        Ok(Self { router: api::router(door), app, worker: None, database, args: Vec::new(), key: None })
    }

    /// A copy of a file that an earlier program wrote, with the tables of this one.
    pub async fn brought_up_to_date(file: &std::path::Path) -> Self {
        Self::over(Arc::new(Database::copy_of(file)), &[], Doorbell::Silent, Clock::System).await
    }

    async fn start(args: &[&str], doorbell: Doorbell, clock: Clock) -> Self {
        Self::over(Arc::new(Database::migrated_on(engine())), args, doorbell, clock).await
    }

    async fn over(database: Arc<Database>, args: &[&str], doorbell: Doorbell, clock: Clock) -> Self {
        let location = database.location();
        // Few connections each, so that as many tests run at once as there are processors.
        let store = ["--db", &location, "--db-connections", "5", "--lease-ms", "1000", "--tick-ms", "50"];
        let (settings, edge) = settings(&[&store, args].concat());
        let app = open(settings, doorbell, clock).await;
        if database.engine() == Engine::Sqlite {
            app.db.migrate(false).await.unwrap();
        }
        let door = Door::new(app.clone(), edge, metrics(), CancellationToken::new());
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { router: api::router(door), app, worker: None, database, args, key: None }
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

    /// Tells of what has happened, and works every waiting job, and every job those enqueue, to the end.
    pub async fn work(&self) {
        loop {
            webhooks::publish(&self.app, &caller()).await.unwrap();
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
        // One that has no end is only begun: `follow` reads it.
        let endless = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if endless { Body::empty() } else { body };
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
        if let Some(key) = self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
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

    /// Follows events, from where `Last-Event-ID` says.
    pub async fn follow(&self, last_event_id: Option<i64>) -> Events {
        self.follow_at("/api/v1/events", last_event_id).await
    }

    /// Follows what a path tells of.
    pub async fn follow_at(&self, path: &str, last_event_id: Option<i64>) -> Events {
        let id = last_event_id.map(|id| id.to_string());
        let headers: Vec<_> = id.iter().map(|id| ("last-event-id", id.as_str())).collect();
        self.follow_with(path, &headers).await
    }

    /// The same, with headers.
    pub async fn follow_with(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        Events::of(self.body_of(path, headers).await)
    }

    /// The body of an answer, not yet read.
    pub async fn body_of(&self, path: &str, headers: &[(&str, &str)]) -> Body {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
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

/// What is measured: a store of its own, with its tables, that rings for nobody.
pub async fn open_for_bench(location: &str) -> App {
    let (settings, _) = settings(&["--db", location]);
    let app = open(settings, Doorbell::Silent, Clock::System).await;
    app.db.migrate(false).await.unwrap();
    app
}

async fn open(settings: Settings, doorbell: Doorbell, clock: Clock) -> App {
    let db = Db::open(&settings).await.unwrap();
    let secret = SecretKey::from_text(&"test secret ".repeat(3)).unwrap();
    let started_at = clock.now();
    let cache = Cache::open(&settings, &secret).await.unwrap();
    let http = Outgoing::new(&settings).unwrap();
    let (llm, doc_store) = (Services::new(&settings).unwrap(), start::documents(&settings).unwrap());
    let (settings, uses, search) = (settings.into(), UseCounter::default(), Index::default());
    let memory = Memory::default();
    App { db, doorbell, clock, settings, http, llm, doc_store, secret, uses, memory, search, cache, started_at }
}

/// Settings as a command line gives them, and otherwise as they are by default.
pub fn settings(args: &[&str]) -> (Settings, Edge) {
    let command = Edge::augment_args(Settings::augment_args(clap::Command::new("test").no_binary_name(true)));
    let matches = command.get_matches_from(args);
    (Settings::from_arg_matches(&matches).unwrap(), Edge::from_arg_matches(&matches).unwrap())
}

/// A number that whoever runs the tests may choose, as for a form of one that takes longer.
pub fn variable<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
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

/// An object with the members of another.
pub fn merged(mut object: Value, more: Value) -> Value {
    let (Some(members), Value::Object(more)) = (object.as_object_mut(), more) else { panic!("two objects") };
    members.extend(more);
    object
}
