//! What the index is told of a prompt, and whether it knows it right.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Prompt, keeping, repository};
use crate::{
    app::App,
    caller::Caller,
    db::{Conn, Tx},
    error::Result,
    id::PromptId,
    jobs::{Claim, Job, Outcome, Queue},
    search::{self, ANALYSIS, Document},
};

/// Prompts of one transaction.
const CHUNK: i64 = 100;

/// Put every prompt into the index that it does not know: those of a store that was moved, or that an earlier version
/// made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexPrompts {}

impl Job for IndexPrompts {
    const QUEUE: Queue = Queue::SearchIndex;

    fn unique_key(&self) -> Option<String> {
        Some("prompts".to_owned())
    }
}

fn document(prompt: &Prompt, live: bool) -> Document<'_> {
    let body = &prompt.body;
    let messages = body.messages.iter().flatten().map(|message| message.content.as_str());
    Document {
        id: prompt.id.to_string(),
        live,
        name: &prompt.name,
        category: &prompt.category,
        tags: &prompt.tags,
        labels: prompt.labels.keys().map(String::as_str).collect(),
        lifecycle_status: prompt.lifecycle_status.to_string(),
        template_format: body.template_format.to_string(),
        created_by: indexable(&prompt.created_by),
        model: body.config.get("model").and_then(serde_json::Value::as_str).map(indexable),
        variables: &body.variables,
        description: prompt.description.as_deref().unwrap_or_default(),
        body: body.content.as_deref().into_iter().chain(messages).collect(),
        updated_at: prompt.updated_at,
    }
}

/// What cannot be looked for is not indexed: a config is kept as it comes, and a file of an earlier version may have an
/// author with U+0000.
fn indexable(text: &str) -> &str {
    if text.contains('\0') { "" } else { text }
}

/// Lets a prompt be found as it is now.
pub(super) async fn put(tx: &mut Tx, prompt: &Prompt) -> Result<()> {
    keeping::changes(tx, prompt);
    search::put(tx, &document(prompt, true)).await
}

/// Lets new prompts be found.
pub(super) async fn insert(tx: &mut Tx, prompts: &[Prompt]) -> Result<()> {
    for prompt in prompts {
        keeping::changes(tx, prompt);
    }
    let documents: Vec<Document<'_>> = prompts.iter().map(|prompt| document(prompt, true)).collect();
    search::insert(tx, &documents).await
}

/// Lets a deleted prompt be found no more.
pub(super) async fn take_out(tx: &mut Tx, prompt: &Prompt) -> Result<()> {
    keeping::changes(tx, prompt);
    search::put(tx, &document(prompt, false)).await
}

/// Orders the index to be completed, if it is not complete. Whoever serves asks this at the start.
pub async fn order_index(app: &App, caller: &Caller) -> Result<()> {
    if repository::not_indexed(&mut app.db.read().await?, "", ANALYSIS, 1).await?.is_empty() {
        return Ok(());
    }
    tracing::info!("some prompts are not in the search index yet; a worker puts them in");
    let mut tx = app.begin(caller).await?;
    tx.enqueue(&IndexPrompts {}).await?;
    tx.commit().await
}

/// Completes the index, chunk by chunk. Done twice, it finds nothing left to do.
pub async fn index_missing(app: &App, claim: &Claim, caller: &Caller) -> Result<Outcome> {
    let mut after = String::new();
    loop {
        let mut tx = app.begin(caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        let ids = repository::not_indexed(&mut tx, &after, ANALYSIS, CHUNK).await?;
        for id in &ids {
            reindex(&mut tx, *id).await?;
        }
        tx.commit().await?;
        match ids.last() {
            Some(last) => after = last.to_string(),
            None => return Ok(Outcome::Done),
        }
    }
}

async fn reindex(tx: &mut Tx, id: PromptId) -> Result<()> {
    // Held, so that it is put in as it is when this commits.
    if repository::lock(tx, id).await? {
        super::service::indexed(tx, id).await?;
    }
    Ok(())
}

/// What a check of the index found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many prompts there are.
    pub prompts: u64,
    /// Those that would not have been found, or not as they are.
    pub wrong: Vec<PromptId>,
    /// Those of them that the index has yet to be told of, as after a copy.
    pub waiting: HashSet<PromptId>,
    /// What does not fit together, in sentences.
    pub faults: Vec<String>,
    /// Is it right now?
    pub mended: bool,
}

/// Compares the index with the prompts, and unless told not to makes right what is wrong. `progress` hears how many
/// prompts are done. The store may be in use meanwhile.
pub async fn check(app: &App, caller: &Caller, mend: bool, mut progress: impl FnMut(u64)) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut tx = app.begin(caller).await?;
    checked.faults = search::faults(&mut tx).await?;
    drop(tx);
    if mend && !checked.faults.is_empty() {
        let mut tx = app.begin(caller).await?;
        search::clear(&mut tx).await?;
        tx.commit().await?;
    }
    let mut after = String::new();
    loop {
        let ids = repository::ids(&mut app.db.read().await?, &after, CHUNK).await?;
        let Some(last) = ids.last() else { break };
        let not_indexed = repository::not_indexed(&mut app.db.read().await?, &after, ANALYSIS, CHUNK).await?;
        after = last.to_string();
        checked.prompts += ids.len() as u64;
        let mut wrong = Vec::new();
        let mut conn = app.db.read_at_once().await?;
        for id in ids {
            if !is_right(&mut conn, id).await? {
                wrong.push(id);
            }
        }
        drop(conn);
        if mend && !wrong.is_empty() {
            let mut tx = app.begin(caller).await?;
            for id in &wrong {
                search::forget(&mut tx, &id.to_string()).await?;
                reindex(&mut tx, *id).await?;
            }
            tx.commit().await?;
        }
        checked.waiting.extend(wrong.iter().filter(|id| not_indexed.contains(id)));
        checked.wrong.extend(wrong);
        progress(checked.prompts);
    }
    checked.mended = mend && !(checked.wrong.is_empty() && checked.faults.is_empty());
    Ok(checked)
}

async fn is_right(conn: &mut Conn, id: PromptId) -> Result<bool> {
    // One that was deleted a moment ago is not missed, and of one that is damaged nobody can say what it should be.
    let Some(prompt) = repository::find_marked(conn, id).await?.filter(|prompt| !prompt.damaged) else {
        return Ok(true);
    };
    search::holds(conn, &document(&prompt, true)).await
}
