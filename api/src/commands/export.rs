//! `prompt-store export`: a whole store, or some of it, as lines of JSON that `import` makes the same of.
use clap::Args;
use futures::StreamExt;
use shared::{
    App,
    bulk::{self, BulkPrompts},
    prompts::{LifecycleStatus, PromptFilter},
    start::Failure,
};

use super::{output::Destination, say};

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    destination: Destination,
    /// Only this category; `folder/*` is everything below it.
    #[arg(long, value_name = "TEXT")]
    category: Option<String>,
    /// Only prompts with this tag; repeated, with all of them.
    #[arg(long, value_name = "TEXT")]
    tag: Vec<String>,
    /// Only prompts that stand here in their life.
    #[arg(long, value_name = "draft|published|deprecated|archived")]
    status: Option<LifecycleStatus>,
    /// Only prompts with this label.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Deleted prompts too.
    #[arg(long)]
    include_deleted: bool,
}

impl Export {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let (lines, bytes) = self.write(&app).await?;
        app.db.close().await;
        say(&format!("{lines} lines, {bytes} bytes exported"));
        Ok(())
    }

    fn filter(&self) -> PromptFilter {
        let prompts = BulkPrompts {
            category: self.category.clone(),
            tags: self.tag.clone(),
            lifecycle_status: self.status,
            label: self.label.clone(),
            ..BulkPrompts::default()
        };
        PromptFilter { include_deleted: self.include_deleted, ..prompts.into() }
    }

    /// Answers how many lines and bytes were written. A file is there when it is whole: half an export looks like one of half
    /// the prompts.
    async fn write(&self, app: &App) -> Result<(u64, u64), Failure> {
        let (mut to, mut lines, mut bytes) = (self.destination.open()?, 0, 0);
        let mut exported = bulk::export(app, self.filter()).await?;
        while let Some(portion) = exported.next().await {
            let portion = portion?;
            if to.write(portion.as_bytes())?.is_break() {
                break;
            }
            lines += portion.bytes().filter(|byte| *byte == b'\n').count() as u64;
            bytes += portion.len() as u64;
        }
        to.finish()?;
        Ok((lines, bytes))
    }
}
