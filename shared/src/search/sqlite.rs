//! The index as `SQLite` keeps it: an FTS5 table over the terms, and one over the words as they were written.
use super::{
    expression::{Expression, Phrase},
    index::Texts,
    mirror::{Row, Stamp},
    repository,
};
use crate::{
    db::{Conn, Query, Tx, params, portions},
    error::{Error, INDEX_DAMAGED, Result},
};

/// Writers come one after the other, so a number tells what is newer.
const STAMP: &str = "SELECT CAST(COALESCE(max(changed), 0) AS TEXT) FROM search_documents";

pub(super) async fn stamp(conn: &mut Conn) -> Result<Stamp> {
    let (stamp,) = conn.fetch_one(STAMP, params![]).await?;
    Ok(Stamp(stamp))
}

const CHANGES: &str =
    "SELECT doc, id, live, name, category, tags, labels, lifecycle_status, template_format, created_by,
                              model, variables, updated_at
                       FROM search_documents WHERE changed > $1 ORDER BY changed";

pub(super) async fn changes(conn: &mut Conn, since: &Stamp) -> Result<Vec<Row>> {
    let since: i64 = since.0.parse().unwrap_or(0);
    conn.fetch_all(CHANGES, params![since]).await
}

/// One row, as a row for each hit would cost more than the search. `rank` is bm25 with the weights of the columns.
const MATCHES: &str = "SELECT group_concat(rowid || ' ' || CAST(rank * -1e9 AS INTEGER), ',')
                       FROM search_index WHERE search_index MATCH $1";

pub(super) async fn matches(conn: &mut Conn, expression: &Expression) -> Result<Option<String>> {
    let (hits,) = conn.fetch_one(MATCHES, params![expression.render(" AND ", " OR ", phrase)]).await?;
    Ok(hits)
}

/// Terms have letters and digits only, so nothing in them needs quoting.
fn phrase(phrase: &Phrase) -> String {
    format!("\"{}\"{}", phrase.terms.join(" "), if phrase.open { " *" } else { "" })
}

const VOCABULARY: &str = "SELECT group_concat(term || ' ' || doc, ',') FROM search_vocabulary";

pub(super) async fn vocabulary(conn: &mut Conn) -> Result<Option<String>> {
    let (words,) = conn.fetch_one(VOCABULARY, params![]).await?;
    Ok(words)
}

/// The first number for a document that is written now. Those after it are free too: there is one writer.
pub(super) const NEXT: &str = "(SELECT COALESCE(max(changed), 0) + 1 FROM search_documents)";

pub(super) async fn insert_texts(tx: &mut Tx, texts: &[(i64, Texts)]) -> Result<()> {
    let joined = |(doc, texts): &(i64, Texts)| {
        (*doc, texts.terms.each_ref().map(|terms| terms.join(" ")), texts.words.join(" "))
    };
    let rows: Vec<_> = texts.iter().map(joined).collect();
    for rows in portions(&rows) {
        let query = Query::new("INSERT INTO search_texts (doc, name, tags, description, body) VALUES").rows(
            "(?, ?, ?, ?, ?)",
            rows,
            |(doc, [name, tags, description, body], _)| vec![doc, name, tags, description, body],
        );
        tx.execute(&query, query.params()).await?;
        let query =
            Query::new("INSERT INTO search_words (rowid, words) VALUES")
                .rows("(?, ?)", rows, |(doc, _, words)| vec![doc, words]);
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

const DELETE_WORDS: &str = "DELETE FROM search_words WHERE rowid = $1";

pub(super) async fn take_out(tx: &mut Tx, doc: i64) -> Result<()> {
    repository::take_out(tx, doc).await?;
    tx.execute(DELETE_WORDS, params![doc]).await.map(drop)
}

const TEXTS: &str = "SELECT t.name, t.tags, t.description, t.body FROM search_texts t
                     JOIN search_documents d ON d.doc = t.doc WHERE d.id = $1";

/// Holds the index the terms of this document?
pub(super) async fn holds(conn: &mut Conn, id: &str, texts: &Texts) -> Result<bool> {
    let found: Option<(String, String, String, String)> = conn.fetch_optional(TEXTS, params![id]).await?;
    let [name, tags, description, body] = texts.terms.each_ref().map(|terms| terms.join(" "));
    Ok(found == Some((name, tags, description, body)))
}

const CHECK_INDEX: &str = "INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)";
const CHECK_WORDS: &str = "INSERT INTO search_words (search_words) VALUES ('integrity-check')";
const COUNT_WORDS: &str = "SELECT count(*) FROM search_words";

/// What of the tables of FTS5 does not fit together. The transaction is spoilt, if anything.
pub(super) async fn faults(tx: &mut Tx) -> Result<Vec<String>> {
    for (check, table) in [(CHECK_INDEX, "search_index"), (CHECK_WORDS, "search_words")] {
        if let Err(error) = tx.execute(check, params![]).await {
            return match error {
                Error::Unavailable { code: INDEX_DAMAGED, .. } => Ok(vec![format!("the table `{table}` is damaged")]),
                other => Err(other),
            };
        }
    }
    let live = repository::count_live(tx).await?;
    let (words,): (i64,) = tx.fetch_one(COUNT_WORDS, params![]).await?;
    let fault = format!("{live} documents can be found, and the vocabulary is of {words}");
    Ok(if live == words { Vec::new() } else { vec![fault] })
}

const FORGET_INDEX: &str = "INSERT INTO search_index (search_index) VALUES ('delete-all')";
const FORGET_WORDS: &str = "INSERT INTO search_words (search_words) VALUES ('delete-all')";
const OUTDATE: &str = "UPDATE search_documents SET text_hash = '', analysis = 0";
const REBUILD: &str = "INSERT INTO search_index (search_index) VALUES ('rebuild')";

/// Empties the index, so that every document is put in again.
pub(super) async fn clear(tx: &mut Tx) -> Result<()> {
    // The triggers of the texts take terms out of an index that may be damaged; a new one first.
    tx.execute(FORGET_INDEX, params![]).await?;
    tx.execute(REBUILD, params![]).await?;
    repository::forget_texts(tx).await?;
    tx.execute(FORGET_WORDS, params![]).await?;
    tx.execute(OUTDATE, params![]).await.map(drop)
}
