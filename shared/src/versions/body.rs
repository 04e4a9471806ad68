//! What a version holds: the text or the messages, how they are filled, and the model's settings.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    db::{FromRow, Json, Readable},
    error::Violation,
    templates::{self, Demands, InputSchema, Template, TemplateFormat},
    text,
};

/// Of a text prompt, or of all messages of a chat prompt together.
pub const CONTENT_BYTES_MAX: usize = 512 * 1024;
/// Of the config, and of the input schema, as JSON.
const CONFIG_BYTES_MAX: usize = 64 * 1024;
/// Of all of it, as it is stored, give or take a few names.
pub const BODY_BYTES_MAX: i64 = 2 * 1024 * 1024;
const MESSAGES_MAX: usize = 256;
const VARIABLES_MAX: usize = 256;

/// One text, or a list of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptType {
    /// `content`.
    #[default]
    Text,
    /// `messages`.
    Chat,
}

crate::names::names!(PromptType { Text = "text", Chat = "chat" });

/// Who speaks a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sets the rules.
    System,
    /// The same, as some models call it.
    Developer,
    /// Asks.
    User,
    /// Answers.
    Assistant,
    /// Reports what a tool said.
    Tool,
}

crate::names::names!(Role {
    System = "system",
    Developer = "developer",
    User = "user",
    Assistant = "assistant",
    Tool = "tool",
});

/// A message of a chat prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks it.
    pub role: Role,
    /// What is said: a template, like the content of a text prompt.
    pub content: String,
}

/// What a version holds. Two equal bodies are the same version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Body {
    /// `text` has `content`, `chat` has `messages`.
    #[serde(rename = "type")]
    pub kind: PromptType,
    /// The text, byte for byte. Left out of lists, unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages. Left out of lists, unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// How variables are written.
    pub template_format: TemplateFormat,
    /// The names of the variables.
    pub variables: Vec<String>,
    /// What is known of the variables.
    #[schema(inline)]
    pub input_schema: InputSchema,
    /// Model settings, tools, response schema: kept as they came.
    #[schema(value_type = Object)]
    pub config: Map<String, Value>,
}

/// A body as its columns hold it, any of which may be damaged, and its hash.
#[derive(FromRow)]
pub struct BodyRow {
    #[sqlx(rename = "type")]
    kind: Readable<PromptType>,
    content: Option<Readable<String>>,
    messages: Option<Readable<Json<Vec<Message>>>>,
    template_format: Readable<String>,
    template_engine: Readable<Option<i64>>,
    variables: Readable<Json<Vec<String>>>,
    input_schema: Readable<Json<InputSchema>>,
    config: Readable<Json<Map<String, Value>>>,
    content_hash: Readable<String>,
}

/// A body in the making.
#[derive(Clone, Debug, Default)]
pub struct BodyDraft {
    /// If said, it must fit what is given.
    pub kind: Option<PromptType>,
    /// Of a text prompt.
    pub content: Option<String>,
    /// Of a chat prompt.
    pub messages: Option<Vec<Message>>,
    /// How variables are written.
    pub template_format: TemplateFormat,
    /// The names, if the author gave them; else they are found.
    pub variables: Option<Vec<String>>,
    /// What is known of the variables.
    pub input_schema: InputSchema,
    /// Model settings.
    pub config: Map<String, Value>,
}

impl BodyDraft {
    /// The body, or every rule the draft breaks.
    pub fn check(self) -> Result<Body, Vec<Violation>> {
        let mut violations = Vec::new();
        let kind = self.check_kind(&mut violations);
        self.check_sizes(&mut violations);
        let long = |value: serde_json::Result<String>| value.is_ok_and(|json| json.len() > CONFIG_BYTES_MAX);
        for (field, too_long) in [
            ("config", long(serde_json::to_string(&self.config))),
            ("input_schema", long(serde_json::to_string(&self.input_schema))),
        ] {
            if too_long {
                let detail = format!("`{field}` must have at most 64 KiB");
                violations.push(Violation::new(format!("/{field}"), "too-long", detail));
            }
        }
        violations.extend(templates::check_schema(&self.input_schema));
        let variables = if violations.is_empty() { self.check_variables(&mut violations) } else { Vec::new() };
        if !violations.is_empty() {
            return Err(violations);
        }
        let Self { content, messages, template_format, input_schema, config, .. } = self;
        Ok(Body { kind, content, messages, template_format, variables, input_schema, config })
    }

