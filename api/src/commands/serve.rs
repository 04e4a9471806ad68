//! `prompt-store`, `prompt-store serve`: the API, and the worker where there is no Redis.
use std::{net::SocketAddr, time::Duration};

use shared::{
    App, Caller, access, analytics,
    clock::Clock,
    config::{Mode, Settings},
    prompts, refinement, search,
    start::{self, Failure, Inspection, Migration},
    telemetry,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use worker::server::{self, Bounds};

use super::say;
use crate::{Door, config::Edge, router};

/// A start waits so long until the database was looked through. A larger one is served meanwhile.
const INSPECTION_PATIENCE: Duration = Duration::from_secs(10);
/// How long a use may stay uncounted.
const USES_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: Settings, edge: Edge) -> Result<(), Failure> {
    edge.check().map_err(Failure::Settings)?;
    if let Err(refusal) = edge.refuse_without_administrator(settings.env)
        && !knows_an_administrator(&settings).await
    {
        return Err(Failure::Settings(refusal));
    }
    let _told =
        telemetry::start_log(&settings, "prompt-store").map_err(|error| Failure::Settings(format!("{error:#}")))?;
    let metrics = telemetry::start_metrics().map_err(|error| Failure::Internal(format!("{error:#}")))?;
    let (listener, address) = listen(SocketAddr::new(edge.host, edge.port)).await?;
    let app = start::open(settings, Migration::Allowed).await?;
    let inspection = Inspection::begin(&app, INSPECTION_PATIENCE).await?;
    welcome(&app, address);

    let shutdown = start::shutdown_on_signal();
    prompts::order_index(&app, &Caller::system("api")).await?;
    refinement::order_index(&app, &Caller::system("api")).await?;
    tokio::spawn(warm_up(app.clone()));
    let worker = embedded_worker(&app, &shutdown);
    let door = Door::new(app.clone(), edge.clone(), metrics, shutdown.clone());
    let watching = tokio::spawn(start::watch(app.clone(), inspection, shutdown.clone()));
    let counting = tokio::spawn(keep_writing_uses(app.clone(), shutdown.clone()));
    let bounds = Bounds { header_timeout: edge.header_timeout, connections: edge.max_connections as usize };
    server::serve(listener, router(door), bounds, shutdown).await;
    counting.await.map_err(|error| Failure::Internal(format!("uses were no longer counted: {error}")))?;
    write_reads(&app).await;
    if let Some(worker) = worker {
        let ended = worker.await.map_err(|error| Failure::Internal(format!("the worker ended: {error}")))?;
        ended.map_err(|error| Failure::Internal(format!("the worker ended: {error:#}")))?;
    }
    app.db.close().await;
    watching.await.map_err(|error| Failure::Internal(format!("the database was no longer watched: {error}")))?
}

/// A store that cannot be opened knows nobody.
async fn knows_an_administrator(settings: &Settings) -> bool {
    let Ok(db) = start::open_existing(settings).await else { return false };
    let known = access::any_administrator(&db, Clock::System.now()).await;
    db.close().await;
    known.unwrap_or(false)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let cannot = |error: std::io::Error| {
        let how = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; stop it, or set PROMPT_STORE_PORT",
            _ => "set PROMPT_STORE_HOST and PROMPT_STORE_PORT to an address of this machine",
        };
        Failure::Address(format!("cannot listen on {address}: {error}; {how}"))
    };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

fn embedded_worker(app: &App, shutdown: &CancellationToken) -> Option<JoinHandle<anyhow::Result<()>>> {
    let embedded = app.settings.mode() == Mode::Embedded;
    embedded.then(|| tokio::spawn(worker::run(app.clone(), start::instance(), shutdown.clone())))
}

/// The first search need not wait for what it must know.
async fn warm_up(app: App) {
    if let Err(error) = search::warm_up(&app).await {
        tracing::warn!(error = error.for_log(), "the first search will have to read more");
    }
}

async fn keep_writing_uses(app: App, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(USES_INTERVAL)).await.is_some() {
        write_reads(&app).await;
        if let Err(error) = access::note_uses(&app, &Caller::system("api")).await {
            tracing::warn!(error = error.for_log(), "could not write down which keys were used");
        }
    }
}

/// A count that cannot be written holds up nothing, the end of the process included.
async fn write_reads(app: &App) {
    if let Err(error) = analytics::write_reads(app, &Caller::system("api")).await {
        tracing::warn!(error = error.for_log(), "could not write down how prompts were used");
    }
}

fn welcome(app: &App, address: SocketAddr) {
    say(&format!("Prompt Store {} listens on http://{address}", env!("CARGO_PKG_VERSION")));
    say(&format!("It runs on {}", start::describe(app)));
    say(&format!("Look around at http://{address}/docs"));
}
