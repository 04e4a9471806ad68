//! `prompt-store check`: is every version what was written, and the search index what the prompts say it should be?
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use shared::{App, Caller, id::VersionId, prompts, refinement, start::Failure, versions};

use super::{print, say};

#[derive(Args)]
pub(super) struct Check {
    /// Say what is wrong, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Check {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let bar = bar("versions");
        let damaged = versions::damaged(&app.db, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        refuse_damaged(&damaged?)?;
        let bar = self::bar("prompts");
        let caller = Caller::system("check");
        let checked = prompts::check(&app, &caller, !self.dry_run, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        refinement::order_index(&app, &caller).await?;
        app.db.close().await;
        let checked = checked?;
        for fault in &checked.faults {
            say(&format!("the search index: {fault}"));
        }
        let (waiting, mended) = (checked.waiting.len(), checked.mended);
        for id in checked.wrong.iter().filter(|id| !checked.waiting.contains(id)) {
            say(&format!("{id}: not in the search index as it is"));
        }
        match (waiting, mended) {
            (0, _) => {}
            (waiting, true) => say(&format!("{waiting} prompts were not in the search index yet; now they are")),
            (waiting, false) => say(&format!("{waiting} prompts are not in the search index yet")),
        }
        let wrong = checked.faults.len() + checked.wrong.len() - waiting;
        print(&format!(
            "{} prompts checked, {wrong} faults found{}\n",
            checked.prompts,
            if mended && wrong > 0 { ", all mended" } else { "" }
        ));
        if wrong + waiting > 0 && !mended {
            return Err(Failure::Refused("the search index is wrong; `prompt-store check` mends it".to_owned()));
        }
        Ok(())
    }
}

fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{pos}} {what} checked ({{per_sec}})"));
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// What was written cannot be found out from anything else that is here.
pub(super) fn refuse_damaged(damaged: &[VersionId]) -> Result<(), Failure> {
    for id in damaged {
        say(&format!("{id}: not what was written"));
    }
    match damaged.len() {
        0 => Ok(()),
        count => Err(Failure::Refused(format!(
            "{count} versions are not what was written, and are not served; a backup from before may have them: \
             `prompt-store restore FILE` makes a store of it"
        ))),
    }
}
