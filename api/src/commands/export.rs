//! `prompt-store export`: a whole store, or some of it, as lines of JSON that `import` makes the same of.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use futures::StreamExt;
use shared::{
    App,
    bulk::{self, BulkPrompts},
    prompts::{LifecycleStatus, PromptFilter},
    start::Failure,
};

use super::say;

#[derive(Args)]
pub(crate) struct Export {
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
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
        let (lines, bytes) = match &self.output {
            None => write(&app, self.filter(), io::stdout()).await?,
            Some(path) => self.replace(&app, path).await?,
        };
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

    /// The file is there when it is whole: half an export looks like one of half the prompts.
    async fn replace(&self, app: &App, path: &Path) -> Result<(u64, u64), Failure> {
        let part = path.with_added_extension("part");
        let file = File::create(&part).map_err(|error| cannot_write(&part, &error))?;
        let written = write(app, self.filter(), &file).await;
        let kept = written.and_then(|written| {
            let synced = file.sync_all().and_then(|()| std::fs::rename(&part, path));
            synced.map(|()| written).map_err(|error| cannot_write(path, &error))
        });
        if kept.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        kept
    }
}

/// Answers how many lines and bytes there are.
async fn write(app: &App, filter: PromptFilter, to: impl Write) -> Result<(u64, u64), Failure> {
    let (mut to, mut lines, mut bytes) = (BufWriter::new(to), 0, 0);
    let mut exported = bulk::export(app, filter).await?;
    let cannot = |error: io::Error| Failure::Input(format!("cannot write: {error}"));
    while let Some(portion) = exported.next().await {
        let portion = portion?;
        lines += portion.bytes().filter(|byte| *byte == b'\n').count() as u64;
        bytes += portion.len() as u64;
        to.write_all(portion.as_bytes()).map_err(cannot)?;
    }
    to.flush().map_err(cannot)?;
    Ok((lines, bytes))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Input(format!("cannot write `{}`: {error}", path.display()))
}
