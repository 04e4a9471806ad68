//! `prompt-store audit`: is the log of who did what as it was written, and what does it say?
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use shared::{App, Caller, audit, start::Failure};

use super::{output::Destination, print, say};

/// So many rows are read at once.
const PORTION: i64 = 500;

#[derive(Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look through the chain of seals: exit code 1, if a row was changed or is missing.
    Verify,
    /// Write the log as lines of JSON, the first row first.
    Export(Destination),
}

impl Audit {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let done = match self.command {
            Command::Verify => verify(&app).await,
            Command::Export(destination) => export(&app, &destination).await,
        };
        app.db.close().await;
        done
    }
}

async fn verify(app: &App) -> Result<(), Failure> {
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {pos} rows as they were sealed ({per_sec})")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    audit::seal(app, &Caller::system("audit")).await?;
    let verified = audit::verify(app, |done| bar.set_position(done.unsigned_abs())).await;
    bar.finish_and_clear();
    let verified = verified?;
    print(&format!("{} rows are as they were sealed\n", verified.rows));
    if let Some(fault) = verified.fault {
        return Err(Failure::Refused(format!("the audit log was changed: {fault}")));
    }
    say(&format!("the last seal is {}; keep it elsewhere, and nobody can write the log anew", verified.head));
    Ok(())
}

async fn export(app: &App, destination: &Destination) -> Result<(), Failure> {
    audit::seal(app, &Caller::system("audit")).await?;
    let (mut to, mut last) = (destination.open()?, 0);
    loop {
        let rows = audit::after(app, last, PORTION).await?;
        let Some(end) = rows.last().and_then(|row| row.sequence) else { return to.finish() };
        last = end;
        for row in &rows {
            let line = serde_json::to_string(row).map_err(|error| Failure::Internal(error.to_string()))?;
            if to.write(format!("{line}\n").as_bytes())?.is_break() {
                return Ok(());
            }
        }
    }
}
