//! What is known of every document besides its text, in memory: filters, facets and ranks need no table.
//!
//! Each process has its own mirror. Before a search it asks the database, in the snapshot the search reads from, what
//! has changed since it last looked, whoever changed it. So hits, filters and counts are of one moment.
use std::{collections::HashMap, sync::Arc};

use tokio::sync::Mutex;

use super::{
    filter::Field,
    find::Kind,
    vocabulary::{Kept, Vocabulary},
    words,
};
use crate::{
    app::App,
    db::{Conn, FromRow},
    error::{Error, Result},
};

/// Parts of a list in one column. No identifier holds it.
pub(super) const SEPARATOR: char = '\u{1f}';
/// Documents of one page of the mirror.
const PAGE: usize = 256;

/// How far a mirror has followed its database, in words of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) String);

/// What one process knows by heart. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    mirror: Arc<Mutex<Arc<Mirror>>>,
    pub(super) vocabulary: Arc<Mutex<Kept>>,
}

/// A connection that reads as of one moment, and what was known at that moment.
pub(super) struct Reading {
    pub(super) conn: Conn,
    pub(super) mirror: Arc<Mirror>,
}

impl Index {
    /// Begins to read. Whoever begins later reads a later moment, so the mirror never runs ahead of a reader.
    pub(super) async fn read(&self, app: &App) -> Result<Reading> {
        // Those who wait stand in one line, and it is the one that is kept short.
        let place = app.db.place_to_read().await?;
        let mut kept = self.mirror.lock().await;
        let mut conn = app.db.read_at_once_from(place).await?;
        let stamp = super::stamp(&mut conn).await?;
        if kept.stamp != stamp {
            let rows = super::changes(&mut conn, &kept.stamp).await?;
            // Others may still read from the old one; then only the pages that change are copied.
            Arc::make_mut(&mut kept).take(rows, stamp)?;
        }
        Ok(Reading { conn, mirror: kept.clone() })
    }

    /// The words there are, as of a moment ago.
    pub(super) async fn vocabulary(&self, app: &App, reading: &mut Reading) -> Result<Arc<Vocabulary>> {
        let mut kept = self.vocabulary.lock().await;
        let stamp = reading.mirror.stamp.clone();
        if kept.is_due(&stamp) {
            if kept.is_cheap() {
                kept.read(&mut reading.conn, stamp).await?;
            } else if !kept.being_read {
                kept.being_read = true;
                tokio::spawn(Kept::refresh(self.vocabulary.clone(), app.db.clone(), stamp));
            }
        }
        Ok(kept.words.clone())
    }
}

/// A row of the table `search_documents`.
#[derive(FromRow)]
pub(super) struct Row {
    doc: i64,
    id: String,
    live: bool,
    name: String,
    category: String,
    tags: String,
    labels: String,
    lifecycle_status: String,
    template_format: String,
    created_by: String,
    model: String,
    variables: String,
    updated_at: i64,
}

/// What is known of a document.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The name, as names are compared.
    pub(super) key: String,
    pub(super) category: String,
    pub(super) status: String,
    pub(super) updated_at: i64,
    /// What sorts it into drawers, by number.
    pub(super) values: Vec<(Field, u32)>,
}

/// The values a field has, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionary {
    codes: HashMap<Arc<str>, u32>,
    values: Vec<Arc<str>>,
}

impl Dictionary {
    pub(super) fn code(&self, value: &str) -> Option<u32> {
        self.codes.get(value).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(&self.values).map(|(code, value)| (code, &**value))
    }

    fn code_or_new(&mut self, value: &str) -> u32 {
        if let Some(code) = self.code(value) {
            return code;
        }
        let (code, value) = (u32::try_from(self.values.len()).unwrap_or(u32::MAX), Arc::<str>::from(value));
        self.codes.insert(value.clone(), code);
        self.values.push(value);
        code
    }
}

type Page = Vec<Option<Arc<Entry>>>;

