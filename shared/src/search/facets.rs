//! How hits spread over the values of a field.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    filter::Field,
    mirror::{Entry, Mirror},
    words,
};

/// So many values of a facet are shown.
const VALUES_SHOWN: usize = 20;

/// What is counted: fields, and for each of them how a value must begin to be shown.
pub type FacetsWanted = BTreeMap<Field, String>;

/// How many hits have which value of a field.
#[derive(Clone, Debug)]
pub struct FacetCount {
    /// The field.
    pub field: Field,
    /// The most frequent values first, at most 20.
    pub values: Vec<ValueCount>,
}

/// A value and how many hits have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Hits that have it, whatever the filters of its own field say.
    pub count: u32,
}

/// The counts in the making.
pub(super) struct Facets<'m> {
    wanted: &'m FacetsWanted,
    counts: [Option<Vec<u32>>; Field::COUNT],
    mirror: std::sync::Arc<Mirror>,
}

impl<'m> Facets<'m> {
    pub(super) fn new(wanted: &'m FacetsWanted, mirror: &std::sync::Arc<Mirror>) -> Self {
        let mut counts = [const { None }; Field::COUNT];
        for field in wanted.keys() {
            counts[*field as usize] = Some(vec![0; mirror.dictionary(*field).iter().count()]);
        }
        Self { wanted, counts, mirror: mirror.clone() }
    }

    /// Counts a document: in every facet, or in the `only` one whose filters alone it fails.
    pub(super) fn count(&mut self, entry: &Entry, only: Option<Field>) {
        for (field, code) in &entry.values {
            if only.is_none_or(|only| only == *field)
                && let Some(counts) = &mut self.counts[*field as usize]
            {
                counts[*code as usize] += 1;
            }
        }
    }

    pub(super) fn finish(self) -> Vec<FacetCount> {
        let facet = |(field, start): (&Field, &String)| {
            let (counts, start) = (self.counts[*field as usize].as_ref()?, words::key(start));
            let mut values: Vec<(u32, &str)> = self
                .mirror
                .dictionary(*field)
                .iter()
                .map(|(code, value)| (counts[code as usize], value))
                .filter(|(count, value)| {
                    *count > 0 && (start.is_empty() || words::begins_with(&words::key(value), &start))
                })
                .collect();
            values.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
            values.truncate(VALUES_SHOWN);
            let values = values.into_iter().map(|(count, value)| ValueCount { value: value.to_owned(), count });
            Some(FacetCount { field: *field, values: values.collect() })
        };
        self.wanted.iter().filter_map(facet).collect()
    }
}
