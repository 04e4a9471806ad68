//! Suggestions: what could be better about a prompt, stored or not.
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::App,
    error::{Error, Result},
    id::PromptId,
    lint::{self, Content, Options, Report, Speaker, Text},
    prompts::{self, Selector, Show},
    templates::{InputSchema, TemplateFormat},
    versions::{CONTENT_BYTES_MAX, Message, Role},
};

/// Settings that say that a program reads the answer.
const OUTPUT_SETTINGS: [&str; 4] = ["response_schema", "output_schema", "response_format", "json_schema"];

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
    pub input_schema: Option<InputSchema>,
    /// Model settings: a response schema says that a program reads the answer.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
}

/// Checks a text that is not stored.
pub async fn lint(request: LintRequest) -> Result<Report> {
    let sizes =
        request.content.iter().map(String::len).chain(request.messages.iter().flatten().map(|it| it.content.len()));
    if sizes.sum::<usize>() > CONTENT_BYTES_MAX {
        let detail = format!("the text has more than {CONTENT_BYTES_MAX} bytes, which is the most that is kept");
        return Err(Error::invalid("/content", "too-long", detail));
    }
    if request.content.is_some() == request.messages.is_some() {
        return Err(Error::invalid("/content", "not-together", "give either `content` or `messages`"));
    }
    let checked = tokio::task::spawn_blocking(move || {
        let text = Text {
            content: spoken(request.content.as_deref(), request.messages.as_deref()),
            format: request.template_format.unwrap_or_default(),
            declared: request.variables.as_deref(),
            schema: &request.input_schema.unwrap_or_default(),
            read_by_program: is_read_by_program(&request.config.unwrap_or_default()),
        };
        lint::check(&text, &Options::default())
    });
    checked.await.map_err(|error| Error::Internal(error.into()))
}

/// Checks a prompt at one of its versions.
pub async fn get(app: &App, id: PromptId, selector: &Selector) -> Result<Report> {
    let body = prompts::get(app, id, selector, Show::PROMPT).await?.body;
    let checked = tokio::task::spawn_blocking(move || {
        let text = Text {
            content: spoken(body.content.as_deref(), body.messages.as_deref()),
            format: body.template_format,
            declared: Some(&body.variables),
            schema: &body.input_schema,
            read_by_program: is_read_by_program(&body.config),
        };
        lint::check(&text, &Options::default())
    });
    checked.await.map_err(|error| Error::Internal(error.into()))
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
