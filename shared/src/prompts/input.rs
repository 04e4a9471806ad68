//! What a caller may say of a prompt, and the rules it must keep.
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Prompt;
use crate::{
    change::Change,
    error::{Error, Result, Violation},
    templates::{InputSchema, TemplateFormat},
    text,
    versions::{Body, BodyDraft, Message, PromptType},
};

/// The rule of a name: the text, its pointer, the most characters.
pub(super) type Check = fn(&str, &str, usize) -> Result<String, Violation>;

/// Of a prompt, and of a filter.
pub(super) const TAGS_MAX: usize = 50;

/// A prompt to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrompt {
    /// 1 to 255 characters; `/` makes folders.
    pub category: String,
    /// 1 to 255 characters, unique in its category.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Follows from `content` or `messages`.
    #[serde(rename = "type")]
    pub kind: Option<PromptType>,
    /// The text: 1 character to 512 KiB, kept byte for byte.
    pub content: Option<String>,
    /// The messages of a chat prompt.
    pub messages: Option<Vec<Message>>,
    /// How variables are written; `mustache` unless said.
    pub template_format: Option<TemplateFormat>,
    /// Follows from whether there is something to fill. `false` leaves a text with variables as it is; what has none is always
    /// read by its format.
    pub is_template: Option<bool>,
    /// Found in the content, unless given.
    pub variables: Option<Vec<String>>,
    /// What is known of the variables.
    #[schema(inline)]
    pub input_schema: Option<InputSchema>,
    /// At most 50, of at most 64 characters.
    pub tags: Option<Vec<String>>,
    /// Model settings, tools, response schema: kept as they come.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
    /// Of the first version.
    pub change_summary: Option<String>,
}

/// A change of a prompt: an absent key keeps, `null` clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptPatch {
    /// Moves the prompt.
    #[schema(value_type = String)]
    pub category: Change<String>,
    /// Renames the prompt.
    #[schema(value_type = String)]
    pub name: Change<String>,
    /// For people.
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    /// Follows from `content` or `messages`.
    #[serde(rename = "type")]
    pub kind: Option<PromptType>,
    /// Makes it a text prompt.
    #[schema(value_type = Option<String>)]
    pub content: Change<String>,
    /// Makes it a chat prompt.
    #[schema(value_type = Option<Vec<Message>>)]
    pub messages: Change<Vec<Message>>,
    /// How variables are written.
    #[schema(value_type = Option<TemplateFormat>)]
    pub template_format: Change<TemplateFormat>,
    /// `null`: follows from whether there is something to fill.
    #[schema(value_type = Option<bool>)]
    pub is_template: Change<bool>,
    /// `null`, or a change of the content without it: found in the content.
    #[schema(value_type = Option<Vec<String>>)]
    pub variables: Change<Vec<String>>,
    /// What is known of the variables.
    #[schema(value_type = Option<InputSchema>, inline)]
    pub input_schema: Change<InputSchema>,
    /// All of them, anew.
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Change<Vec<String>>,
    /// All of it, anew.
    #[schema(value_type = Option<Object>)]
    pub config: Change<Map<String, Value>>,
    /// Of the version this makes.
    pub change_summary: Option<String>,
}

/// A change of the content alone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentPatch {
    /// The new text.
    pub content: Option<String>,
    /// The new messages.
    pub messages: Option<Vec<Message>>,
    /// Found in the content, unless given.
    pub variables: Option<Vec<String>>,
    /// Of the version this makes.
    pub change_summary: Option<String>,
}

/// A copy that goes its own way. What is not said is taken from the source.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// Of the copy.
    pub new_name: String,
    /// Of the copy.
    #[serde(default)]
    pub category: Option<String>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    /// Follows from `content` or `messages`.
    #[serde(default, rename = "type")]
    pub kind: Option<PromptType>,
    /// Makes the copy a text prompt.
    #[serde(default)]
    pub content: Option<String>,
    /// Makes the copy a chat prompt.
    #[serde(default)]
    pub messages: Option<Vec<Message>>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<TemplateFormat>)]
    pub template_format: Change<TemplateFormat>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub is_template: Change<bool>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub variables: Change<Vec<String>>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<InputSchema>, inline)]
    pub input_schema: Change<InputSchema>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Change<Vec<String>>,
    /// Of the copy.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub config: Change<Map<String, Value>>,
    /// Of the copy's first version.
    #[serde(default)]
    pub change_summary: Option<String>,
}

