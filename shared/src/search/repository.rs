//! The table `search_documents`, as far as every engine has it alike.
use std::collections::HashMap;

use super::{index::Header, postgres, sqlite};
use crate::{
    db::{Conn, Dialect, Param, Query, Tx, params, portions},
    error::{Error, Result},
};

const UPDATE: &str = "UPDATE search_documents SET live = $2, analysis = $3, text_hash = $4, name = $5, category = $6,
                          tags = $7, labels = $8, lifecycle_status = $9, template_format = $10, created_by = $11,
                          model = $12, variables = $13, updated_at = $14, changed = $15
                      WHERE id = $1";

/// Writes what is known of documents. Answers, in their order, the number of each and, if its texts are in the index,
/// their hash.
///
/// Whoever writes to a document holds what it is made of, so nobody else writes to its row meanwhile.
pub(super) async fn write(tx: &mut Tx, headers: &[Header]) -> Result<Vec<(i64, Option<String>)>> {
    let (mut next, mut known) = find(tx, headers).await?;
    let step = match tx.dialect() {
        Dialect::Sqlite => 1,
        Dialect::Postgres => 0,
    };
    let mut new = Vec::new();
    for header in headers {
        if known.contains_key(&header.id) {
            let row = [header.params().as_slice(), &[&next]].concat();
            tx.execute(UPDATE, &row).await?;
        } else {
            new.push((header, next));
        }
        next += step;
    }
    known.extend(insert(tx, &new).await?.into_iter().map(|(doc, id)| (id, (doc, None))));
    let place =
        |header: &Header| known.remove(&header.id).ok_or_else(|| Error::internal("a document without a number"));
    headers.iter().map(place).collect()
}

/// The number for the first change, and of those documents that are there their numbers and the hashes of their texts.
async fn find(tx: &mut Tx, headers: &[Header]) -> Result<(i64, HashMap<String, (i64, Option<String>)>)> {
    let (mut next, mut known) = (0, HashMap::new());
    for headers in portions(headers) {
        // One row at least, for the number.
        let query = Query::new("SELECT").then(tx.dialect().choose(sqlite::NEXT, postgres::NEXT), params![]);
        let query = query
            .then(", d.doc, d.id, CASE WHEN d.live THEN d.text_hash END", params![])
            .then("FROM (SELECT 1) AS one LEFT JOIN search_documents d ON d.id IN (", params![])
            .rows("?", headers, |header| vec![&header.id])
            .then(")", params![]);
        let rows: Vec<(i64, Option<i64>, Option<String>, Option<String>)> =
            tx.fetch_all(&query, query.params()).await?;
        for (number, doc, id, text_hash) in rows {
            next = number;
            known.extend(doc.zip(id).map(|(doc, id)| (id, (doc, text_hash))));
        }
    }
    Ok((next, known))
}

async fn insert(tx: &mut Tx, new: &[(&Header, i64)]) -> Result<Vec<(i64, String)>> {
    let mut numbers = Vec::with_capacity(new.len());
    for rows in portions(new) {
        let start = "INSERT INTO search_documents (id, live, analysis, text_hash, name, category, tags, labels,
                                                   lifecycle_status, template_format, created_by, model, variables,
                                                   updated_at, changed) VALUES";
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows, |(header, number)| {
                let number: &dyn Param = number;
                [header.params().as_slice(), &[number]].concat()
            })
            .then("RETURNING doc, id", params![]);
        let rows: Vec<(i64, String)> = tx.fetch_all(&query, query.params()).await?;
        numbers.extend(rows);
    }
    Ok(numbers)
}

const DELETE_TEXTS: &str = "DELETE FROM search_texts WHERE doc = $1";

/// Takes terms out.
pub(super) async fn take_out(tx: &mut Tx, docs: &[i64]) -> Result<()> {
    for doc in docs {
        tx.execute(DELETE_TEXTS, params![doc]).await?;
    }
    Ok(())
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
