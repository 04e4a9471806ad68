//! How the store and everything it depends on is.
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    config::Mode,
    db::params,
    http,
    jobs::{self, Trouble},
    start::Failure,
};

/// A job that waits longer than this should have been worked.
const JOB_AGE_MAX: Duration = Duration::from_mins(1);
const MIB: u64 = 1024 * 1024;
/// With less space than this on the disk, writes are soon refused.
const LITTLE: u64 = 512 * MIB;
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Healthy,
    /// It works, and someone should look at it.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// How the store is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// The worst of the checks.
    pub status: Status,
    /// Of this program.
    pub version: &'static str,
    /// `embedded` or `distributed`.
    pub mode: &'static str,
    /// Since this process began.
    pub uptime_seconds: u64,
    /// By what was looked at: database, redis, queue, worker, disk.
    pub checks: BTreeMap<&'static str, Check>,
}

/// How one thing is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Check {
    /// How well.
    pub status: Status,
    /// One sentence for a person.
    pub detail: String,
}

impl Check {
    fn new(status: Status, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }
}

/// Looks at everything.
pub async fn check(app: &App) -> Health {
    let (database, redis, queue, worker) = tokio::join!(database(app), redis(app), queue(app), worker(app));
    let checks = BTreeMap::from([
        ("database", database),
        ("redis", redis),
        ("queue", queue),
        ("worker", worker),
        ("disk", disk(app)),
    ]);
    Health {
        status: checks.values().map(|check| check.status).max().unwrap_or(Status::Healthy),
        version: env!("CARGO_PKG_VERSION"),
        mode: app.settings.mode().name(),
        uptime_seconds: app.clock.now().since(app.started_at).as_secs(),
        checks,
    }
}

/// What does not work as it should, though requests are answered: for whoever asks whether the process is ready.
pub async fn degraded(app: &App) -> Vec<&'static str> {
    if app.doorbell.is_of_use().await == Some(false) { vec!["redis"] } else { Vec::new() }
}

/// Does the database answer?
pub async fn is_database_well(app: &App) -> bool {
    database(app).await.status == Status::Healthy
}

async fn database(app: &App) -> Check {
    if !app.db.is_in_place() {
        let detail = "its file was moved, removed or replaced while the store runs: it is read, and nothing is written; stop the \
                      store, put the file and its log (`-wal`) back, and start it again";
        return Check::new(Status::Unhealthy, detail);
    }
    let ask = async { app.db.read().await?.execute("SELECT 1", params![]).await };
    match tokio::time::timeout(DATABASE_TIMEOUT, ask).await {
        Ok(Ok(_)) => Check::new(Status::Healthy, "it answers"),
        Ok(Err(_)) | Err(_) => Check::new(Status::Unhealthy, "it does not answer"),
    }
}

async fn redis(app: &App) -> Check {
    match app.doorbell.attempt().await {
        Ok(Some(wait)) => Check::new(Status::Healthy, format!("it answers within {:.1} ms", wait.as_secs_f64() * 1e3)),
        Ok(None) => Check::new(Status::Healthy, "not used: jobs are worked in this process"),
        Err(Trouble::Away(_)) => {
            Check::new(Status::Degraded, "it does not answer; jobs are worked later than they could be")
        }
        Err(trouble) => Check::new(Status::Degraded, format!("{trouble}. Jobs are worked later than they could be")),
    }
}

async fn queue(app: &App) -> Check {
    let Ok(depths) = jobs::depths(app).await else {
        return Check::new(Status::Unhealthy, "the ledger does not answer");
    };
    let count = |state: &str| depths.iter().filter(|depth| depth.state == state).map(|depth| depth.jobs).sum::<i64>();
    let (waiting, running, dead) = (count("available"), count("running"), count("dead"));
    let now = app.clock.now();
    let ages = depths.iter().filter(|depth| depth.state == "available").map(|depth| now.since(depth.oldest_run_at));
    let late = ages.max().is_some_and(|age| age > JOB_AGE_MAX);
    let mut detail = format!("{waiting} waiting, {running} running, {dead} dead");
    if late {
        detail.push_str("; the first has waited for more than a minute");
    }
    if dead > 0 {
        detail.push_str(
            "; `GET /api/v1/jobs?state=dead` says what was given up and why; `POST /api/v1/jobs/{id}/retry` has it tried \
             again, `DELETE /api/v1/jobs/{id}` forgets it",
        );
    }
    Check::new(if late || dead > 0 { Status::Degraded } else { Status::Healthy }, detail)
}

async fn worker(app: &App) -> Check {
    match jobs::live_workers(app).await {
        Ok(0) if app.settings.mode() == Mode::Distributed => {
            Check::new(Status::Degraded, "none; start `prompt-store-worker`, or jobs wait for ever")
        }
        Ok(0) => Check::new(Status::Degraded, "the worker in this process has not said that it lives"),
        Ok(count) => Check::new(Status::Healthy, format!("{count} alive")),
        Err(_) => Check::new(Status::Unhealthy, "the ledger does not answer"),
    }
}

fn disk(app: &App) -> Check {
    match app.db.room() {
        None => Check::new(Status::Healthy, "the database keeps its own"),
        Some(Err(_)) => Check::new(Status::Degraded, "the disk of the database cannot be looked at"),
        Some(Ok(room)) => {
            let (free, kept) = (room.free / MIB, room.kept / MIB);
            if room.free < room.kept {
                let detail = format!("{free} MiB free, of which {kept} are kept: nothing is written");
                Check::new(Status::Unhealthy, detail)
            } else if room.free < LITTLE {
                Check::new(Status::Degraded, format!("{free} MiB free, of which {kept} are kept"))
            } else {
                Check::new(Status::Healthy, format!("{free} MiB free"))
            }
        }
    }
}

/// Asks a process that serves at this address whether it is ready, for containers that have no curl. Answers why not.
pub async fn probe(host: IpAddr, port: u16) -> Result<(), Failure> {
    // Whoever listens everywhere is asked on this machine.
    let host = match host {
        IpAddr::V4(host) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    };
    let url = format!("http://{}/health/ready", SocketAddr::new(host, port));
    let client = http::client(PROBE_TIMEOUT).map_err(|error| Failure::Internal(format!("{error:#}")))?;
    match client.get(&url).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(Failure::Refused(format!("{url} answers {}: not ready", response.status()))),
        Err(_) => Err(Failure::Refused(format!("{url} does not answer"))),
    }
}