/// A prompt that keeps every rule, and is not yet in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Where it belongs.
    pub category: String,
    /// What it is called there.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Content, variables, config.
    pub body: Body,
    /// Is it to be filled before use?
    pub is_template: bool,
    /// In order.
    pub tags: Vec<String>,
    /// Of the version it makes.
    pub change_summary: Option<String>,
}

impl NewPrompt {
    /// The prompt, or every rule it breaks.
    pub fn check(self) -> Result<Draft> {
        let body = BodyDraft {
            kind: self.kind,
            content: self.content,
            messages: self.messages,
            template_format: self.template_format.unwrap_or_default(),
            variables: self.variables,
            input_schema: self.input_schema.unwrap_or_default(),
            config: self.config.unwrap_or_default(),
        };
        let mut violations = Vec::new();
        let mut keep = |outcome| gather(&mut violations, outcome);
        let category = keep(text::category(&self.category, "/category", text::NAME_CHARS_MAX));
        let name = keep(text::name(&self.name, "/name", text::NAME_CHARS_MAX));
        violations.extend(check_sentences(self.description.as_deref(), self.change_summary.as_deref()));
        let tags = check_tags(&self.tags.unwrap_or_default(), &mut violations);
        let body = match body.check() {
            Ok(body) if violations.is_empty() => body,
            Ok(_) => return Err(Error::from_violations(violations)),
            Err(more) => {
                violations.extend(more);
                return Err(Error::from_violations(violations));
            }
        };
        let is_template = is_template(self.is_template, &body);
        let (description, change_summary) = (self.description, self.change_summary);
        Ok(Draft { category, name, description, body, is_template, tags, change_summary })
    }
}

impl PromptPatch {
    /// Does it say what the prompt shall hold?
    pub(super) fn gives_content(&self) -> bool {
        matches!(self.content, Change::Set(_)) || matches!(self.messages, Change::Set(_))
    }

    /// What the prompt would be after this change.
    pub fn apply_to(self, prompt: &Prompt) -> Result<Draft> {
        let mut violations = Vec::new();
        let mut keep = |outcome| gather(&mut violations, outcome);
        // What is kept may be of a time that had other rules.
        let renamed = |new: &Change<String>, old: &str, check: Check, pointer| match new {
            Change::Set(new) => check(new, pointer, text::NAME_CHARS_MAX),
            Change::Clear => check("", pointer, text::NAME_CHARS_MAX),
            Change::Keep => Ok(old.to_owned()),
        };
        let category = keep(renamed(&self.category, &prompt.category, text::category, "/category"));
        let name = keep(renamed(&self.name, &prompt.name, text::name, "/name"));
        if let Change::Set(description) = &self.description {
            violations.extend(text::sentence(description, "/description").err());
        }
        violations.extend(check_sentences(None, self.change_summary.as_deref()));
        let tags = match self.tags.clone() {
            Change::Set(tags) => check_tags(&tags, &mut violations),
            change => change.apply(prompt.tags.clone()),
        };
        let description = self.description.clone().apply_optional(prompt.description.clone());
        let (said, change_summary) = (self.is_template.clone(), self.change_summary.clone());
        let body = match self.body(&prompt.body) {
            Ok(body) if violations.is_empty() => body,
            Ok(_) => return Err(Error::from_violations(violations)),
            Err(more) => {
                violations.extend(more);
                return Err(Error::from_violations(violations));
            }
        };
        let is_template = match said {
            Change::Set(said) => is_template(Some(said), &body),
            Change::Clear => body.is_filled(),
            Change::Keep => prompt.is_template_with(&body),
        };
        Ok(Draft { category, name, description, body, is_template, tags, change_summary })
    }

