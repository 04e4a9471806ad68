//! What prompts tell of themselves.
use std::slice;

use serde_json::{Map, Value, json};

use super::Prompt;
use crate::{
    db::Tx,
    error::Result,
    notifications::{self, EventType, News},
    versions::ChangeType,
};

/// Tells what has happened to a prompt, which is now as it is given. `more` is what it does not say itself.
pub(super) async fn announce(tx: &mut Tx, event_type: EventType, prompt: &Prompt, more: Value) -> Result<()> {
    announce_many(tx, event_type, slice::from_ref(prompt), more).await
}

/// The same of many.
pub(super) async fn announce_many(tx: &mut Tx, event_type: EventType, prompts: &[Prompt], more: Value) -> Result<()> {
    let news = |prompt: &Prompt| {
        let mut data = Map::from_iter([
            ("id".to_owned(), json!(prompt.id)),
            ("category".to_owned(), json!(prompt.category)),
            ("name".to_owned(), json!(prompt.name)),
            ("version".to_owned(), json!(prompt.version)),
        ]);
        if let Value::Object(more) = &more {
            data.extend(more.clone());
        }
        News::new(prompt.id, Value::Object(data), prompt)
    };
    let news = prompts.iter().map(news).collect::<Result<Vec<_>>>()?;
    notifications::announce_many(tx, event_type, &news).await
}

/// Tells that a prompt was changed, and, where that made a version, of the version.
pub(super) async fn updated(tx: &mut Tx, prompt: &Prompt, new_version: Option<ChangeType>) -> Result<()> {
    if let Some(change_type) = new_version {
        let more = json!({ "change_type": change_type });
        announce(tx, EventType::PromptVersionCreated, prompt, more).await?;
    }
    announce(tx, EventType::PromptUpdated, prompt, json!({})).await
}
