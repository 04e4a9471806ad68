//! Filling texts with values.
use serde_json::{Map, Value};

use super::{RenderRequest, Rendered};
use crate::{
    error::{Error, Result},
    prompts::Prompt,
    templates::{self, Allowance, Demands, Given, InputSchema, Template, TemplateFormat},
    versions::{BodyDraft, Message},
};

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
    let Filled { texts, variables, optional_variables, unused, .. } = filled;
    let (filled_content, filled_messages) = reassemble(body.messages.as_deref(), Some(texts));
    Ok(Rendered { filled_content, filled_messages, variables, optional_variables, unused })
}

/// Texts that were filled.
pub(super) struct Filled {
    /// In their order.
    pub(super) texts: Vec<String>,
    /// The variables that were found in them.
    pub(super) variables: Vec<String>,
    /// Those that need no value.
    pub(super) optional_variables: Vec<String>,
    /// Names that were given and stand nowhere.
    pub(super) unused: Vec<String>,
    /// What they were filled with.
    pub(super) values: Map<String, Value>,
}

/// Fills a prompt. The variables of one that is no template are left as they stand.
pub(super) async fn fill_prompt(prompt: &Prompt, given: Given) -> Result<Filled> {
    let body = &prompt.body;
    if prompt.is_template || body.variables.is_empty() {
        return fill(&body.texts(), body.template_format, &body.variables, &body.input_schema, given).await;
    }
    let unused = templates::bind(&Demands::default(), &InputSchema::new(), given)?.unused;
    let texts = body.texts().into_iter().map(|(_, text)| text.to_owned()).collect();
    Ok(Filled { texts, variables: Vec::new(), optional_variables: Vec::new(), unused, values: Map::new() })
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
    let mut demands = Demands::default();
    for (pointer, text) in texts {
        let template = Template::parse(format, text, Some(declared)).map_err(|fault| fault.into_error(pointer))?;
        demands.extend(template.demands());
        parsed.push((pointer, template));
    }
    let given = match given {
        Given::Partial(values) if !matches!(format, TemplateFormat::Simple | TemplateFormat::SimpleFstring) => {
            Given::Query(values)
        }
        given => given,
    };
    let bound = templates::bind(&demands, schema, given)?;
    let (mut filled, mut allowance) = (Vec::with_capacity(parsed.len()), Allowance::default());
    for (pointer, template) in parsed {
        filled.push(template.fill(&bound, &mut allowance).await.map_err(|unfilled| unfilled.into_error(pointer))?);
    }
    let is_optional = |name: &&str| {
        demands.of(name).is_some_and(|demand| !demand.required)
            || schema.get(*name).is_some_and(|spec| !spec.required || spec.default.is_some())
    };
    let variables = demands.names().to_vec();
    let optional_variables = variables.iter().map(String::as_str).filter(is_optional).map(str::to_owned).collect();
    Ok(Filled { texts: filled, variables, optional_variables, unused: bound.unused, values: bound.values })
}

/// The texts of a text prompt are one, those of a chat prompt its messages.
pub(super) fn reassemble(
    messages: Option<&[Message]>,
    texts: Option<Vec<String>>,
) -> (Option<String>, Option<Vec<Message>>) {
    match (messages, texts) {
        (None, texts) => (texts.and_then(|texts| texts.into_iter().next()), None),
        (Some(_), None) => (None, None),
        (Some(messages), Some(texts)) => {
            let filled = messages.iter().zip(texts).map(|(message, content)| Message { role: message.role, content });
            (None, Some(filled.collect()))
        }
    }
}
