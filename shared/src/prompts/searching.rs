//! Finding prompts by their words.
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    marker::PhantomData,
    time::Duration,
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use utoipa::ToSchema;

use super::{LifecycleStatus, Prompt, Show, listing, repository};
use crate::{
    app::App,
    caller::{Caller, Folders},
    error::{Error, Result, Violation},
    id::PromptId,
    page::{Page, PageRequest},
    search::{self, Field, Filter, Found, Hit, Kind, Place, Search, ValueCount},
    templates::TemplateFormat,
    text,
    versions::BODY_BYTES_MAX,
};

const LIMIT_MAX: i64 = 100;
const LIMIT_DEFAULT: i64 = 20;
const OFFSET_MAX: i64 = 1000;
/// Of one filter.
const VALUES_MAX: usize = 50;
/// Among so many hits, those that are used more come a little sooner.
const FAVOURED: usize = 200;
/// Uses count that long.
const USES_COUNT_FOR: Duration = Duration::from_hours(30 * 24);

/// One value, or several any of which will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// This one.
    One(T),
    /// Any of these, at most 50.
    Many(Vec<T>),
}

/// Not derived: of what does not fit, that would only say that it is neither.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                T::deserialize(text.into_deserializer()).map(OneOrMany::One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMany<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: ToString> OneOrMany<T> {
    fn values(&self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value.to_string()],
            Self::Many(values) => values.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What is looked for. Several values of one filter are alternatives; different filters must all be met.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchRequest {
    /// Words, "phrases", `-word`, `word*`, and `field:value` of category, tag, status, owner, label, format, model or
    /// variable, and `updated>2026-01-31` (also `>=`, `<`, `<=`; `updated:2026-01-31` is that day, in UTC). At most 512
    /// bytes and 32 words. Empty, with a filter: the newest first. A status or a format that there is not is refused, as
    /// in the filters below.
    ///
    /// Words are found in every form: of another case or width, with and without accents, optional vowel marks and
    /// invisible characters, by the letters that are typed for others (`strasse` for `Straße`), and with or without a
    /// hyphen or a space between letters and digits (`gpt3`, `GPT-3`). With fewer than ten such prompts also others are
    /// shown: with similar words, then with some of the words. That depends on all prompts in the key's folders, never
    /// on a filter or an exclusion, so neither makes hits appear.
    pub query: String,
    /// Exactly this one; or `folder/*` for everything below it.
    pub category: Option<OneOrMany<String>>,
    /// They have one of these.
    pub tags: Option<Vec<String>>,
    /// They stand here in their life.
    pub lifecycle_status: Option<OneOrMany<LifecycleStatus>>,
    /// They have one of these labels.
    pub labels: Option<Vec<String>>,
    /// Their variables are written so.
    pub template_format: Option<OneOrMany<TemplateFormat>>,
    /// They were made by this actor.
    pub created_by: Option<OneOrMany<String>>,
    /// What is counted. A facet does not heed the filter of its own field here; what stands in the query, all do. So the
    /// count of a value is the `total` of the same search with that value as the filter of its field.
    pub facets: Vec<Field>,
    /// How the values of a facet must begin to be shown.
    #[schema(value_type = BTreeMap<String, String>)]
    pub facet_query: BTreeMap<Field, String>,
    /// The most hits of the page, 1 to 100; 20 unless said.
    pub limit: Option<i64>,
    /// How many hits to pass over, at most 1000.
    pub offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    pub cursor: Option<String>,
    /// Show where the words stand, as HTML.
    pub highlight: bool,
    /// Show what scores are made of.
    pub explain: bool,
    /// With content and messages.
    pub include_content: bool,
}

