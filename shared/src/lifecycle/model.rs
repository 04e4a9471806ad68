//! What may follow what in the life of a prompt, and the record of what did.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result, Violation},
    id::PromptId,
    prompts::{LifecycleStatus, Prompt},
    text,
};

/// So many characters has what is good to use, at least.
const CONTENT_CHARS_MIN: usize = 10;
const NAME_CHARS_MIN: usize = 3;

/// Where a prompt shall stand.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStatus {
    /// There.
    pub status: LifecycleStatus,
    /// For those who ask later.
    pub reason: Option<String>,
    /// Of a deprecated prompt: when it may cease to be served.
    pub sunset_at: Option<Timestamp>,
    /// Of a deprecated or archived prompt: what to use in its place.
    pub successor_id: Option<PromptId>,
}

/// A change of status, as an item of many.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleOrder {
    /// Whose status.
    pub prompt_id: PromptId,
    /// Where it shall stand.
    pub status: LifecycleStatus,
    /// For those who ask later.
    pub reason: Option<String>,
}

/// A change that has been made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct LifecycleChange {
    /// Whose.
    pub prompt_id: PromptId,
    /// Its number in the life of the prompt, from 1.
    pub sequence: i64,
    /// Where the prompt stood.
    #[sqlx(rename = "from_status")]
    pub previous_status: LifecycleStatus,
    /// Where it stands since.
    #[sqlx(rename = "to_status")]
    pub new_status: LifecycleStatus,
    /// The version that was current then.
    pub version: i64,
    /// When it changed.
    #[sqlx(rename = "changed_at")]
    pub transition_timestamp: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// Who changed it.
    #[sqlx(rename = "changed_by")]
    pub updated_by: String,
    /// When it may cease to be served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunset_at: Option<Timestamp>,
    /// What to use in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<PromptId>,
}

/// What may follow a status.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LifecycleRule)]
pub struct Rule {
    /// This one.
    pub from: LifecycleStatus,
    /// These.
    pub to: Vec<LifecycleStatus>,
}

/// What may follow what, and what publishing takes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Rules {
    /// Everything else is refused, the same status again too.
    pub transitions: Vec<Rule>,
    /// Characters of the content, or of all messages together.
    pub publishing_content_chars_min: usize,
    /// Characters of the name.
    pub publishing_name_chars_min: usize,
}

/// How many prompts stand where. Deleted ones do not count.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct StatusCounts {
    /// In the making.
    pub draft: i64,
    /// Good to use.
    pub published: i64,
    /// Still served, with a warning.
    pub deprecated: i64,
    /// No longer served by name.
    pub archived: i64,
    /// All of them.
    pub total: i64,
}

/// What may follow a status.
pub(super) fn next(from: LifecycleStatus) -> &'static [LifecycleStatus] {
    use LifecycleStatus::{Archived, Deprecated, Draft, Published};
    match from {
        Draft => &[Published, Archived],
        Published => &[Deprecated, Archived],
        Deprecated => &[Archived, Published],
        Archived => &[Published],
    }
}

pub(super) fn rules() -> Rules {
    use LifecycleStatus::{Archived, Deprecated, Draft, Published};
    let transitions = [Draft, Published, Deprecated, Archived].map(|from| Rule { from, to: next(from).to_vec() });
    Rules {
        transitions: transitions.into(),
        publishing_content_chars_min: CONTENT_CHARS_MIN,
        publishing_name_chars_min: NAME_CHARS_MIN,
    }
}

impl NewStatus {
    /// What is wrong with it, whatever the prompt.
    pub(super) fn check(&self, id: PromptId) -> Result<()> {
        let mut violations = Vec::new();
        if let Some(reason) = &self.reason {
            violations.extend(text::sentence(reason, "/reason").err());
        }
        if self.sunset_at.is_some() && self.status != LifecycleStatus::Deprecated {
            let detail = "only a deprecated prompt has a day on which it may cease to be served";
            violations.push(Violation::new("/sunset_at", "not-together", detail));
        }
        violations.extend(check_successor(id, self.status, self.successor_id).err().unwrap_or_default());
        if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
    }

    /// May this prompt go there?
    pub(super) fn check_of(&self, prompt: &Prompt) -> Result<()> {
        let (from, to) = (prompt.lifecycle_status, self.status);
        let allowed = next(from);
        if !allowed.contains(&to) {
            let names: Vec<String> = allowed.iter().map(|status| format!("`{status}`")).collect();
            let detail = format!("a prompt that is {from} cannot become {to}; it can become {}", names.join(" or "));
            return Err(Error::conflict("lifecycle-transition", detail));
        }
        if to == LifecycleStatus::Published { publishable(prompt) } else { Ok(()) }
    }
}

/// May this prompt be used in the place of another that comes to stand there?
pub(super) fn check_successor(
    id: PromptId,
    status: LifecycleStatus,
    successor: Option<PromptId>,
) -> Result<(), Vec<Violation>> {
    use LifecycleStatus::{Archived, Deprecated};
    let mut violations = Vec::new();
    if successor.is_some() && !matches!(status, Deprecated | Archived) {
        let detail = "only a deprecated or archived prompt has a successor";
        violations.push(Violation::new("/successor_id", "not-together", detail));
    }
    if successor == Some(id) {
        violations.push(Violation::new("/successor_id", "self", "a prompt cannot succeed itself"));
    }
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

fn publishable(prompt: &Prompt) -> Result<()> {
    let chars: usize = prompt.body.texts().iter().map(|(_, text)| text.trim().chars().count()).sum();
    let mut violations = Vec::new();
    if chars < CONTENT_CHARS_MIN {
        let detail = format!("the content has {chars} characters; to be published it needs {CONTENT_CHARS_MIN}");
        violations.push(Violation::new("/content", "too-short", detail));
    }
    if prompt.name.chars().count() < NAME_CHARS_MIN {
        let detail = format!("the name must have at least {NAME_CHARS_MIN} characters to be published");
        violations.push(Violation::new("/name", "too-short", detail));
    }
    if violations.is_empty() {
        return Ok(());
    }
    let detail = "the prompt is not ready to be published; `errors` says what is missing".to_owned();
    Err(Error::Invalid { code: "not-publishable", detail, violations })
}