/// Every document that can be found.
#[derive(Clone, Debug, Default)]
pub(super) struct Mirror {
    pub(super) stamp: Stamp,
    pages: Vec<Arc<Page>>,
    dictionaries: [Arc<Dictionary>; Field::COUNT],
    live: usize,
}

impl Mirror {
    pub(super) fn dictionary(&self, field: Field) -> &Dictionary {
        &self.dictionaries[field as usize]
    }

    pub(super) fn get(&self, doc: u32) -> Option<&Arc<Entry>> {
        let doc = doc as usize;
        self.pages.get(doc / PAGE)?.get(doc % PAGE)?.as_ref()
    }

    /// Every document, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<Entry>)> {
        let all = self.pages.iter().flat_map(|page| page.iter());
        (0..).zip(all).filter_map(|(doc, entry)| Some((doc, entry.as_ref()?)))
    }

    /// Numbers are below this.
    pub(super) fn capacity(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    fn take(&mut self, rows: Vec<Row>, stamp: Stamp) -> Result<()> {
        for row in rows {
            let doc = usize::try_from(row.doc).map_err(|error| Error::Internal(error.into()))?;
            let entry = row.live.then(|| Arc::new(self.entry(row)));
            while self.pages.len() <= doc / PAGE {
                self.pages.push(Arc::new(vec![None; PAGE]));
            }
            let place = &mut Arc::make_mut(&mut self.pages[doc / PAGE])[doc % PAGE];
            self.live += usize::from(entry.is_some());
            self.live -= usize::from(place.is_some());
            *place = entry;
        }
        self.stamp = stamp;
        Ok(())
    }

    fn entry(&mut self, row: Row) -> Entry {
        let fields = [
            (Field::Category, &row.category),
            (Field::Tags, &row.tags),
            (Field::LifecycleStatus, &row.lifecycle_status),
            (Field::Labels, &row.labels),
            (Field::TemplateFormat, &row.template_format),
            (Field::CreatedBy, &row.created_by),
            (Field::Model, &row.model),
            (Field::Variables, &row.variables),
        ];
        let mut values = Vec::new();
        for (field, list) in fields {
            for value in list.split(SEPARATOR).filter(|value| !value.is_empty()) {
                let dictionary = &mut self.dictionaries[field as usize];
                let known = dictionary.code(value);
                values.push((field, known.unwrap_or_else(|| Arc::make_mut(dictionary).code_or_new(value))));
            }
        }
        let key = words::key(&row.name);
        let Row { id, name, category, lifecycle_status: status, updated_at, .. } = row;
        let kind = Kind::of(&id);
        Entry { id, kind, name, key, category, status, updated_at, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(doc: i64, tags: &str, live: bool) -> Row {
        let text = |text: &str| text.to_owned();
        Row {
            doc,
            id: format!("prm_{doc}"),
            live,
            name: text("A Name"),
            category: text("c"),
            tags: text(tags),
            labels: text(""),
            lifecycle_status: text("draft"),
            template_format: text("none"),
            created_by: text("me"),
            model: text(""),
            variables: text(""),
            updated_at: 1,
        }
    }

    #[test]
    fn a_change_replaces_and_a_deletion_empties() {
        let mut mirror = Mirror::default();
        mirror.take(vec![row(1, "a\u{1f}b", true), row(700, "b", true)], Stamp("1".into())).unwrap();
        let reader = mirror.clone();
        mirror.take(vec![row(1, "c", true), row(700, "", false)], Stamp("2".into())).unwrap();
        let tags = |mirror: &Mirror, doc| {
            let entry = mirror.get(doc)?;
            Some(entry.values.iter().filter(|(field, _)| *field == Field::Tags).count())
        };
        assert_eq!((tags(&mirror, 1), tags(&mirror, 700), mirror.len()), (Some(1), None, 1));
        assert_eq!((tags(&reader, 1), tags(&reader, 700), reader.len()), (Some(2), Some(1), 2));
        assert_eq!(mirror.iter().map(|(doc, _)| doc).collect::<Vec<_>>(), [1]);
    }
}
