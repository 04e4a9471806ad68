//! `prompt-store-worker`: works the jobs of a store, beside any number of others.
mod health;

use std::{net::IpAddr, process::ExitCode};

use clap::{Parser, Subcommand};
use shared::{
    command_line,
    config::{Mode, Settings},
    start::{self, Failure, Inspection, Migration},
    telemetry,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Works the jobs of a Prompt Store: start as many as you need, with the database and Redis of the API.
#[derive(Parser)]
#[command(name = "prompt-store-worker", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    settings: Settings,

    /// Where the worker's own `/health/live`, `/health/ready` and `/metrics` are.
    #[arg(long, global = true, env = "PROMPT_STORE_WORKER_HOST", default_value = "127.0.0.1", value_name = "ADDRESS")]
    worker_host: IpAddr,

    /// Where they are; 0 picks a free port.
    #[arg(long, global = true, env = "PROMPT_STORE_WORKER_PORT", default_value_t = 5111, value_name = "PORT")]
    worker_port: u16,
}

#[derive(Subcommand)]
enum Command {
    /// Ask a running worker whether it is ready: exit code 0, if it is.
    Health,
}

fn main() -> ExitCode {
    let cli: Cli = command_line::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(Failure::Internal(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("prompt-store-worker: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { command, settings, worker_host, worker_port } = cli;
    if let Some(Command::Health) = command {
        return shared::health::probe(worker_host, worker_port).await;
    }
    if settings.mode() == Mode::Embedded {
        return Err(Failure::Settings(
            "REDIS_URL is not set, so `prompt-store` works its jobs itself and needs no worker; set REDIS_URL for both, \
             or start only `prompt-store`"
                .to_owned(),
        ));
    }
    let _told = telemetry::start_log(&settings, "prompt-store-worker")
        .map_err(|error| Failure::Settings(format!("{error:#}")))?;
    let metrics = telemetry::start_metrics().map_err(|error| Failure::Internal(format!("{error:#}")))?;
    let (listener, address) = health::listen(worker_host, worker_port).await?;
    let app = start::open(settings, Migration::Forbidden).await?;
    let instance = start::instance();
    say(&format!("Prompt Store worker {} ({instance}) tells how it is on http://{address}", env!("CARGO_PKG_VERSION")));
    say(&format!("It works the jobs of {}", app.db.describe()));

    let shutdown = start::shutdown_on_signal();
    tokio::spawn(health::serve(listener, app.clone(), metrics, shutdown.clone()));
    let watching = tokio::spawn(start::watch(app.clone(), Inspection::none(), shutdown.clone()));
    let ended = worker::run(app.clone(), instance, shutdown.clone()).await;
    shutdown.cancel();
    app.db.close().await;
    watching.await.map_err(|error| Failure::Internal(format!("the database was no longer watched: {error}")))??;
    ended.map_err(|error| Failure::Internal(format!("{error:#}")))
}

#[expect(clippy::print_stderr, reason = "a command speaks to whoever called it")]
fn say(line: &str) {
    eprintln!("{line}");
}
