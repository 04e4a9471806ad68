//! The hot read: "give me my prompt, filled".
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    ab_testing::{self, Experiment, Subject},
    analytics,
    app::App,
    caller::Caller,
    clock::Timestamp,
    error::{Error, Result},
    id::PromptId,
    prompts::{self, LifecycleStatus, PRODUCTION, Prompt, Selector, ServedVersion, Show},
    relationships,
    templates::{self, Given, InputSchema, Template, TemplateFormat},
    versions::{BodyDraft, Message},
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

/// Reads a prompt by its name and fills it. That counts as a use of it. Where a test is behind the label that it is read
/// by, a reader who takes part gets the arm in its place.
pub async fn get(
    app: &App,
    reader: &Reader,
    (category, name): (&str, &str),
    selector: &Selector,
    show: Show,
    given: Variables,
) -> Result<Served> {
    let prompt = prompts::find_by_name(app, category, name, selector, show).await?;
    let deprecation = standing(app, &prompt).await?;
    let (prompt, served) = in_test(app, reader, prompt, selector, show, given.as_ref()).await?;
    let fill = |given: Given| async {
        let body = &prompt.body;
        if prompt.is_template {
            fill(&body.texts(), body.template_format, &body.variables, &body.input_schema, given).await
        } else {
            let unused = templates::bind(&[], &InputSchema::new(), given)?.unused;
            Ok(Filled { texts: verbatim(&prompt), variables: Vec::new(), unused, values: Map::new() })
        }
    };
    let filled = match given {
        Some(given) => Some(fill(given).await?),
        None if prompt.is_template && !prompt.body.variables.is_empty() => None,
        None => Some(fill(Given::Json(Map::new())).await?),
    };
    if let Some(filled) = &filled {
        analytics::count_values(app, prompt.id, prompt.version, &filled.values);
    }
    let unused = filled.as_ref().map(|filled| filled.unused.clone()).unwrap_or_default();
    let texts = filled.map(|filled| filled.texts);
    let (filled_content, filled_messages) = reassemble(prompt.body.messages.as_deref(), texts);
    app.uses.add(prompt.id, prompt.version, 1);
    Ok(Served { prompt, filled_content, filled_messages, unused, served, deprecation })
}

/// What the reader of a label gets: its prompt, or the arm of the test behind it.
async fn in_test(
    app: &App,
    reader: &Reader,
    prompt: Prompt,
    selector: &Selector,
    show: Show,
    given: Option<&Given>,
) -> Result<(Prompt, ServedAs)> {
    let label = match selector {
        Selector::Production => Some(PRODUCTION),
        Selector::Label(label) => Some(label.as_str()),
        Selector::Latest | Selector::Version(_) => None,
    };
    if let Some(label) = label {
        let context = given.map(Given::texts).unwrap_or_default();
        let arm = ab_testing::behind(app, &reader.caller, (prompt.id, label), &reader.subject, &context).await?;
        if let Some((experiment, prompt_id, selector)) = arm {
            match arm_of(app, prompt_id, &selector, show).await {
                Ok(prompt) => {
                    let version = ServedVersion::of(&prompt, &selector);
                    return Ok((prompt, ServedAs { version, experiment: Some(experiment) }));
                }
                // Whoever reads a label gets what it points at, whatever has become of the arm.
                Err(error) if error.is_refusal() => {
                    tracing::warn!(test = %experiment.test_id, error = error.for_log(), "an arm cannot be served");
                }
                Err(error) => return Err(error),
            }
        }
    }
    let version = ServedVersion::of(&prompt, selector);
    Ok((prompt, ServedAs { version, experiment: None }))
}

async fn arm_of(app: &App, id: PromptId, selector: &Selector, show: Show) -> Result<Prompt> {
    let prompt = prompts::get(app, id, selector, show).await?;
    standing(app, &prompt).await?;
    Ok(prompt)
}

