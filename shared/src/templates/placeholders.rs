//! Where the placeholders of a template stand, for whoever looks at its text without filling it.
use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

use super::fill::Template;
use super::format::TemplateFormat;
use super::model::Fault;
use super::sandbox::syntax;
use super::{fstring, mustache, simple, simple_fstring};

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
        TemplateFormat::Simple => simple::spans(text),
        TemplateFormat::SimpleFstring => simple_fstring::spans(text, declared),
        TemplateFormat::None => Vec::new(),
        TemplateFormat::Mustache => {
            Template::parse(format, text, None)?;
            return Ok(mustache::places(text)?.0);
        }
        TemplateFormat::Fstring => return fstring::places(text),
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

/// How far the end of braces that are not read is looked for, in bytes.
const REACH: usize = 200;

/// Where braces look like placeholders and are left as they stand, in order: from the first brace to the last, if that is near.
/// Formats that refuse what they cannot read have none.
#[must_use]
pub fn unread(format: TemplateFormat, text: &str, declared: Option<&[String]>) -> Vec<Range<usize>> {
    let starts: Vec<usize> = match format {
        TemplateFormat::Mustache => {
            mustache::places(text).map_or_else(|_| Vec::new(), |(_, others)| others.iter().map(|it| it.start).collect())
        }
        TemplateFormat::Simple => {
            let read = simple::spans(text);
            let mut starts = Vec::new();
            for (start, _) in text.match_indices("{{") {
                let after = read.partition_point(|(range, _)| range.end <= start);
                // Of three braces the inner two count; what stands between is filled, and the outer ones stay.
                let is_read = read.get(after).is_some_and(|(range, _)| range.start <= start);
                let is_inner = starts.last().is_some_and(|last| last + 2 > start);
                if !is_read && !is_inner {
                    starts.push(start);
                }
            }
            starts
        }
        TemplateFormat::SimpleFstring => {
            let read = simple_fstring::spans(text, declared);
            let is_read = |start: usize| read.binary_search_by_key(&start, |(range, _)| range.start).is_ok();
            let looks_so =
                |start: &usize| !is_read(*start) && simple_fstring::looks_like_a_field(&text[*start..], declared);
            text.match_indices('{').map(|(start, _)| start).filter(looks_so).collect()
        }
        TemplateFormat::Jinja2 | TemplateFormat::Fstring | TemplateFormat::None => Vec::new(),
    };
    let close = if format == TemplateFormat::SimpleFstring { "}" } else { "}}" };
    let range = |start: usize| {
        let open = start + close.len();
        let near = &text[open..text.floor_char_boundary((open + REACH).min(text.len()))];
        start..near.find(close).map_or(open, |end| open + end + close.len())
    };
    starts.into_iter().map(range).collect()
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