    fn check_kind(&self, violations: &mut Vec<Violation>) -> PromptType {
        let given = match (&self.content, &self.messages) {
            (Some(_), None) => PromptType::Text,
            (None, Some(_)) => PromptType::Chat,
            (None, None) => {
                violations.push(Violation::new("/content", "required", "give `content` or `messages`"));
                return self.kind.unwrap_or_default();
            }
            (Some(_), Some(_)) => {
                let detail = "give `content` or `messages`, not both";
                violations.push(Violation::new("/messages", "not-together", detail));
                return self.kind.unwrap_or_default();
            }
        };
        if self.kind.is_some_and(|kind| kind != given) {
            let detail = "`text` goes with `content`, `chat` with `messages`";
            violations.push(Violation::new("/type", "does-not-fit", detail));
        }
        given
    }

    fn check_sizes(&self, violations: &mut Vec<Violation>) {
        if let Some(content) = &self.content {
            violations.extend(text::no_nul(content, "/content").err());
            if content.is_empty() {
                violations.push(Violation::new("/content", "required", "`content` must have at least one character"));
            }
            if content.len() > CONTENT_BYTES_MAX {
                let detail = format!("`content` must have at most 512 KiB, and has {} bytes", content.len());
                violations.push(Violation::new("/content", "too-long", detail));
            }
        }
        let Some(messages) = &self.messages else { return };
        if messages.is_empty() || messages.len() > MESSAGES_MAX {
            let detail = format!("`messages` must have 1 to {MESSAGES_MAX} messages");
            violations.push(Violation::new("/messages", "out-of-range", detail));
        }
        for (index, message) in messages.iter().enumerate() {
            violations.extend(text::no_nul(&message.content, &format!("/messages/{index}/content")).err());
        }
        if messages.iter().map(|message| message.content.len()).sum::<usize>() > CONTENT_BYTES_MAX {
            violations.push(Violation::new("/messages", "too-long", "`messages` must have at most 512 KiB together"));
        }
    }

    /// The declared variables, or the ones found. A declared list must name every one that is used.
    fn check_variables(&self, violations: &mut Vec<Violation>) -> Vec<String> {
        let too_many = |pointer| {
            Violation::new(pointer, "too-many", format!("a prompt may have at most {VARIABLES_MAX} variables"))
        };
        let declared = self.variables.as_deref();
        if declared.is_some_and(|declared| declared.len() > VARIABLES_MAX) {
            violations.push(too_many("/variables"));
            return Vec::new();
        }
        // Half a megabyte of braces holds many thousand names.
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for (pointer, text) in texts(self.content.as_deref(), self.messages.as_deref()) {
            match Template::parse(self.template_format, text, declared) {
                Ok(template) => {
                    found.extend(template.variables().iter().filter(|name| seen.insert((*name).clone())).cloned());
                }
                Err(fault) => violations.push(fault.into_violation(&pointer)),
            }
        }
        if found.len() > VARIABLES_MAX {
            violations.push(too_many("/content"));
            return Vec::new();
        }
        let Some(declared) = declared else { return found };
        for (index, name) in declared.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            let is_name = match self.template_format {
                TemplateFormat::Mustache => templates::is_name(name),
                _ => templates::is_identifier(name),
            };
            if !is_name {
                let detail = "a variable is a letter or `_`, then letters, digits and `_`";
                violations.push(Violation::new(pointer, "not-an-identifier", detail));
            } else if declared[..index].contains(name) {
                violations.push(Violation::new(pointer, "duplicate", format!("`{name}` stands twice")));
            }
        }
        let missed: Vec<&str> = found.iter().filter(|name| !declared.contains(name)).map(String::as_str).collect();
        if !missed.is_empty() {
            let detail = format!("used in the content, and not among `variables`: {}", missed.join(", "));
            violations.push(Violation::new("/variables", "undeclared-variable", detail));
        }
        declared.to_vec()
    }
}

impl Body {
    /// Every text of it, with its pointer.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, &str)> {
        texts(self.content.as_deref(), self.messages.as_deref())
    }

    /// Is there anything in its texts that filling changes? Variables, or what only its format knows: comments, sections,
    /// doubled braces. Nothing, of a body without variables that is shown without its content.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        let is_plain = |(_, text): &(String, &str)| templates::is_plain(self.template_format, text);
        !self.variables.is_empty() || !self.texts().iter().all(is_plain)
    }

    /// The variables that whoever fills it may leave out, in the order of `variables`: the template knows what to do without
    /// them, or the schema says so, or has a default. A body that is shown without its content knows only the schema.
    #[must_use]
    pub fn optional_variables(&self) -> Vec<String> {
        let mut demands = Demands::default();
        for (_, text) in self.texts() {
            if let Ok(template) = Template::parse(self.template_format, text, Some(&self.variables)) {
                demands.extend(template.demands());
            }
        }
        let is_optional = |name: &&String| {
            let by_schema = self.input_schema.get(*name).is_some_and(|spec| !spec.required || spec.default.is_some());
            by_schema || demands.of(name).is_some_and(|demand| !demand.required)
        };
        self.variables.iter().filter(is_optional).cloned().collect()
    }
}

