//! `prompt-store bulk watch ID`: how far a bulk operation is, until its end.
use std::{io::IsTerminal, time::Duration};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::{
    App,
    bulk::{self, BulkOperation, OperationStatus},
    id::OperationId,
    start::Failure,
};

use super::say;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Args)]
pub(crate) struct Bulk {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show how far an operation is, until its end: exit code 0, if every item went well.
    Watch {
        /// The operation: `op_…`
        id: OperationId,
    },
}

impl Bulk {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let Command::Watch { id } = self.command;
        let operation = watch(&app, id).await;
        app.db.close().await;
        report(&operation?)
    }
}

async fn watch(app: &App, id: OperationId) -> Result<BulkOperation, Failure> {
    let bar = progress_bar();
    loop {
        let operation = bulk::get(app, id).await?;
        bar.set_length(operation.total_items.unsigned_abs());
        bar.set_position(operation.processed_items.unsigned_abs());
        bar.set_message(
            operation
                .time_estimate_seconds
                .map_or(operation.status.to_string(), |seconds| format!("{}, {seconds:.0} s left", operation.status)),
        );
        if operation.finished_at.is_some() {
            bar.finish_and_clear();
            return Ok(operation);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn report(operation: &BulkOperation) -> Result<(), Failure> {
    for error in &operation.errors {
        let place = error.line.map_or_else(|| format!("item {}", error.index), |line| format!("line {line}"));
        say(&format!("{place}: {}: {}", error.code, error.detail));
    }
    let BulkOperation { status, total_items, successful_items, skipped_items, failed_items, .. } = operation;
    let summary =
        format!("{status}: {successful_items} of {total_items} done, {skipped_items} skipped, {failed_items} refused");
    if *status == OperationStatus::Completed {
        say(&summary);
        return Ok(());
    }
    Err(Failure::Refused(summary))
}

/// On a terminal; a log file wants no bar.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} items, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
