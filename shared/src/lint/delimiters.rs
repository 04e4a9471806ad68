//! Text from outside: what divides it from the instructions (T07, T08), and where it stands among them (T09).
use super::budget::estimate;
use super::found::{Found, Message};
use super::lines::Kind;
use super::prompt::Prompt;
use super::ranges::cover;
use super::reading::Reading;
use super::rules::Rule;
use super::words::{CARRIERS, ESCAPING};
use crate::templates::{Placeholder, VariableType};

const UNDELIMITED: Message = Message {
    rule: Rule::UndelimitedInput,
    code: "undelimited-input",
    fix: "Put the text into a tag of its own, so that the model cannot take it for an instruction.",
};
const FENCE: Message = Message {
    rule: Rule::BreakableDelimiter,
    code: "breakable-fence",
    fix: "Use a tag, or a fence of four marks: three can stand in the text itself and end the block.",
};
const QUOTES: Message = Message {
    rule: Rule::BreakableDelimiter,
    code: "breakable-quotes",
    fix: "Use a tag, or a filter that escapes: quotes can stand in the text itself.",
};
const ORDER: Message = Message {
    rule: Rule::CacheUnfriendlyOrder,
    code: "cache-unfriendly-order",
    fix: "Move what stays the same before the first variable, so that it can be cached.",
};

/// How many words beside it on its line make a placeholder part of a sentence.
const SENTENCE_WORDS: usize = 3;

/// How many tokens of fixed text are worth a cache.
const CACHED_TOKENS: usize = 1024;

pub(super) fn check(prompt: &Prompt<'_>, untrusted: &[String], found: &mut Vec<Found>) {
    for (part, reading) in prompt.instructions() {
        for placeholder in reading.placeholders.iter().filter(|placeholder| placeholder.inserts) {
            let from_outside = |name: &&String| is_untrusted(prompt, untrusted, name);
            let Some(name) = placeholder.variables.iter().find(from_outside) else { continue };
            let is_escaped = placeholder.filters.iter().any(|filter| ESCAPING.contains(&filter.as_str()));
            let message = if is_escaped { None } else { exposure(reading, placeholder) };
            let here = |message| Found::new(message).at(part, placeholder.range.clone()).variable(name);
            found.extend(message.map(here));
        }
    }
    found.extend(order(prompt));
}

/// Does the variable hold free text from outside? The caller says so, or the name does.
fn is_untrusted(prompt: &Prompt<'_>, untrusted: &[String], name: &str) -> bool {
    let is_text = prompt.schema.get(name).and_then(|spec| spec.kind).is_none_or(|kind| kind == VariableType::String);
    let lower = name.to_lowercase();
    let last = lower.rsplit('_').next().unwrap_or_default();
    untrusted.iter().any(|given| given == name)
        || is_text && (CARRIERS.contains(&lower.as_str()) || CARRIERS.contains(&last))
}

/// What could go wrong with text put here.
fn exposure(reading: &Reading, placeholder: &Placeholder) -> Option<&'static Message> {
    let (start, end) = (placeholder.range.start, placeholder.range.end);
    if let Some(fence) = reading.fence_around(start) {
        return (fence.marks == 3).then_some(&FENCE);
    }
    let before = reading.text[..start].chars().next_back();
    let is_quoted = matches!(before, Some('"' | '\'')) && reading.text[end..].chars().next() == before;
    let is_tripled = reading.text[end..].starts_with("\"\"\"");
    if is_quoted && !is_tripled {
        return Some(&QUOTES);
    }
    if is_tripled || cover(&reading.tags.inside, start) || cover(&reading.code, start) {
        return None;
    }
    let line = reading.line_at(start);
    let words = reading.words.partition_point(|word| word.range.start < line.range.start)
        ..reading.words.partition_point(|word| word.range.start < line.range.end);
    // A label may stand before it: `Text: {{text}}`.
    let ahead = reading.text[line.range.start..start].trim_end_matches([' ', '*', '_']);
    let behind = reading.text[end.min(line.range.end)..line.range.end].trim_start_matches([' ', '|', '*', '.']);
    let is_labelled = behind.is_empty() && ahead.ends_with([':', '：', '=', '|', '>']);
    let is_sentence = words.len() >= SENTENCE_WORDS && matches!(line.kind, Kind::Prose | Kind::Item);
    (is_sentence && !is_labelled).then_some(&UNDELIMITED)
}

/// Is there a variable early on, and much after it that stays the same?
fn order(prompt: &Prompt<'_>) -> Option<Found> {
    let total: usize = prompt.parts.iter().map(|part| part.reading.text.len()).sum();
    let mut before = 0;
    let inserts = |placeholder: &&Placeholder| placeholder.inserts;
    for (part, reading) in prompt.readings() {
        let Some(first) = reading.placeholders.iter().find(inserts) else {
            before += reading.text.len();
            continue;
        };
        let is_early = (before + first.range.start) * 5 < total;
        let mut fixed = 0;
        for (index, reading) in prompt.readings().skip(part) {
            let mut at = if index == part { first.range.end } else { 0 };
            for Placeholder { range, .. } in &reading.placeholders {
                if range.start >= at {
                    fixed += estimate(&reading.text[at..range.start]);
                    at = range.end;
                }
            }
            fixed += estimate(&reading.text[at..]);
        }
        return (is_early && fixed >= CACHED_TOKENS).then(|| Found::new(&ORDER).at(part, first.range.clone()));
    }
    None
}
