//! Checks the text of a prompt, and says what could be better.
//!
//! [`check`] reads each text once, asks every [`Rule`], and reports [findings](Finding) with their place, what shows
//! them, what to do and, where that is safe, the change that does it; [`apply`] makes those changes. A rule that fires
//! on good prompts is worse than none, so rules pass over code, examples and what is only quoted. All of it takes time
//! linear in the text, and none of it knows of storage.
mod apply;
mod budget;
mod conflicts;
mod delimiters;
mod delta;
mod examples;
mod found;
mod hidden;
mod injection;
mod language;
mod leftovers;
mod lines;
mod logins;
mod model;
mod personal;
mod phrases;
mod prompt;
mod ranges;
mod reading;
mod repeats;
mod rules;
mod secrets;
mod shown;
mod structure;
mod styles;
mod tags;
mod variables;
mod wording;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

pub use apply::{Applied, apply};
pub use delta::{LintCount, LintDelta, RuleChange, Tally};
pub use model::{Autofix, Content, Finding, Options, Report, Span, Speaker, Suppressed, Suppression, Text};
pub use rules::{Rule, Severity};

use found::Found;
use prompt::Prompt;

/// How many findings of a rule are listed. Those that can be fixed are in any case.
const LISTED_MAX: usize = 20;

/// Asks every rule about a prompt.
#[must_use]
pub fn check(text: &Text<'_>, options: &Options) -> Report {
    let prompt = Prompt::read(text);
    let mut found = found(&prompt, options);
    // Before the list is cut: what is not listed is secret too.
    let sensitive = sensitive(&prompt, &found);
    let mut listed: HashMap<Rule, usize> = HashMap::new();
    let before = found.len();
    found.retain(|found| {
        let count = listed.entry(found.message.rule).or_default();
        *count += 1;
        *count <= LISTED_MAX || found.is_fixable()
    });
    let unlisted = before - found.len();
    let without_findings =
        |suppression: &Suppression| Suppressed { suppression: suppression.clone(), findings: vec![] };
    let mut suppressed: Vec<Suppressed> = options.suppressions.iter().map(without_findings).collect();
    let mut findings = Vec::new();
    for found in found {
        let finding = found.finish(&prompt, &sensitive);
        let home = suppressed.iter_mut().find(|suppressed| suppressed.suppression.rule == finding.rule);
        home.map_or(&mut findings, |suppressed| &mut suppressed.findings).push(finding);
    }
    let score = model::score(findings.iter().map(|finding| (finding.rule, finding.severity)));
    Report { score, findings, suppressed, unlisted }
}

/// Counts what every rule finds, but for the suppressed ones, to be compared with another version.
#[must_use]
pub fn tally(text: &Text<'_>, options: &Options) -> Tally {
    let mut found = found(&Prompt::read(text), options);
    found.retain(|found| options.suppressions.iter().all(|suppression| suppression.rule != found.message.rule));
    Tally::of(found)
}

/// In the order they stand in, and last what stands nowhere.
fn found(prompt: &Prompt<'_>, options: &Options) -> Vec<Found> {
    let mut found = Vec::new();
    variables::check(prompt, &mut found);
    styles::check(prompt, &mut found);
    delimiters::check(prompt, &options.untrusted, &mut found);
    structure::check(prompt, &mut found);
    repeats::check(prompt, &mut found);
    shown::check(prompt, &mut found);
    if let Some(lexicon) = prompt.lexicon {
        wording::check(prompt, lexicon, &mut found);
        conflicts::check(prompt, lexicon, &mut found);
        injection::check(prompt, lexicon, &mut found);
    }
    leftovers::check(prompt, &mut found);
    secrets::check(prompt, &mut found);
    personal::check(prompt, &mut found);
    for (index, part) in prompt.parts.iter().enumerate() {
        found.extend(part.clean.findings(index, part.original));
    }
    budget::check(prompt, options, &mut found);
    found.sort_by_key(|found| {
        let place = found.place.as_ref().map(|place| (place.part, place.range.start, place.range.end));
        (place.is_none(), place, found.message.rule)
    });
    found
}

/// What nobody should read in a report, part by part.
fn sensitive(prompt: &Prompt<'_>, found: &[Found]) -> Vec<Vec<Range<usize>>> {
    let mut sensitive = vec![Vec::new(); prompt.parts.len()];
    for found in found.iter().filter(|found| matches!(found.message.rule, Rule::Secret | Rule::PersonalData)) {
        if let Some(place) = &found.place {
            sensitive[place.part].push(place.range.clone());
        }
    }
    sensitive.into_iter().map(ranges::merge).collect()
}
