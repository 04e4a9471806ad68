//! The table `search_documents`, as far as every engine has it alike.
use std::collections::HashMap;

use super::{
    index::{ANALYSIS, Header},
    postgres, sqlite,
};
use crate::{
    db::{Conn, Dialect, Param, Query, Tx, params, portions},
    error::{Error, Result},
};

/// The number for the first document that is written now.
pub(super) async fn next(conn: &mut Conn) -> Result<i64> {
    let query = Query::new("SELECT").then(conn.dialect().choose(sqlite::NEXT, postgres::NEXT), params![]);
    let (next,) = conn.fetch_one(&query, query.params()).await?;
    Ok(next)
}

/// A document that is there.
pub(super) struct Known {
    /// Its number.
    pub(super) doc: i64,
    /// Of its texts, if they are in the index as the terms are made now.
    pub(super) text_hash: Option<String>,
}

/// The same, and the document, if it is there.
pub(super) async fn find(conn: &mut Conn, id: &str) -> Result<(i64, Option<Known>)> {
    let query = Query::new("SELECT")
        .then(conn.dialect().choose(sqlite::NEXT, postgres::NEXT), params![])
        .then(", doc, CASE WHEN live AND analysis = ? THEN text_hash END", &[&ANALYSIS])
        .then("FROM (SELECT 1) AS one LEFT JOIN search_documents ON id = ?", &[&id]);
    let (next, doc, text_hash): (i64, Option<i64>, _) = conn.fetch_one(&query, query.params()).await?;
    Ok((next, doc.map(|doc| Known { doc, text_hash })))
}

const UPDATE: &str = "UPDATE search_documents SET live = $2, analysis = $3, text_hash = $4, name = $5, category = $6,
                          tags = $7, labels = $8, lifecycle_status = $9, template_format = $10, created_by = $11,
                          model = $12, variables = $13, updated_at = $14, changed = $15
                      WHERE id = $1";

/// Whoever writes to a document holds what it is made of, so nobody else writes to its row meanwhile.
pub(super) async fn update(tx: &mut Tx, header: &Header, changed: i64) -> Result<()> {
    let number: &dyn Param = &changed;
    let row = [header.params().as_slice(), &[number]].concat();
    tx.execute(UPDATE, &row).await.map(drop)
}

/// Answers the numbers of the documents, in their order.
pub(super) async fn insert<'h>(
    tx: &mut Tx,
    changed: i64,
    headers: impl Iterator<Item = &'h Header>,
) -> Result<Vec<i64>> {
    let step = match tx.dialect() {
        Dialect::Sqlite => 1,
        Dialect::Postgres => 0,
    };
    let new: Vec<(&Header, i64)> = (0..).zip(headers).map(|(place, header)| (header, changed + place * step)).collect();
    let mut docs = HashMap::new();
    for rows in portions(&new) {
        let start = "INSERT INTO search_documents (id, live, analysis, text_hash, name, category, tags, labels,
                                                   lifecycle_status, template_format, created_by, model, variables,
                                                   updated_at, changed) VALUES";
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows, |(header, number)| {
                let number: &dyn Param = number;
                [header.params().as_slice(), &[number]].concat()
            })
            .then("RETURNING id, doc", params![]);
        let rows: Vec<(String, i64)> = tx.fetch_all(&query, query.params()).await?;
        docs.extend(rows);
    }
    let number = |(header, _): &(&Header, i64)| docs.get(&header.id).copied();
    new.iter().map(number).collect::<Option<_>>().ok_or_else(|| Error::internal("a document without a number"))
}

const DELETE_TEXTS: &str = "DELETE FROM search_texts WHERE doc = $1";

/// Takes the terms of a document out.
pub(super) async fn take_out(tx: &mut Tx, doc: i64) -> Result<()> {
    tx.execute(DELETE_TEXTS, params![doc]).await.map(drop)
}

const FORGET_TEXTS: &str = "DELETE FROM search_texts";

/// Takes all terms out.
pub(super) async fn forget_texts(tx: &mut Tx) -> Result<()> {
    tx.execute(FORGET_TEXTS, params![]).await.map(drop)
}

const COUNT_LIVE: &str = "SELECT count(*) FROM search_documents WHERE live";

/// How many documents can be found.
pub(super) async fn count_live(conn: &mut Conn) -> Result<i64> {
    let (live,) = conn.fetch_one(COUNT_LIVE, params![]).await?;
    Ok(live)
}

const HOLDS: &str = "SELECT count(*) FROM search_documents
                     WHERE id = $1 AND live = $2 AND analysis = $3 AND text_hash = $4 AND name = $5 AND category = $6
                       AND tags = $7 AND labels = $8 AND lifecycle_status = $9 AND template_format = $10
                       AND created_by = $11 AND model = $12 AND variables = $13 AND updated_at = $14";

/// Is that what is known of the document?
pub(super) async fn holds(conn: &mut Conn, header: &Header) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(HOLDS, &header.params()).await?;
    Ok(found == 1)
}

const UNSET_HASH: &str = "UPDATE search_documents SET text_hash = '' WHERE id = $1";

/// Lets the next `put` write everything.
pub(super) async fn forget(tx: &mut Tx, id: &str) -> Result<()> {
    tx.execute(UNSET_HASH, params![id]).await.map(drop)
}
