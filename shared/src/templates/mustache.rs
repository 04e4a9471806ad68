//! Mustache, without HTML escaping: values, sections, inverted sections, dotted names and comments.
//!
//! A tag's name is `[\w-]+(\.[\w-]+)*`, or `.` inside of a section. Other braces, as JSON has them, are text. A section, a
//! comment and their like on a line of their own take the line with them. Partials and other delimiters are refused, as is
//! what belongs to Handlebars. A name that has no value where it is to be printed is refused, too.
use std::ops::Range;

use serde_json::Value;

use super::bind::{Bound, missing_variables};
use super::demand::{Demand, Demands};
use super::fill::{Allowance, Unfilled};
use super::model::Fault;
use super::placeholders::Placeholder;

/// How many sections may be open at once.
const MAX_DEPTH: usize = 32;

/// How many values and items of sections a template may go through.
const MAX_STEPS: usize = 200_000;

/// What some write in Mustache that is Handlebars.
const HANDLEBARS: [&str; 4] = ["if", "unless", "each", "with"];

/// A parsed template.
#[derive(Debug)]
pub(super) struct Mustache {
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Text(String),
    /// Printed.
    Value(Path),
    Section {
        path: Path,
        inverted: bool,
        inside: Vec<Node>,
    },
}

/// The parts of a name; none, for `.`.
type Path = Vec<String>;

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Value,
    Open { inverted: bool },
    Close,
    Comment,
}

/// A tag, and the bytes that stand for nothing once it is read: its own, or those of its whole line.
#[derive(Debug)]
struct Tag<'t> {
    kind: Kind,
    name: &'t str,
    range: Range<usize>,
    taken: Range<usize>,
}

/// What stands in a text.
struct Read<'t> {
    tags: Vec<Tag<'t>>,
    /// Braces that look like tags and are none.
    others: Vec<Range<usize>>,
}

impl Mustache {
    /// Reads a template, and what it asks of its variables. Takes time linear in the text.
    pub(super) fn parse(text: &str) -> Result<(Self, Demands), Fault> {
        let Read { tags, .. } = read(text)?;
        let mut demands = Demands::default();
        // The innermost open section last; the first is the whole.
        let mut open: Vec<(Option<&Tag<'_>>, Vec<Node>)> = vec![(None, Vec::new())];
        let mut kept = 0;
        for tag in &tags {
            let depth = open.len() - 1;
            let inside = &mut open.last_mut().expect("the whole is never closed").1;
            push_text(inside, &text[kept.min(tag.taken.start)..tag.taken.start]);
            kept = tag.taken.end;
            let first = tag.name.split('.').next().unwrap_or_default();
            match tag.kind {
                Kind::Comment => {}
                Kind::Value | Kind::Open { .. } if tag.name == "." && depth == 0 => {
                    let detail = "`{{.}}` is the item of a section, and this stands in none";
                    return Err(Fault::at(text, tag.range.start, Fault::SYNTAX, detail));
                }
                Kind::Value => {
                    demands.add(first, Demand { required: depth == 0, nullable: depth > 0 });
                    inside.push(Node::Value(path(tag.name)));
                }
                Kind::Open { .. } => {
                    if depth == MAX_DEPTH {
                        let detail = format!("more than {MAX_DEPTH} sections are open at once");
                        return Err(Fault::at(text, tag.range.start, Fault::LIMIT, detail));
                    }
                    demands.add(first, Demand { required: false, nullable: true });
                    open.push((Some(tag), Vec::new()));
                }
                Kind::Close => close(text, tag, &mut open)?,
            }
        }
        let (unclosed, mut nodes) = open.pop().expect("the whole is never closed");
        if let Some(tag) = unclosed {
            let detail = format!("the section `{}` is not closed: `{{{{/{}}}}}` is missing", tag.name, tag.name);
            return Err(Fault::at(text, tag.range.start, Fault::SYNTAX, detail));
        }
        push_text(&mut nodes, &text[kept..]);
        Ok((Self { nodes }, demands))
    }

    /// Is it text alone, as it came?
    pub(super) fn is_plain(&self, text: &str) -> bool {
        match self.nodes.as_slice() {
            [] => text.is_empty(),
            [Node::Text(only)] => only == text,
            _ => false,
        }
    }

    /// Puts values where their names stand: text as it is, `null` as nothing, anything else as compact JSON.
    pub(super) fn fill(&self, bound: &Bound, allowance: &mut Allowance) -> Result<String, Unfilled> {
        let mut filling = Filling { bound, items: Vec::new(), filled: String::new(), steps: 0, allowance };
        filling.nodes(&self.nodes)?;
        Ok(filling.filled)
    }
}

/// Ends the innermost section, which must be this one.
fn close(text: &str, tag: &Tag<'_>, open: &mut Vec<(Option<&Tag<'_>>, Vec<Node>)>) -> Result<(), Fault> {
    let wrong = |detail: String| Err(Fault::at(text, tag.range.start, Fault::SYNTAX, detail));
    match open.last() {
        Some((Some(begin), _)) if begin.name == tag.name => {}
        Some((Some(begin), _)) => {
            return wrong(format!("`{}` is closed, and the open section is `{}`", tag.name, begin.name));
        }
        _ => return wrong(format!("the section `{}` is closed, and was not opened", tag.name)),
    }
    if let (Some((Some(begin), inside)), Some((_, around))) = (open.pop(), open.last_mut()) {
        let inverted = matches!(begin.kind, Kind::Open { inverted: true });
        around.push(Node::Section { path: path(begin.name), inverted, inside });
    }
    Ok(())
}

