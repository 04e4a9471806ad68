//! The variables of a prompt: declared and used (T01, T02), told apart (T05), described (T06).
use std::collections::{HashMap, HashSet};

use super::found::{Found, Message};
use super::prompt::Prompt;
use super::ranges::cover;
use super::rules::Rule;
use super::styles;
use crate::templates::TemplateFormat;

const UNDECLARED: Message = Message {
    rule: Rule::UndeclaredVariable,
    code: "undeclared-variable",
    fix: "Declare the variable, or correct its name.",
};
const UNUSED: Message = Message {
    rule: Rule::UnusedVariable,
    code: "unused-variable",
    fix: "Use the variable, or remove its declaration.",
};
const CONFUSABLE: Message = Message {
    rule: Rule::ConfusableVariables,
    code: "confusable-variables",
    fix: "Give the two variables names that nobody takes for each other, or make them one.",
};
const UNDESCRIBED: Message = Message {
    rule: Rule::UndescribedVariable,
    code: "undescribed-variable",
    fix: "Give the variable a type, a description or a default, so that callers know what to send.",
};

/// How many variables are compared with each other. A prompt that is kept has no more.
const COMPARED_MAX: usize = 256;

/// How short a name is whose neighbour is no mistake.
const TYPO_CHARS_MIN: usize = 5;

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    undeclared(prompt, found);
    unused(prompt, found);
    confusable(prompt, found);
    for name in prompt.variables() {
        let spec = prompt.schema.get(name);
        let is_described = spec.is_some_and(|spec| {
            spec.kind.is_some()
                || spec.default.is_some()
                || spec.description.as_ref().is_some_and(|text| !text.trim().is_empty())
        });
        if !is_described {
            found.push(of(prompt, &UNDESCRIBED, name));
        }
    }
}

/// A finding about a variable, where it is used first.
fn of(prompt: &Prompt<'_>, message: &'static Message, name: &str) -> Found {
    let found = Found::new(message).variable(name);
    match prompt.first_uses.get(name) {
        Some(place) => found.at(place.part, place.range.clone()),
        None => found,
    }
}

fn undeclared(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    let Some(declared) = prompt.declared else { return };
    let declared: HashSet<&str> = declared.iter().map(String::as_str).collect();
    for (part, reading) in prompt.readings() {
        for placeholder in reading.placeholders.iter().filter(|found| !cover(&reading.code, found.range.start)) {
            for name in placeholder.variables.iter().filter(|name| !declared.contains(name.as_str())) {
                found.push(Found::new(&UNDECLARED).at(part, placeholder.range.clone()).variable(name));
            }
        }
        if prompt.format == TemplateFormat::SimpleFstring {
            // The format takes these for text, which is not what it looks like.
            let braces = reading.text.match_indices('{').filter_map(|(at, _)| styles::single(&reading.text, at));
            for braces in braces.filter(|braces| !declared.contains(braces.name.as_str())) {
                if !cover(&reading.code, braces.range.start) {
                    found.push(Found::new(&UNDECLARED).at(part, braces.range).variable(&braces.name));
                }
            }
        }
    }
}

/// A name in another style is used as well, only wrongly; and so is one that a character nobody sees divides. Of a text that
/// cannot be read, nobody knows what it uses.
fn unused(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    if prompt.parts.iter().any(|part| part.meant.is_none()) {
        return;
    }
    let meant = prompt.parts.iter().filter_map(|part| part.meant.as_ref()).flatten().map(String::as_str);
    let foreign = prompt.parts.iter().flat_map(|part| &part.foreign).map(|foreign| foreign.name.as_str());
    let used: HashSet<&str> = meant.chain(foreign).collect();
    let mut seen = HashSet::new();
    let declared = prompt.declared.unwrap_or_default().iter().chain(prompt.schema.keys()).map(String::as_str);
    for name in declared.filter(|name| !used.contains(name) && seen.insert(*name)) {
        found.push(Found::new(&UNUSED).variable(name).evidence(name).without_declaration());
    }
}

fn confusable(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    let names = prompt.variables();
    let names = &names[..names.len().min(COMPARED_MAX)];
    let folded: Vec<Vec<char>> = names.iter().map(|name| fold(name)).collect();
    let mut first_by_fold: HashMap<&[char], usize> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        let same = first_by_fold.insert(&folded[index], index);
        let like =
            same.or_else(|| (0..index).find(|other| is_typo(&folded[*other], &folded[index], names[*other], name)));
        if let Some(other) = like {
            found.push(of(prompt, &CONFUSABLE, name).evidence(format!("{}, {name}", names[other])));
        }
    }
}

/// A name without case and underscores.
fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|char| *char != '_').flat_map(char::to_lowercase).collect()
}

/// Do two names differ by one character, where that is no number and no part of its own (`start_x`, `start_y`)?
fn is_typo(one: &[char], other: &[char], one_name: &str, other_name: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.len() < TYPO_CHARS_MIN || long.len() - short.len() > 1 {
        return false;
    }
    let start = short.iter().zip(long).take_while(|(one, other)| one == other).count();
    let rest = start + usize::from(short.len() == long.len());
    if short.get(rest..) != long.get(start + 1..) {
        return false;
    }
    let is_number = [short.get(start), long.get(start)].into_iter().flatten().any(char::is_ascii_digit);
    let has_letter_of_its_own = |name: &str| name.split('_').any(|part| part.chars().count() == 1);
    let is_series = is_number || has_letter_of_its_own(one_name) && has_letter_of_its_own(other_name);
    !is_series
}
