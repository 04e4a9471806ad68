//! Placeholders as they are written: those the format does not know (T04), and those that went wrong (T03).
use std::collections::HashSet;
use std::ops::Range;

use super::found::{Found, Message};
use super::prompt::{Part, Prompt};
use super::ranges::{cover, merge};
use super::reading::Reading;
use super::rules::Rule;
use crate::templates::{Fault, TemplateFormat, placeholders};

const fn malformed(code: &'static str, fix: &'static str) -> Message {
    Message { rule: Rule::MalformedPlaceholder, code, fix }
}

const SYNTAX: Message = malformed("template-syntax", "Correct the template: its engine cannot read it.");
const FORBIDDEN: Message = malformed("template-forbidden", "Use only what templates allow: the engine refuses this.");
const UNCLOSED: Message = malformed("placeholder-unclosed", "Close the placeholder: as it stands, it is text.");
const EMPTY: Message = malformed("placeholder-empty", "Name a variable between the delimiters.");
const NESTED: Message = malformed("placeholder-nested", "Put no placeholder into another one.");
const FILTER: Message =
    malformed("placeholder-filter", "Remove the filter: this format has none, so the placeholder stays as text.");
const UNFILLED: Message = malformed(
    "placeholder-unfilled",
    "Write the name of a variable, as the format wants it, or no double braces: this stays as it stands, and is sent to the model.",
);
const MIXED: Message = Message {
    rule: Rule::MixedPlaceholderStyles,
    code: "mixed-placeholder-styles",
    fix: "Write all variables in the style of the template format: this one is not filled.",
};

/// How far a placeholder that went wrong is looked for, in bytes.
const REACH: usize = 200;

/// A placeholder in a style that the format does not fill.
#[derive(Debug)]
pub(super) struct Foreign {
    pub(super) range: Range<usize>,
    pub(super) name: String,
}

/// Placeholders in other styles than that of the format, in code too.
pub(super) fn foreign(reading: &Reading, format: TemplateFormat) -> Vec<Foreign> {
    let text = &reading.text;
    let own = merge(reading.placeholders.iter().map(|placeholder| placeholder.range.clone()).collect());
    let mut found: Vec<Foreign> = Vec::new();
    match format {
        TemplateFormat::None => return found,
        TemplateFormat::Fstring | TemplateFormat::SimpleFstring => {
            let double = placeholders(TemplateFormat::Simple, text, None).unwrap_or_default();
            found.extend(double.into_iter().map(|mut double| {
                let name = double.variables.pop().unwrap_or_default();
                Foreign { range: double.range, name }
            }));
        }
        TemplateFormat::Mustache | TemplateFormat::Simple | TemplateFormat::Jinja2 => {
            let single = text.match_indices('{').filter_map(|(at, _)| single(text, at));
            found.extend(single.filter(|single| !cover(&own, single.range.start)));
        }
    }
    let marks = text.match_indices(['$', '%']).filter_map(|(at, _)| dollar(text, at).or_else(|| percent(text, at)));
    found.extend(marks.filter(|mark| !cover(&own, mark.range.start)));
    found.sort_by_key(|foreign| foreign.range.start);
    found
}

/// An ASCII name at the start of a text.
fn name(text: &str) -> &str {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    if text.as_bytes().first().is_none_or(|byte| !is_first(byte)) {
        return "";
    }
    let len = text.bytes().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    &text[..len]
}

/// `{x}`, but not `{{x}}`, `\frac{x}`, `#{x}`.
pub(super) fn single(text: &str, at: usize) -> Option<Foreign> {
    let before = text[..at].chars().next_back();
    if before.is_some_and(|before| before.is_alphanumeric() || "{}$#%^_\\@".contains(before)) {
        return None;
    }
    let name = name(&text[at + 1..]);
    let rest = &text[at + 1 + name.len()..];
    let is_whole = !name.is_empty() && rest.starts_with('}') && !rest.starts_with("}}");
    is_whole.then(|| Foreign { range: at..at + name.len() + 2, name: name.to_owned() })
}

/// `${x}` and `${x:default}`.
fn dollar(text: &str, at: usize) -> Option<Foreign> {
    let inside = text[at..].strip_prefix("${")?;
    let name = name(inside);
    let rest = &inside[name.len()..];
    let end = if rest.starts_with('}') {
        0
    } else {
        rest.starts_with(':').then(|| rest.bytes().take(REACH).position(|byte| matches!(byte, b'}' | b'\n')))??
    };
    let is_whole = !name.is_empty() && rest[end..].starts_with('}');
    is_whole.then(|| Foreign { range: at..at + 2 + name.len() + end + 1, name: name.to_owned() })
}

/// `%x%`, but not `50%of%` and not what is encoded like that in an address.
fn percent(text: &str, at: usize) -> Option<Foreign> {
    let inside = text[at..].strip_prefix('%')?;
    let name = name(inside);
    let rest = inside[name.len()..].strip_prefix('%')?;
    let is_encoded = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let stands_alone = !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '%')
        && !rest.starts_with(|after: char| after.is_ascii_alphanumeric());
    let is_whole = !name.is_empty() && !is_encoded && stands_alone;
    is_whole.then(|| Foreign { range: at..at + name.len() + 2, name: name.to_owned() })
}

