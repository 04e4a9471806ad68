//! A finding in the making: what a rule says of a place, before places are counted in lines and evidence is masked.
use std::ops::Range;

use super::model::{Autofix, Finding, Span};
use super::prompt::Prompt;
use super::ranges::cover;
use super::rules::{Rule, Severity};

/// The longest evidence, in characters.
const EVIDENCE_MAX: usize = 80;

/// A case of a rule.
#[derive(Debug)]
pub(super) struct Message {
    /// Whose case it is.
    pub(super) rule: Rule,
    /// Stable, in kebab-case.
    pub(super) code: &'static str,
    /// What to do about it, in a sentence.
    pub(super) fix: &'static str,
}

/// Some bytes of one part of a prompt.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which part.
    pub(super) part: usize,
    /// Which bytes.
    pub(super) range: Range<usize>,
}

/// A finding in the making.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) message: &'static Message,
    pub(super) severity: Severity,
    /// In the text without hidden characters, unless `is_original`.
    pub(super) place: Option<Place>,
    is_original: bool,
    pub(super) variable: Option<String>,
    /// What in the same part it goes against.
    against: Option<Range<usize>>,
    evidence: Option<String>,
    edit: Option<Edit>,
}

#[derive(Debug)]
enum Edit {
    /// What stands at the place then.
    Place(String),
    /// What is put after the end of the part.
    End(String),
    /// The declaration goes.
    Declaration,
}

impl Found {
    pub(super) fn new(message: &'static Message) -> Self {
        let severity = message.rule.severity();
        Self {
            message,
            severity,
            place: None,
            is_original: false,
            variable: None,
            against: None,
            evidence: None,
            edit: None,
        }
    }

    /// It is these bytes of this part, which are the evidence too.
    pub(super) fn at(mut self, part: usize, range: Range<usize>) -> Self {
        self.place = Some(Place { part, range });
        self
    }

    /// The same, in the text with its hidden characters.
    pub(super) fn at_original(mut self, place: Place) -> Self {
        (self.place, self.is_original) = (Some(place), true);
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn variable(mut self, name: &str) -> Self {
        self.variable = Some(name.to_owned());
        self
    }

    /// It goes against this in the same part, which is evidence too.
    pub(super) fn against(mut self, range: Range<usize>) -> Self {
        self.against = Some(range);
        self
    }

    /// Says what was found in other words than those of the place.
    pub(super) fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    /// It can be fixed: by this text at the place.
    pub(super) fn replacement(mut self, text: String) -> Self {
        self.edit = Some(Edit::Place(text));
        self
    }

    /// It can be fixed: by this text after the end of the part.
    pub(super) fn addition(mut self, text: String) -> Self {
        self.edit = Some(Edit::End(text));
        self
    }

    /// It can be fixed: without the declaration of the variable.
    pub(super) fn without_declaration(mut self) -> Self {
        self.edit = Some(Edit::Declaration);
        self
    }

    pub(super) fn is_fixable(&self) -> bool {
        self.edit.is_some()
    }

    /// The finding, as it is reported. `sensitive` has the ranges of each part that nobody should read in a report.
    pub(super) fn finish(self, prompt: &Prompt<'_>, sensitive: &[Vec<Range<usize>>]) -> Finding {
        let rule = self.message.rule;
        let evidence = self.evidence.or_else(|| {
            let place = self.place.as_ref()?;
            let (text, masked) = (&prompt.parts[place.part].reading.text, &sensitive[place.part]);
            let ranges = self.against.iter().chain([&place.range]);
            let excerpt = ranges.map(|range| excerpt(text, range, masked)).collect::<Vec<_>>().join(" / ");
            (!excerpt.is_empty()).then_some(excerpt)
        });
        let place = self.place.map(|place| {
            let clean = &prompt.parts[place.part].clean;
            let range = if self.is_original { place.range } else { clean.original(&place.range) };
            Place { part: place.part, range }
        });
        let autofix = match (self.edit, &place, &self.variable) {
            (Some(Edit::Place(text)), Some(Place { part, range }), _) => {
                let message = prompt.message(*part);
                Some(Autofix::Replace { message, start: range.start, end: range.end, text })
            }
            (Some(Edit::End(text)), Some(Place { part, .. }), _) => {
                let end = prompt.parts[*part].original.len();
                Some(Autofix::Replace { message: prompt.message(*part), start: end, end, text })
            }
            (Some(Edit::Declaration), _, Some(name)) => Some(Autofix::RemoveDeclaration { variable: name.clone() }),
            _ => None,
        };
        Finding {
            rule,
            name: rule.name(),
            severity: self.severity,
            code: self.message.code,
            span: place.map(|place| span(prompt, &place)),
            variable: self.variable,
            evidence,
            fix: self.message.fix,
            autofix,
        }
    }
}

fn span(prompt: &Prompt<'_>, place: &Place) -> Span {
    let part = &prompt.parts[place.part];
    let Range { start, end } = place.range;
    let last = if end > start { end - 1 } else { end };
    Span {
        message: prompt.message(place.part),
        start,
        end,
        first_line: part.line_of(start),
        last_line: part.line_of(last),
    }
}

/// The words of a place on one line, shortened, with a dot for every character that is masked.
pub(super) fn excerpt(text: &str, range: &Range<usize>, masked: &[Range<usize>]) -> String {
    let mut excerpt = String::new();
    for (count, (at, char)) in text[range.clone()].char_indices().enumerate() {
        if count == EVIDENCE_MAX {
            excerpt.push('…');
            break;
        }
        let at = range.start + at;
        excerpt.push(match char {
            _ if cover(masked, at) => '•',
            char if char.is_control() => ' ',
            char => char,
        });
    }
    excerpt
}
