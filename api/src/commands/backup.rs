//! `prompt-store backup FILE`, `prompt-store restore FILE`.
use std::{io::IsTerminal, path::PathBuf};

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::{
    config::Settings,
    db::{self, BackedUp, Step},
    output::Target,
    start::{self, Failure},
    versions,
};

use super::{check::refuse_damaged, say, secret_advice};

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write, which must not be there yet; a device, a pipe, or `-` for standard output.
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
        let target = Target::of(&self.file).map_err(|error| Failure::Input(format!("{error:#}")))?;
        if matches!(target, Target::Standard) && std::io::stdout().is_terminal() {
            return Err(Failure::Input(
                "a backup is nothing for a terminal: name a file, or a command that takes it".to_owned(),
            ));
        }
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
        say(&secret_advice::keep(&settings));
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
        if let Some(advice) = secret_advice::restored(&settings) {
            say(&advice);
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
