//! The recount: what a search must answer, from the tables of the prompts alone and in the plainest way there is.
use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use shared::templates::TemplateFormat;
use support::TestApp;

use super::{FACETS, rows};

const PROMPTS_SQL: &str = "SELECT p.id, p.category, p.lifecycle_status, p.created_by, v.template_format,
    v.template_engine, v.content
    FROM prompts p JOIN versions v ON v.prompt_id = p.id AND v.version = p.version WHERE p.deleted_at IS NULL";
const TAGS_SQL: &str = "SELECT prompt_id, tag FROM prompt_tags";
const LABELS_SQL: &str = "SELECT prompt_id, label FROM labels";
/// A facet shows so many values.
const SHOWN: usize = 20;

/// Words that look like no other word, to a stemmer and to a corrector of spelling alike.
pub(super) const WORDS: [&str; 8] =
    ["zorbek", "flimdal", "quaxunt", "brivoch", "jelpomi", "wyndust", "skarnof", "thuglavi"];

/// A row of `PROMPTS_SQL`.
type Stored = (String, String, String, String, String, Option<i64>, Option<String>);

/// One prompt, as the tables have it: its values for each facet, and its words.
pub(super) struct Row {
    id: String,
    values: BTreeMap<&'static str, BTreeSet<String>>,
    words: Vec<String>,
}

/// Reads all that is not deleted.
pub(super) async fn table(test: &TestApp) -> Vec<Row> {
    let mut conn = test.app.db.read().await.unwrap();
    let prompts: Vec<Stored> = conn.fetch_all(PROMPTS_SQL, &[]).await.unwrap();
    let tags: Vec<(String, String)> = conn.fetch_all(TAGS_SQL, &[]).await.unwrap();
    let labels: Vec<(String, String)> = conn.fetch_all(LABELS_SQL, &[]).await.unwrap();
    let of = |pairs: &[(String, String)], id: &str| -> BTreeSet<String> {
        pairs.iter().filter(|(prompt, _)| prompt == id).map(|(_, value)| value.clone()).collect()
    };
    let row = |(id, category, status, owner, format, engine, content): Stored| {
        let format = TemplateFormat::from_written(&format, engine).unwrap();
        let values = BTreeMap::from([
            ("category", BTreeSet::from([category])),
            ("tags", of(&tags, &id)),
            ("lifecycle_status", BTreeSet::from([status])),
            ("labels", of(&labels, &id)),
            ("template_format", BTreeSet::from([format.name().to_owned()])),
            ("created_by", BTreeSet::from([owner])),
        ]);
        Row { id, values, words: content.unwrap_or_default().split_whitespace().map(str::to_owned).collect() }
    };
    prompts.into_iter().map(row).collect()
}

/// What is looked for in the text.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Nothing,
    Word(&'static str),
    Phrase(&'static str, &'static str),
    Without(&'static str, &'static str),
}

impl Text {
    fn query(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Word(word) => (*word).to_owned(),
            Self::Phrase(first, second) => format!("\"{first} {second}\""),
            Self::Without(word, without) => format!("{word} -{without}"),
        }
    }

    fn is_in(&self, words: &[String]) -> bool {
        let has = |wanted: &str| words.iter().any(|word| word == wanted);
        match self {
            Self::Nothing => true,
            Self::Word(word) => has(word),
            Self::Phrase(first, second) => words.windows(2).any(|pair| pair[0] == *first && pair[1] == *second),
            Self::Without(word, without) => has(word) && !has(without),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    text: Text,
    filters: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Asked {
    pub(super) fn everything() -> Self {
        Self { text: Text::Word(WORDS[0]), filters: BTreeMap::new() }
    }

    /// Changes one thing: the text, or one value of one filter.
    pub(super) fn step(&mut self, random: &mut StdRng, values: &BTreeMap<&'static str, Vec<String>>) {
        if random.random_bool(0.3) {
            let (first, second) = (*WORDS.choose(random).unwrap(), *WORDS.choose(random).unwrap());
            self.text = match random.random_range(0..4) {
                0 => Text::Nothing,
                1 => Text::Word(first),
                2 => Text::Phrase(first, second),
                _ => Text::Without(first, second),
            };
        } else {
            // Few filters at once, or nothing would be left to count.
            while self.filters.len() > random.random_range(0..3) {
                self.filters.pop_first();
            }
            let name = *FACETS.choose(random).unwrap();
            let chosen = self.filters.entry(name).or_default();
            match random.random_range(0..6) {
                0 => chosen.clear(),
                1 | 2 => *chosen = BTreeSet::from([values[name].choose(random).unwrap().clone()]),
                _ => _ = chosen.insert(values[name].choose(random).unwrap().clone()),
            }
            if chosen.is_empty() {
                self.filters.remove(name);
            }
        }
        // Neither text nor filter would be refused.
        if matches!(self.text, Text::Nothing) && self.filters.is_empty() {
            self.text = Text::Word(WORDS[1]);
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "query": self.text.query(), "facets": FACETS, "limit": 100 });
        for (name, chosen) in &self.filters {
            body[*name] = json!(chosen);
        }
        body
    }

    fn has(&self, row: &Row, but: Option<&str>) -> bool {
        let filters = self.filters.iter().filter(|(name, _)| Some(**name) != but);
        self.text.is_in(&row.words)
            && filters.into_iter().all(|(name, chosen)| {
                chosen.iter().any(|wanted| row.values[name].iter().any(|value| is(*name == "category", value, wanted)))
            })
    }

    /// Holds an answer against the tables.
    pub(super) fn check(&self, answer: &Value, table: &[Row]) {
        let matching: BTreeSet<&str> = table.iter().filter(|row| self.has(row, None)).map(|row| &*row.id).collect();
        assert_eq!(answer["total"], matching.len(), "total of {self:?}");
        let items = answer["items"].as_array().unwrap();
        let shown: BTreeSet<&str> = items.iter().map(|item| item["prompt"]["id"].as_str().unwrap()).collect();
        assert_eq!(shown.len(), matching.len().min(100), "items of {self:?}");
        assert!(shown.len() == items.len() && shown.is_subset(&matching), "items of {self:?}");
        for name in FACETS {
            let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
            for row in table.iter().filter(|row| self.has(row, Some(name))) {
                for value in &row.values[name] {
                    *counts.entry(value).or_default() += 1;
                }
            }
            let mut counts: Vec<(String, i64)> =
                counts.into_iter().map(|(value, count)| (value.into(), count)).collect();
            // They come by value; a stable sort keeps that where counts are equal.
            counts.sort_by_key(|(_, count)| -count);
            counts.truncate(SHOWN);
            assert_eq!(rows(answer, name), counts, "facet {name} of {self:?}");
        }
    }
}

/// Does a value satisfy a filter? Categories may be asked for by folder.
fn is(folders: bool, value: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(folder) if folders => value.starts_with(folder) && value.len() > folder.len(),
        _ => value == wanted,
    }
}
