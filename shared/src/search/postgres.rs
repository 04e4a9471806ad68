//! The index as `PostgreSQL` keeps it: the terms in a tsvector with weights, the words as they were written in another.
use std::fmt::Write;

use super::{
    expression::{AnyOf, Expression, Phrase},
    index::{Header, Texts},
    mirror::{Row, Stamp},
    repository,
};
use crate::{
    db::{Conn, Param, Query, Tx, params},
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

const INSERT: &str =
    "INSERT INTO search_documents (id, changed, live, analysis, text_hash, name, category, tags, labels,
                          lifecycle_status, template_format, created_by, model, variables, updated_at)
                      VALUES ($1, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), $2, $3, $4, $5, $6, $7, $8, $9,
                              $10, $11, $12, $13, $14)
                      RETURNING doc";
const UPDATE: &str =
    "UPDATE search_documents SET changed = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), live = $2,
                          analysis = $3, text_hash = $4, name = $5, category = $6, tags = $7, labels = $8,
                          lifecycle_status = $9, template_format = $10, created_by = $11, model = $12, variables = $13,
                          updated_at = $14
                      WHERE id = $1";
const PUT_TEXTS: &str = "INSERT INTO search_texts (doc, terms, words)
                         VALUES ($1, CAST($2 AS tsvector), CAST($3 AS tsvector))
                         ON CONFLICT (doc) DO UPDATE SET terms = excluded.terms, words = excluded.words";
const DELETE_TEXTS: &str = "DELETE FROM search_texts WHERE doc = $1";

/// Whoever writes to a document holds what it is made of, so nobody else writes to its rows meanwhile.
pub(super) async fn put(tx: &mut Tx, header: &Header, texts: impl FnOnce() -> Texts) -> Result<()> {
    let doc = match repository::find(tx, &header.id).await? {
        None => {
            let (doc,): (i64,) = tx.fetch_one(INSERT, &header.params()).await?;
            doc
        }
        Some((doc, text_hash, live)) => {
            tx.execute(UPDATE, &header.params()).await?;
            if live && header.live && text_hash == header.text_hash {
                return Ok(());
            }
            doc
        }
    };
    if header.live {
        let texts = texts();
        tx.execute(PUT_TEXTS, params![doc, vector(&texts), words(&texts)]).await.map(drop)
    } else {
        tx.execute(DELETE_TEXTS, params![doc]).await.map(drop)
    }
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

const COUNT_LIVE: &str = "SELECT count(*) FROM search_documents WHERE live";
const COUNT_TEXTS: &str = "SELECT count(*) FROM search_texts";

/// What of the tables does not fit together.
pub(super) async fn faults(tx: &mut Tx) -> Result<Vec<String>> {
    let (live,): (i64,) = tx.fetch_one(COUNT_LIVE, params![]).await?;
    let (texts,): (i64,) = tx.fetch_one(COUNT_TEXTS, params![]).await?;
    let fault = format!("{live} documents can be found, and {texts} have terms");
    Ok(if live == texts { Vec::new() } else { vec![fault] })
}

const FORGET_TEXTS: &str = "DELETE FROM search_texts";
const OUTDATE: &str = "UPDATE search_documents SET text_hash = '', analysis = 0,
                           changed = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";

/// Empties the index, so that every document is put in again.
pub(super) async fn clear(tx: &mut Tx) -> Result<()> {
    tx.execute(FORGET_TEXTS, params![]).await?;
    tx.execute(OUTDATE, params![]).await.map(drop)
}