/// A prompt that was found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// The prompt, at its newest version.
    pub prompt: Prompt,
    /// Larger is better. Scores of two answers do not compare.
    pub score: f64,
    /// Where the words stand, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highlights: Option<Highlights>,
    /// What the score is made of, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// Where the words stand: HTML in which nothing but `<mark>` is markup. A field without one of the words is left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Highlights {
    /// The whole name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the description, the piece with the most words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Of the content or the messages, the piece with the most words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The tags that have a word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What a score is made of: `exact + ((4 - rung) + text · status_factor · use_factor / 1.1) / 4`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// 1: it has all words. 2: all words, or others in their place. 3: some of the words. 4: only what stands in quotes.
    /// 0: no words were asked for.
    pub rung: u8,
    /// 3: this is its very name. 2: these are the words of its name. 1: they are when corrected. 0: they are not.
    pub exact: u8,
    /// How well the words fit beside the best of the same rung, by BM25 (or weighted `ts_rank`), 0 to 1.
    pub text: f64,
    /// 1 for published, 0.9 for draft, 0.6 for deprecated, 0.4 for archived.
    pub status_factor: f64,
    /// 1 to 1.1: more for what was used more in the last 30 days.
    pub use_factor: f64,
}

/// A word that was taken for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Correction {
    /// As it was written.
    pub from: String,
    /// As it is written in prompts.
    pub to: String,
}

/// A page of hits, the best first, and how all hits spread over the facets.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchResults {
    /// The page.
    #[serde(flatten)]
    pub page: Page<SearchHit>,
    /// By field: the most frequent values first, at most 20. Exact, and of the same moment as the hits.
    pub facets: BTreeMap<String, Vec<ValueCount>>,
    /// Words that nobody has written, and what they were taken for, whatever the filters.
    pub corrections: Vec<Correction>,
    /// A query that finds much more where there is no filter.
    pub did_you_mean: Option<String>,
    /// Some hits have only some of the words.
    pub relaxed: bool,
}

impl SearchRequest {
    fn page(&self) -> Result<PageRequest> {
        let mut violations = Vec::new();
        if self.limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
            violations.push(Violation::new("/limit", "out-of-range", format!("`limit` must be 1 to {LIMIT_MAX}")));
        }
        if self.offset.is_some_and(|offset| !(0..=OFFSET_MAX).contains(&offset)) {
            let detail = format!("`offset` must be 0 to {OFFSET_MAX}; use `cursor` to go further");
            violations.push(Violation::new("/offset", "out-of-range", detail));
        }
        if !violations.is_empty() {
            return Err(Error::from_violations(violations));
        }
        PageRequest::new(Some(self.limit.unwrap_or(LIMIT_DEFAULT)), self.offset, self.cursor.clone())
    }

    /// What the index is asked for.
    fn search(&self, within: &Folders) -> Result<Search> {
        fn values<T: ToString>(values: Option<&OneOrMany<T>>) -> Option<Vec<String>> {
            values.map(OneOrMany::values)
        }
        let mut filters = Vec::new();
        for (field, values) in [
            (Field::Category, values(self.category.as_ref())),
            (Field::Tags, self.tags.clone()),
            (Field::LifecycleStatus, values(self.lifecycle_status.as_ref())),
            (Field::Labels, self.labels.clone()),
            (Field::TemplateFormat, values(self.template_format.as_ref())),
            (Field::CreatedBy, values(self.created_by.as_ref())),
        ] {
            let Some(values) = values else { continue };
            if values.len() > VALUES_MAX {
                let detail = format!("`{}` may name at most {VALUES_MAX} values", field.name());
                return Err(Error::invalid(format!("/{}", field.name()), "too-many", detail));
            }
            if !values.is_empty() {
                filters.push(Filter::one_of(field, values));
            }
        }
        let start = |field: &Field| (*field, self.facet_query.get(field).cloned().unwrap_or_default());
        let facets = self.facets.iter().chain(self.facet_query.keys()).map(start).collect();
        Ok(Search { kind: Kind::Prompt, within: within.clone(), query: self.query.clone(), filters, facets })
    }

    /// Are contents read to answer it?
    fn reads_content(&self) -> bool {
        self.highlight || self.include_content
    }

    /// Names the list, so that a cursor of one is refused by another.
    fn name(&self, search: &Search) -> String {
        format!("search {:?} {:?} {}", text::composed(&self.query), search.filters, search.within)
    }
}

