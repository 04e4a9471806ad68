//! What the index keeps of a document, and how it comes there: in the transaction that writes the document.
use std::collections::BTreeSet;

use super::{
    mirror::SEPARATOR,
    postgres,
    repository::{self, Known},
    sqlite,
    words::{self, Word},
};
use crate::{
    clock::Timestamp,
    db::{Conn, Dialect, Param, Tx},
    error::Result,
};

/// Raised when terms are made in another way. Documents of an earlier one are put in again.
pub const ANALYSIS: i64 = 2;
/// Of a longer text, the beginning is found. `PostgreSQL` has a bound of its own a little above.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Terms of so much text are in memory at once, and those of one document more.
const TEXTS_BYTES: usize = 512 * 1024;

/// A document, as whoever keeps it describes it to the index.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// What a hit is called.
    pub id: String,
    /// Can it be found? A deleted one cannot, until it is restored.
    pub live: bool,
    /// What people call it.
    pub name: &'a str,
    /// Where it belongs.
    pub category: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// Its labels.
    pub labels: Vec<&'a str>,
    /// Where it stands in its life.
    pub lifecycle_status: String,
    /// How its variables are written.
    pub template_format: String,
    /// Who made it.
    pub created_by: &'a str,
    /// The model its settings name.
    pub model: Option<&'a str>,
    /// The names of its variables.
    pub variables: &'a [String],
    /// For people.
    pub description: &'a str,
    /// What it says.
    pub body: Vec<&'a str>,
    /// When it was last written to.
    pub updated_at: Timestamp,
}

/// A row of `search_documents`, but for what the database makes of it.
pub(super) struct Header {
    pub(super) id: String,
    pub(super) live: bool,
    pub(super) text_hash: String,
    name: String,
    category: String,
    tags: String,
    labels: String,
    lifecycle_status: String,
    template_format: String,
    created_by: String,
    model: String,
    variables: String,
    updated_at: Timestamp,
}

impl Header {
    /// In the order of the columns.
    pub(super) fn params(&self) -> [&dyn Param; 14] {
        [
            &self.id,
            &self.live,
            &ANALYSIS,
            &self.text_hash,
            &self.name,
            &self.category,
            &self.tags,
            &self.labels,
            &self.lifecycle_status,
            &self.template_format,
            &self.created_by,
            &self.model,
            &self.variables,
            &self.updated_at,
        ]
    }
}

/// What a document is found by.
pub(super) struct Texts {
    /// The terms of its name, tags, description and body, in order.
    pub(super) terms: [Vec<String>; 4],
    /// Its words as they were written, each once.
    pub(super) words: Vec<String>,
}

