//! Notes of the author to the author that are still there (C08).
use std::sync::LazyLock;

use regex::Regex;

use super::found::{Found, Message};
use super::prompt::Prompt;
use super::ranges::cover;
use super::reading::{Reading, Word};
use super::rules::Rule;

const MARKER: Message =
    Message { rule: Rule::LeftoverMarker, code: "leftover-marker", fix: "Do what the note says, and remove it." };
const FILLER: Message =
    Message { rule: Rule::LeftoverMarker, code: "filler-text", fix: "Put the real text in the place of the filler." };
const INSERT: Message = Message {
    rule: Rule::LeftoverMarker,
    code: "insert-here",
    fix: "Put the text there, or make it a variable if it is another each time.",
};

static INSERT_HERE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[(?i-u:insert|add|put|paste|enter) [^\[\]\n]{1,80}\]").expect("the pattern is valid")
});

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    for (part, reading) in prompt.instructions() {
        for (at, word) in reading.words.iter().enumerate().filter(|(_, word)| !word.is_example && !word.is_quoted) {
            let message = match word.lower.as_str() {
                "todo" | "tbd" | "fixme" if word.is_capitals && is_note(reading, word) => &MARKER,
                "lorem" if reading.words.get(at + 1).is_some_and(|next| next.lower == "ipsum") => &FILLER,
                _ => continue,
            };
            let end = if word.lower == "lorem" { reading.words[at + 1].range.end } else { word.range.end };
            found.push(Found::new(message).at(part, word.range.start..end));
        }
        let inserts = INSERT_HERE.find_iter(&reading.text).map(|insert| insert.range());
        let is_shown =
            |at: usize| cover(&reading.code, at) || reading.examples.iter().any(|example| example.range.contains(&at));
        let inserts = inserts.take(LISTED_MAX).filter(|insert| !is_shown(insert.start));
        found.extend(inserts.map(|insert| Found::new(&INSERT).at(part, insert)));
    }
}

/// More of them than anyone reads.
const LISTED_MAX: usize = 100;

/// Is the word a note, rather than what the prompt is about (a TODO list, a comment with TODO)? A note starts its line,
/// stands in brackets, or says that something is to be decided.
fn is_note(reading: &Reading, word: &Word) -> bool {
    let text = &reading.text;
    let line = &reading.line_at(word.range.start).range;
    let (before, after) =
        (text[line.start..word.range.start].trim_end_matches([' ', '*', '_']), &text[word.range.end..line.end]);
    let ends = after.trim_start_matches(['.', ')', ']', '*', '_', ' ']).is_empty();
    let is_bracketed = before.ends_with(['[', '(', '<', '{']) && after.starts_with([']', ')', '>', '}', ':']);
    let is_first = before.trim_start_matches(['-', '#', '/', '>', ' ', '\t', '*']).is_empty();
    let is_value = before.ends_with([':', '=']) || before.ends_with(" is") || before.ends_with(" are");
    is_bracketed
        || after.starts_with(':') && is_first
        || is_first && ends
        || word.lower == "tbd" && is_value && ends
        || word.lower != "tbd" && is_first && after.starts_with([' ', '(']) && !is_topic(after)
}

/// Is what follows something that the word only names?
fn is_topic(after: &str) -> bool {
    let next = after.trim_start();
    ["list", "app", "item", "comment", "application", "task", "tracker", "file", "note", "s "]
        .iter()
        .any(|topic| next.starts_with(topic))
}
