//! Phrases that override instructions (X04), in the text or in what is put into it when nothing else is.
use std::ops::Range;

use serde_json::Value;

use super::found::{Found, Message};
use super::prompt::Prompt;
use super::reading::Reading;
use super::rules::Rule;
use super::words::Lexicon;

const IN_TEXT: Message = Message {
    rule: Rule::InjectionPhrase,
    code: "injection-phrase",
    fix: "Remove the phrase: it makes the model drop the instructions before it.",
};
const IN_DEFAULT: Message = Message {
    rule: Rule::InjectionPhrase,
    code: "injection-in-default",
    fix: "Give the variable a default that instructs nobody.",
};

pub(super) fn check(prompt: &Prompt<'_>, lexicon: &Lexicon, found: &mut Vec<Found>) {
    for (part, reading) in prompt.instructions() {
        let phrases = phrases(reading, lexicon);
        found.extend(phrases.into_iter().map(|phrase| Found::new(&IN_TEXT).at(part, reading.bytes(&phrase))));
    }
    for (name, spec) in prompt.schema {
        let Some(Value::String(default)) = &spec.default else { continue };
        let reading = Reading::new(default.clone(), Vec::new());
        if let Some(phrase) = phrases(&reading, lexicon).first() {
            let evidence = &reading.text[reading.bytes(phrase)];
            found.push(Found::new(&IN_DEFAULT).variable(name).evidence(evidence));
        }
    }
}

/// Those that are said. In quotes, in an example or with a word of warning they are only spoken of.
fn phrases(reading: &Reading, lexicon: &Lexicon) -> Vec<Range<usize>> {
    let mut said = Vec::new();
    for sentence in &reading.sentences {
        let phrases = lexicon.overrides.within(reading, &sentence.words);
        if phrases.is_empty() {
            continue;
        }
        let guard = lexicon.guards.within(reading, &sentence.words).first().map(|guard| guard.start);
        said.extend(phrases.into_iter().filter(|phrase| {
            let first = &reading.words[phrase.start];
            !first.is_quoted && !first.is_example && guard.is_none_or(|guard| guard >= phrase.start)
        }));
    }
    said
}