/// Refuses an archived prompt; of a deprecated one it tells what to use instead.
async fn standing(app: &App, prompt: &Prompt) -> Result<Option<Deprecation>> {
    match prompt.lifecycle_status {
        LifecycleStatus::Draft | LifecycleStatus::Published => Ok(None),
        LifecycleStatus::Deprecated => {
            let mut successor_id = prompt.successor_id;
            if successor_id.is_none() {
                successor_id = relationships::successor(&mut app.db.read().await?, prompt.id).await?;
            }
            let since = prompt.status_changed_at.unwrap_or(prompt.updated_at);
            Ok(Some(Deprecation { since, sunset_at: prompt.sunset_at, successor_id }))
        }
        LifecycleStatus::Archived => {
            let instead = prompt.successor_id.map_or(String::new(), |id| format!("; `{id}` is its successor"));
            let detail = format!("the prompt is archived, and can be read by its id `{}`{instead}", prompt.id);
            Err(Error::conflict("archived", detail))
        }
    }
}

/// Reads and fills prompts by name, each by itself: one that cannot be served does not spoil the others.
pub async fn batch(app: &App, reader: &Reader, items: Vec<BatchItem>) -> Result<Vec<Result<Served>>> {
    if items.is_empty() || items.len() > BATCH_MAX {
        let detail = format!("give 1 to {BATCH_MAX} prompts at once");
        return Err(Error::invalid("/items", "out-of-range", detail));
    }
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(match Selector::new(item.version, item.label, Selector::Production) {
            Ok(selector) => {
                let given = item.variables.map(Given::Json);
                get(app, reader, (&item.category, &item.name), &selector, Show::PROMPT, given).await
            }
            Err(error) => Err(error),
        });
    }
    Ok(results)
}

/// Fills a template without storing it.
pub async fn render(request: RenderRequest) -> Result<Rendered> {
    let body = BodyDraft {
        content: request.content,
        messages: request.messages,
        template_format: request.template_format.unwrap_or_default(),
        variables: request.declared,
        input_schema: request.input_schema.unwrap_or_default(),
        ..BodyDraft::default()
    }
    .check()
    .map_err(Error::from_violations)?;
    let given = Given::Json(request.variables.unwrap_or_default());
    let filled = fill(&body.texts(), body.template_format, &body.variables, &body.input_schema, given).await?;
    let (filled_content, filled_messages) = reassemble(body.messages.as_deref(), Some(filled.texts));
    Ok(Rendered { filled_content, filled_messages, variables: filled.variables, unused: filled.unused })
}

struct Filled {
    texts: Vec<String>,
    variables: Vec<String>,
    unused: Vec<String>,
    values: Map<String, Value>,
}

/// Fills every text with one set of values. A variable that is declared and used nowhere needs no value.
async fn fill(
    texts: &[(String, &str)],
    format: TemplateFormat,
    declared: &[String],
    schema: &InputSchema,
    given: Given,
) -> Result<Filled> {
    let mut parsed = Vec::with_capacity(texts.len());
    let mut variables: Vec<String> = Vec::new();
    for (pointer, text) in texts {
        let template = Template::parse(format, text, Some(declared)).map_err(|fault| fault.into_error(pointer))?;
        for name in template.variables() {
            if !variables.contains(name) {
                variables.push(name.clone());
            }
        }
        parsed.push((pointer, template));
    }
    let bound = templates::bind(&variables, schema, given)?;
    let mut filled = Vec::with_capacity(parsed.len());
    for (pointer, template) in parsed {
        filled.push(template.fill(&bound.values).await.map_err(|fault| fault.into_error(pointer))?);
    }
    Ok(Filled { texts: filled, variables, unused: bound.unused, values: bound.values })
}

fn verbatim(prompt: &Prompt) -> Vec<String> {
    prompt.body.texts().into_iter().map(|(_, text)| text.to_owned()).collect()
}

/// The texts of a text prompt are one, those of a chat prompt its messages.
fn reassemble(messages: Option<&[Message]>, texts: Option<Vec<String>>) -> (Option<String>, Option<Vec<Message>>) {
    match (messages, texts) {
        (None, texts) => (texts.and_then(|texts| texts.into_iter().next()), None),
        (Some(_), None) => (None, None),
        (Some(messages), Some(texts)) => {
            let filled = messages.iter().zip(texts).map(|(message, content)| Message { role: message.role, content });
            (None, Some(filled.collect()))
        }
    }
}
