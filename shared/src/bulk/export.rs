//! Writing a store down, line by line, as of one moment.
use std::{collections::HashSet, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    left_out::LeftOutRecord,
    records::{Kind, PromptRecord, RelationshipRecord, SuccessorRecord, VersionRecord},
};
use crate::{
    app::App,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    lifecycle::{self, LifecycleChange},
    prompts::{self, Prompt, PromptFilter},
    relationships::{self, Relationship},
    versions::{self, Version},
};

/// The lines of a store; after an error they are not all.
pub type Exported = BoxStream<'static, Result<String>>;

/// A line is no longer than an import takes.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// A line with so much history is long enough; the rest goes on in the next.
const LINE_BYTES: usize = 256 * 1024;
/// So much is handed over at once, and so many such portions wait at most.
const PORTION_BYTES: usize = 64 * 1024;
const PORTIONS: usize = 4;
const PAGE: i64 = 100;
/// Versions are read so many at a time: each may have half a megabyte.
const HISTORY_PAGE: i64 = 16;
/// Whoever reads nothing for so long keeps a moment of the database alive for nothing.
const IDLE: Duration = Duration::from_secs(30);

/// Everything about the prompts that match, oldest first: as lines that an import makes the same prompts of.
pub async fn export(app: &App, filter: PromptFilter) -> Result<Exported> {
    let filter = filter.composed()?;
    let conn = app.db.snapshot().await?;
    let (sender, receiver) = mpsc::channel(PORTIONS);
    let lines = Lines { sender, portion: String::new(), left_out: HashSet::new() };
    let writing = tokio::spawn(write_all(conn, filter, lines));
    Ok(futures::stream::unfold(Some((receiver, writing)), next).boxed())
}

type Writing = (mpsc::Receiver<String>, JoinHandle<Result<()>>);

/// The next portion. When none comes any more, whoever wrote says whether that was all.
async fn next(state: Option<Writing>) -> Option<(Result<String>, Option<Writing>)> {
    let (mut receiver, writing) = state?;
    if let Some(portion) = receiver.recv().await {
        return Some((Ok(portion), Some((receiver, writing))));
    }
    let ended = writing.await.unwrap_or_else(|error| Err(Error::Internal(error.into())));
    ended.err().map(|error| (Err(error), None))
}

