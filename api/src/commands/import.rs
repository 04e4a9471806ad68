//! `prompt-store import FILE`: prompts from a file, each row by itself.
mod rows;

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use shared::{
    App, Caller,
    bulk::{self, DryRun, ItemState, OnConflict, Outcome},
    db,
    start::{self, Failure, Migration},
};

use super::say;
use rows::{Mapping, Row};

/// Rows that are stored in one transaction.
const CHUNK: usize = 100;

#[derive(Args)]
pub(crate) struct Import {
    /// The file: CSV with a header, JSON, NDJSON or YAML.
    file: PathBuf,
    #[command(flatten)]
    mapping: Mapping,
    /// What happens to a row whose name is taken.
    #[arg(long, default_value = "fail", value_name = "fail|skip|update")]
    on_conflict: OnConflict,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What became of the rows.
#[derive(Default)]
struct Tally {
    created: u64,
    skipped: u64,
    refused: u64,
    /// Columns and keys that were left behind, and of how many rows.
    left: BTreeMap<String, u64>,
    codes: BTreeMap<String, u64>,
}

/// Where rows go to.
enum Store<'s> {
    Real(&'s App),
    Dry(Box<DryRun>),
}

impl Store<'_> {
    async fn create(&mut self, items: Vec<Value>, on_conflict: OnConflict) -> shared::Result<Vec<Outcome>> {
        match self {
            Self::Real(app) => bulk::create_now(app, &Caller::system("import"), items, on_conflict).await,
            Self::Dry(run) => run.create(items).await,
        }
    }
}

impl Import {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let tally = match self.dry_run {
            false => self.take(&mut Store::Real(&app)).await,
            true => self.rehearse(&app).await,
        };
        app.db.close().await;
        self.report(&tally?)
    }

    /// Whoever serves the store meanwhile is not held up for the length of a file.
    async fn rehearse(&self, app: &App) -> Result<Tally, Failure> {
        let copy =
            db::copy_aside(&app.settings, &app.db).await.map_err(|error| Failure::Database(format!("{error:#}")))?;
        let aside = match &copy {
            None => app.clone(),
            Some((settings, _)) => start::open_without_secret(settings.clone(), Migration::Forbidden).await?.0,
        };
        let run = DryRun::begin(&aside, &Caller::system("import"), self.on_conflict).await?;
        let tally = self.take(&mut Store::Dry(Box::new(run))).await;
        if copy.is_some() {
            aside.db.close().await;
        }
        tally
    }

    async fn take(&self, store: &mut Store<'_>) -> Result<Tally, Failure> {
        let rows = rows::read(&self.file, &self.mapping).map_err(|error| Failure::Input(format!("{error:#}")))?;
        for note in &rows.notes {
            say(note);
        }
        let bar = progress_bar(rows.total);
        let mut tally = Tally::default();
        let mut chunk = Vec::with_capacity(CHUNK);
        for row in rows.iter {
            chunk.push(row);
            if chunk.len() == CHUNK {
                self.store(store, std::mem::take(&mut chunk), &mut tally, &bar).await?;
            }
        }
        self.store(store, chunk, &mut tally, &bar).await?;
        bar.finish_and_clear();
        Ok(tally)
    }

    async fn store(
        &self,
        store: &mut Store<'_>,
        rows: Vec<Row>,
        tally: &mut Tally,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let count = rows.len() as u64;
        let (mut places, mut items) = (Vec::new(), Vec::new());
        for row in rows {
            let place = row.place();
            for name in &row.left {
                *tally.left.entry(name.clone()).or_default() += 1;
            }
            match row.object {
                Ok(object) => {
                    places.push(place);
                    items.push(object.into());
                }
                Err(reason) => tally.refuse(bar, &place, reason.code, &reason.why),
            }
        }
        let outcomes = store.create(items, self.on_conflict).await?;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            let (code, detail) = (outcome.code.unwrap_or_default(), outcome.detail.unwrap_or_default());
            match outcome.state {
                ItemState::Succeeded => tally.created += 1,
                ItemState::Skipped => tally.skipped += 1,
                ItemState::Failed | ItemState::Pending => tally.refuse(bar, &place, &code, &detail),
            }
        }
        bar.inc(count);
        Ok(())
    }

    fn report(&self, tally: &Tally) -> Result<(), Failure> {
        let done = if self.dry_run { "would be stored" } else { "stored" };
        let Tally { created, skipped, refused, codes, left, .. } = tally;
        if !left.is_empty() {
            let left: Vec<String> = left.iter().map(|(name, rows)| format!("{name} of {rows}")).collect();
            say(&format!("left behind: {} rows; an export carries labels, versions and status too", left.join(", ")));
        }
        let codes: Vec<String> = codes.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let why = if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
        let summary = format!("{created} prompts {done}, {skipped} skipped, {refused} refused{why}");
        if *refused > 0 {
            return Err(Failure::Refused(summary));
        }
        say(&summary);
        Ok(())
    }
}

impl Tally {
    /// A bad row is told of and passed over.
    fn refuse(&mut self, bar: &ProgressBar, place: &str, code: &str, detail: &str) {
        self.refused += 1;
        *self.codes.entry(code.to_owned()).or_default() += 1;
        bar.suspend(|| say(&format!("{place}: {code}: {detail}")));
    }
}

/// On a terminal; a log file wants no bar.
fn progress_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:40} {pos}/{len} rows, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {pos} rows"),
    };
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
