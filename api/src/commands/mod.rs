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
mod output;
mod secret_advice;
mod seed;
mod serve;

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use shared::{
    App, command_line,
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
66 a file cannot be read or written · 69 the database server or Redis does not answer · 70 an error of this program · 71 the address \
cannot be listened on · 73 the database cannot be opened · 74 it is damaged · 78 settings that do not fit together";

#[derive(Subcommand)]
enum Command {
    /// Serve the API. The same as no command.
    Serve,
    /// Bring the tables of the database up to date, and end.
    Migrate,
    /// Print the `OpenAPI` document.
    Openapi(openapi::OpenApi),
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
    let cli: Cli = command_line::read();
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
        Command::Openapi(openapi) => openapi.run(),
        Command::Seed(seed) => seed.run(open(settings).await?).await,
        Command::Import(import) => import.run(open(settings).await?).await,
        Command::Doctor => doctor::run(settings, &edge).await,
        Command::Check(check) => check.run(open_without_secret(settings).await?).await,
        Command::Export(export) => export.run(open_without_secret(settings).await?).await,
        Command::Audit(audit) => audit.run(open_without_secret(settings).await?).await,
        Command::Keys(keys) => keys.run(settings).await,
        Command::Bulk(bulk) => bulk.run(open_without_secret(settings).await?).await,
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

/// The same for a command that needs no secret of the store. It makes none; what is wrong with the one there is, is said.
async fn open_without_secret(mut settings: Settings) -> Result<App, Failure> {
    settings.redis_url = None;
    let (app, complaint) = start::open_without_secret(settings, Migration::Allowed).await?;
    if let Some(complaint) = complaint {
        say(&format!("prompt-store: {complaint}"));
    }
    Ok(app)
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_setting_may_stand_before_and_after_the_command() {
        let port = |words: &[&str]| {
            let line = ["prompt-store"].iter().chain(words).map(OsString::from);
            command_line::parse::<Cli>(line)
                .map(|cli| (cli.edge.port, cli.edge.host.to_string(), cli.settings.tick.as_millis()))
        };
        let expected = (5200, "::1".to_owned(), 70);
        for line in [
            "--port 5200 --host ::1 --tick-ms 70",
            "serve --port 5200 --host ::1 --tick-ms 70",
            "--port 5200 serve --host ::1 --tick-ms 70",
            "--host ::1 --tick-ms 70 --port 5200 serve",
            "health --port 5200 --host ::1 --tick-ms 70",
        ] {
            assert_eq!(port(&line.split(' ').collect::<Vec<_>>()).ok(), Some(expected.clone()), "{line}");
        }
        let command = Cli::command();
        let settings: Vec<_> = command.get_arguments().filter_map(|setting| setting.get_long()).collect();
        assert!(settings.len() > 40, "{settings:?}");
        for name in settings {
            let line = ["prompt-store", "serve", &format!("--{name}")].map(OsString::from);
            let kind = command_line::parse::<Cli>(line.into_iter()).err().map(|error| error.kind());
            assert_ne!(kind, Some(clap::error::ErrorKind::UnknownArgument), "{name}");
        }
    }
}
