//! How a prompt speaks: its task (C01), its form of answer (C02), its vagueness (C03), its tone (C05, C06).
use std::ops::Range;

use super::found::{Found, Message};
use super::model::Speaker;
use super::prompt::Prompt;
use super::reading::{Reading, Sentence, Word};
use super::rules::{Rule, Severity};
use super::words::{Lexicon, TASKS};

const NO_TASK: Message = Message {
    rule: Rule::NoTask,
    code: "no-task",
    fix: "Say what is to be done, in a sentence that begins with a verb.",
};
const NO_FORMAT: Message = Message {
    rule: Rule::NoOutputFormat,
    code: "no-output-format",
    fix: "Say what the answer should look like: its form, its length, its parts.",
};
const VAGUE: Message = Message {
    rule: Rule::VagueWording,
    code: "vague-wording",
    fix: "Put numbers and criteria in the place of vague words.",
};
const PROHIBITIONS: Message = Message {
    rule: Rule::ProhibitionsOnly,
    code: "prohibitions-only",
    fix: "Say what to do: of what not to do alone, a model cannot tell what is wanted.",
};
const CAPITALS: Message = Message {
    rule: Rule::Shouting,
    code: "capitals",
    fix: "Write directives in small letters, and give the reason for those that matter.",
};
const EXCLAMATIONS: Message = Message { rule: Rule::Shouting, code: "exclamation-marks", fix: "One mark is enough." };

/// How many vague words are too many, and how many of a hundred.
const VAGUE_MIN: usize = 3;
const VAGUE_PER_HUNDRED: usize = 2;

/// How many sentences that forbid are too many.
const PROHIBITIONS_MIN: usize = 6;

/// How many directives in capitals are too many, in so many words.
const CAPITALS_MIN: usize = 3;
const CAPITALS_WORDS: usize = 200;

pub(super) fn check(prompt: &Prompt<'_>, lexicon: &Lexicon, found: &mut Vec<Found>) {
    let has_words = prompt.instructions().any(|(_, reading)| !reading.words.is_empty());
    if has_words && !has_task(prompt, lexicon) {
        found.push(Found::new(&NO_TASK));
    }
    if has_words && !has_format(prompt, lexicon) {
        let severity = if prompt.read_by_program { Severity::Warning } else { Severity::Info };
        found.push(Found::new(&NO_FORMAT).severity(severity));
    }
    for (part, reading) in prompt.instructions() {
        found.extend(vague(part, reading, lexicon));
        found.extend(capitals(part, reading, lexicon));
        found.extend(exclamations(reading).into_iter().map(|range| Found::new(&EXCLAMATIONS).at(part, range)));
    }
    found.extend(prohibitions(prompt, lexicon));
}

/// Does the sentence tell the model to do something, or not to?
pub(super) fn is_instruction(reading: &Reading, sentence: &Sentence, lexicon: &Lexicon) -> bool {
    lexicon.prohibitions.stand_in(reading, &sentence.words) || is_positive(reading, sentence, lexicon)
}

/// Does it begin with a verb, or say that something must be?
fn is_positive(reading: &Reading, sentence: &Sentence, lexicon: &Lexicon) -> bool {
    let mut at = sentence.words.start;
    while at < sentence.words.end {
        if lexicon.imperatives.starts_at(reading, at) {
            return true;
        }
        match lexicon.fillers.len_at(reading, at) {
            0 => break,
            len => at += len,
        }
    }
    let after_clause = |at: usize| {
        let before = &reading.text[reading.words[at - 1].range.end..reading.words[at].range.start];
        before.starts_with([',', ':', '-', '–', '—', '(']) && lexicon.imperatives.starts_at(reading, at)
    };
    // `You answer questions` instructs as well as `answer questions`.
    let is_told = |at: usize| {
        reading.words[at].lower == "you"
            && at + 1 < sentence.words.end
            && lexicon.imperatives.starts_at(reading, at + 1)
    };
    sentence.words.clone().any(is_told)
        || (sentence.words.start + 1..sentence.words.end).any(after_clause)
        || lexicon.tasks.stand_in(reading, &sentence.words)
}

