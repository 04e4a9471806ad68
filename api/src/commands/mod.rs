//! The commands of `prompt-store`, a file for each.
mod audit;
mod backup;
mod bulk;
mod check;
mod copy;
mod doctor;
mod export;
mod health;
mod import;
mod keys;
mod migrate;
mod openapi;
mod seed;
mod serve;

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use shared::{
    App, config,
    config::Settings,
    start::{self, Failure, Migration},
};

use crate::config::Edge;

/// The registry of the prompts that applications send to language models.
///
/// Without a command it serves: `http://127.0.0.1:5110`, a database in the current folder, the worker inside.
#[derive(Parser)]
#[command(name = "prompt-store", version, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    edge: Edge,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 some of the work was refused · 2 a wrong argument or setting · \
66 a file cannot be read · 69 the database server or Redis does not answer · 70 an error of this program · 71 the address \
cannot be listened on · 73 the database cannot be opened · 74 it is damaged · 78 settings that do not fit together";

#[derive(Subcommand)]
enum Command {
    /// Serve the API. The same as no command.
    Serve,
    /// Bring the tables of the database up to date, and end.
    Migrate,
    /// Print the `OpenAPI` document.
    Openapi,
    /// Add seven example prompts. What is there already stays as it is.
    Seed(seed::Seed),
    /// Add the prompts of a CSV, JSON, NDJSON or YAML file, or of an export.
    Import(Box<import::Import>),
    /// Look at whatever this store needs, and say what to do about what is wrong.
    Doctor,
    /// Compare the search index with the prompts, and make right what is wrong.
    Check(check::Check),
    /// Write prompts as lines of JSON, with all their versions, labels and relationships.
    Export(export::Export),
    /// Say who may ask: make keys, list them, take them back.
    Keys(keys::Keys),
    /// Look whether the log of who did what is as it was written, or write it out.
    Audit(audit::Audit),
    /// Look after bulk operations.
    Bulk(bulk::Bulk),
    /// Move a whole store into another, empty database: from `SQLite` to `PostgreSQL`, or back.
    Copy(copy::Copy),
    /// Write the whole store to one file, while it is used.
    Backup(backup::Backup),
    /// Make a store of a backup: a file that is not there yet, or an empty database of a server.
    Restore(backup::Restore),
    /// Ask a running store whether it is ready: exit code 0, if it is.
    Health,
}

/// Runs the command line, and says what became of it as an exit code.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| config::name_the_variable::<Cli>(error).exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(Failure::Internal(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("prompt-store: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { command, settings, edge } = cli;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings, edge).await,
        Command::Migrate => migrate::run(settings).await,
        Command::Openapi => openapi::run(),
        Command::Seed(seed) => seed.run(open(settings).await?).await,
        Command::Import(import) => import.run(open(settings).await?).await,
        Command::Doctor => doctor::run(settings, &edge).await,
        Command::Check(check) => check.run(open(settings).await?).await,
        Command::Export(export) => export.run(open(settings).await?).await,
        Command::Audit(audit) => audit.run(open(settings).await?).await,
        Command::Keys(keys) => keys.run(open(settings).await?).await,
        Command::Bulk(bulk) => bulk.run(open(settings).await?).await,
        Command::Copy(copy) => copy.run(settings).await,
        Command::Backup(backup) => backup.run(settings).await,
        Command::Restore(restore) => restore.run(settings).await,
        Command::Health => health::run(&edge).await,
    }
}

/// Opens the store for a command that works and ends. Jobs it may order are left to whoever serves.
async fn open(mut settings: Settings) -> Result<App, Failure> {
    settings.redis_url = None;
    start::open(settings, Migration::Allowed).await
}

/// For people, on standard error: what programs read goes to standard output.
#[expect(clippy::print_stderr, reason = "a command speaks to whoever called it")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// The result of a command, on standard output. Whoever reads no further, as `head` does, has heard enough.
fn print(text: &str) {
    if let Err(error) = std::io::stdout().write_all(text.as_bytes())
        && error.kind() != ErrorKind::BrokenPipe
    {
        say(&format!("prompt-store: cannot write the answer: {error}"));
        std::process::exit(1);
    }
}
