//! What examples show (S06, S08), and what a text speaks of without showing it (S07).
use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use super::examples::Example;
use super::found::{Found, Message};
use super::lines::{Kind, item_len};
use super::model::Speaker;
use super::prompt::Prompt;
use super::reading::{Reading, Sentence};
use super::rules::Rule;
use super::words::Lexicon;

const fn inconsistent(code: &'static str, fix: &'static str) -> Message {
    Message { rule: Rule::InconsistentExamples, code, fix }
}

const LABELS: Message = inconsistent("example-labels-differ", "Give all examples the same labels.");
const SHAPES: Message = inconsistent("example-shapes-differ", "Give all examples an answer of the same form.");
const KEYS: Message = inconsistent("example-keys-differ", "Give the answers of all examples the same keys.");
const SINGLE: Message = Message {
    rule: Rule::SingleExample,
    code: "single-example",
    fix: "Give three to five examples that differ: one alone is copied.",
};

const fn missing(code: &'static str, fix: &'static str) -> Message {
    Message { rule: Rule::MissingExamples, code, fix }
}

const NO_EXAMPLE: Message =
    missing("example-missing", "Give the example that the text speaks of, or do not speak of it.");
const NO_TABLE: Message = missing("table-missing", "Give the table that the text speaks of, or do not speak of it.");
const NO_SECTION: Message = missing("section-missing", "Add the section that the text points to, or correct its name.");
const NO_TAG: Message = missing("tag-missing", "Put what the text speaks of into the tag, or correct its name.");

/// The longest answer that is read as JSON, in bytes.
const JSON_MAX: usize = 20_000;

/// How many places that point elsewhere are followed.
const LOOKED_AT_MAX: usize = 40;

/// What an answer looks like.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// A JSON object with these keys; with none, if it holds placeholders and is no JSON yet.
    Object(Option<Vec<String>>),
    /// A JSON array.
    Array,
    /// Items of a list.
    List,
    /// Anything else.
    Prose,
}

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    let shown_by_model = prompt.parts.iter().any(|part| part.speaker == Speaker::Model);
    let total: usize = prompt.instructions().map(|(_, reading)| reading.examples.len()).sum();
    for (part, reading) in prompt.instructions() {
        if let [first, others @ ..] = reading.examples.as_slice() {
            found.extend(differences(part, reading, first, others));
            if total == 1 && !shown_by_model {
                found.push(Found::new(&SINGLE).at(part, first.range.clone()));
            }
        }
    }
    if let Some(lexicon) = prompt.lexicon {
        dangling(prompt, lexicon, found);
    }
}

/// How the other examples differ from the first, each in one way.
fn differences(part: usize, reading: &Reading, first: &Example, others: &[Example]) -> Vec<Found> {
    let shape = |example: &Example| example.answer.as_ref().and_then(|answer| shape(&reading.text[answer.clone()]));
    let expected = shape(first);
    let difference = |other: &Example| match (&expected, shape(other)) {
        _ if first.labels.len() >= 2 && !other.labels.is_empty() && kinds(first) != kinds(other) => Some(&LABELS),
        (Some(Shape::Object(Some(expected))), Some(Shape::Object(Some(keys)))) => (*expected != keys).then_some(&KEYS),
        (Some(Shape::Object(_)), Some(Shape::Object(_))) | (None, _) | (_, None) => None,
        (Some(expected), Some(shape)) => (*expected != shape).then_some(&SHAPES),
    };
    let finding = |other: &Example| difference(other).map(|message| Found::new(message).at(part, other.range.clone()));
    others.iter().filter_map(finding).collect()
}

/// The labels of an example, each once: a talk goes back and forth.
fn kinds(example: &Example) -> HashSet<&str> {
    example.labels.iter().map(String::as_str).collect()
}

/// The shape of an answer; none, if there is none or it is only a placeholder.
fn shape(answer: &str) -> Option<Shape> {
    let answer = answer.trim();
    let inside = answer.strip_prefix("```").and_then(|fenced| fenced.split_once('\n')).map_or(answer, |(_, rest)| rest);
    let inside = inside.trim_end_matches(['`', '\n', ' ']).trim();
    if inside.is_empty() || inside.starts_with("{{") {
        return None;
    }
    if inside.starts_with(['{', '[']) && inside.len() <= JSON_MAX {
        // What follows the value is not looked at.
        let value = serde_json::Deserializer::from_str(inside).into_iter::<Value>().next();
        return Some(match value {
            Some(Ok(Value::Object(object))) => {
                let mut keys: Vec<String> = object.keys().cloned().collect();
                keys.sort();
                Shape::Object(Some(keys))
            }
            Some(Ok(Value::Array(_))) => Shape::Array,
            _ if inside.starts_with('{') => Shape::Object(None),
            _ => Shape::Prose,
        });
    }
    let mut lines = inside.lines().filter(|line| !line.trim().is_empty()).take(20);
    let is_list = lines.clone().count() >= 2 && lines.all(|line| item_len(line.trim_start()) > 0);
    Some(if is_list { Shape::List } else { Shape::Prose })
}