/// The task may also be in a variable: in one that is named so, or that is all there is of a message.
fn has_task(prompt: &Prompt<'_>, lexicon: &Lexicon) -> bool {
    let names_task = |name: &String| {
        let name = name.to_lowercase();
        TASKS.contains(&name.rsplit('_').next().unwrap_or_default())
    };
    let asks = |reading: &Reading| {
        let is_own = |sentence: &&Sentence| !reading.words[sentence.words.start].is_example;
        reading.words.is_empty() && !reading.placeholders.is_empty()
            || reading.sentences.iter().filter(is_own).any(|sentence| {
                sentence.is_question
                    || is_positive(reading, sentence, lexicon)
                    || lexicon.prohibitions.stand_in(reading, &sentence.words)
            })
    };
    prompt.used.iter().any(names_task) || prompt.instructions().any(|(_, reading)| asks(reading))
}

/// Examples and answers of the model show the form, and so does code.
fn has_format(prompt: &Prompt<'_>, lexicon: &Lexicon) -> bool {
    let shows = |reading: &Reading| {
        !reading.examples.is_empty()
            || reading.fences.iter().any(|fence| fence.missing.is_none())
            || !lexicon.formats.within(reading, &(0..reading.words.len())).is_empty()
    };
    prompt.parts.iter().any(|part| part.speaker == Speaker::Model || shows(&part.reading))
}

fn is_own(word: &Word) -> bool {
    !word.is_example && !word.is_quoted
}

fn vague(part: usize, reading: &Reading, lexicon: &Lexicon) -> Option<Found> {
    let mut phrases = lexicon.vague.within(reading, &(0..reading.words.len()));
    phrases.retain(|phrase| is_own(&reading.words[phrase.start]));
    let words = reading.words.iter().filter(|word| is_own(word)).count();
    if phrases.len() < VAGUE_MIN || phrases.len() * 100 < words * VAGUE_PER_HUNDRED {
        return None;
    }
    let written = |phrase: &Range<usize>| &reading.text[reading.bytes(phrase)];
    let evidence = phrases.iter().take(8).map(written).collect::<Vec<_>>().join(", ");
    Some(Found::new(&VAGUE).at(part, reading.bytes(&phrases[0])).evidence(evidence))
}

fn prohibitions(prompt: &Prompt<'_>, lexicon: &Lexicon) -> Option<Found> {
    let (mut forbidding, mut positive) = (0_usize, 0_usize);
    let mut first = None;
    for (part, reading) in prompt.instructions() {
        for sentence in reading.sentences.iter().filter(|sentence| is_own(&reading.words[sentence.words.start])) {
            if lexicon.prohibitions.stand_in(reading, &sentence.words) {
                forbidding += 1;
                first.get_or_insert_with(|| (part, reading.bytes(&sentence.words)));
            } else if is_positive(reading, sentence, lexicon) {
                positive += 1;
            }
        }
    }
    let (part, range) = first.filter(|_| forbidding >= PROHIBITIONS_MIN && forbidding > positive)?;
    let evidence = format!("{forbidding} sentences forbid, {positive} instruct");
    Some(Found::new(&PROHIBITIONS).at(part, range).evidence(evidence))
}

/// A heading in capitals does not shout.
fn capitals(part: usize, reading: &Reading, lexicon: &Lexicon) -> Option<Found> {
    let own = |sentence: &&Sentence| {
        !sentence.is_heading && !reading.words[sentence.words.clone()].iter().all(|word| word.is_capitals)
    };
    let mut shouted: Vec<Range<usize>> = Vec::new();
    for sentence in reading.sentences.iter().filter(own) {
        let phrases = lexicon.directives.within(reading, &sentence.words);
        shouted.extend(phrases.into_iter().filter(|phrase| {
            let words = &reading.words[phrase.clone()];
            words.iter().all(|word| word.is_capitals || word.lower.contains('\''))
                && words.iter().any(|word| word.is_capitals)
                && is_own(&words[0])
        }));
    }
    if shouted.len() < CAPITALS_MIN || shouted.len() * CAPITALS_WORDS < CAPITALS_MIN * reading.words.len() {
        return None;
    }
    let written = |phrase: &Range<usize>| &reading.text[reading.bytes(phrase)];
    let evidence = shouted.iter().take(8).map(written).collect::<Vec<_>>().join(", ");
    Some(Found::new(&CAPITALS).at(part, reading.bytes(&shouted[0])).evidence(evidence))
}

/// Two marks or more at the end of a word. In code they stand in front of one.
fn exclamations(reading: &Reading) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    for word in reading.words.iter().filter(|word| is_own(word)) {
        let after = &reading.text[word.range.end..];
        let marks = after.bytes().take_while(|byte| *byte == b'!').count();
        let ends = after[marks..].chars().next().is_none_or(|next| next.is_whitespace() || "\"”)*".contains(next));
        if marks >= 2 && ends {
            runs.push(word.range.end..word.range.end + marks);
        }
    }
    runs
}
