//! A prompt as it is seen from outside, and what names one.
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::PromptId,
    names::names,
    text,
    versions::Body,
};

/// Where a prompt stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleStatus {
    /// In the making, and served like a published one.
    #[default]
    Draft,
    /// Good to use.
    Published,
    /// Still served, with a warning.
    Deprecated,
    /// No longer served by name.
    Archived,
}

names!(LifecycleStatus {
    Draft = "draft",
    Published = "published",
    Deprecated = "deprecated",
    Archived = "archived",
});

/// A prompt at one of its versions: the current one, unless another was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prompt {
    /// `prm_…`
    pub id: PromptId,
    /// May hold `/` as folders.
    pub category: String,
    /// Unique in its category.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Content or messages, variables, config.
    #[serde(flatten)]
    pub body: Body,
    /// Is it to be filled before use? A text without variables that its format changes is, too.
    pub is_template: bool,
    /// The variables that need no value: the schema says so or has a default, or the template knows what to do without.
    /// Every other variable must have one. Left out where content is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_variables: Vec<String>,
    /// In the order they were given.
    pub tags: Vec<String>,
    /// The number of the version shown here.
    pub version: i64,
    /// Raised by every write to the prompt, its labels included. The `ETag`.
    pub revision: i64,
    /// Label → version.
    pub labels: BTreeMap<String, i64>,
    /// Where it stands in its life.
    pub lifecycle_status: LifecycleStatus,
    /// When it came to stand there; never, for a draft that was never anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_changed_at: Option<Timestamp>,
    /// When a deprecated prompt may cease to be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset_at: Option<Timestamp>,
    /// What to use in the place of a deprecated or archived prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<PromptId>,
    /// The prompt it was forked from.
    pub parent_id: Option<PromptId>,
    /// The version it was forked from.
    pub parent_version: Option<i64>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last written to.
    pub updated_at: Timestamp,
    /// How often it was served by name, to within a second or two. Shown when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count: Option<i64>,
    /// The mean score of the calls of the last 30 days, from 20 scored calls on. Shown when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance_score: Option<f64>,
    /// When it was deleted. Only lists that include deleted prompts show one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Is what the database holds of this version not what was written? Then content, variables, schema and config are
    /// left out. Such a prompt can be given new content, rolled back and deleted; read by itself it is `storage-damaged`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A prompt's score is the mean of so many days.
const SCORED: Duration = Duration::from_hours(24 * 30);

/// What of a prompt is shown only when asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Show {
    /// Content and messages.
    pub content: bool,
    /// How often it was used, and how well it did since then; both change without a write to it.
    pub usage_since: Option<Timestamp>,
}

impl Show {
    /// The prompt as it is kept.
    pub const PROMPT: Self = Self { content: true, usage_since: None };

    /// And how it is used, if it is asked for.
    #[must_use]
    pub fn usage(self, asked: bool, now: Timestamp) -> Self {
        Self { usage_since: asked.then(|| now - SCORED), ..self }
    }
}

/// The label of what is served to whoever asks for no other version.
pub const PRODUCTION: &str = "production";

/// Which version of a prompt is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// The newest.
    #[default]
    Latest,
    /// The one labelled `production`, or the newest where none is.
    Production,
    /// This one.
    Version(i64),
    /// The one this label points at.
    Label(String),
}

impl Selector {
    /// Of a request that may name a version or a label, and `otherwise` if it names neither.
    pub fn new(version: Option<i64>, label: Option<String>, otherwise: Self) -> Result<Self> {
        match (version, label) {
            (None, None) => Ok(otherwise),
            (Some(version), None) => Ok(Self::Version(version)),
            (None, Some(label)) if label == crate::versions::LATEST => Ok(Self::Latest),
            (None, Some(label)) => Ok(Self::Label(text::sought(label))),
            (Some(_), Some(_)) => {
                Err(Error::invalid("/version", "not-together", "give `version` or `label`, not both"))
            }
        }
    }

    /// The label it goes by, if it goes by one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Production => Some(PRODUCTION),
            Self::Label(label) => Some(label),
            Self::Latest | Self::Version(_) => None,
        }
    }

    /// A text no other selector has.
    #[must_use]
    pub fn key(&self) -> Cow<'static, str> {
        match self {
            Self::Latest => Cow::Borrowed("latest"),
            Self::Production => Cow::Borrowed("production"),
            Self::Version(version) => Cow::Owned(format!("version {version}")),
            Self::Label(label) => Cow::Owned(format!("label {label}")),
        }
    }
}

/// Which version was served, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServedVersion {
    /// Its number.
    pub version: i64,
    /// The label that led to it.
    pub label: Option<String>,
    /// `version` and `label` were asked for; `production` is labelled so, `latest` is the newest.
    pub reason: String,
}

impl ServedVersion {
    /// What led to the version that a prompt was read at.
    #[must_use]
    pub fn of(prompt: &Prompt, selector: &Selector) -> Self {
        let (label, reason) = match selector {
            Selector::Version(_) => (None, "version"),
            Selector::Label(label) => (Some(label.clone()), "label"),
            Selector::Production if prompt.labels.contains_key(PRODUCTION) => (Some(PRODUCTION.to_owned()), PRODUCTION),
            Selector::Production | Selector::Latest => (None, "latest"),
        };
        Self { version: prompt.version, label, reason: reason.to_owned() }
    }
}

/// What must be true of a prompt for a write to happen: the `If-Match` or `If-None-Match` of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// It exists.
    Exists,
    /// Its revision is one of these; where an id stands with it, it is the prompt's own.
    Seen(Vec<(Option<PromptId>, i64)>),
    /// It is not there.
    Absent,
    /// Its revision is none of these.
    Unseen(Vec<(Option<PromptId>, i64)>),
}

impl Precondition {
    /// Refuses a prompt that is not as the caller thinks.
    pub(super) fn check(&self, id: PromptId, revision: i64) -> Result<()> {
        let is_it = |seen: &(Option<PromptId>, i64)| seen.0.is_none_or(|its| its == id) && seen.1 == revision;
        let mismatch = |detail: String| Err(Error::conflict("version-mismatch", detail));
        match self {
            Self::Seen(seen) if !seen.iter().any(is_it) => mismatch(format!(
                "the prompt has changed: it is at revision {revision} now; read it again and repeat the change on it"
            )),
            Self::Absent => mismatch(format!("the prompt `{id}` is there, which `If-None-Match: *` rules out")),
            Self::Unseen(seen) if seen.iter().any(is_it) => {
                mismatch(format!("the prompt is at revision {revision}, which `If-None-Match` rules out"))
            }
            _ => Ok(()),
        }
    }

    /// What it means that there is no such prompt.
    pub(super) fn missing(&self, id: PromptId) -> Error {
        match self {
            Self::Exists => Error::conflict("version-mismatch", format!("there is no prompt `{id}`")),
            _ => Error::not_found("prompt", id),
        }
    }
}
