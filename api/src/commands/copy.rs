//! `prompt-store copy --from URL --to URL`: a whole store, moved to another database.
use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::{
    config::Settings,
    db::{self, Db, Location, Step},
    start::{self, Failure},
};

use super::{say, secret_advice};

#[derive(Args)]
pub(crate) struct Copy {
    /// The store as it is: a file, or `postgres://…`. It is only read; stop the processes that write to it.
    #[arg(long, value_name = "PATH|URL")]
    from: Location,
    /// An empty database, which is given tables if it has none.
    #[arg(long, value_name = "PATH|URL")]
    to: Location,
}

impl Copy {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let source = start::open_existing(&Settings { db: self.from.clone(), ..settings.clone() }).await?;
        let target = start::open_migrated(&Settings { db: self.to.clone(), ..settings.clone() }).await?;
        let copied = copy(&source, &target).await;
        source.close().await;
        target.close().await;
        let copied = copied.map_err(|error| Failure::Database(format!("nothing was copied: {error:#}")))?;
        for table in &copied {
            say(&format!("{:>12} {}", table.rows, table.table));
            for (key, column) in &table.mended {
                say(&format!("{:>12} {} `{key}`, column `{column}`: U+0000 became U+FFFD", "mended", table.table));
            }
        }
        let total: u64 = copied.iter().map(|table| table.rows).sum();
        say(&format!("{total} rows copied to {}, each read back and equal", target.describe()));
        say(&secret_advice::copied(&settings, &self.from, &self.to));
        Ok(())
    }
}

async fn copy(source: &Db, target: &Db) -> anyhow::Result<Vec<db::Copied>> {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let copied = db::copy(source, target, |table, step, done, total| {
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message(match step {
            Step::Copying => format!("copying {table}"),
            Step::Verifying => format!("comparing {table}"),
        });
    });
    let copied = copied.await;
    bar.finish_and_clear();
    copied
}
