//! A parsed template of any format, and how it is filled.
use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use super::bind::Bound;
use super::demand::Demands;
use super::format::TemplateFormat;
use super::fstring::Fstring;
use super::jinja::Jinja;
use super::model::Fault;
use super::mustache::{self, Mustache};
use super::{simple, simple_fstring};
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
    demands: Arc<Demands>,
}

#[derive(Clone, Debug)]
enum Body {
    Pieces(Arc<[Piece]>),
    Mustache(Arc<Mustache>),
    Fstring(Arc<Fstring>),
    Jinja(Jinja),
}

/// The bytes of a placeholder, and its name.
pub(super) type Span<'t> = (Range<usize>, &'t str);

/// A part of a template that has no logic.
#[derive(Debug)]
enum Piece {
    /// Stays as it is.
    Text(String),
    /// Is replaced by the value of this name, and stands there like this.
    Variable { name: String, written: String },
}

impl Template {
    /// Reads a template. `declared` are the variables that the author named, if the author did; only
    /// [`TemplateFormat::SimpleFstring`] needs them, and replaces no others.
    ///
    /// # Errors
    /// What the format cannot read, and what it could never fill. [`TemplateFormat::Simple`],
    /// [`TemplateFormat::SimpleFstring`] and [`TemplateFormat::None`] read everything.
    pub fn parse(format: TemplateFormat, text: &str, declared: Option<&[String]>) -> Result<Self, Fault> {
        let pieces = match format {
            TemplateFormat::Simple => pieces(text, simple::spans(text)),
            TemplateFormat::SimpleFstring => pieces(text, simple_fstring::spans(text, declared)),
            TemplateFormat::None => vec![Piece::Text(text.to_owned())],
            TemplateFormat::Mustache => {
                let (mustache, demands) = Mustache::parse(text)?;
                return Ok(Self { body: Body::Mustache(mustache.into()), demands: demands.into() });
            }
            TemplateFormat::Fstring => {
                let (fstring, demands) = Fstring::parse(text)?;
                return Ok(Self { body: Body::Fstring(fstring.into()), demands: demands.into() });
            }
            TemplateFormat::Jinja2 => {
                let (jinja, demands) = Jinja::parse(text)?;
                return Ok(Self { body: Body::Jinja(jinja), demands: demands.into() });
            }
        };
        let mut demands = Demands::default();
        for piece in &pieces {
            if let Piece::Variable { name, .. } = piece {
                demands.demand(name);
            }
        }
        Ok(Self { body: Body::Pieces(pieces.into()), demands: demands.into() })
    }

    /// The variables, in order of first use, each once.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        self.demands.names()
    }

    /// What is asked of the variables.
    #[must_use]
    pub fn demands(&self) -> &Demands {
        &self.demands
    }

    /// Inserts the values. They are inserted once and never rendered again; a name without a value becomes nothing.
    ///
    /// # Errors
    /// `template-limit` where the values add more than 1 MiB, or the engine needs more than it gets; `template-render`
    /// where the engine cannot do with these values what the template says; `missing-variables` where a section of Mustache
    /// prints a name that has none; `overloaded` where it could not begin in time.
    pub async fn fill(&self, bound: &Bound, allowance: &mut Allowance) -> Result<String, Unfilled> {
        match &self.body {
            Body::Pieces(pieces) => Ok(insert(pieces, bound, allowance)?),
            Body::Mustache(mustache) => mustache.fill(bound, allowance),
            Body::Fstring(fstring) => fstring.fill(bound, allowance),
            Body::Jinja(jinja) => jinja.fill(bound, allowance).await,
        }
    }
}

/// Is it a text without variables that filling does not change? A text that the format cannot read is not.
#[must_use]
pub fn is_plain(format: TemplateFormat, text: &str) -> bool {
    match format {
        TemplateFormat::None => true,
        TemplateFormat::Simple => simple::spans(text).is_empty(),
        TemplateFormat::SimpleFstring => simple_fstring::spans(text, None).is_empty(),
        TemplateFormat::Mustache => Mustache::parse(text).is_ok_and(|(mustache, _)| mustache.is_plain(text)),
        TemplateFormat::Fstring => !text.contains(['{', '}']),
        TemplateFormat::Jinja2 => !["{{", "{%", "{#"].iter().any(|tag| text.contains(tag)),
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
        pieces.push(Piece::Variable { name: name.to_owned(), written: text[range.clone()].to_owned() });
        kept = range.end;
    }
    pieces.push(Piece::Text(text[kept..].to_owned()));
    pieces
}

/// Text as it is, `null` as nothing, and anything else as compact JSON.
fn insert(pieces: &[Piece], bound: &Bound, allowance: &mut Allowance) -> Result<String, Fault> {
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Variable { name, written } if bound.left.contains(name) => filled.push_str(written),
            Piece::Variable { name, .. } => {
                let before = filled.len();
                if let Some(value) = bound.values.get(name) {
                    mustache::print(value, &mut filled);
                }
                allowance.take(filled.len() - before)?;
            }
        }
    }
    Ok(filled)
}