/// T03 and T04.
pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    let declared: HashSet<&str> = prompt.declared.unwrap_or_default().iter().map(String::as_str).collect();
    for (index, part) in prompt.parts.iter().enumerate() {
        let known = |name: &str| declared.contains(name);
        let mixed = part.foreign.iter().filter(|foreign| {
            let is_code = cover(&part.reading.code, foreign.range.start);
            !is_code && (!prompt.used.is_empty() || known(&foreign.name))
        });
        found.extend(mixed.map(|foreign| Found::new(&MIXED).at(index, foreign.range.clone()).variable(&foreign.name)));
        if let Some(fault) = &part.fault {
            found.extend(fault_found(index, part, fault));
        }
        let reading = &part.reading;
        let mut wrong: Vec<(&'static Message, Range<usize>)> =
            part.unread.iter().map(|range| unfilled(reading, prompt.format, range)).collect();
        if prompt.format == TemplateFormat::SimpleFstring {
            wrong.extend(unclosed(reading, &declared));
            wrong.sort_by_key(|(_, range)| range.start);
        }
        let is_code = |range: &Range<usize>| cover(&reading.code, range.start);
        let prose = wrong.into_iter().filter(|(_, range)| !is_code(range));
        found.extend(prose.map(|(message, range)| Found::new(message).at(index, range)));
    }
}

/// The engine says in which line and column it stopped.
fn fault_found(index: usize, part: &Part<'_>, fault: &Fault) -> Option<Found> {
    let message = match fault.code {
        "template-syntax" => &SYNTAX,
        "template-forbidden" => &FORBIDDEN,
        _ => return None,
    };
    let line = part.original.split_inclusive('\n').nth(fault.line.checked_sub(1)?)?;
    let line_start = part.original.split_inclusive('\n').take(fault.line - 1).map(str::len).sum::<usize>();
    let before = line.chars().take(fault.column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let end = line_start + line.trim_end_matches(['\r', '\n']).len();
    let here = part.clean.clean(&((line_start + before).min(end)..end));
    let evidence: String = fault.detail.chars().take(REACH).collect();
    Some(Found::new(message).at(index, here).evidence(evidence))
}

/// What is wrong with braces that the engine does not read, and where.
fn unfilled(reading: &Reading, format: TemplateFormat, range: &Range<usize>) -> (&'static Message, Range<usize>) {
    let (text, start) = (&reading.text, range.start);
    if format == TemplateFormat::SimpleFstring {
        let is_filter = text[range.clone()].contains(['!', ':']);
        return (if is_filter { &FILTER } else { &UNFILLED }, range.clone());
    }
    let line_end = reading.line_at(start).range.end;
    let reach = text.floor_char_boundary((start + REACH).min(line_end).max(start + 2));
    match misread(&text[start..reach]) {
        Some((message, end)) => (message, start..start + end),
        None if range.len() == 2 => (&UNCLOSED, range.clone()),
        None => (&UNFILLED, range.clone()),
    }
}

/// What is wrong with the braces that a piece of a line starts with, and how many bytes show it.
fn misread(line: &str) -> Option<(&'static Message, usize)> {
    let inside = line[2..].trim_start_matches([' ', '\t']);
    let name = name(inside);
    let rest = inside[name.len()..].trim_start_matches([' ', '\t']);
    let at = line.len() - rest.len();
    if name.is_empty() {
        return rest.starts_with("}}").then_some((&EMPTY, at + 2));
    }
    let (close, open) = (rest.find("}}"), rest.find("{{"));
    match (close, open) {
        (Some(close), Some(open)) if open < close => {
            let outer = rest[close + 2..].find("}}");
            Some(outer.map_or((&UNCLOSED, at), |outer| (&NESTED, at + close + 2 + outer + 2)))
        }
        (Some(close), _) if rest.starts_with('|') => Some((&FILTER, at + close + 2)),
        // Of a line that goes on as code does, nobody can tell.
        (None, _)
            if rest.is_empty() || rest.starts_with(['}', '.', ',', ' ']) || line[2 + name.len()..].contains(' ') =>
        {
            Some((&UNCLOSED, at + usize::from(rest.starts_with('}'))))
        }
        _ => None,
    }
}

/// A `{` in front of a declared name that nothing closes on its line. All other braces are text.
fn unclosed(reading: &Reading, declared: &HashSet<&str>) -> Vec<(&'static Message, Range<usize>)> {
    let text = &reading.text;
    let mut wrong = Vec::new();
    for (start, _) in text.match_indices('{') {
        let inside = &text[start + 1..];
        let trimmed = inside.trim_start_matches(' ');
        let name = name(trimmed);
        if !declared.contains(name) || inside.len() - trimmed.len() > 3 {
            continue;
        }
        let at = start + 1 + (inside.len() - trimmed.len()) + name.len();
        let rest = &text[at..text.floor_char_boundary((at + REACH).min(reading.line_at(start).range.end))];
        if !rest.contains('}') {
            wrong.push((&UNCLOSED, start..at));
        }
    }
    wrong
}
