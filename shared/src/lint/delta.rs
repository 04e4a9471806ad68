//! What another version of a prompt breaks that the first did not, and the reverse.
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::found::Found;
use super::model::score;
use super::rules::{Rule, Severity};

/// What makes two findings the same in two versions: not the place nor the words, which move when anything is edited.
type Case = (Rule, Severity, &'static str, Option<String>);

/// What a prompt breaks, counted, with whatever a report would not list.
#[derive(Clone, Debug)]
pub struct Tally {
    score: u32,
    counts: HashMap<Case, usize>,
}

/// What is wrong with a version, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LintCount {
    /// 100 and nothing found, down to 0.
    pub score: u32,
    /// How many errors were found.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    /// How many that are only worth a look.
    pub infos: usize,
}

/// Findings of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleChange {
    /// The rule's id.
    pub rule: Rule,
    /// The rule's name.
    pub name: &'static str,
    /// How bad they are.
    pub severity: Severity,
    /// How many.
    pub count: usize,
}

/// What changed in what is found. Rules that do not count for the prompt are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LintDelta {
    /// Of the earlier version.
    pub before: LintCount,
    /// Of the later one.
    pub after: LintCount,
    /// What is found in the later one only, by rule.
    pub appeared: Vec<RuleChange>,
    /// What is found in the earlier one only, by rule.
    pub gone: Vec<RuleChange>,
}

impl Tally {
    pub(super) fn of(found: Vec<Found>) -> Self {
        let score = score(found.iter().map(|found| (found.message.rule, found.severity)));
        let mut counts = HashMap::new();
        for found in found {
            let case = (found.message.rule, found.severity, found.message.code, found.variable);
            *counts.entry(case).or_default() += 1;
        }
        Self { score, counts }
    }

    /// What changed since an earlier version.
    #[must_use]
    pub fn since(&self, before: &Self) -> LintDelta {
        let (appeared, gone) = (self.without(before), before.without(self));
        LintDelta { before: before.count(), after: self.count(), appeared, gone }
    }

    fn count(&self) -> LintCount {
        let of = |severity| self.counts.iter().filter(|(case, _)| case.1 == severity).map(|(_, count)| count).sum();
        let [errors, warnings, infos] = [Severity::Error, Severity::Warning, Severity::Info].map(of);
        LintCount { score: self.score, errors, warnings, infos }
    }

    fn without(&self, other: &Self) -> Vec<RuleChange> {
        let mut more: BTreeMap<(Rule, Severity), usize> = BTreeMap::new();
        for (case, count) in &self.counts {
            let known = other.counts.get(case).copied().unwrap_or_default();
            if *count > known {
                *more.entry((case.0, case.1)).or_default() += count - known;
            }
        }
        let change =
            |((rule, severity), count): ((Rule, _), _)| RuleChange { rule, name: rule.name(), severity, count };
        more.into_iter().map(change).collect()
    }
}
