//! What must be true of a hit, besides its words.
use std::{collections::HashSet, ops::Range};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    find::Kind,
    mirror::{Entry, Mirror},
};
use crate::{
    error::{Error, Result},
    templates::TemplateFormat,
    text,
};

/// Where a prompt may stand in its life.
pub(crate) const STATUSES: [&str; 4] = ["draft", "published", "deprecated", "archived"];

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

    const ALL: [Self; Self::COUNT] = [
        Self::Category,
        Self::Tags,
        Self::LifecycleStatus,
        Self::Labels,
        Self::TemplateFormat,
        Self::CreatedBy,
        Self::Model,
        Self::Variables,
    ];

    /// The field that a query calls so.
    pub(super) fn of_query(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name_in_query() == name)
    }

    /// As a query calls it.
    fn name_in_query(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Tags => "tag",
            Self::LifecycleStatus => "status",
            Self::Labels => "label",
            Self::TemplateFormat => "format",
            Self::CreatedBy => "owner",
            Self::Model => "model",
            Self::Variables => "variable",
        }
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
    /// It was written to in this time, in milliseconds.
    Updated(Range<i64>),
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

impl Condition {
    /// Refuses a value in a query that nothing can ever have, as the same filter beside the query would: 422.
    pub(super) fn check(&self, kind: Kind) -> Result<()> {
        let Self::OneOf(field, values) = self else { return Ok(()) };
        let name = field.name_in_query();
        let refuse = |code, detail: String| Err(Error::invalid("/query", code, detail));
        if kind == Kind::Document && !matches!(field, Field::Category | Field::CreatedBy | Field::Model) {
            let detail = format!("documents have no `{name}`: use `category:`, `owner:` or `model:`");
            return refuse("unknown-field", detail);
        }
        for value in values {
            match field {
                Field::LifecycleStatus if !STATUSES.contains(&value.as_str()) => {
                    let detail = format!("`{name}:{value}` is no status: {}", STATUSES.join(", "));
                    return refuse("unknown-value", detail);
                }
                Field::TemplateFormat => {
                    if let Err(error) = value.parse::<TemplateFormat>() {
                        return refuse("unknown-value", format!("`{name}`: {error}"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Filters whose values are numbers by now.
pub(super) struct Sieve(Vec<Mesh>);

struct Mesh {
    test: Test,
    negated: bool,
    /// The facet that does not heed it.
    own_facet: Option<Field>,
}

enum Test {
    OneOf(Field, HashSet<u32>),
    Updated(Range<i64>),
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
    /// The facet of a field does not heed the `filters` of this field, so that other values can be chosen. What stands in
    /// the query is part of the question, and all facets heed it.
    pub(super) fn new(in_query: &[Filter], filters: &[Filter], mirror: &Mirror) -> Self {
        let mesh = |filter: &Filter, is_chosen: bool| {
            let (test, field) = match &filter.condition {
                Condition::OneOf(field, values) => {
                    let codes = values.iter().flat_map(|value| codes(mirror, *field, value)).collect();
                    (Test::OneOf(*field, codes), Some(*field))
                }
                Condition::Updated(time) => (Test::Updated(time.clone()), None),
            };
            Mesh { test, negated: filter.negated, own_facet: field.filter(|_| is_chosen) }
        };
        let in_query = in_query.iter().map(|filter| mesh(filter, false));
        Self(in_query.chain(filters.iter().map(|filter| mesh(filter, true))).collect())
    }

    pub(super) fn verdict(&self, entry: &Entry) -> Verdict {
        let mut verdict = Verdict::Passed;
        for Mesh { test, negated, own_facet } in &self.0 {
            let meets = match test {
                Test::OneOf(field, codes) => {
                    let its = entry.values.iter();
                    its.filter(|(its, _)| its == field).any(|(_, code)| codes.contains(code))
                }
                Test::Updated(time) => time.contains(&entry.updated_at),
            };
            if meets != *negated {
                continue;
            }
            verdict = match (verdict, own_facet) {
                (Verdict::Passed, Some(field)) => Verdict::FailedOnly(*field),
                (Verdict::FailedOnly(one), Some(field)) if one == *field => verdict,
                _ => return Verdict::Failed,
            };
        }
        verdict
    }
}

fn codes(mirror: &Mirror, field: Field, value: &str) -> Vec<u32> {
    let dictionary = mirror.dictionary(field);
    // Not every field is kept in the composed form: the models of settings are not.
    if let Some(code) = dictionary.code(value) {
        return vec![code];
    }
    let value = text::composed(value);
    match value.strip_suffix("/*").filter(|_| field == Field::Category) {
        None => dictionary.code(&value).into_iter().collect(),
        Some(folder) => {
            let inside = |category: &str| category.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            dictionary.iter().filter(|(_, category)| inside(category)).map(|(code, _)| code).collect()
        }
    }
}
