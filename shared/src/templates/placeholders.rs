//! Where the placeholders of a template stand, for whoever looks at its text without filling it.
use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

use super::fill::Template;
use super::model::{Fault, TemplateFormat};
use super::sandbox::syntax;
use super::{fstring, mustache};

/// A place in a template where variables are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Its bytes, delimiters included.
    pub range: Range<usize>,
    /// The variables it uses, each once. What the template sets itself is none.
    pub variables: Vec<String>,
    /// The filters it applies.
    pub filters: Vec<String>,
    /// Is a value put there? A tag of Jinja2 only decides.
    pub inserts: bool,
}

impl Placeholder {
    fn uses(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| variable == name)
    }
}

/// The placeholders, in the order they stand in. `declared` is as in [`Template::parse`].
///
/// # Errors
/// As [`Template::parse`].
pub fn placeholders(
    format: TemplateFormat,
    text: &str,
    declared: Option<&[String]>,
) -> Result<Vec<Placeholder>, Fault> {
    let spans = match format {
        TemplateFormat::Mustache => mustache::spans(text),
        TemplateFormat::Fstring => fstring::spans(text, declared),
        TemplateFormat::None => Vec::new(),
        TemplateFormat::Jinja2 => return jinja(text),
    };
    let placeholder = |(range, name): (_, &str)| Placeholder {
        range,
        variables: vec![name.to_owned()],
        filters: Vec::new(),
        inserts: true,
    };
    Ok(spans.into_iter().map(placeholder).collect())
}

/// The sandbox says which names are variables, the tokens say where they are.
fn jinja(text: &str) -> Result<Vec<Placeholder>, Fault> {
    let template = Template::parse(TemplateFormat::Jinja2, text, None)?;
    let known: HashSet<&str> = template.variables().iter().map(String::as_str).collect();
    let mut found = Vec::new();
    let mut open = Placeholder { range: 0..0, variables: Vec::new(), filters: Vec::new(), inserts: false };
    let (mut after_dot, mut after_pipe) = (false, false);
    for (token, span) in tokenize(text, false, syntax()).flatten() {
        match token {
            Token::VariableStart | Token::BlockStart => {
                let start = span.start_offset as usize;
                let inserts = matches!(token, Token::VariableStart);
                open = Placeholder { range: start..start, variables: Vec::new(), filters: Vec::new(), inserts };
            }
            Token::VariableEnd | Token::BlockEnd => {
                let mut closed = open.clone();
                closed.range.end = span.end_offset as usize;
                if closed.inserts || !closed.variables.is_empty() {
                    found.push(closed);
                }
            }
            Token::Ident(name) if after_pipe => open.filters.push(name.to_owned()),
            Token::Ident(name) if !after_dot && known.contains(name) && !open.uses(name) => {
                open.variables.push(name.to_owned());
            }
            _ => {}
        }
        (after_dot, after_pipe) = (matches!(token, Token::Dot), matches!(token, Token::Pipe));
    }
    Ok(found)
}
