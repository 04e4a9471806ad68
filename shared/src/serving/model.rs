//! What is asked of the hot read, and what it answers.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    ab_testing::{Experiment, Subject},
    caller::Caller,
    clock::Timestamp,
    error::Result,
    id::PromptId,
    prompts::{self, Prompt, Selector, ServedVersion},
    templates::{Given, InputSchema, TemplateFormat},
    versions::{self, Message},
};

/// The most prompts of one batch.
pub const BATCH_MAX: usize = 100;

/// A prompt, filled.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Served {
    /// As it is kept.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// The text with its variables filled; null, if it has variables and none were given.
    pub filled_content: Option<String>,
    /// The messages of a chat prompt, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_messages: Option<Vec<Message>>,
    /// Names that were given and stand nowhere in the prompt.
    pub unused: Vec<String>,
    /// Which version this is, and why.
    pub served: ServedAs,
    /// Of a deprecated prompt: since when, until when, and what to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}

/// Why a prompt should no longer be used.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Deprecation {
    /// When it was deprecated.
    pub since: Timestamp,
    /// When it may cease to be served.
    pub sunset_at: Option<Timestamp>,
    /// What to use in its place: what its deprecation named, or else a prompt that says it replaces this one.
    pub successor_id: Option<PromptId>,
}

/// Which version was served, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServedAs {
    /// The version.
    #[serde(flatten)]
    pub version: ServedVersion,
    /// The test that chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Experiment>,
}

/// What a prompt is to be filled with. `None`: it is not to be filled, only read.
pub type Variables = Option<Given>;

/// One prompt of a batch.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// Where it belongs.
    pub category: String,
    /// What it is called there.
    pub name: String,
    /// The version this label points at.
    pub label: Option<String>,
    /// This version.
    pub version: Option<i64>,
    /// What to fill it with.
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
}

/// A template that is not stored.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderRequest {
    /// The text.
    pub content: Option<String>,
    /// Or the messages.
    pub messages: Option<Vec<Message>>,
    /// How variables are written; `mustache` unless said.
    pub template_format: Option<TemplateFormat>,
    /// Their names, where only some of what looks like one is.
    pub declared: Option<Vec<String>>,
    /// What is known of the variables.
    #[schema(inline)]
    pub input_schema: Option<InputSchema>,
    /// What to fill it with.
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
}

/// What became of a template that is not stored.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rendered {
    /// The text, filled.
    pub filled_content: Option<String>,
    /// Or the messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_messages: Option<Vec<Message>>,
    /// The variables that were found.
    pub variables: Vec<String>,
    /// Those of them that need no value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_variables: Vec<String>,
    /// Names that were given and stand nowhere in the template.
    pub unused: Vec<String>,
}

/// For whom a prompt is read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who is told of in audit and log.
    pub caller: Caller,
    /// The unit of a test, if one is behind the label.
    pub subject: Subject,
}

impl Reader {
    /// What this reader is served who asked for that: by a label of their own, where they named nothing.
    pub(super) fn permitted(&self, category: &str, selector: &Selector) -> Result<Selector> {
        let grant = &self.caller.grant;
        if !grant.is_narrow() && grant.default_label.is_none() {
            return Ok(selector.clone());
        }
        self.caller.must_reach(&prompts::sought(category))?;
        let selector = match (selector, &grant.default_label) {
            (Selector::Production, Some(label)) => Selector::Label(label.clone()),
            // Where nothing is in production, the newest would be served, which is not its to see.
            (Selector::Production, None) if !grant.labels.is_empty() => Selector::Label(prompts::PRODUCTION.to_owned()),
            (selector, _) => selector.clone(),
        };
        match &selector {
            Selector::Label(label) => self.caller.must_know(label)?,
            Selector::Version(_) | Selector::Latest if !grant.labels.is_empty() => {
                self.caller.must_know(versions::LATEST)?;
            }
            _ => {}
        }
        Ok(selector)
    }
}
