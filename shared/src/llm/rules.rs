//! No model: the changes that the lint offers, made until it offers none.
use futures::{FutureExt, future::BoxFuture};
use serde_json::json;

use super::{Ask, Fault, Llm, Said, frame};
use crate::{
    lint::{self, Content, Options, Speaker, Text},
    templates::{InputSchema, TemplateFormat},
};

/// A change may show what another rule can change; it does not go on for ever.
const ROUNDS_MAX: usize = 5;

pub(super) struct Rules;

impl Llm for Rules {
    fn model(&self) -> Option<&str> {
        None
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>> {
        let subject = Subject::of(ask.prompt);
        // A long prompt takes a while.
        let mended = tokio::task::spawn_blocking(move || subject.mended());
        async move {
            let text = frame::put(&mended.await.expect("rules end"));
            Ok(Said { text, ..Said::default() })
        }
        .boxed()
    }
}

/// What is to be mended.
struct Subject {
    parts: Vec<String>,
    speakers: Option<Vec<Speaker>>,
    format: TemplateFormat,
    declared: Option<Vec<String>>,
    schema: InputSchema,
    read_by_program: bool,
}

impl Subject {
    fn of(text: &Text<'_>) -> Self {
        let (parts, speakers) = match &text.content {
            Content::Whole(content) => (vec![(*content).to_owned()], None),
            Content::Messages(messages) => {
                let parts = messages.iter().map(|(_, content)| (*content).to_owned());
                (parts.collect(), Some(messages.iter().map(|(speaker, _)| *speaker).collect()))
            }
        };
        Self {
            parts,
            speakers,
            format: text.format,
            declared: text.declared.map(<[String]>::to_vec),
            schema: text.schema.clone(),
            read_by_program: text.read_by_program,
        }
    }

    fn text(&self) -> Text<'_> {
        let content = match &self.speakers {
            None => Content::Whole(&self.parts[0]),
            Some(speakers) => Content::Messages(
                speakers.iter().zip(&self.parts).map(|(speaker, content)| (*speaker, content.as_str())).collect(),
            ),
        };
        Text {
            content,
            format: self.format,
            declared: self.declared.as_deref(),
            schema: &self.schema,
            read_by_program: self.read_by_program,
        }
    }

    /// As an answer says it: the text, or the messages as JSON.
    fn mended(mut self) -> String {
        for _ in 0..ROUNDS_MAX {
            let text = self.text();
            let findings = lint::check(&text, &Options::default()).findings;
            let parts = lint::apply(&text, &findings).parts;
            if parts == self.parts {
                break;
            }
            self.parts = parts;
        }
        match self.speakers {
            None => self.parts.concat(),
            Some(_) => {
                json!(self.parts.iter().map(|content| json!({ "content": content })).collect::<Vec<_>>()).to_string()
            }
        }
    }
}
