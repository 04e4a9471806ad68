//! The same instruction twice (S04), word for word or nearly.
//!
//! Sentences are compared as sets of words. Two sets that share nine words of ten also share one of the rarest of
//! each, so a sentence is compared only with those that have such a word in common, and with a few of them at most.
//! That keeps the work linear, whatever the text.
use std::collections::{BTreeSet, HashMap, HashSet};

use super::found::{Found, Message};
use super::prompt::Prompt;
use super::reading::{Reading, Sentence};
use super::rules::Rule;
use super::wording::is_instruction;
use super::words::Lexicon;

const REPEATED: Message =
    Message { rule: Rule::RepeatedInstruction, code: "instruction-repeated", fix: "Say it once, where it belongs." };
const NEARLY: Message = Message {
    rule: Rule::RepeatedInstruction,
    code: "instruction-nearly-repeated",
    fix: "Make the two instructions one, or say how they differ.",
};

/// How short a sentence may be said twice.
const WORDS_MIN: usize = 4;

/// How many different words two sentences need that are compared by them.
const COMPARED_WORDS_MIN: usize = 8;

/// With how many sentences one is compared.
const CANDIDATES_MAX: usize = 8;

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    let rarity = rarity(prompt);
    let mut exact: HashSet<Vec<&str>> = HashSet::new();
    let mut seen: Vec<BTreeSet<&str>> = Vec::new();
    let mut by_rare_word: HashMap<&str, Vec<usize>> = HashMap::new();
    for (part, reading) in prompt.instructions() {
        for sentence in reading.sentences.iter().filter(|sentence| counts(reading, sentence, prompt.lexicon)) {
            let range = reading.bytes(&sentence.words);
            // Placeholders are no words, and two sentences about different ones are different.
            let mut words: Vec<&str> =
                reading.words[sentence.words.clone()].iter().map(|word| word.lower.as_str()).collect();
            words.extend(variables(reading, sentence));
            let distinct: BTreeSet<&str> = words.iter().copied().collect();
            if !exact.insert(words) {
                found.push(Found::new(&REPEATED).at(part, range));
                continue;
            }
            if distinct.len() < COMPARED_WORDS_MIN {
                continue;
            }
            let rare = rarest(&distinct, &rarity);
            let candidates = rare.iter().filter_map(|word| by_rare_word.get(word)).flatten().take(CANDIDATES_MAX);
            if candidates.into_iter().any(|other| is_near(&distinct, &seen[*other])) {
                found.push(Found::new(&NEARLY).at(part, range));
            }
            for word in rare {
                let same = by_rare_word.entry(word).or_default();
                if same.len() < CANDIDATES_MAX {
                    same.push(seen.len());
                }
            }
            seen.push(distinct);
        }
    }
}

/// Is it an instruction, and none of an example?
fn counts(reading: &Reading, sentence: &Sentence, lexicon: Option<&Lexicon>) -> bool {
    let first = &reading.words[sentence.words.start];
    let is_own = !sentence.is_heading && !first.is_example && !first.is_quoted && sentence.words.len() >= WORDS_MIN;
    is_own && lexicon.is_none_or(|lexicon| is_instruction(reading, sentence, lexicon))
}

/// How often each word stands in the prompt.
fn rarity<'p>(prompt: &'p Prompt<'_>) -> HashMap<&'p str, usize> {
    let mut counts = HashMap::new();
    for (_, reading) in prompt.instructions() {
        for word in &reading.words {
            *counts.entry(word.lower.as_str()).or_default() += 1;
        }
    }
    counts
}

/// The variables within a sentence, or between it and the next.
fn variables<'r>(reading: &'r Reading, sentence: &Sentence) -> impl Iterator<Item = &'r str> {
    let start = reading.words[sentence.words.start].range.start;
    let end = reading.words.get(sentence.words.end).map_or(reading.text.len(), |next| next.range.start);
    let first = reading.placeholders.partition_point(|placeholder| placeholder.range.start < start);
    let within = reading.placeholders[first..].iter().take_while(move |placeholder| placeholder.range.end <= end);
    within.flat_map(|placeholder| placeholder.variables.iter().map(String::as_str))
}

/// So many of the rarest words that two sentences that are nearly the same share one of them.
fn rarest<'r>(words: &BTreeSet<&'r str>, rarity: &HashMap<&str, usize>) -> Vec<&'r str> {
    let mut rare: Vec<&str> = words.iter().copied().collect();
    rare.sort_by_key(|word| (rarity.get(word).copied().unwrap_or_default(), *word));
    rare.truncate(words.len() / 10 + 1);
    rare
}

/// Do they share nine words of ten, without a number or a negation among the others?
fn is_near(one: &BTreeSet<&str>, other: &BTreeSet<&str>) -> bool {
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    if short * 10 < long * 9 {
        return false;
    }
    let shared = one.intersection(other).count();
    let changes_meaning = |word: &&str| {
        word.chars().any(|char| char.is_ascii_digit())
            || word.ends_with("n't")
            || matches!(*word, "not" | "no" | "never" | "always")
    };
    shared * 10 >= (one.len() + other.len() - shared) * 9 && !one.symmetric_difference(other).any(changes_meaning)
}
