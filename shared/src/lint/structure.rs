//! How a text is divided: tags (S01), fences (S02), sections (S03), and whether it is at all (S05).
use std::ops::Range;

use super::found::{Found, Message};
use super::lines::Kind;
use super::prompt::Prompt;
use super::reading::Reading;
use super::rules::Rule;

const UNCLOSED_TAG: Message =
    Message { rule: Rule::UnbalancedTag, code: "tag-unclosed", fix: "Close the tag, or remove it." };
const UNOPENED_TAG: Message =
    Message { rule: Rule::UnbalancedTag, code: "tag-unopened", fix: "Open the tag before, or remove it." };
const UNCLOSED_FENCE: Message = Message {
    rule: Rule::UnclosedFence,
    code: "fence-unclosed",
    fix: "Close the block of code: all that follows is taken for code.",
};
const EMPTY: Message =
    Message { rule: Rule::EmptySection, code: "section-empty", fix: "Say something under the heading, or remove it." };
const UNSTRUCTURED: Message = Message {
    rule: Rule::UnstructuredLongPrompt,
    code: "unstructured",
    fix: "Divide the text with headings, lists or tags.",
};
const PARAGRAPH: Message =
    Message { rule: Rule::UnstructuredLongPrompt, code: "long-paragraph", fix: "Divide the paragraph." };

/// How many words need no structure.
const PLAIN_WORDS_MAX: usize = 300;

/// The longest paragraph, in characters.
const PARAGRAPH_CHARS_MAX: usize = 1200;

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    for (part, reading) in prompt.instructions() {
        let tag = |index: &usize| reading.tags.all[*index].range.clone();
        found.extend(reading.tags.unclosed.iter().map(|index| Found::new(&UNCLOSED_TAG).at(part, tag(index))));
        found.extend(reading.tags.unopened.iter().map(|index| Found::new(&UNOPENED_TAG).at(part, tag(index))));
        found.extend(unclosed_fence(part, reading));
        found.extend(empty_sections(reading).into_iter().map(|heading| Found::new(&EMPTY).at(part, heading)));
        found.extend(long(part, reading));
    }
}

/// Markdown ends the last block with the text, so a mark at its end changes nothing but how it reads.
fn unclosed_fence(part: usize, reading: &Reading) -> Option<Found> {
    let fence = reading.fences.last()?;
    let missing = fence.missing.as_ref()?;
    let newline = if reading.text.ends_with('\n') { "" } else { "\n" };
    Some(Found::new(&UNCLOSED_FENCE).at(part, fence.opening.clone()).addition(format!("{newline}{missing}")))
}

/// Headings before the next of their level or a higher one, with nothing in between. The last one may be filled later.
fn empty_sections(reading: &Reading) -> Vec<Range<usize>> {
    let mut empty = Vec::new();
    let mut pending: Option<(usize, Range<usize>)> = None;
    for line in &reading.lines {
        match (line.kind, pending.take()) {
            (Kind::Blank, before) => pending = before,
            (Kind::Heading(level), before) => {
                empty.extend(before.filter(|(above, _)| level <= *above).map(|(_, range)| range));
                pending = Some((level, line.range.clone()));
            }
            _ => {}
        }
    }
    empty
}

fn long(part: usize, reading: &Reading) -> Vec<Found> {
    let divides = |kind| matches!(kind, Kind::Heading(_) | Kind::Item | Kind::Row | Kind::Fence);
    let is_divided = reading.lines.iter().any(|line| divides(line.kind)) || !reading.tags.all.is_empty();
    if !is_divided && reading.words.len() > PLAIN_WORDS_MAX {
        return vec![
            Found::new(&UNSTRUCTURED)
                .at(part, 0..reading.text.len())
                .evidence(format!("{} words", reading.words.len())),
        ];
    }
    let mut paragraphs: Vec<Range<usize>> = Vec::new();
    let mut goes_on = false;
    for line in &reading.lines {
        let is_prose = line.kind == Kind::Prose;
        match paragraphs.last_mut() {
            Some(last) if is_prose && goes_on => last.end = line.range.end,
            _ if is_prose => paragraphs.push(line.range.clone()),
            _ => {}
        }
        goes_on = is_prose;
    }
    let chars = |range: &Range<usize>| reading.text[range.clone()].chars().count();
    paragraphs.retain(|range| range.len() > PARAGRAPH_CHARS_MAX && chars(range) > PARAGRAPH_CHARS_MAX);
    let paragraph = |range: Range<usize>| {
        let evidence = format!("{} characters", chars(&range));
        Found::new(&PARAGRAPH).at(part, range).evidence(evidence)
    };
    paragraphs.into_iter().map(paragraph).collect()
}
