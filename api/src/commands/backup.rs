//! `prompt-store backup FILE`, `prompt-store restore FILE`.
use std::{io::IsTerminal, path::PathBuf};

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::{
    config::Settings,
    db::{self, BackedUp, Location, Step},
    start::{self, Failure},
    versions,
};

use super::{check::refuse_damaged, say};

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write, which must not be there yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct Restore {
    /// A file that `backup` has written. It is only read.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let store = start::open_existing(&settings).await?;
        let bar = bar();
        let written = db::backup(&settings, &store, &self.file, |table, step, done, total| {
            show(&bar, table, step, done, total);
        });
        let written = written.await;
        bar.finish_and_clear();
        let written = written.map_err(|error| Failure::Database(format!("nothing was backed up: {error:#}")))?;
        let damaged = versions::damaged(&store, |_| {}).await;
        store.close().await;
        say(&format!("{} written to {}, looked through and whole", size(written), self.file.display()));
        match &settings.db {
            Location::File(file) if settings.secret_key.is_none() => say(&format!(
                "Keep a copy of {} elsewhere: without it the secrets of webhooks cannot be read",
                file.with_extension("key").display()
            )),
            _ => say("Keep PROMPT_STORE_SECRET_KEY elsewhere: without it the secrets of webhooks cannot be read"),
        }
        refuse_damaged(&damaged?)
    }
}

impl Restore {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let bar = bar();
        let restored = db::restore(&settings, &self.file, |table, step, done, total| {
            show(&bar, table, step, done, total);
        });
        let restored = restored.await;
        bar.finish_and_clear();
        let restored = restored.map_err(|error| Failure::Database(format!("nothing was restored: {error:#}")))?;
        say(&format!("{} restored to {}", size(restored), settings.db));
        if let Location::File(file) = &settings.db {
            let key = file.with_extension("key");
            if settings.secret_key.is_none() && !key.exists() {
                say(&format!("Put the key of the store where it belongs before you start it: {}", key.display()));
            }
        }
        Ok(())
    }
}

fn size(of: BackedUp) -> String {
    format!("{} prompts, {}", of.prompts, HumanBytes(of.bytes))
}

/// Only what is moved between engines tells how far it is.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg} {bar:30} {pos}/{len} rows");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

fn show(bar: &ProgressBar, table: &str, step: Step, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
    bar.set_message(match step {
        Step::Copying => format!("copying {table}"),
        Step::Verifying => format!("comparing {table}"),
    });
}
