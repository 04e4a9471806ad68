//! The index as `PostgreSQL` keeps it: the terms in a tsvector with weights, the words as they were written in another.
use std::fmt::Write;

use super::{
    expression::{AnyOf, Expression, Phrase},
    index::Texts,
    mirror::{Row, Stamp},
    repository,
};
use crate::{
    db::{Conn, Param, Query, Tx, params, portions},
    error::Result,
};

/// Terms of two fields never stand next to each other.
const GAP: usize = 16;
/// The last position a tsvector can tell.
const POSITION_MAX: usize = 16_383;
/// Before anything was read: nothing is visible in this snapshot.
const BEFORE_ALL: &str = "1:1:";

/// Writers come at once and commit in any order. A row tells which transaction wrote it, and a snapshot tells which
/// transactions it has seen.
const STAMP: &str = "SELECT CAST(pg_current_snapshot() AS TEXT)";

pub(super) async fn stamp(conn: &mut Conn) -> Result<Stamp> {
    let (stamp,) = conn.fetch_one(STAMP, params![]).await?;
    Ok(Stamp(stamp))
}

const CHANGES: &str =
    "SELECT doc, id, live, name, category, tags, labels, lifecycle_status, template_format, created_by,
                              model, variables, updated_at
                       FROM search_documents
                       WHERE changed >= $1
                         AND NOT pg_visible_in_snapshot(CAST(CAST(changed AS TEXT) AS xid8), CAST($2 AS pg_snapshot))
                       ORDER BY doc";

pub(super) async fn changes(conn: &mut Conn, since: &Stamp) -> Result<Vec<Row>> {
    let since = if since.0.is_empty() { BEFORE_ALL } else { &since.0 };
    // Every transaction before this one had ended.
    let oldest: i64 = since.split(':').next().and_then(|oldest| oldest.parse().ok()).unwrap_or(0);
    conn.fetch_all(CHANGES, params![oldest, since]).await
}

/// One row, as a row for each hit would cost more than the search. `ts_rank` does not know which terms are rare, so
/// every part of the question brings its weight along.
pub(super) async fn matches(conn: &mut Conn, expression: &Expression) -> Result<Option<String>> {
    let whole = expression.render(" & ", " | ", phrase);
    let mut parts: Vec<(f64, String)> = Vec::new();
    for any in expression.parts() {
        // A whole word says more than the beginning of one.
        for (open, share) in [(false, 1.0), (true, 0.5)] {
            let phrases: Vec<Phrase> = any.phrases.iter().filter(|phrase| phrase.open == open).cloned().collect();
            if !phrases.is_empty() {
                let alone = Expression { all: vec![AnyOf { phrases, ..any.clone() }], any: Vec::new() };
                parts.push((any.weight * share, alone.render(" & ", " | ", phrase)));
            }
        }
    }
    let mut query = Query::new("SELECT string_agg(doc || ' ' || CAST(1e9 * (0");
    for (weight, part) in &parts {
        let values: [&dyn Param; 2] = [weight, part];
        query = query.then("+ ? * ts_rank('{0.125, 0.5, 0.5, 1}', terms, CAST(? AS tsquery), 1)", &values);
    }
    let query = query.then(") AS BIGINT), ',') FROM search_texts WHERE terms @@ CAST(? AS tsquery)", &[&whole]);
    let (hits,) = conn.fetch_one(&query, query.params()).await?;
    Ok(hits)
}

/// Terms have letters and digits only, so nothing in them needs quoting.
fn phrase(phrase: &Phrase) -> String {
    let terms: Vec<String> = phrase.terms.iter().map(|term| format!("'{term}'")).collect();
    format!("({}{})", terms.join(" <-> "), if phrase.open { ":*" } else { "" })
}

const VOCABULARY: &str = "SELECT string_agg(word || ' ' || ndoc, ',') FROM ts_stat('SELECT words FROM search_texts')";

pub(super) async fn vocabulary(conn: &mut Conn) -> Result<Option<String>> {
    let (words,) = conn.fetch_one(VOCABULARY, params![]).await?;
    Ok(words)
}

/// The number of all documents that this transaction writes.
pub(super) const NEXT: &str = "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";

pub(super) async fn insert_texts(tx: &mut Tx, texts: &[(i64, Texts)]) -> Result<()> {
    let rows: Vec<_> = texts.iter().map(|(doc, texts)| (*doc, vector(texts), words(texts))).collect();
    for rows in portions(&rows) {
        let query = Query::new("INSERT INTO search_texts (doc, terms, words) VALUES").rows(
            "(?, CAST(? AS tsvector), CAST(? AS tsvector))",
            rows,
            |(doc, vector, words)| vec![doc, vector, words],
        );
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

/// The terms as a tsvector is written, with the weights of their fields.
fn vector(texts: &Texts) -> String {
    let mut vector = String::new();
    let mut position = 0;
    for (terms, weight) in texts.terms.iter().zip(["A", "B", "C", "D"]) {
        for term in terms {
            position += 1;
            write!(vector, "'{term}':{}{weight} ", position.min(POSITION_MAX)).expect("a String takes all text");
        }
        position += GAP;
    }
    vector
}

fn words(texts: &Texts) -> String {
    texts.words.iter().map(|word| format!("'{word}' ")).collect()
}

const HOLDS: &str = "SELECT t.terms = CAST($2 AS tsvector) AND t.words = CAST($3 AS tsvector) FROM search_texts t
                     JOIN search_documents d ON d.doc = t.doc WHERE d.id = $1";

/// Holds the index the terms of this document?
pub(super) async fn holds(conn: &mut Conn, id: &str, texts: &Texts) -> Result<bool> {
    let equal: Option<(bool,)> = conn.fetch_optional(HOLDS, params![id, vector(texts), words(texts)]).await?;
    Ok(equal == Some((true,)))
}

const COUNT_TEXTS: &str = "SELECT count(*) FROM search_texts";

/// What of the tables does not fit together.
pub(super) async fn faults(tx: &mut Tx) -> Result<Vec<String>> {
    let live = repository::count_live(tx).await?;
    let (texts,): (i64,) = tx.fetch_one(COUNT_TEXTS, params![]).await?;
    let fault = format!("{live} documents can be found, and {texts} have terms");
    Ok(if live == texts { Vec::new() } else { vec![fault] })
}

const OUTDATE: &str = "UPDATE search_documents SET text_hash = '', analysis = 0,
                           changed = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";

/// Empties the index, so that every document is put in again.
pub(super) async fn clear(tx: &mut Tx) -> Result<()> {
    repository::forget_texts(tx).await?;
    tx.execute(OUTDATE, params![]).await.map(drop)
}