fn push_text(nodes: &mut Vec<Node>, text: &str) {
    if !text.is_empty() {
        nodes.push(Node::Text(text.to_owned()));
    }
}

fn path(name: &str) -> Path {
    if name == "." { Vec::new() } else { name.split('.').map(str::to_owned).collect() }
}

/// Where variables are used, and where braces look like tags and are none.
pub(super) fn places(text: &str) -> Result<(Vec<Placeholder>, Vec<Range<usize>>), Fault> {
    let Read { tags, others } = read(text)?;
    let uses = tags.into_iter().filter(|tag| matches!(tag.kind, Kind::Value | Kind::Open { .. }) && tag.name != ".");
    let placeholder = |tag: Tag<'_>| Placeholder {
        range: tag.range,
        variables: tag.name.split('.').take(1).map(str::to_owned).collect(),
        filters: Vec::new(),
        inserts: tag.kind == Kind::Value,
    };
    Ok((uses.map(placeholder).collect(), others))
}

fn read(text: &str) -> Result<Read<'_>, Fault> {
    let (mut tags, mut others) = (Vec::new(), Vec::new());
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        if let Some(tag) = read_tag(text, start)? {
            from = tag.range.end;
            tags.push(tag);
        } else if text[start..].starts_with("{{{") {
            from = start + 1; // The innermost braces count.
        } else {
            from = start + 2;
            others.push(start..from);
        }
    }
    take_lines(text, &mut tags);
    Ok(Read { tags, others })
}

/// The tag that begins there, if one does.
fn read_tag(text: &str, start: usize) -> Result<Option<Tag<'_>>, Fault> {
    let inside = &text[start + 2..];
    let refuse = |code, detail: String| Err(Fault::at(text, start, code, detail));
    let sign = inside.chars().next();
    match sign {
        Some('!') => {
            let Some(end) = inside.find("}}") else {
                return refuse(Fault::SYNTAX, "the comment is not closed: `}}` is missing".to_owned());
            };
            let range = start..start + 2 + end + 2;
            return Ok(Some(Tag { kind: Kind::Comment, name: "", taken: range.clone(), range }));
        }
        Some('>') => {
            let detail = "parts of other prompts (`{{> name}}`) cannot be put in; write their text here";
            return refuse(Fault::FORBIDDEN, detail.to_owned());
        }
        Some('=') => {
            return refuse(Fault::FORBIDDEN, "the delimiters are `{{` and `}}`, and cannot be changed".to_owned());
        }
        _ => {}
    }
    let kind = match sign {
        Some('#') => Kind::Open { inverted: false },
        Some('^') => Kind::Open { inverted: true },
        Some('/') => Kind::Close,
        _ => Kind::Value,
    };
    let is_triple = sign == Some('{');
    let signed = is_triple || sign == Some('&') || kind != Kind::Value;
    let named = if signed { &inside[1..] } else { inside };
    let trimmed = named.trim_start();
    let name = &trimmed[..name_len(trimmed)];
    let rest = trimmed[name.len()..].trim_start();
    if matches!(kind, Kind::Open { .. } | Kind::Close) && HANDLEBARS.contains(&name) && is_handlebars(kind, rest) {
        let detail = format!(
            "`{name}` is Handlebars; in Mustache a section has the name of its value: `{{{{#x}}}}…{{{{/x}}}}` where there \
             is one, `{{{{^x}}}}…{{{{/x}}}}` where there is none"
        );
        return refuse(Fault::FORBIDDEN, detail);
    }
    if name.is_empty() || !rest.starts_with("}}") {
        return Ok(None);
    }
    if is_triple && !rest.starts_with("}}}") {
        let detail = format!("`{{{{{{{name}}}}}` ends with two braces and begins with three");
        return refuse(Fault::SYNTAX, detail);
    }
    if matches!(name.split('.').next(), Some("else" | "this")) {
        let detail = format!("`{name}` is Handlebars; Mustache writes `{{{{^x}}}}…{{{{/x}}}}` and `{{{{.}}}}`");
        return refuse(Fault::FORBIDDEN, detail);
    }
    let end = text.len() - rest.len() + if is_triple { 3 } else { 2 };
    Ok(Some(Tag { kind, name, range: start..end, taken: start..end }))
}

