//! A parsed template of any format, and how it is filled.
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::jinja::Jinja;
use super::model::{Fault, TemplateFormat};
use super::{fstring, mustache};
use crate::error::Error;

/// How many bytes the values may add to the texts of a prompt.
const MAX_OUTPUT: usize = 1024 * 1024;

/// What the texts of one prompt may use together: a chat has hundreds.
#[derive(Debug)]
pub struct Allowance {
    bytes: usize,
    /// When renders must have ended, once the first has begun.
    pub(super) ends: Option<Instant>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { bytes: MAX_OUTPUT, ends: None }
    }
}

impl Allowance {
    /// Uses up so many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or_else(|| Fault::limit("the values add more than 1 MiB"))?;
        Ok(())
    }
}

/// A parsed template. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Template {
    body: Body,
    variables: Arc<[String]>,
}

#[derive(Clone, Debug)]
enum Body {
    Pieces(Arc<[Piece]>),
    Jinja(Jinja),
}

/// The bytes of a placeholder, and its name.
pub(super) type Span<'t> = (Range<usize>, &'t str);

/// A part of a template that has no logic.
#[derive(Debug)]
enum Piece {
    /// Stays as it is.
    Text(String),
    /// Is replaced by the value of this name.
    Variable(String),
}

impl Template {
    /// Reads a template. `declared` are the variables that the author named, if the author did; only
    /// [`TemplateFormat::Fstring`] needs them, and replaces no others.
    ///
    /// # Errors
    /// Only [`TemplateFormat::Jinja2`] knows faults: syntax, something forbidden, and text of more than 64 KiB.
    pub fn parse(format: TemplateFormat, text: &str, declared: Option<&[String]>) -> Result<Self, Fault> {
        let pieces = match format {
            TemplateFormat::Mustache => pieces(text, mustache::spans(text)),
            TemplateFormat::Fstring => pieces(text, fstring::spans(text, declared)),
            TemplateFormat::None => vec![Piece::Text(text.to_owned())],
            TemplateFormat::Jinja2 => {
                let (jinja, variables) = Jinja::parse(text)?;
                return Ok(Self { body: Body::Jinja(jinja), variables: variables.into() });
            }
        };
        let mut seen = HashSet::new();
        let variables = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Variable(name) if seen.insert(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        Ok(Self { body: Body::Pieces(pieces.into()), variables })
    }

    /// The variables, in order of first use, each once.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Inserts the values. They are inserted once and never rendered again; a name without a value becomes nothing.
    ///
    /// # Errors
    /// `template-limit` where the values add more than 1 MiB, or Jinja2 needs more than it gets; `template-render`
    /// where Jinja2 cannot do with these values what the template says; `overloaded` where it could not begin in time.
    pub async fn fill(&self, values: &Map<String, Value>, allowance: &mut Allowance) -> Result<String, Unfilled> {
        match &self.body {
            Body::Pieces(pieces) => Ok(insert(pieces, values, allowance)?),
            Body::Jinja(jinja) => {
                let all_given = self.variables.iter().all(|name| values.contains_key(name));
                jinja.fill(values, all_given, allowance).await
            }
        }
    }
}

/// Why a template was not filled.
#[derive(Debug)]
pub enum Unfilled {
    /// It is at fault.
    Fault(Fault),
    /// It is not.
    Refused(Error),
}

impl From<Fault> for Unfilled {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Unfilled {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl Unfilled {
    /// As an error of the domain; a fault is one at the field that holds the template.
    #[must_use]
    pub fn into_error(self, pointer: &str) -> Error {
        match self {
            Self::Fault(fault) => fault.into_error(pointer),
            Self::Refused(error) => error,
        }
    }
}

/// Splits the text into what stays and what is replaced.
fn pieces(text: &str, spans: Vec<Span<'_>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut kept = 0;
    for (range, name) in spans {
        pieces.push(Piece::Text(text[kept..range.start].to_owned()));
        pieces.push(Piece::Variable(name.to_owned()));
        kept = range.end;
    }
    pieces.push(Piece::Text(text[kept..].to_owned()));
    pieces
}

/// Text as it is, `null` as nothing, and anything else as compact JSON.
fn insert(pieces: &[Piece], values: &Map<String, Value>, allowance: &mut Allowance) -> Result<String, Fault> {
    let mut filled = String::new();
    for piece in pieces {
        let name = match piece {
            Piece::Text(text) => {
                filled.push_str(text);
                continue;
            }
            Piece::Variable(name) => name,
        };
        let before = filled.len();
        match values.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => filled.push_str(text),
            Some(other) => filled.push_str(&other.to_string()),
        }
        allowance.take(filled.len() - before)?;
    }
    Ok(filled)
}
