//! Python's `str.format` on names: `{name}`, `{name!r}`, `{name:>10.2f}`, and doubled braces for braces.
//!
//! A field is a name: no attribute, no index, no position, no expression. What Python would refuse whatever the values are,
//! and what is not done here, is refused when the template is read, with what to write instead.
use std::ops::Range;

use serde_json::Value;

use super::bind::Bound;
use super::demand::Demands;
use super::fill::{Allowance, Unfilled};
use super::model::{Fault, identifier_len};
use super::placeholders::Placeholder;
use super::python;
use super::python_format::Spec;

/// A parsed template.
#[derive(Debug)]
pub(super) struct Fstring {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Field { name: String, conversion: Option<Conversion>, spec: Spec },
}

/// What becomes of a value before it is formatted.
#[derive(Clone, Copy, Debug)]
enum Conversion {
    Str,
    Repr,
    Ascii,
}

/// A field as it stands in a text.
struct Field<'t> {
    range: Range<usize>,
    name: &'t str,
    conversion: Option<Conversion>,
    spec: Spec,
}

impl Fstring {
    /// Reads a template, and what it asks of its variables. Takes time linear in the text.
    pub(super) fn parse(text: &str) -> Result<(Self, Demands), Fault> {
        let mut demands = Demands::default();
        let mut pieces = Vec::new();
        read(text, |part| {
            pieces.push(match part {
                Part::Text(text) => Piece::Text(text.to_owned()),
                Part::Field(Field { name, conversion, spec, .. }) => {
                    demands.demand(name);
                    Piece::Field { name: name.to_owned(), conversion, spec }
                }
            });
        })?;
        Ok((Self { pieces }, demands))
    }

    /// Puts values where their names stand, as Python formats them. A name without a value becomes nothing.
    pub(super) fn fill(&self, bound: &Bound, allowance: &mut Allowance) -> Result<String, Unfilled> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Field { name, conversion, spec } => {
                    let Some(value) = bound.values.get(name) else { continue };
                    let printed = format(value, *conversion, spec).map_err(|detail| Fault {
                        code: Fault::RENDER,
                        line: 1,
                        column: 1,
                        detail: format!("`{name}`: {detail}"),
                    })?;
                    allowance.take(printed.len())?;
                    filled.push_str(&printed);
                }
            }
        }
        Ok(filled)
    }
}

fn format(value: &Value, conversion: Option<Conversion>, spec: &Spec) -> Result<String, String> {
    match conversion {
        None => spec.format(value),
        Some(Conversion::Str) => spec.format(&python::str(value).into()),
        Some(Conversion::Repr) => spec.format(&python::repr(value).into()),
        Some(Conversion::Ascii) => spec.format(&python::ascii(value).into()),
    }
}

/// Where the fields stand.
pub(super) fn places(text: &str) -> Result<Vec<Placeholder>, Fault> {
    let mut places = Vec::new();
    read(text, |part| {
        if let Part::Field(field) = part {
            let variables = vec![field.name.to_owned()];
            places.push(Placeholder { range: field.range, variables, filters: Vec::new(), inserts: true });
        }
    })?;
    Ok(places)
}

enum Part<'t> {
    Text(&'t str),
    Field(Field<'t>),
}

fn read<'t>(text: &'t str, mut found: impl FnMut(Part<'t>)) -> Result<(), Fault> {
    let mut from = 0;
    while let Some(at) = text[from..].find(['{', '}']).map(|at| from + at) {
        let rest = &text[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            found(Part::Text(&text[from..=at]));
            from = at + 2;
            continue;
        }
        if rest.starts_with('}') {
            let detail = "a single `}` ends nothing; write `}}` for the character";
            return Err(Fault::at(text, at, Fault::SYNTAX, detail));
        }
        if at > from {
            found(Part::Text(&text[from..at]));
        }
        let field = field(text, at)?;
        from = field.range.end;
        found(Part::Field(field));
    }
    if from < text.len() {
        found(Part::Text(&text[from..]));
    }
    Ok(())
}

/// The field that begins there.
fn field(text: &str, at: usize) -> Result<Field<'_>, Fault> {
    let refuse = |code, detail: String| Fault::at(text, at, code, detail);
    let inside = &text[at + 1..];
    let name = &inside[..identifier_len(inside)];
    let rest = &inside[name.len()..];
    let begins = |mark: char| rest.starts_with(mark);
    if name.is_empty() || !(begins('}') || begins('!') || begins(':')) {
        return Err(no_name(text, at, name, rest));
    }
    let (conversion, rest) = match rest.strip_prefix('!') {
        None => (None, rest),
        Some(converted) => {
            let conversion = match converted.chars().next() {
                Some('s') => Conversion::Str,
                Some('r') => Conversion::Repr,
                Some('a') => Conversion::Ascii,
                _ => return Err(refuse(Fault::SYNTAX, format!("`{name}!` is followed by `s`, `r` or `a`"))),
            };
            (Some(conversion), &converted[1..])
        }
    };
    let (spec, rest) = match rest.strip_prefix(':') {
        None => ("", rest),
        Some(spec) => spec.split_at(spec.find(['{', '}']).unwrap_or(spec.len())),
    };
    if rest.starts_with('{') {
        let detail = format!("`{name}` has a field in its format; write the width as a number");
        return Err(refuse(Fault::FORBIDDEN, detail));
    }
    if !rest.starts_with('}') {
        return Err(refuse(Fault::SYNTAX, format!("`{{{name}` is not closed; write `{{{{` for the character")));
    }
    let spec = Spec::parse(spec).map_err(|detail| refuse(Fault::SYNTAX, format!("`{name}`: {detail}")))?;
    Ok(Field { range: at..text.len() - rest.len() + 1, name, conversion, spec })
}

/// Why what stands in braces is no name.
fn no_name(text: &str, at: usize, name: &str, rest: &str) -> Fault {
    let (code, detail) = match rest.chars().next() {
        Some('.' | '[') if !name.is_empty() => (
            Fault::FORBIDDEN,
            format!("`{name}` is used with an attribute or an index; give that value a name of its own"),
        ),
        Some('}') => (Fault::FORBIDDEN, "a field without a name; give it one, or write `{{}}` for the braces".to_owned()),
        Some(digit) if name.is_empty() && digit.is_ascii_digit() => {
            (Fault::FORBIDDEN, "a field with a number; give it a name".to_owned())
        }
        None => (Fault::SYNTAX, format!("`{{{name}` is not closed; write `{{{{` for the character")),
        Some(_) => (
            Fault::SYNTAX,
            "what stands in single braces is the name of a variable; write `{{` and `}}` for braces that are text, or use \
             the format `simple_fstring`, which leaves them"
                .to_owned(),
        ),
    };
    Fault::at(text, at, code, detail)
}