/// `{{#if x}}` takes an argument, and nothing else has a name of two words.
fn is_handlebars(kind: Kind, rest: &str) -> bool {
    matches!(kind, Kind::Open { .. })
        && rest.starts_with(|first: char| first.is_alphanumeric() || "_@(.\"'".contains(first))
}

/// How many bytes at the start of a text are the name of a tag.
fn name_len(text: &str) -> usize {
    if text.starts_with('.') {
        return 1;
    }
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
    let mut len = 0;
    loop {
        let part = text[len..].find(|char| !is_part(char)).unwrap_or(text.len() - len);
        if part == 0 {
            return len.saturating_sub(1); // A dot with nothing after it is not part of the name.
        }
        len += part;
        if !text[len..].starts_with('.') {
            return len;
        }
        len += 1;
    }
}

/// A tag that prints nothing and is alone on its line takes the line.
fn take_lines(text: &str, tags: &mut [Tag<'_>]) {
    for index in 0..tags.len() {
        if tags[index].kind == Kind::Value {
            continue;
        }
        let before = index.checked_sub(1).map_or(0, |before| tags[before].range.end);
        let after = tags.get(index + 1).map_or(text.len(), |after| after.range.start);
        let Range { start, end } = tags[index].range;
        let ahead = text[before..start].trim_end_matches([' ', '\t']);
        let begins = ahead.ends_with('\n') || ahead.is_empty() && before == 0;
        let behind = text[end..after].trim_start_matches([' ', '\t']);
        let rest = after - behind.len();
        let line_end = if behind.starts_with("\r\n") {
            Some(rest + 2)
        } else if behind.starts_with('\n') {
            Some(rest + 1)
        } else {
            (rest == text.len()).then_some(rest)
        };
        if let (true, Some(line_end)) = (begins, line_end) {
            tags[index].taken = before + ahead.len()..line_end;
        }
    }
}

/// A template being filled.
struct Filling<'v, 'a> {
    bound: &'v Bound,
    /// The values of the open sections, innermost last.
    items: Vec<&'v Value>,
    filled: String,
    steps: usize,
    allowance: &'a mut Allowance,
}

impl<'v> Filling<'v, '_> {
    fn nodes(&mut self, nodes: &[Node]) -> Result<(), Unfilled> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Result<(), Unfilled> {
        self.step()?;
        match node {
            Node::Text(text) => {
                // The text itself is free; what a section repeats of it is not.
                if !self.items.is_empty() {
                    self.allowance.take(text.len())?;
                }
                self.filled.push_str(text);
            }
            Node::Value(path) => {
                let value = self.find(path).ok_or_else(|| missing_variables(&[&path.join(".")]))?;
                let before = self.filled.len();
                print(value, &mut self.filled);
                self.allowance.take(self.filled.len() - before)?;
            }
            Node::Section { path, inverted, inside } => {
                let value = self.find(path);
                let is_there = value.is_some_and(is_true);
                match value {
                    _ if *inverted => (!is_there).then(|| self.nodes(inside)).transpose().map(drop)?,
                    Some(Value::Array(items)) => items.iter().try_for_each(|item| self.inside(item, inside))?,
                    Some(value) if is_there => self.inside(value, inside)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn inside(&mut self, item: &'v Value, nodes: &[Node]) -> Result<(), Unfilled> {
        self.step()?;
        self.items.push(item);
        let done = self.nodes(nodes);
        self.items.pop();
        done
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Fault::limit(format!("the template goes through more than {MAX_STEPS} values")));
        }
        Ok(())
    }

    /// The first part of a name is looked for in the open sections, innermost first; the others inside of what was found.
    fn find(&self, path: &[String]) -> Option<&'v Value> {
        let Some((first, rest)) = path.split_first() else { return self.items.last().copied() };
        let inner = self.items.iter().rev().find_map(|item| item.get(first.as_str()));
        let absent = || self.bound.absent.contains(first).then_some(&Value::Null);
        let found = inner.or_else(|| self.bound.values.get(first)).or_else(absent)?;
        rest.iter().try_fold(found, |value, part| match value {
            Value::Null => Some(value),
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            other => other.get(part.as_str()),
        })
    }
}

/// Is a section filled? Not for `null`, `false`, 0, and what is empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
    }
}

/// Text as it is, `null` as nothing, anything else as compact JSON.
pub(super) fn print(value: &Value, filled: &mut String) {
    match value {
        Value::Null => {}
        Value::String(text) => filled.push_str(text),
        other => filled.push_str(&other.to_string()),
    }
}