/// Sentences that point to what is not there.
fn dangling(prompt: &Prompt<'_>, lexicon: &Lexicon, found: &mut Vec<Found>) {
    let tagged: HashSet<&str> = prompt
        .readings()
        .flat_map(|(_, reading)| reading.tags.pairs.iter().map(|(open, _)| reading.tags.all[*open].name.as_str()))
        .collect();
    let has_table = prompt.readings().any(|(_, reading)| {
        let is_table = |kind| matches!(kind, Kind::Row | Kind::Fence);
        let is_comma_separated =
            |text: &str| text.lines().filter(|line| line.matches(',').take(2).count() == 2).take(3).count() == 3;
        reading.lines.iter().any(|line| is_table(line.kind))
            || reading.placeholders.iter().any(|placeholder| placeholder.inserts)
            || reading.tags.all.iter().any(|tag| tag.name == "table")
            || is_comma_separated(&reading.text)
    });
    let mut examples_before = false;
    let mut looked_at = 0;
    let mut is_last = prompt.parts.len();
    for (part, reading) in prompt.readings() {
        is_last -= 1;
        if prompt.parts[part].speaker == Speaker::Model {
            examples_before = true;
            continue;
        }
        let here = |range: Range<usize>, message| Found::new(message).at(part, range);
        for sentence in reading.sentences.iter().filter(|sentence| !reading.words[sentence.words.start].is_example) {
            let above = lexicon.examples_above.within(reading, &sentence.words);
            let below = lexicon.examples_below.within(reading, &sentence.words);
            // Whoever says it a hundred times is told once or twice.
            looked_at += above.len() + below.len();
            if looked_at <= LOOKED_AT_MAX {
                let above = above.into_iter().filter(|_| !examples_before && !shows_before(reading, sentence));
                let below = below.into_iter().filter(|_| is_last == 0 && !shows_after(reading, sentence));
                found.extend(above.chain(below).map(|words| here(reading.bytes(&words), &NO_EXAMPLE)));
            }
            let tables = lexicon.tables.within(reading, &sentence.words);
            found.extend(tables.into_iter().filter(|_| !has_table).map(|words| here(reading.bytes(&words), &NO_TABLE)));
        }
        found.extend(missing_sections(reading, lexicon).into_iter().map(|range| here(range, &NO_SECTION)));
        for index in &reading.tags.mentions {
            let tag = &reading.tags.all[*index];
            if !tagged.contains(tag.name.as_str()) && is_container(reading, tag.range.start, lexicon) {
                found.push(here(tag.range.clone(), &NO_TAG));
            }
        }
        examples_before |= !reading.examples.is_empty();
    }
}

/// Is there an example, or code, in front of the sentence?
fn shows_before(reading: &Reading, sentence: &Sentence) -> bool {
    let start = reading.words[sentence.words.start].range.start;
    let precedes = |range: &Range<usize>| range.start < start;
    reading.examples.first().is_some_and(|example| precedes(&example.range))
        || reading.fences.first().is_some_and(|fence| precedes(&fence.opening))
        || reading.placeholders.first().is_some_and(|placeholder| precedes(&placeholder.range))
}

/// Is there anything after the sentence, before the next section or the end?
fn shows_after(reading: &Reading, sentence: &Sentence) -> bool {
    let end = reading.words[sentence.words.end - 1].range.end;
    let section = reading.sections.get(reading.section(end)).copied().unwrap_or(reading.text.len());
    let rest = &reading.text[end..section.max(end)];
    let has_text = rest.contains(char::is_alphanumeric) || rest.contains(['{', '`']);
    // Examples may have a section of their own.
    has_text
        || reading.examples.last().is_some_and(|example| example.range.start >= end)
        || reading.lines.iter().any(|line| {
            line.range.start >= end
                && matches!(line.kind, Kind::Heading(_))
                && is_named_example(&reading.text[line.range.clone()])
        })
}

fn is_named_example(heading: &str) -> bool {
    heading.to_lowercase().contains("example")
}

/// Names in quotes that a sentence points to as sections, and that no heading, label or tag has.
fn missing_sections(reading: &Reading, lexicon: &Lexicon) -> Vec<Range<usize>> {
    let mut titles: Option<String> = None;
    let mut missing = Vec::new();
    let mut looked_at = 0;
    for (at, word) in reading.words.iter().enumerate().filter(|(_, word)| word.lower == "section") {
        // The quoted words right in front of it.
        let quoted = (at.saturating_sub(8)..at).rev().take_while(|before| reading.words[*before].is_quoted).count();
        let (first, last) = (at - quoted, at.saturating_sub(1));
        let is_close = quoted > 0 && word.range.start - reading.words[last].range.end <= 3;
        let refers = (1..=3).any(|back| first >= back && lexicon.references.len_at(reading, first - back) == back);
        if !is_close || !refers || reading.sections.is_empty() {
            continue;
        }
        looked_at += 1;
        if looked_at > LOOKED_AT_MAX {
            break;
        }
        let titles = titles.get_or_insert_with(|| titles_of(reading));
        let range = reading.words[first].range.start..reading.words[last].range.end;
        if !titles.contains(&reading.text[range.clone()].to_lowercase()) {
            missing.push(range);
        }
    }
    missing
}

/// Everything that names a section.
fn titles_of(reading: &Reading) -> String {
    let names = |kind| matches!(kind, Kind::Heading(_) | Kind::Prose);
    let titles =
        reading.lines.iter().filter(|line| names(line.kind)).map(|line| reading.text[line.range.clone()].trim());
    let titles = titles.filter(|title| title.starts_with(['#', '*', '<']) || title.ends_with(':'));
    titles.collect::<Vec<_>>().join("\n").to_lowercase()
}

/// Does the text say that something stands in the tag, rather than that something is to be put there?
fn is_container(reading: &Reading, tag: usize, lexicon: &Lexicon) -> bool {
    let after = reading.words.partition_point(|word| word.range.start < tag);
    (1..=3).any(|back| {
        let Some(start) = after.checked_sub(back) else { return false };
        let touches = tag - reading.words[after - 1].range.end <= 3;
        touches && lexicon.contained.len_at(reading, start) == back
    })
}
