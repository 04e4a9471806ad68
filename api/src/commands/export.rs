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
        let Written { lines, bytes, left_out } = self.write(&app).await?;
        app.db.close().await;
        say(&format!("{lines} lines, {bytes} bytes exported"));
        for what in &left_out {
            say(what);
        }
        match left_out.len() {
            0 => Ok(()),
            count => Err(Failure::Refused(format!("{count} damaged prompts were left out of the export"))),
        }
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

    /// A file is there when it is whole: half an export looks like one of half
    /// the prompts.
    async fn write(&self, app: &App) -> Result<Written, Failure> {
        let (mut to, mut written) = (self.destination.open()?, Written::default());
        let mut exported = bulk::export(app, self.filter()).await?;
        while let Some(portion) = exported.next().await {
            let portion = portion?;
            if to.write(portion.as_bytes())?.is_break() {
                break;
            }
            written.lines += portion.bytes().filter(|byte| *byte == b'\n').count() as u64;
            written.bytes += portion.len() as u64;
            written.left_out.extend(portion.lines().filter_map(bulk::left_out));
        }
        to.finish()?;
        Ok(written)
    }
}

/// What was written.
#[derive(Default)]
struct Written {
    lines: u64,
    bytes: u64,
    /// A sentence for each prompt that is not in it.
    left_out: Vec<String>,
}