    fn body(self, current: &Body) -> Result<Body, Vec<Violation>> {
        let texts = self.content.is_some() || self.messages.is_some() || self.template_format.is_some();
        let touched = texts || self.kind.is_some() || self.variables.is_some() || self.input_schema.is_some();
        if !touched && !self.config.is_some() {
            return Ok(current.clone());
        }
        let mut draft = BodyDraft::from(current.clone());
        draft.kind = self.kind;
        // Content takes the place of messages, and messages that of content, unless both are given.
        match (&self.content, &self.messages) {
            (Change::Set(_), Change::Keep) => draft.messages = None,
            (Change::Keep, Change::Set(_)) => draft.content = None,
            _ => {}
        }
        draft.content = self.content.apply_optional(draft.content);
        draft.messages = self.messages.apply_optional(draft.messages);
        draft.template_format = self.template_format.apply(draft.template_format);
        let before = (&current.content, &current.messages, current.template_format);
        let rewritten = (&draft.content, &draft.messages, draft.template_format) != before;
        draft.variables = match self.variables {
            Change::Set(variables) => Some(variables),
            Change::Keep if !rewritten => draft.variables,
            Change::Keep | Change::Clear => None,
        };
        draft.input_schema = self.input_schema.apply(draft.input_schema);
        draft.config = self.config.apply(draft.config);
        draft.check()
    }
}

impl From<ContentPatch> for PromptPatch {
    fn from(patch: ContentPatch) -> Self {
        let ContentPatch { content, messages, variables, change_summary } = patch;
        let content = content.into();
        let messages = messages.into();
        let variables = variables.into();
        Self { content, messages, variables, change_summary, ..Self::default() }
    }
}

impl From<Fork> for PromptPatch {
    fn from(fork: Fork) -> Self {
        Self {
            category: fork.category.into(),
            name: Change::Set(fork.new_name),
            description: fork.description,
            kind: fork.kind,
            content: fork.content.into(),
            messages: fork.messages.into(),
            template_format: fork.template_format,
            is_template: fork.is_template,
            variables: fork.variables,
            input_schema: fork.input_schema,
            tags: fork.tags,
            config: fork.config,
            change_summary: fork.change_summary,
        }
    }
}

impl Prompt {
    /// What it is now, as a draft of itself.
    pub(super) fn to_draft(&self) -> Draft {
        Draft {
            category: self.category.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            body: self.body.clone(),
            is_template: self.is_template,
            tags: self.tags.clone(),
            change_summary: None,
        }
    }

    /// Is it a template once it has this body? If it was one because there is something to fill, or none because there is
    /// nothing, that goes on; if somebody said so, that stays.
    pub(super) fn is_template_with(&self, body: &Body) -> bool {
        let followed = self.is_template == self.body.is_filled();
        is_template((!followed).then_some(self.is_template), body)
    }
}

/// Is a body to be filled, of which somebody may have said so? That it is not counts for variables only: they stay as they
/// stand. Everything else that a format knows is always done, and `none` is the format of a text that stays as it is.
fn is_template(said: Option<bool>, body: &Body) -> bool {
    let is_filled = body.is_filled();
    if body.variables.is_empty() { is_filled || said == Some(true) } else { said.unwrap_or(is_filled) }
}

pub(super) fn gather(violations: &mut Vec<Violation>, outcome: Result<String, Violation>) -> String {
    outcome.unwrap_or_else(|violation| {
        violations.push(violation);
        String::new()
    })
}

pub(super) fn check_sentences(description: Option<&str>, change_summary: Option<&str>) -> Vec<Violation> {
    let fields = [(description, "/description"), (change_summary, "/change_summary")];
    fields.into_iter().filter_map(|(text, pointer)| text::sentence(text?, pointer).err()).collect()
}

/// Tags as they are kept: each once, in the order they first came.
pub(super) fn check_tags(tags: &[String], violations: &mut Vec<Violation>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        match text::identifier(tag, &format!("/tags/{index}"), text::TAG_CHARS_MAX) {
            Ok(tag) if kept.contains(&tag) => {}
            Ok(tag) => kept.push(tag),
            Err(violation) => violations.push(violation),
        }
    }
    if kept.len() > TAGS_MAX {
        violations.push(Violation::new("/tags", "too-many", format!("a prompt may have at most {TAGS_MAX} tags")));
    }
    kept
}
