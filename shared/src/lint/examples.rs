//! The examples in a text: in tags, under labels or headings, or as pairs of a question and its answer.
use std::ops::Range;

use super::lines::{Kind, Line};
use super::tags::Tags;
use super::words::{ANSWER_LABELS, GIVEN_LABELS};

/// The longest label, in bytes.
const LABEL_MAX: usize = 24;

/// An example.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) range: Range<usize>,
    /// Its labels, in small letters and in order: `input`, `output`.
    pub(super) labels: Vec<String>,
    /// What follows the last label for an answer.
    pub(super) answer: Option<Range<usize>>,
}

/// Finds the examples: those that are marked, else pairs.
pub(super) fn read(text: &str, lines: &[Line], tags: &Tags) -> Vec<Example> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (open, close) in &tags.pairs {
        let name = tags.all[*open].name.trim_end_matches(|char: char| char.is_ascii_digit() || "_-.".contains(char));
        if matches!(name, "example" | "sample" | "shot" | "few_shot" | "demonstration") {
            ranges.push(tags.all[*open].range.end..tags.all[*close].range.start);
        }
    }
    if ranges.is_empty() {
        ranges = labelled(text, lines);
    }
    if ranges.is_empty() {
        ranges = pairs(text, lines);
    }
    ranges.sort_by_key(|range| range.start);
    let mut examples = Vec::new();
    let mut end = 0;
    for range in ranges {
        // An example in an example is a part of it.
        if range.start >= end {
            end = range.end;
            examples.push(example(text, lines, range));
        }
    }
    examples
}

/// The lines that lie in a range of bytes.
fn within<'l>(lines: &'l [Line], range: &Range<usize>) -> &'l [Line] {
    let first = lines.partition_point(|line| line.range.end <= range.start);
    let after = lines.partition_point(|line| line.range.start < range.end);
    &lines[first.min(after)..after]
}

fn example(text: &str, lines: &[Line], range: Range<usize>) -> Example {
    let (mut labels, mut answer) = (Vec::new(), None);
    for line in within(lines, &range) {
        let line = line.range.start.max(range.start)..line.range.end.min(range.end);
        if let Some((label, content)) = label(&text[line.clone()]) {
            if ANSWER_LABELS.contains(&label.as_str()) {
                answer = Some(line.start + content..range.end);
            }
            labels.push(label);
        }
    }
    Example { range, labels, answer }
}

/// The label that a line starts with, if it is one of those that examples have, and where its content starts.
fn label(line: &str) -> Option<(String, usize)> {
    let decoration = ['*', '_', '-', '#', '>', ' ', '\t', '`'];
    let trimmed = line.trim_start_matches(decoration);
    let head = &trimmed[..trimmed.floor_char_boundary(LABEL_MAX)];
    let colon = head.find(':')?;
    let name =
        head[..colon].trim_end_matches(decoration).trim_end_matches(|char: char| char.is_ascii_digit() || char == ' ');
    let name = name.to_lowercase();
    let is_known = GIVEN_LABELS.contains(&name.as_str()) || ANSWER_LABELS.contains(&name.as_str());
    is_known.then(|| (name, line.len() - trimmed.len() + colon + 1))
}

/// Is the line a label for an example: `Example 2:`, `**Example**`, `### Example: a refund`?
fn opens(line: &str, kind: Kind) -> bool {
    let trimmed = line.trim().trim_start_matches(['#', '*', '_', '-', '>', ' ']);
    let Some(word) = trimmed.get(..7).filter(|word| word.eq_ignore_ascii_case("example")) else { return false };
    let rest = trimmed[word.len()..].trim_start_matches(|char: char| char.is_ascii_digit() || " #".contains(char));
    let is_titled = matches!(kind, Kind::Heading(_)) && !rest.starts_with(|char: char| char.is_alphabetic());
    rest.is_empty() || is_titled || rest.starts_with([':', '*']) || rest.starts_with("):")
}

/// From each label for an example to the next, to a heading, or to a line after a gap that is no part of it.
fn labelled(text: &str, lines: &[Line]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut open: Option<Kind> = None;
    let mut after_gap = false;
    for line in lines {
        let content = &text[line.range.clone()];
        let is_text = !matches!(line.kind, Kind::Blank | Kind::Code | Kind::Fence);
        if is_text && opens(content, line.kind) {
            open = Some(line.kind);
            ranges.push(line.range.clone());
        } else if let (Some(kind), Some(last)) = (open, ranges.last_mut()) {
            let goes_on = match (line.kind, kind) {
                (Kind::Heading(level), Kind::Heading(own)) => level > own,
                (Kind::Heading(_), _) => false,
                (_, Kind::Heading(_)) | (Kind::Blank | Kind::Code | Kind::Fence, _) => true,
                _ => !after_gap || content.starts_with([' ', '\t']) || label(content).is_some(),
            };
            if !goes_on {
                open = None;
            } else if line.kind != Kind::Blank {
                last.end = line.range.end;
            }
        }
        after_gap = line.kind == Kind::Blank;
    }
    // A label alone is a promise, and no example.
    ranges.retain(|range| {
        text[range.clone()].trim().contains('\n')
            || text[range.clone()].trim_end().find(':').is_some_and(|colon| colon + 1 < range.len())
    });
    ranges
}

/// Lines with a label for what is given, followed by one for the answer that has an answer.
fn pairs(text: &str, lines: &[Line]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut open: Option<(Range<usize>, bool)> = None;
    let mut complete = |pair: Option<(Range<usize>, bool)>| {
        ranges.extend(pair.filter(|(_, is_answered)| *is_answered).map(|(range, _)| range));
    };
    let mut code_or_gap = false;
    for line in lines {
        let content = &text[line.range.clone()];
        let labelled = if matches!(line.kind, Kind::Code | Kind::Blank) { None } else { label(content) };
        match labelled {
            Some((name, _)) if GIVEN_LABELS.contains(&name.as_str()) => {
                complete(open.take());
                open = Some((line.range.clone(), false));
            }
            Some((_, start)) => {
                if let Some((range, is_answered)) = &mut open {
                    let answer = content[start..].trim();
                    *is_answered = !answer.is_empty() && !answer.contains('{') || *is_answered;
                    range.end = line.range.end;
                }
            }
            None if line.kind == Kind::Blank || code_or_gap && line.kind == Kind::Prose => {
                if open.as_ref().is_some_and(|(_, is_answered)| *is_answered) {
                    complete(open.take());
                }
            }
            None => {
                if let Some((range, _)) = &mut open {
                    range.end = line.range.end;
                }
            }
        }
        code_or_gap = line.kind == Kind::Blank;
    }
    complete(open.take());
    ranges
}
