//! Tags like those of XML, with which prompts divide text: where they are, and which belong together.
use std::collections::HashMap;
use std::ops::Range;

use super::lines::{Kind, Line};
use super::ranges::{cover, merge};
use super::words::HTML;

/// A tag.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) range: Range<usize>,
    /// In small letters.
    pub(super) name: String,
    pub(super) is_closing: bool,
    /// Does nothing stand before it on its line?
    pub(super) is_first: bool,
    /// Does nothing else stand on its line, and something on the next?
    pub(super) is_block: bool,
}

/// The tags of a text.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// In the order they stand in.
    pub(super) all: Vec<Tag>,
    /// Which open and close each other.
    pub(super) pairs: Vec<(usize, usize)>,
    /// What stands in any pair.
    pub(super) inside: Vec<Range<usize>>,
    /// Those that are opened, not closed, and no mere mention of a tag.
    pub(super) unclosed: Vec<usize>,
    /// Those that close what was never opened.
    pub(super) unopened: Vec<usize>,
    /// Those that are opened and not closed in the middle of a line, as one that is only spoken of.
    pub(super) mentions: Vec<usize>,
}

impl Tags {
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.all.iter().map(|tag| tag.range.clone())
    }
}

/// Finds the tags outside code.
pub(super) fn read(text: &str, lines: &[Line], code: &[Range<usize>]) -> Tags {
    let mut all = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if matches!(line.kind, Kind::Blank | Kind::Fence | Kind::Code) {
            continue;
        }
        let next_has_text = lines.get(index + 1).is_some_and(|next| next.kind != Kind::Blank);
        let content = &text[line.range.clone()];
        let indent = content.len() - content.trim_start().len();
        let mut from = 0;
        while let Some(found) = content[from..].find('<') {
            let start = from + found;
            from = start + 1;
            if cover(code, line.range.start + start) {
                continue;
            }
            let Some((name, is_closing, len)) = tag(&content[start..]) else { continue };
            if !is_closing && content[..start].ends_with(char::is_alphanumeric) {
                continue; // `List<String>` is no tag.
            }
            from = start + len;
            let is_first = start == indent;
            let is_block = is_first && content[from..].trim_start().is_empty() && next_has_text;
            let range = line.range.start + start..line.range.start + from;
            all.push(Tag { range, name, is_closing, is_first, is_block });
        }
    }
    pair(all)
}

/// The name of the tag that a text starts with, whether it closes, and its length. `<br/>` opens nothing.
fn tag(text: &str) -> Option<(String, bool, usize)> {
    let is_closing = text.starts_with("</");
    let inside = &text[1 + usize::from(is_closing)..];
    let name_len = inside
        .bytes()
        .take(64)
        .enumerate()
        .take_while(|(at, byte)| {
            byte.is_ascii_alphabetic() || *byte == b'_' || *at > 0 && (byte.is_ascii_digit() || b"-.".contains(byte))
        })
        .count();
    let (name, rest) = inside.split_at(name_len);
    let attributes = rest.len() - skip_attributes(rest).len();
    let end = rest[attributes..].starts_with('>').then_some(text.len() - rest.len() + attributes + 1)?;
    (!name.is_empty()).then(|| (name.to_ascii_lowercase(), is_closing, end))
}

/// What follows the attributes, each of which is `name="value"`.
fn skip_attributes(text: &str) -> &str {
    let mut rest = text;
    for _ in 0..8 {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let name =
            trimmed.bytes().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:".contains(byte)).count();
        let Some(value) = trimmed[name..].strip_prefix('=').filter(|_| name > 0) else { return trimmed };
        let Some(quote) = value.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { return text };
        let value = &value[1..];
        let end = value.bytes().take(256).position(|byte| byte == quote as u8);
        let Some(end) = end else { return text };
        rest = &value[end + 1..];
    }
    text
}

/// Pairs tags by their names, the innermost first.
fn pair(all: Vec<Tag>) -> Tags {
    let mut tags = Tags::default();
    let mut open: Vec<usize> = Vec::new();
    let mut open_by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut left: Vec<usize> = Vec::new();
    for (index, tag) in all.iter().enumerate() {
        let name = tag.name.as_str();
        if HTML.contains(&name) {
            continue;
        }
        if !tag.is_closing {
            open.push(index);
            open_by_name.entry(name).or_default().push(index);
        } else if let Some(opening) = open_by_name.get(name).and_then(|open| open.last()).copied() {
            // Whatever was opened since is not closed.
            while let Some(top) = open.pop() {
                open_by_name.get_mut(all[top].name.as_str()).map(Vec::pop);
                if top == opening {
                    break;
                }
                left.push(top);
            }
            tags.pairs.push((opening, index));
        } else {
            tags.unopened.push(index);
        }
    }
    left.extend(open);
    left.sort_unstable();
    let paired: std::collections::HashSet<&str> = tags.pairs.iter().map(|(open, _)| all[*open].name.as_str()).collect();
    for index in left {
        let tag = &all[index];
        let is_meant = tag.is_block || tag.is_first && paired.contains(tag.name.as_str());
        if is_meant { tags.unclosed.push(index) } else { tags.mentions.push(index) }
    }
    tags.pairs.sort_unstable();
    tags.inside = merge(tags.pairs.iter().map(|(open, close)| all[*open].range.end..all[*close].range.start).collect());
    tags.all = all;
    tags
}
