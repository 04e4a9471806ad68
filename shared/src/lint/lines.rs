//! What each line of a text is, and where code stands.
use std::ops::Range;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing to see.
    Blank,
    /// It opens or closes a block of code.
    Fence,
    /// It is in a block of code.
    Code,
    /// A heading of this level.
    Heading(usize),
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
    /// Anything else.
    Prose,
}

/// A line, without what ends it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

/// A block of code.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    /// The line that opens it.
    pub(super) opening: Range<usize>,
    /// What stands in it, to the start of the closing line.
    pub(super) inside: Range<usize>,
    /// How many marks open it.
    pub(super) marks: usize,
    /// The lines that would close it and the blocks in it, if nothing does. That can only be the last one.
    pub(super) missing: Option<String>,
}

/// How deep blocks of code may nest, each within another that shows how to write one.
const NESTED_MAX: usize = 8;

/// Reads the lines. A fence that is never closed makes no code: more likely its author forgot the end.
pub(super) fn read(text: &str) -> (Vec<Line>, Vec<Fence>) {
    let mut lines: Vec<Line> = Vec::new();
    let mut fences: Vec<Fence> = Vec::new();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut opened_at = 0;
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let content = raw.trim_end_matches(['\n', '\r']);
        let range = start..start + content.len();
        let mark = fence_mark(content.trim_start());
        let kind = match (mark, open.last()) {
            (Some((mark, marks, _)), None) => {
                opened_at = lines.len();
                open.push((mark, marks));
                let inside = start + raw.len()..start + raw.len();
                fences.push(Fence { opening: range.clone(), inside, marks, missing: None });
                Kind::Fence
            }
            (Some((mark, marks, is_bare)), Some(&(open_mark, open_marks))) if mark == open_mark => {
                if is_bare && marks >= open_marks {
                    open.pop();
                } else if !is_bare && open.len() < NESTED_MAX {
                    open.push((mark, marks));
                }
                match fences.last_mut() {
                    Some(fence) if open.is_empty() => {
                        fence.inside.end = start;
                        Kind::Fence
                    }
                    _ => Kind::Code,
                }
            }
            (_, Some(_)) => Kind::Code,
            (None, None) => plain(content),
        };
        lines.push(Line { range, kind });
        start += raw.len();
    }
    if let Some(fence) = fences.last_mut().filter(|_| !open.is_empty()) {
        let closing = open.iter().rev().map(|(mark, marks)| mark.to_string().repeat(*marks) + "\n");
        fence.missing = Some(closing.collect());
        for line in &mut lines[opened_at + 1..] {
            line.kind = plain(&text[line.range.clone()]);
        }
    }
    (lines, fences)
}

/// The mark of a fence, how many there are, and whether nothing follows them.
fn fence_mark(line: &str) -> Option<(char, usize, bool)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let marks = line.len() - info.len();
    // Code within a line may have three marks too, and ends on the line.
    let is_fence = marks >= 3 && !(mark == '`' && info.contains('`'));
    is_fence.then(|| (mark, marks, info.trim().is_empty()))
}

/// What a line is that is no code.
fn plain(line: &str) -> Kind {
    let line = line.trim();
    if line.is_empty() {
        return Kind::Blank;
    }
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    if (1..=6).contains(&level) && title.starts_with([' ', '\t']) {
        return Kind::Heading(level);
    }
    if item_len(line) > 0 {
        return Kind::Item;
    }
    let bars = line.bytes().filter(|byte| *byte == b'|').take(3).count();
    if line.starts_with('|') && bars >= 2 || bars == 3 { Kind::Row } else { Kind::Prose }
}

/// How many bytes at the start of a trimmed line make it an item of a list.
pub(super) fn item_len(line: &str) -> usize {
    let bullet = ["- ", "* ", "+ ", "• ", "– "].iter().find(|bullet| line.starts_with(**bullet));
    if let Some(bullet) = bullet {
        return bullet.len();
    }
    let digits = line.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let letter = usize::from(digits == 0 && line.starts_with(|first: char| first.is_ascii_alphabetic()));
    let rest = &line[digits + letter..];
    let ends = if digits > 0 { rest.starts_with([')', '.']) } else { letter > 0 && rest.starts_with(')') };
    if ends && rest[1..].starts_with(' ') { digits + letter + 2 } else { 0 }
}

/// The pieces of code within a line, marks included, as `x` is.
pub(super) fn inline_code(text: &str, line: &Range<usize>, code: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut open: Option<(usize, usize)> = None;
    let mut at = line.start;
    while at < line.end {
        if bytes[at] != b'`' {
            at += 1;
            continue;
        }
        let marks = bytes[at..line.end].iter().take_while(|byte| **byte == b'`').count();
        match open {
            Some((start, count)) if count == marks => {
                code.push(start..at + marks);
                open = None;
            }
            None => open = Some((at, marks)),
            Some(_) => {}
        }
        at += marks;
    }
}
