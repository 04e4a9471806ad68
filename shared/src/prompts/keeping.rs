//! Prompts that are kept in memory, and how whoever keeps one learns that it has changed.
use std::sync::Arc;

use super::{Prompt, Selector, Show, repository, service};
use crate::{
    app::App,
    cache::{Keep, Keepable, Key, Mark},
    caller::Caller,
    db::Tx,
    error::Result,
    id::PromptId,
};

/// The mark of what is under a name.
#[must_use]
pub fn mark_of_name(category: &str, name: &str) -> Mark {
    Mark::of(&["name", category, name])
}

fn mark_of(id: &str) -> Mark {
    Mark::of(&["prompt", id])
}

/// A prompt changes with this transaction, as it is known by its id and by its name.
pub(super) fn changes(tx: &mut Tx, prompt: &Prompt) {
    tx.changes(mark_of(&prompt.id.to_string()));
    tx.changes(mark_of_name(&prompt.category, &prompt.name));
}

/// What is shown of those that name a prompt as their successor changes with this transaction, in which it comes or goes.
pub(super) async fn changes_of_predecessors(tx: &mut Tx, id: PromptId) -> Result<()> {
    for (id, category, name) in repository::predecessors(tx, id).await? {
        tx.changes(mark_of(&id));
        tx.changes(mark_of_name(&category, &name));
    }
    Ok(())
}

/// What is shown under the name of a prompt changes with this transaction, though the prompt does not.
pub async fn changes_under_name(tx: &mut Tx, id: PromptId) -> Result<()> {
    let prompt = repository::find(tx, id, &Selector::Latest, Show { content: false, usage_since: None }).await?;
    if let Some(prompt) = prompt {
        changes(tx, &prompt);
    }
    Ok(())
}

/// A prompt at one of its versions, as it was a moment ago. Whoever asks must know that it may be shown: what is kept is
/// kept for everybody.
pub async fn kept(app: &App, id: PromptId, selector: &Selector) -> Result<Arc<Prompt>> {
    let text = id.to_string();
    let key = Key::new(&[&text], &["prompt", &selector.key()]);
    let load = async || Ok((service::get(app, &Caller::system("cache"), id, selector, Show::PROMPT).await?, Keep::Yes));
    Ok(app.cache.get(&key, mark_of(&text), load).await?.value)
}

impl Keepable for Prompt {
    fn bytes(&self) -> usize {
        let body = &self.body;
        let texts: usize = body.texts().iter().map(|(_, text)| text.len()).sum();
        // What else there is, is mostly short.
        1024 + texts + body.variables.len() * 64 + self.tags.len() * 64
    }

    fn pack(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    fn unpack(packed: &[u8]) -> Option<Self> {
        serde_json::from_slice(packed).ok()
    }
}