impl BodyRow {
    /// The body and its hash; nothing, if a column cannot be read, or the body is `whole` and not what was written: a bit
    /// that turned on the disk is never served.
    #[must_use]
    pub fn sound(self, whole: bool) -> Option<(Body, String)> {
        let (content, messages) = (self.content.map(|it| it.0), self.messages.map(|it| it.0));
        if matches!(content, Some(None)) || matches!(messages, Some(None)) {
            return None;
        }
        let Json(variables) = self.variables.0?;
        let Json(input_schema) = self.input_schema.0?;
        let Json(config) = self.config.0?;
        let body = Body {
            kind: self.kind.0?,
            content: content.flatten(),
            messages: messages.flatten().map(|Json(messages)| messages),
            template_format: TemplateFormat::from_written(&self.template_format.0?, self.template_engine.0?).ok()?,
            variables,
            input_schema,
            config,
        };
        let content_hash = self.content_hash.0?;
        (!whole || body.hash() == content_hash).then_some((body, content_hash))
    }
}

impl From<Body> for BodyDraft {
    fn from(body: Body) -> Self {
        let Body { kind, content, messages, template_format, variables, input_schema, config } = body;
        let variables = Some(variables);
        Self { kind: Some(kind), content, messages, template_format, variables, input_schema, config }
    }
}

fn texts<'a>(content: Option<&'a str>, messages: Option<&'a [Message]>) -> Vec<(String, &'a str)> {
    let content = content.map(|content| ("/content".to_owned(), content));
    let messages = messages.unwrap_or_default().iter().enumerate();
    let messages = messages.map(|(index, message)| (format!("/messages/{index}/content"), message.content.as_str()));
    content.into_iter().chain(messages).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::VariableSpec;

    fn text(content: &str) -> BodyDraft {
        BodyDraft { content: Some(content.to_owned()), ..BodyDraft::default() }
    }

    fn codes(draft: BodyDraft) -> Vec<&'static str> {
        draft.check().unwrap_err().into_iter().map(|violation| violation.code).collect()
    }

    #[test]
    fn variables_are_found_in_every_message() {
        let message = |role, content: &str| Message { role, content: content.to_owned() };
        let messages = vec![message(Role::System, "{{b}}"), message(Role::User, "{{a}} {{b}}")];
        let body = BodyDraft { messages: Some(messages), ..BodyDraft::default() }.check().unwrap();
        assert_eq!((body.kind, body.variables), (PromptType::Chat, vec!["b".to_owned(), "a".to_owned()]));
    }

    #[test]
    fn a_declared_list_must_name_every_variable_that_is_used() {
        let declared = |names: &[&str]| BodyDraft {
            variables: Some(names.iter().map(ToString::to_string).collect()),
            ..text("{{a}} {{b}}")
        };
        assert_eq!(declared(&["b", "a", "c"]).check().unwrap().variables, ["b", "a", "c"]);
        let violations = declared(&["a"]).check().unwrap_err();
        assert!(violations[0].detail.ends_with(": b"), "{violations:?}");
        assert_eq!(codes(declared(&["a", "b", "a"])), ["duplicate"]);
        assert_eq!(codes(declared(&["a", "b", "1 x"])), ["not-an-identifier"]);
        let simple = BodyDraft { template_format: TemplateFormat::Simple, ..declared(&["a", "b", "1x"]) };
        assert_eq!(codes(simple), ["not-an-identifier"]);
    }

    #[test]
    fn content_is_one_byte_to_512_kib_without_nul() {
        assert!(text(&"x".repeat(CONTENT_BYTES_MAX)).check().is_ok());
        assert_eq!(codes(text(&"x".repeat(CONTENT_BYTES_MAX + 1))), ["too-long"]);
        assert_eq!(codes(text("")), ["required"]);
        assert_eq!(codes(text("a\0b")), ["nul-character"]);
    }

    #[test]
    fn config_and_input_schema_are_at_most_64_kib() {
        let long = |bytes| Map::from_iter([("stop".to_owned(), Value::from("x".repeat(bytes)))]);
        assert!(BodyDraft { config: long(64_000), ..text("x") }.check().is_ok());
        assert_eq!(codes(BodyDraft { config: long(65_536), ..text("x") }), ["too-long"]);
        let spec = VariableSpec { description: Some("x".repeat(65_536)), ..VariableSpec::default() };
        assert_eq!(codes(BodyDraft { input_schema: [("a".to_owned(), spec)].into(), ..text("x") }), ["too-long"]);
    }

    #[test]
    fn type_content_and_messages_must_fit() {
        assert_eq!(codes(BodyDraft::default()), ["required"]);
        assert_eq!(codes(BodyDraft { kind: Some(PromptType::Chat), ..text("x") }), ["does-not-fit"]);
        assert_eq!(codes(BodyDraft { messages: Some(vec![]), ..text("x") }), ["not-together", "out-of-range"]);
    }
}