async fn write_all(mut conn: Conn, filter: PromptFilter, mut lines: Lines) -> Result<()> {
    let mut after = String::new();
    while let Some(page) = page_after(&mut conn, &filter, &mut after).await? {
        for prompt in page {
            write_prompt(&mut conn, &filter, prompt, &mut lines).await?;
        }
    }
    after.clear();
    while let Some(page) = page_after(&mut conn, &filter, &mut after).await? {
        let told = |prompt: &&Prompt| prompt.status_changed_at.is_some() && !lines.left_out.contains(&prompt.id);
        let lived: Vec<PromptId> = page.iter().filter(told).map(|prompt| prompt.id).collect();
        for id in lived {
            write_successors(&mut conn, &filter, id, &mut lines).await?;
        }
    }
    after.clear();
    loop {
        let page = relationships::page_to_export(&mut conn, &filter, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        let is_whole = |it: &Relationship| {
            !lines.left_out.contains(&it.source_prompt_id) && !lines.left_out.contains(&it.target_prompt_id)
        };
        let page: Vec<Relationship> = page.into_iter().filter(is_whole).collect();
        for relationship in page {
            lines.write(&RelationshipRecord { kind: Kind::Relationship, relationship }).await?;
        }
    }
    drop(conn);
    lines.finish().await
}

async fn page_after(conn: &mut Conn, filter: &PromptFilter, after: &mut String) -> Result<Option<Vec<Prompt>>> {
    let page = prompts::page_to_export(conn, filter, after, PAGE).await?;
    let Some(last) = page.last() else { return Ok(None) };
    *after = last.id.to_string();
    Ok(Some(page))
}

/// One line, or several where the history is long; of a prompt with a damaged version one that says so.
async fn write_prompt(conn: &mut Conn, filter: &PromptFilter, prompt: Prompt, lines: &mut Lines) -> Result<()> {
    let (id, has_lived) = (prompt.id, prompt.status_changed_at.is_some());
    let mut page = versions::after(conn, id, 0, HISTORY_PAGE).await?;
    if let Some(version) = damaged(conn, id, &page).await? {
        return lines.leave_out(prompt, version).await;
    }
    let later = if has_lived { lifecycle::count_successors(conn, id, filter).await? } else { 0 };
    let mut record = record_of(conn, filter, prompt, &lines.left_out).await?;
    record.revision -= later;
    let (mut label_move, mut bytes) = (0, 0);
    // The snapshot holds still, so the last version is the last; most prompts have a few, and one look is enough.
    while let Some(last) = page.last().map(|last| last.version) {
        for version in page {
            let (version, length) = written(version)?;
            lines.make_room(&mut record, &mut bytes, length).await?;
            record.versions.push(version);
        }
        page = match last < record.version {
            true => versions::after(conn, id, last, HISTORY_PAGE).await?,
            false => Vec::new(),
        };
    }
    loop {
        let page = versions::moves_after(conn, id, label_move, HISTORY_PAGE).await?;
        let Some(last) = page.last() else { break };
        label_move = last.sequence;
        lines.make_room(&mut record, &mut bytes, length(&page)?).await?;
        record.label_history.extend(page);
    }
    // Most prompts were drafts all their life.
    let mut page = if has_lived { lifecycle::after(conn, id, 0, HISTORY_PAGE).await? } else { Vec::new() };
    while let Some(last) = page.last().map(|last| last.sequence) {
        lines.make_room(&mut record, &mut bytes, length(&page)?).await?;
        // Who comes in its place is said when all prompts are there.
        record.lifecycle_history.extend(page.into_iter().map(|it| LifecycleChange { successor_id: None, ..it }));
        page = lifecycle::after(conn, id, last, HISTORY_PAGE).await?;
    }
    lines.write(&record).await
}

/// The first damaged version of a prompt, whose first versions are these. Nothing is written before that is known.
async fn damaged(conn: &mut Conn, id: PromptId, first: &[Version]) -> Result<Option<i64>> {
    let find = |page: &[Version]| page.iter().find(|version| version.damaged).map(|version| version.version);
    let mut found = find(first);
    let is_full = i64::try_from(first.len()).is_ok_and(|length| length == HISTORY_PAGE);
    let mut last = first.last().map(|last| last.version).filter(|_| is_full);
    while let (None, Some(after)) = (found, last) {
        let page = versions::after(conn, id, after, HISTORY_PAGE).await?;
        (found, last) = (find(&page), page.last().map(|last| last.version));
    }
    Ok(found)
}

async fn record_of(
    conn: &mut Conn,
    filter: &PromptFilter,
    prompt: Prompt,
    left_out: &HashSet<PromptId>,
) -> Result<PromptRecord> {
    // What is not exported is not there for whoever imports.
    let parent = match prompt.parent_id.zip(prompt.parent_version) {
        Some((parent, _)) if left_out.contains(&parent) => None,
        Some((parent, version)) if prompts::matches(conn, filter, parent).await? => Some((parent, version)),
        _ => None,
    };
    let (parent_id, parent_version) = parent.unzip();
    Ok(PromptRecord {
        kind: Kind::Prompt,
        id: prompt.id,
        category: prompt.category,
        name: prompt.name,
        description: prompt.description,
        is_template: prompt.is_template,
        tags: prompt.tags,
        parent_id,
        parent_version,
        version: prompt.version,
        revision: prompt.revision,
        created_by: prompt.created_by,
        created_at: prompt.created_at,
        updated_at: prompt.updated_at,
        deleted_at: prompt.deleted_at,
        versions: Vec::new(),
        label_history: Vec::new(),
        lifecycle_history: Vec::new(),
        writes_before: 0,
    })
}

async fn write_successors(conn: &mut Conn, filter: &PromptFilter, id: PromptId, lines: &mut Lines) -> Result<()> {
    let mut sequence = 0;
    loop {
        let page = lifecycle::after(conn, id, sequence, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        sequence = last.sequence;
        for change in page {
            let Some(successor_id) = change.successor_id else { continue };
            if !lines.left_out.contains(&successor_id) && prompts::matches(conn, filter, successor_id).await? {
                let (kind, prompt_id, sequence) = (Kind::Successor, id, change.sequence);
                lines.write(&SuccessorRecord { kind, prompt_id, sequence, successor_id }).await?;
            }
        }
    }
}

/// A version as it is written, and how long that is. Escaped, half a megabyte can be three.
fn written(version: Version) -> Result<(VersionRecord, usize)> {
    let plain = VersionRecord::new(version.clone(), false);
    let bytes = length(&plain)?;
    if bytes < LINE_BYTES_MAX - LINE_BYTES {
        return Ok((plain, bytes));
    }
    let packed = VersionRecord::new(version, true);
    let bytes = length(&packed)?;
    Ok((packed, bytes))
}

fn length(value: &impl Serialize) -> Result<usize> {
    serde_json::to_string(value).map(|text| text.len()).map_err(|error| Error::Internal(error.into()))
}

/// Where lines go.
struct Lines {
    sender: mpsc::Sender<String>,
    portion: String,
    /// Of these there is nothing in the export, so nothing may point at them.
    left_out: HashSet<PromptId>,
}

impl Lines {
    /// Says that a prompt is not in the export, because this version of it is damaged.
    async fn leave_out(&mut self, prompt: Prompt, damaged_version: i64) -> Result<()> {
        self.left_out.insert(prompt.id);
        let Prompt { id: prompt_id, category, name, .. } = prompt;
        let record = LeftOutRecord { kind: Kind::LeftOut, prompt_id, category, name, damaged_version };
        tracing::error!("{record}");
        self.write(&record).await
    }

    async fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(line).map_err(|error| Error::Internal(error.into()))?;
        self.portion.push_str(&text);
        self.portion.push('\n');
        if self.portion.len() >= PORTION_BYTES { self.send().await } else { Ok(()) }
    }

    /// Writes what a record holds of its prompt's history so far, if so many bytes more would make the line long. The
    /// prompt goes on in a line of its own. Each line has a higher revision than the one before: as many as there are
    /// writes in the lines so far.
    async fn make_room(&mut self, record: &mut PromptRecord, bytes: &mut usize, more: usize) -> Result<()> {
        if *bytes > 0 && *bytes + more > LINE_BYTES {
            let (last, so_far) = (record.revision, record.writes_before + record.writes());
            record.revision = so_far.min(last - 1).max(1);
            self.write(record).await?;
            record.revision = last;
            record.writes_before = so_far;
            record.versions.clear();
            record.label_history.clear();
            record.lifecycle_history.clear();
            *bytes = 0;
        }
        *bytes += more;
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let sent = self.sender.send_timeout(std::mem::take(&mut self.portion), IDLE).await;
        sent.map_err(|error| Error::internal(format!("an export that nobody reads to its end: {error}")))
    }

    async fn finish(mut self) -> Result<()> {
        if self.portion.is_empty() { Ok(()) } else { self.send().await }
    }
}
