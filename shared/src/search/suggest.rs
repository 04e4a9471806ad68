//! What somebody who is typing may want: names, tags, words.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    filter::Field,
    mirror::{Dictionary, Entry},
    words,
};
use crate::{
    app::App,
    caller::Caller,
    error::{Error, Result},
};

/// The most suggestions there are.
pub const SUGGESTIONS_MAX: i64 = 10;
const BYTES_MAX: usize = 512;

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// The name of a prompt.
    Prompt,
    /// A tag.
    Tag,
    /// A word that prompts use.
    Term,
}

/// Something that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    /// What it is.
    pub kind: SuggestionKind,
    /// What to show, and to search for.
    pub text: String,
    /// Of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many prompts have the tag or the word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Suggestions for what was typed so far: names that begin so, names with a word that does, tags, then words. What is
/// archived is not suggested, nor what the caller may not see; and no words, if that is something, as they may be its.
pub async fn suggest(app: &App, caller: &Caller, typed: Option<&str>, limit: i64) -> Result<Vec<Suggestion>> {
    if !(1..=SUGGESTIONS_MAX).contains(&limit) {
        return Err(Error::invalid("/limit", "out-of-range", format!("`limit` must be 1 to {SUGGESTIONS_MAX}")));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let Some(typed) = typed else {
        return Err(Error::invalid("/q", "required", "say in `q` what was typed so far"));
    };
    if typed.len() > BYTES_MAX {
        let detail = format!("`q` must have at most {BYTES_MAX} bytes");
        return Err(Error::invalid("/q", "too-long", detail));
    }
    let key = words::key(typed);
    if key.is_empty() {
        return Ok(Vec::new());
    }
    let mut reading = app.search.read(app).await?;
    let vocabulary = app.search.vocabulary(app, &mut reading).await?;
    let within = &caller.grant.folders;
    let seen = || reading.mirror.iter().map(|(_, entry)| &**entry).filter(|entry| within.hold(&entry.category));
    let mut found = names(seen(), &key, limit);
    found.extend(tags(seen(), reading.mirror.dictionary(Field::Tags), &key, limit));
    if !within.are_all() {
        found.truncate(limit);
        return Ok(found);
    }
    // Who types a second word wants words that begin like the second.
    let (before, last) = key.rsplit_once(' ').map_or(("", key.as_str()), |(before, last)| (before, last));
    found.extend(vocabulary.completions(last, limit).into_iter().map(|known| Suggestion {
        kind: SuggestionKind::Term,
        text: format!("{before} {}", known.written).trim_start().to_owned(),
        id: None,
        category: None,
        count: Some(known.documents),
    }));
    found.truncate(limit);
    Ok(found)
}

fn names<'m>(entries: impl Iterator<Item = &'m Entry>, key: &str, limit: usize) -> Vec<Suggestion> {
    let inside = format!(" {key}");
    let place = |entry: &Entry| match &entry.key {
        its if its.starts_with(key) => Some(0),
        its if its.contains(&inside) => Some(1),
        its if words::begins_with(its, key) => Some(2),
        _ => None,
    };
    let rank = |entry: &Entry| ["published", "draft", "deprecated"].iter().position(|status| entry.status == *status);
    let mut found: Vec<(u8, usize, &Entry)> =
        entries.filter_map(|entry| Some((place(entry)?, rank(entry)?, entry))).collect();
    found.sort_unstable_by(|one, other| {
        let order = |found: &(u8, usize, &Entry)| (found.0, found.1, found.2.key.len());
        order(one).cmp(&order(other)).then_with(|| (&one.2.key, &one.2.id).cmp(&(&other.2.key, &other.2.id)))
    });
    let suggestion = |(_, _, entry): (u8, usize, &Entry)| Suggestion {
        kind: SuggestionKind::Prompt,
        text: entry.name.clone(),
        id: Some(entry.id.clone()),
        category: Some(entry.category.clone()),
        count: None,
    };
    found.into_iter().take(limit).map(suggestion).collect()
}

fn tags<'m>(entries: impl Iterator<Item = &'m Entry>, tags: &Dictionary, key: &str, limit: usize) -> Vec<Suggestion> {
    let fitting: Vec<(u32, &str)> = tags.iter().filter(|(_, tag)| words::begins_with(&words::key(tag), key)).collect();
    if fitting.is_empty() {
        return Vec::new();
    }
    let mut counts = vec![0_u32; tags.iter().count()];
    for (field, code) in entries.flat_map(|entry| &entry.values) {
        if *field == Field::Tags {
            counts[*code as usize] += 1;
        }
    }
    let mut found: Vec<(u32, &str)> = fitting.into_iter().map(|(code, tag)| (counts[code as usize], tag)).collect();
    // A tag that nobody has any more is still in the dictionary.
    found.retain(|(count, _)| *count > 0);
    found.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    let suggestion = |(count, tag): (u32, &str)| Suggestion {
        kind: SuggestionKind::Tag,
        text: tag.to_owned(),
        id: None,
        category: None,
        count: Some(count),
    };
    found.into_iter().take(limit).map(suggestion).collect()
}
