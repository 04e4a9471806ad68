//! `prompt-store check`: is the search index what the prompts say it should be?
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use shared::{App, Caller, prompts, refinement, start::Failure};

use super::{print, say};

#[derive(Args)]
pub(super) struct Check {
    /// Say what is wrong, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Check {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let bar = ProgressBar::new_spinner().with_style(
            ProgressStyle::with_template("{spinner} {pos} prompts checked ({per_sec})")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        let caller = Caller::system("check");
        let checked = prompts::check(&app, &caller, !self.dry_run, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        refinement::order_index(&app, &caller).await?;
        app.db.close().await;
        let checked = checked?;
        for fault in &checked.faults {
            say(&format!("the search index: {fault}"));
        }
        for id in &checked.wrong {
            say(&format!("{id}: not in the search index as it is"));
        }
        let wrong = checked.faults.len() + checked.wrong.len();
        print(&format!(
            "{} prompts checked, {wrong} faults found{}\n",
            checked.prompts,
            if checked.mended { ", all mended" } else { "" }
        ));
        if wrong > 0 && !checked.mended {
            return Err(Failure::Refused("the search index is wrong; `prompt-store check` mends it".to_owned()));
        }
        Ok(())
    }
}
