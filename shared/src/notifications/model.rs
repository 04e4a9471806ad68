//! An event, and every type there is of them.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{clock::Timestamp, db::FromRow, id::EventId, names::names};

macro_rules! events {
    ($($variant:ident = $name:tt $tells:literal)+) => {
        /// What can happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $(#[doc = $tells] #[serde(rename = $name)] $variant,)+
        }

        impl EventType {
            /// All of them, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// What it tells of, for people.
            #[must_use]
            pub const fn tells(self) -> &'static str {
                match self { $(Self::$variant => $tells),+ }
            }
        }

        names!(EventType { $($variant = $name),+ });
    };
}

events! {
    PromptCreated = "prompt.created" "A prompt was made, with its first version."
    PromptUpdated = "prompt.updated" "A prompt was changed or brought back."
    PromptDeleted = "prompt.deleted" "A prompt was deleted."
    PromptLifecycleChanged = "prompt.lifecycle_changed" "A prompt was published, deprecated or archived, or brought back."
    PromptVersionCreated = "prompt.version_created" "A prompt got a version after its first."
    PromptLabelMoved = "prompt.label_moved" "A label of a prompt was set, moved or taken away."
    AbTestCreated = "ab_test.created" "An A/B test was made."
    AbTestUpdated = "ab_test.updated" "An A/B test was changed, started or paused."
    AbTestCompleted = "ab_test.completed" "An A/B test ended."
    BulkOperationStarted = "bulk_operation.started" "A worker began with a bulk operation."
    BulkOperationCompleted = "bulk_operation.completed" "A bulk operation is over: every item was worked, or somebody stopped it."
    BulkOperationFailed = "bulk_operation.failed" "A bulk operation was given up."
    RelationshipCreated = "relationship.created" "Two prompts were related."
    RelationshipUpdated = "relationship.updated" "A relationship was changed."
    RelationshipDeleted = "relationship.deleted" "A relationship was taken away."
    RefinementStarted = "refinement.started" "A worker began to refine a prompt."
    RefinementCompleted = "refinement.completed" "A refinement is ready to be looked at."
    RefinementFailed = "refinement.failed" "A refinement was given up."
    WebhookDisabled = "webhook.disabled" "A webhook was switched off, as its receiver does not take what is sent."
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Event {
    /// `evt_…`
    pub id: EventId,
    /// What has happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When.
    #[sqlx(rename = "at")]
    pub timestamp: Timestamp,
    /// Its place among all events: greater than that of every event it may follow from.
    pub sequence: i64,
    /// What it has happened to.
    #[sqlx(json)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub data: Value,
}

/// A type of events, for people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventKind {
    /// `prompt.created`
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// What it tells of.
    pub description: &'static str,
}

/// How many events of a type are kept.
#[derive(Clone, Debug, Serialize, ToSchema, FromRow)]
pub struct EventCount {
    /// This one.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// So many.
    pub count: i64,
}