/// Searches the prompts that the caller may see.
pub async fn search(app: &App, caller: &Caller, request: &SearchRequest) -> Result<SearchResults> {
    let (page, search) = (request.page()?, request.search(&caller.grant.folders)?);
    let list = request.name(&search);
    let after = Place::after(app, &page, &list)?;
    let mut found = search::find(app, search).await?;
    let since = app.clock.now() - USES_COUNT_FOR;
    let uses: HashMap<String, i64> = repository::uses(&mut found.conn, since).await?.into_iter().collect();
    found.favour(FAVOURED, |id| uses.get(id).copied().unwrap_or(0));
    let page = match request.reads_content() {
        true => {
            let asked = found.page(&page, after.as_ref());
            page.within_bytes(BODY_BYTES_MAX, lengths(&mut found, &asked.hits)).await?
        }
        false => page,
    };
    let hits = found.page(&page, after.as_ref());
    let items = show(&mut found, &hits.hits, request).await?;
    let page = page.page(&app.secret, &list, hits.total, items, |_| hits.end());
    let facets = found.facets.into_iter().map(|facet| (facet.field.name().to_owned(), facet.values)).collect();
    let corrections = found.corrections.into_iter().map(|(from, to)| Correction { from, to }).collect();
    Ok(SearchResults { page, facets, corrections, did_you_mean: found.did_you_mean, relaxed: found.relaxed })
}

/// How many bytes the prompts of the hits hold, in their order.
async fn lengths(found: &mut Found, hits: &[Hit]) -> Result<Vec<i64>> {
    let lengths = listing::lengths_of(&mut found.conn, &ids(hits)).await?;
    let lengths: HashMap<String, i64> = lengths.into_iter().map(|(id, bytes)| (id.to_string(), bytes)).collect();
    Ok(hits.iter().map(|hit| lengths.get(hit.id()).copied().unwrap_or(0)).collect())
}

fn ids(hits: &[Hit]) -> Vec<PromptId> {
    hits.iter().filter_map(|hit| hit.id().parse().ok()).collect()
}

/// The prompts of the hits, in their order.
async fn show(found: &mut Found, hits: &[Hit], request: &SearchRequest) -> Result<Vec<SearchHit>> {
    let what = Show { content: request.reads_content(), usage_since: None };
    let prompts = repository::find_all(&mut found.conn, &ids(hits), what).await?;
    let mut prompts: HashMap<String, Prompt> =
        prompts.into_iter().map(|prompt| (prompt.id.to_string(), prompt)).collect();
    let mut items = Vec::with_capacity(hits.len());
    for hit in hits {
        let Some(mut prompt) = prompts.remove(hit.id()) else { continue };
        let highlights = request.highlight.then(|| highlights(found, &prompt));
        if !request.include_content {
            (prompt.body.content, prompt.body.messages) = (None, None);
        }
        let explanation = request.explain.then(|| explain(hit));
        items.push(SearchHit { prompt, score: hit.score(), highlights, explanation });
    }
    Ok(items)
}

fn explain(hit: &Hit) -> Explanation {
    let Hit { rung, exact, text, status_factor, use_factor, .. } = *hit;
    Explanation { rung, exact, text, status_factor, use_factor }
}

fn highlights(found: &Found, prompt: &Prompt) -> Highlights {
    let marker = &found.marker;
    let messages = prompt.body.messages.iter().flatten().map(|message| message.content.as_str());
    Highlights {
        name: marker.whole(&prompt.name),
        description: prompt.description.as_deref().and_then(|description| marker.piece(description)),
        content: prompt.body.content.as_deref().into_iter().chain(messages).find_map(|text| marker.piece(text)),
        tags: prompt.tags.iter().filter_map(|tag| marker.whole(tag)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_knows_every_status() {
        let refused = "nonsense".parse::<LifecycleStatus>().unwrap_err().to_string();
        assert_eq!(refused, format!("must be one of {}", search::STATUSES.join(", ")));
    }
}