impl Document<'_> {
    fn header(&self) -> Header {
        let list = |values: Vec<&str>| values.join(&SEPARATOR.to_string());
        let strings = |values: &[String]| list(values.iter().map(String::as_str).collect());
        Header {
            id: self.id.clone(),
            live: self.live,
            text_hash: self.text_hash(),
            name: self.name.to_owned(),
            category: self.category.to_owned(),
            tags: strings(self.tags),
            labels: list(self.labels.clone()),
            lifecycle_status: self.lifecycle_status.clone(),
            template_format: self.template_format.clone(),
            created_by: self.created_by.to_owned(),
            model: self.model.unwrap_or_default().replace(['\0', SEPARATOR], ""),
            variables: strings(self.variables),
            updated_at: self.updated_at,
        }
    }

    fn fields(&self) -> [Vec<&str>; 4] {
        let tags = self.tags.iter().map(String::as_str).collect();
        [vec![self.name], tags, vec![self.description], self.body.clone()]
    }

    /// Equal for equal texts.
    fn text_hash(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for field in self.fields() {
            for text in field {
                hash.update(text.len().to_le_bytes());
                hash.update(text);
            }
            hash.update([0xff]);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    fn texts(&self) -> Texts {
        let mut vocabulary = BTreeSet::new();
        let mut left = TEXT_BYTES_MAX;
        let terms = self.fields().map(|texts| {
            let (mut terms, mut joined) = (Vec::new(), Vec::new());
            for text in texts {
                let words: Vec<Word> = words::words(text).take_while(|word| word.span.end <= left).collect();
                terms.extend(words.iter().flat_map(Word::terms));
                let written = |word: &Word| words::written(&text[word.span.clone()], &word.folded);
                vocabulary.extend(words.iter().filter(|word| !word.unspaced).map(written));
                for compound in words::compounds(&words) {
                    joined.push(words::stem(&compound.folded));
                    let [one, other] = [&words[compound.first], &words[compound.first + 1]];
                    let is_hyphen = text[one.span.end..other.span.start].contains(words::HYPHENS);
                    let sign = if is_hyphen { '-' } else { '’' };
                    vocabulary.insert(format!("{}{sign}{}", written(one), written(other)));
                }
                left = left.saturating_sub(text.len());
            }
            // At the end, so that what stands next to each other in the text does so in the index.
            terms.extend(joined);
            terms
        });
        Texts { terms, words: vocabulary.into_iter().collect() }
    }
}

/// Puts a document into the index, or what changed of it. Part of the transaction that writes the document, whose owner
/// lets nobody else write to it meanwhile.
pub async fn put(tx: &mut Tx, document: &Document<'_>) -> Result<()> {
    let header = document.header();
    let (changed, before) = repository::find(tx, &header.id).await?;
    let Some(Known { doc, text_hash }) = before else { return insert_from(tx, changed, &[(document, header)]).await };
    repository::update(tx, &header, changed).await?;
    if header.live && text_hash.as_ref() == Some(&header.text_hash) {
        return Ok(());
    }
    match tx.dialect() {
        Dialect::Sqlite => sqlite::take_out(tx, doc).await?,
        Dialect::Postgres => repository::take_out(tx, doc).await?,
    }
    if header.live { insert_texts(tx, &[(doc, document.texts())]).await } else { Ok(()) }
}

/// Puts documents into the index that it does not know.
pub async fn insert(tx: &mut Tx, documents: &[Document<'_>]) -> Result<()> {
    let changed = repository::next(tx).await?;
    let documents: Vec<_> = documents.iter().map(|document| (document, document.header())).collect();
    insert_from(tx, changed, &documents).await
}

async fn insert_from(tx: &mut Tx, changed: i64, documents: &[(&Document<'_>, Header)]) -> Result<()> {
    let docs = repository::insert(tx, changed, documents.iter().map(|(_, header)| header)).await?;
    let (mut texts, mut bytes) = (Vec::new(), 0);
    for ((document, _), doc) in documents.iter().zip(docs).filter(|((document, _), _)| document.live) {
        texts.push((doc, document.texts()));
        bytes += document.fields().iter().flatten().map(|text| text.len()).sum::<usize>();
        if bytes >= TEXTS_BYTES {
            insert_texts(tx, &texts).await?;
            (texts, bytes) = (Vec::new(), 0);
        }
    }
    insert_texts(tx, &texts).await
}

async fn insert_texts(tx: &mut Tx, texts: &[(i64, Texts)]) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => sqlite::insert_texts(tx, texts).await,
        Dialect::Postgres => postgres::insert_texts(tx, texts).await,
    }
}

/// Holds the index what it should of this document?
pub async fn holds(conn: &mut Conn, document: &Document<'_>) -> Result<bool> {
    if !repository::holds(conn, &document.header()).await? {
        return Ok(false);
    }
    let texts = document.texts();
    match conn.dialect() {
        Dialect::Sqlite => sqlite::holds(conn, &document.id, &texts).await,
        Dialect::Postgres => postgres::holds(conn, &document.id, &texts).await,
    }
}

/// Lets the next [`put`] write everything of a document, whatever the index thinks it holds.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<()> {
    repository::forget(tx, id).await
}

/// What of the index does not fit together, in sentences. If anything, the transaction must be given up.
pub async fn faults(tx: &mut Tx) -> Result<Vec<String>> {
    match tx.dialect() {
        Dialect::Sqlite => sqlite::faults(tx).await,
        Dialect::Postgres => postgres::faults(tx).await,
    }
}

/// Empties the index, so that every document is put in again.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => sqlite::clear(tx).await,
        Dialect::Postgres => postgres::clear(tx).await,
    }
}
