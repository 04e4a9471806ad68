//! What must be true of a hit, besides its words.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mirror::{Entry, Mirror};
use crate::text;

/// Something whose values sort the hits into drawers. A document may have several of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Where it belongs.
    Category,
    /// Its tags.
    Tags,
    /// Where it stands in its life.
    LifecycleStatus,
    /// Its labels.
    Labels,
    /// How its variables are written.
    TemplateFormat,
    /// Who made it.
    CreatedBy,
    /// The model its settings name.
    Model,
    /// Its variables.
    Variables,
}

impl Field {
    /// How many there are.
    pub(super) const COUNT: usize = 8;

    /// As a query calls it.
    pub(super) fn of_query(name: &str) -> Option<Self> {
        Some(match name {
            "category" => Self::Category,
            "tag" => Self::Tags,
            "status" => Self::LifecycleStatus,
            "label" => Self::Labels,
            "format" => Self::TemplateFormat,
            "owner" => Self::CreatedBy,
            "model" => Self::Model,
            "variable" => Self::Variables,
            _ => return None,
        })
    }

    /// As requests and answers call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Tags => "tags",
            Self::LifecycleStatus => "lifecycle_status",
            Self::Labels => "labels",
            Self::TemplateFormat => "template_format",
            Self::CreatedBy => "created_by",
            Self::Model => "model",
            Self::Variables => "variables",
        }
    }
}

/// Something that can be true of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It has one of these values. Of a category, `folder/*` means everything below it.
    OneOf(Field, Vec<String>),
    /// It was written to at this moment or later, in milliseconds.
    UpdatedFrom(i64),
    /// It was written to before this moment.
    UpdatedBefore(i64),
}

/// A condition that hits must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What must be true,
    pub condition: Condition,
    /// or must not.
    pub negated: bool,
}

impl Filter {
    /// Hits must have one of these values.
    #[must_use]
    pub fn one_of(field: Field, values: Vec<String>) -> Self {
        Self { condition: Condition::OneOf(field, values), negated: false }
    }
}

/// Filters whose values are numbers by now.
pub(super) struct Sieve(Vec<(Test, bool)>);

enum Test {
    OneOf(Field, HashSet<u32>),
    From(i64),
    Before(i64),
}

/// What becomes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It meets every filter.
    Passed,
    /// It fails nothing but filters of this one field: its facet counts it all the same.
    FailedOnly(Field),
    /// It fails.
    Failed,
}

impl Sieve {
    pub(super) fn new(filters: &[Filter], mirror: &Mirror) -> Self {
        let test = |filter: &Filter| {
            let test = match &filter.condition {
                Condition::OneOf(field, values) => {
                    Test::OneOf(*field, values.iter().flat_map(|value| codes(mirror, *field, value)).collect())
                }
                Condition::UpdatedFrom(millis) => Test::From(*millis),
                Condition::UpdatedBefore(millis) => Test::Before(*millis),
            };
            (test, filter.negated)
        };
        Self(filters.iter().map(test).collect())
    }

    pub(super) fn verdict(&self, entry: &Entry) -> Verdict {
        let mut verdict = Verdict::Passed;
        for (test, negated) in &self.0 {
            let (meets, field) = match test {
                Test::OneOf(field, codes) => {
                    let its = entry.values.iter();
                    (its.filter(|(its, _)| its == field).any(|(_, code)| codes.contains(code)), Some(*field))
                }
                Test::From(millis) => (entry.updated_at >= *millis, None),
                Test::Before(millis) => (entry.updated_at < *millis, None),
            };
            if meets != *negated {
                continue;
            }
            verdict = match (verdict, field) {
                (Verdict::Passed, Some(field)) => Verdict::FailedOnly(field),
                (Verdict::FailedOnly(one), Some(field)) if one == field => verdict,
                _ => return Verdict::Failed,
            };
        }
        verdict
    }
}

fn codes(mirror: &Mirror, field: Field, value: &str) -> Vec<u32> {
    let dictionary = mirror.dictionary(field);
    let value = text::composed(value);
    match value.strip_suffix("/*").filter(|_| field == Field::Category) {
        None => dictionary.code(&value).into_iter().collect(),
        Some(folder) => {
            let inside = |category: &str| category.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            dictionary.iter().filter(|(_, category)| inside(category)).map(|(code, _)| code).collect()
        }
    }
}
