//! What prompts tell of themselves.
use serde_json::{Map, Value, json};

use super::Prompt;
use crate::{
    db::Tx,
    error::Result,
    notifications::{self, EventType},
    versions::ChangeType,
};

/// Tells what has happened to a prompt, which is now as it is given. `more` is what it does not say itself.
pub(super) async fn announce(tx: &mut Tx, event_type: EventType, prompt: &Prompt, more: Value) -> Result<()> {
    let mut data = Map::from_iter([
        ("id".to_owned(), json!(prompt.id)),
        ("category".to_owned(), json!(prompt.category)),
        ("name".to_owned(), json!(prompt.name)),
        ("version".to_owned(), json!(prompt.version)),
    ]);
    if let Value::Object(more) = more {
        data.extend(more);
    }
    notifications::announce(tx, event_type, prompt.id, &Value::Object(data), Some(prompt)).await
}

/// Tells that a prompt was changed, and, where that made a version, of the version.
pub(super) async fn updated(tx: &mut Tx, prompt: &Prompt, new_version: Option<ChangeType>) -> Result<()> {
    if let Some(change_type) = new_version {
        let more = json!({ "change_type": change_type });
        announce(tx, EventType::PromptVersionCreated, prompt, more).await?;
    }
    announce(tx, EventType::PromptUpdated, prompt, json!({})).await
}
