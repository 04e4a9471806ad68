//! Writing a store down, line by line, as of one moment.
use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinHandle};

use super::records::{Kind, PromptRecord, RelationshipRecord, SuccessorRecord, VersionRecord};
use crate::{
    app::App,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    lifecycle::{self, LifecycleChange},
    prompts::{self, Prompt, PromptFilter},
    relationships, versions,
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
    let writing = tokio::spawn(write_all(conn, filter, Lines { sender, portion: String::new() }));
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
        for prompt in page.iter().filter(|prompt| prompt.status_changed_at.is_some()) {
            write_successors(&mut conn, &filter, prompt.id, &mut lines).await?;
        }
    }
    after.clear();
    loop {
        let page = relationships::page_to_export(&mut conn, &filter, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
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

/// One line, or several where the history is long.
async fn write_prompt(conn: &mut Conn, filter: &PromptFilter, prompt: Prompt, lines: &mut Lines) -> Result<()> {
    let (id, has_lived) = (prompt.id, prompt.status_changed_at.is_some());
    let later = if has_lived { lifecycle::count_successors(conn, id, filter.include_deleted).await? } else { 0 };
    let mut record = record_of(conn, filter, prompt).await?;
    record.revision -= later;
    let (mut version, mut label_move, mut bytes) = (0, 0, 0);
    // The snapshot holds still, so the last version is the last; most prompts have a few, and one look is enough.
    while version < record.version {
        let page = versions::after(conn, id, version, HISTORY_PAGE).await?;
        let Some(last) = page.last() else { break };
        version = last.version;
        for version in page {
            let (version, length) = written(version)?;
            lines.make_room(&mut record, &mut bytes, length).await?;
            record.versions.push(version);
        }
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

async fn record_of(conn: &mut Conn, filter: &PromptFilter, prompt: Prompt) -> Result<PromptRecord> {
    // What is not exported is not there for whoever imports.
    let parent = match prompt.parent_id.zip(prompt.parent_version) {
        Some((parent, version)) if is_there(conn, filter, parent).await? => Some((parent, version)),
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
            if is_there(conn, filter, successor_id).await? {
                let (kind, prompt_id, sequence) = (Kind::Successor, id, change.sequence);
                lines.write(&SuccessorRecord { kind, prompt_id, sequence, successor_id }).await?;
            }
        }
    }
}

async fn is_there(conn: &mut Conn, filter: &PromptFilter, id: PromptId) -> Result<bool> {
    if filter.include_deleted {
        return prompts::is_known(conn, id).await;
    }
    match prompts::check_existing(conn, id).await {
        Ok(()) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A version as it is written, and how long that is. Escaped, half a megabyte can be three.
fn written(version: versions::Version) -> Result<(VersionRecord, usize)> {
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
}

impl Lines {
    async fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(line).map_err(|error| Error::Internal(error.into()))?;
        self.portion.push_str(&text);
        self.portion.push('\n');
        if self.portion.len() >= PORTION_BYTES { self.send().await } else { Ok(()) }
    }

    /// Writes what a record holds of its prompt's history so far, if so many bytes more would make the line long. The
    /// prompt goes on in a line of its own, which counts one write more.
    async fn make_room(&mut self, record: &mut PromptRecord, bytes: &mut usize, more: usize) -> Result<()> {
        if *bytes > 0 && *bytes + more > LINE_BYTES {
            record.revision -= 1;
            self.write(record).await?;
            record.revision += 1;
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
