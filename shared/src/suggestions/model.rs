//! What is asked to be checked, what is not to count, and how a text is handed to the rules.
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    db::text_column,
    error::{Error, Result, Violation},
    lint::{Content, Options, Rule, Speaker, Suppression, Text},
    templates::{InputSchema, TemplateFormat},
    text,
    versions::{Body, CONTENT_BYTES_MAX, Message, Role},
};

text_column!(Rule);

/// Settings that say that a program reads the answer.
const OUTPUT_SETTINGS: [&str; 4] = ["response_schema", "output_schema", "response_format", "json_schema"];

/// A rule that shall not count.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// Which.
    pub rule: Rule,
    /// Why: for those who ask later.
    pub reason: String,
}

/// A text to be checked, as it would be kept. Unlike what is kept it may be broken: that is what is looked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LintRequest {
    /// The text.
    pub content: Option<String>,
    /// Or the messages.
    pub messages: Option<Vec<Message>>,
    /// How variables are written; `mustache` unless said.
    pub template_format: Option<TemplateFormat>,
    /// The names of the variables.
    pub variables: Option<Vec<String>>,
    /// What is known of them.
    #[schema(inline)]
    pub input_schema: Option<InputSchema>,
    /// Model settings: a response schema says that a program reads the answer.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
    /// The rules that are not to count, each once.
    #[serde(default)]
    pub suppressions: Vec<NewSuppression>,
}

impl LintRequest {
    /// Is there one text that is not too long, and a reason for whatever is not to count?
    pub(super) fn check(&self) -> Result<()> {
        let messages = self.messages.iter().flatten().map(|message| message.content.len());
        if self.content.iter().map(String::len).chain(messages).sum::<usize>() > CONTENT_BYTES_MAX {
            let detail = format!("the text has more than {CONTENT_BYTES_MAX} bytes, which is the most that is kept");
            return Err(Error::invalid("/content", "too-long", detail));
        }
        if self.content.is_some() == self.messages.is_some() {
            return Err(Error::invalid("/content", "not-together", "give either `content` or `messages`"));
        }
        let mut violations = Vec::new();
        for (index, NewSuppression { rule, reason }) in self.suppressions.iter().enumerate() {
            if self.suppressions[..index].iter().any(|before| before.rule == *rule) {
                let pointer = format!("/suppressions/{index}/rule");
                violations.push(Violation::new(pointer, "duplicate", format!("`{rule}` stands twice")));
                // One refusal is enough, and the list may be long.
                break;
            }
            violations.extend(text::reason(reason, &format!("/suppressions/{index}/reason")).err());
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
    }

    pub(super) fn options(&self) -> Options {
        let unkept = |NewSuppression { rule, reason }: NewSuppression| Suppression {
            rule,
            reason,
            suppressed_by: None,
            suppressed_at: None,
        };
        Options { suppressions: self.suppressions.iter().cloned().map(unkept).collect(), ..Options::default() }
    }

    /// As the rules read it.
    pub(super) fn text<'r>(&'r self, schema: &'r InputSchema) -> Text<'r> {
        Text {
            content: spoken(self.content.as_deref(), self.messages.as_deref()),
            format: self.template_format.unwrap_or_default(),
            declared: self.variables.as_deref(),
            schema: self.input_schema.as_ref().unwrap_or(schema),
            read_by_program: self.config.as_ref().is_some_and(is_read_by_program),
        }
    }
}

/// What is kept, as the rules read it.
#[must_use]
pub fn text(body: &Body) -> Text<'_> {
    Text {
        content: spoken(body.content.as_deref(), body.messages.as_deref()),
        format: body.template_format,
        declared: Some(&body.variables),
        schema: &body.input_schema,
        read_by_program: is_read_by_program(&body.config),
    }
}

fn spoken<'t>(content: Option<&'t str>, messages: Option<&'t [Message]>) -> Content<'t> {
    let speaker = |role| match role {
        Role::System | Role::Developer | Role::User => Speaker::Instructor,
        Role::Assistant | Role::Tool => Speaker::Model,
    };
    match (content, messages) {
        (None, Some(messages)) => {
            Content::Messages(messages.iter().map(|it| (speaker(it.role), it.content.as_str())).collect())
        }
        (content, _) => Content::Whole(content.unwrap_or_default()),
    }
}

fn is_read_by_program(config: &Map<String, Value>) -> bool {
    OUTPUT_SETTINGS.iter().any(|key| config.contains_key(*key))
}
