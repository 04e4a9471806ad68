//! The answer to whoever reads a prompt by its name and gives nothing to fill it with, as it is kept.
use std::sync::Arc;

use bytes::Bytes;

use super::{
    Deprecation, Served, ServedAs,
    fill::{fill_prompt, reassemble},
};
use crate::{
    ab_testing::{self, TestBehind},
    app::App,
    cache::{Held, Keep, Keepable, Key},
    caller::Caller,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    prompts::{self, LifecycleStatus, Prompt, Selector, ServedVersion, Show},
    relationships,
    templates::Given,
};

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Kept {
    /// The answer.
    pub served: Served,
    /// As JSON.
    pub json: Bytes,
    /// The test behind the label it was read by: who takes part in it may get another.
    pub(super) test: Option<Arc<TestBehind>>,
}

impl Kept {
    fn new(served: Served, test: Option<TestBehind>) -> Result<Self> {
        let json = serde_json::to_vec(&served).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { served, json: json.into(), test: test.map(Arc::new) })
    }
}

impl Keepable for Kept {
    fn bytes(&self) -> usize {
        // Once as it is sent, and once as it is filled.
        2 * self.json.len() + 1024
    }

    /// Nothing of one with a test behind it.
    fn pack(&self) -> Option<Vec<u8>> {
        if self.test.is_some() { None } else { Some(self.json.to_vec()) }
    }

    fn unpack(packed: &[u8]) -> Option<Self> {
        let served = serde_json::from_slice(packed).ok()?;
        Self::new(served, None).ok()
    }
}

/// What is kept of a name, or else is in the database.
pub(super) async fn find(app: &App, (category, name): (&str, &str), selector: &Selector) -> Result<Held<Kept>> {
    let (category, name) = (prompts::sought(category), prompts::sought(name));
    // The number rises when an answer of an earlier program would be read as something else: Redis may still have some.
    let key = Key::new(&[&category, &name], &["served-2", &selector.key()]);
    let mark = prompts::mark_of_name(&category, &name);
    app.cache.get(&key, mark, async || load(app, (&category, &name), selector, Show::PROMPT).await).await
}

/// Reads an answer, and says whether it may be kept. Who may have it was asked before: `Reader::permitted`.
pub(super) async fn load(
    app: &App,
    (category, name): (&str, &str),
    selector: &Selector,
    show: Show,
) -> Result<(Kept, Keep)> {
    let prompt = prompts::find_by_name(app, &Caller::system("cache"), (category, name), selector, show).await?;
    let deprecation = standing(app, &prompt).await?;
    let test = match selector.label() {
        Some(label) => ab_testing::behind(app, prompt.id, label).await?,
        None => None,
    };
    let texts = match prompt.is_template && !prompt.body.variables.is_empty() {
        true => None,
        false => Some(fill_prompt(&prompt, Given::default()).await?.texts),
    };
    let (filled_content, filled_messages) = reassemble(prompt.body.messages.as_deref(), texts);
    // Who replaces it may be a relationship, of which the prompt knows nothing; and a named successor that was deleted may
    // come back.
    let told = deprecation.as_ref().map(|deprecation| deprecation.successor_id);
    let keep =
        if told.is_some_and(|told| told.is_none() || told != prompt.successor_id) { Keep::No } else { Keep::Yes };
    let served = ServedAs { version: ServedVersion::of(&prompt, selector), experiment: None };
    let served = Served { prompt, filled_content, filled_messages, unused: Vec::new(), served, deprecation };
    Ok((Kept::new(served, test)?, keep))
}

/// Refuses an archived prompt; of a deprecated one it tells what to use instead.
pub(super) async fn standing(app: &App, prompt: &Prompt) -> Result<Option<Deprecation>> {
    match prompt.lifecycle_status {
        LifecycleStatus::Draft | LifecycleStatus::Published => Ok(None),
        LifecycleStatus::Deprecated => {
            let mut conn = app.db.read().await?;
            let mut successor_id = named_successor(&mut conn, prompt).await?;
            if successor_id.is_none() {
                successor_id = relationships::successor(&mut conn, prompt.id).await?;
            }
            let since = prompt.status_changed_at.unwrap_or(prompt.updated_at);
            Ok(Some(Deprecation { since, sunset_at: prompt.sunset_at, successor_id }))
        }
        LifecycleStatus::Archived => {
            let successor_id = named_successor(&mut app.db.read().await?, prompt).await?;
            let instead = successor_id.map_or(String::new(), |id| format!("; `{id}` is its successor"));
            let detail = format!("the prompt is archived, and can be read by its id `{}`{instead}", prompt.id);
            Err(Error::conflict("archived", detail))
        }
    }
}

/// What a change of its status named to be used in its place, if that is still there.
async fn named_successor(conn: &mut Conn, prompt: &Prompt) -> Result<Option<PromptId>> {
    let Some(id) = prompt.successor_id else { return Ok(None) };
    match prompts::check_existing(conn, &Caller::system("cache"), id).await {
        Ok(()) => Ok(Some(id)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
