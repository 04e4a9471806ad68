//! Instructions that cannot be followed together (C04), and several people in one (C07).
use std::collections::HashMap;
use std::ops::Range;

use super::found::{Found, Message};
use super::prompt::Prompt;
use super::reading::{Reading, Sentence};
use super::rules::Rule;
use super::words::Lexicon;

const CONFLICT: Message = Message {
    rule: Rule::ConflictingInstructions,
    code: "conflicting-instructions",
    fix: "Choose one of the two, or say when each applies.",
};
const PERSONAS: Message =
    Message { rule: Rule::SeveralPersonas, code: "several-personas", fix: "Say once who the model is." };

/// How many words before a phrase can turn it into its opposite.
const NEGATED_WITHIN: usize = 3;

/// How many words say what is always or never to be done.
const ACTION_WORDS: usize = 8;

pub(super) fn check(prompt: &Prompt<'_>, lexicon: &Lexicon, found: &mut Vec<Found>) {
    for (part, reading) in prompt.instructions() {
        let sentences: Vec<&Sentence> =
            reading.sentences.iter().filter(|sentence| is_unconditional(reading, sentence, lexicon)).collect();
        for (one, other) in &lexicon.conflicts {
            let sides = [one, other].map(|side| {
                let phrases = sentences.iter().flat_map(|sentence| side.within(reading, &sentence.words));
                phrases.filter(|phrase| !is_negated(reading, phrase, lexicon)).collect::<Vec<_>>()
            });
            found.extend(meet(part, reading, &sides));
        }
        polarity(part, reading, &sentences, lexicon, found);
    }
    personas(prompt, lexicon, found);
}

/// What depends on something may differ from what holds otherwise.
fn is_unconditional(reading: &Reading, sentence: &Sentence, lexicon: &Lexicon) -> bool {
    let first = &reading.words[sentence.words.start];
    !first.is_example
        && !first.is_quoted
        && !sentence.is_heading
        && !lexicon.conditions.stand_in(reading, &sentence.words)
}

fn is_negated(reading: &Reading, phrase: &Range<usize>, lexicon: &Lexicon) -> bool {
    let before = phrase.start.saturating_sub(NEGATED_WITHIN)..phrase.start;
    lexicon.negations.stand_in(reading, &before)
}

/// The first of each section where both sides stand.
fn meet(part: usize, reading: &Reading, sides: &[Vec<Range<usize>>; 2]) -> Vec<Found> {
    let mut first: HashMap<usize, Range<usize>> = HashMap::new();
    for phrase in &sides[0] {
        let range = reading.bytes(phrase);
        first.entry(reading.section(range.start)).or_insert(range);
    }
    let mut found = Vec::new();
    for phrase in &sides[1] {
        let range = reading.bytes(phrase);
        if let Some(other) = first.remove(&reading.section(range.start)) {
            found.push(conflict(part, other, range));
        }
    }
    found
}

/// The later of the two is the place, and both are the evidence.
fn conflict(part: usize, one: Range<usize>, other: Range<usize>) -> Found {
    let (first, last) = if one.start < other.start { (one, other) } else { (other, one) };
    Found::new(&CONFLICT).at(part, last).against(first)
}

/// What is to be done, by its section and its first words.
type Action<'r> = (usize, Vec<&'r str>);

/// Always and never the same.
fn polarity(part: usize, reading: &Reading, sentences: &[&Sentence], lexicon: &Lexicon, found: &mut Vec<Found>) {
    let (always, never) = &lexicon.polarities;
    let mut seen: HashMap<Action<'_>, (bool, Range<usize>)> = HashMap::new();
    for sentence in sentences {
        for at in sentence.words.clone() {
            let (yes, no) = (always.len_at(reading, at), never.len_at(reading, at));
            if yes.max(no) == 0 {
                continue;
            }
            let start = at + yes.max(no);
            let end = sentence.words.end.min(start + ACTION_WORDS);
            let action = |word: &usize| lexicon.articles.len_at(reading, *word) == 0;
            let words: Vec<&str> =
                (start..end).filter(action).map(|word| reading.words[word].lower.as_str()).take(2).collect();
            if words.is_empty() {
                continue;
            }
            let range = reading.bytes(&(at..end));
            match seen.get(&(reading.section(range.start), words.clone())) {
                Some((was_always, other)) if *was_always != (yes > 0) => {
                    found.push(conflict(part, other.clone(), range));
                }
                Some(_) => {}
                None => {
                    seen.insert((reading.section(range.start), words), (yes > 0, range));
                }
            }
        }
    }
}

/// Sentences that begin with who the model is, and say something else each.
fn personas(prompt: &Prompt<'_>, lexicon: &Lexicon, found: &mut Vec<Found>) {
    let mut first: Option<Vec<&str>> = None;
    for (part, reading) in prompt.instructions() {
        for sentence in &reading.sentences {
            let start = sentence.words.start;
            let (opening, word) = (lexicon.personas.len_at(reading, start), &reading.words[start]);
            if opening == 0 || word.is_example || word.is_quoted || start + opening >= sentence.words.end {
                continue;
            }
            let ends = |at: &usize| lexicon.persona_ends.starts_at(reading, *at);
            let who: Vec<&str> = (start + opening..sentence.words.end)
                .take_while(|at| !ends(at))
                .take(ACTION_WORDS)
                .map(|at| reading.words[at].lower.as_str())
                .collect();
            match &first {
                None => first = Some(who),
                Some(before) if before.last() != who.last() => {
                    found.push(Found::new(&PERSONAS).at(part, reading.bytes(&sentence.words)));
                }
                Some(_) => {}
            }
        }
    }
}
