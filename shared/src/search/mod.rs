//! The index of what can be found by its words: written with what it is made of, read as of one moment.
mod expression;
mod facets;
mod filter;
mod find;
mod folding;
mod highlight;
mod index;
mod ladder;
mod mirror;
mod paging;
mod postgres;
mod query;
mod repository;
mod sqlite;
mod suggest;
mod synonyms;
mod vocabulary;
mod words;

#[cfg(test)]
pub(crate) use filter::STATUSES;

pub use facets::{FacetCount, FacetsWanted, ValueCount};
pub use filter::{Condition, Field, Filter};
pub use find::{Found, Hit, Kind, Place, Search, find};
pub use highlight::Marker;
pub use index::{ANALYSIS, Document, clear, faults, forget, holds, insert, put};
pub use mirror::Index;
pub use paging::HitPage;
pub use suggest::{SUGGESTIONS_MAX, Suggestion, SuggestionKind, suggest};

use crate::{
    app::App,
    db::{Conn, Dialect},
    error::Result,
};
use expression::Expression;
use mirror::{Row, Stamp};

/// Reads what searches know by heart, so that the first one need not.
pub async fn warm_up(app: &App) -> Result<()> {
    let mut reading = app.search.read(app).await?;
    app.search.vocabulary(app, &mut reading).await.map(drop)
}

/// Tells the id, the category and the name of everything of a kind that can be found.
pub async fn each(app: &App, kind: Kind, mut hear: impl FnMut(&str, &str, &str)) -> Result<()> {
    let reading = app.search.read(app).await?;
    for (_, entry) in reading.mirror.iter().filter(|(_, entry)| entry.kind == kind) {
        hear(&entry.id, &entry.category, &entry.name);
    }
    Ok(())
}

async fn stamp(conn: &mut Conn) -> Result<Stamp> {
    match conn.dialect() {
        Dialect::Sqlite => sqlite::stamp(conn).await,
        Dialect::Postgres => postgres::stamp(conn).await,
    }
}

async fn changes(conn: &mut Conn, since: &Stamp) -> Result<Vec<Row>> {
    match conn.dialect() {
        Dialect::Sqlite => sqlite::changes(conn, since).await,
        Dialect::Postgres => postgres::changes(conn, since).await,
    }
}

/// The documents that match, with how well they do.
async fn matches(conn: &mut Conn, expression: &Expression) -> Result<Vec<(u32, i64)>> {
    if expression.is_empty() {
        return Ok(Vec::new());
    }
    let list = match conn.dialect() {
        Dialect::Sqlite => sqlite::matches(conn, expression).await?,
        Dialect::Postgres => postgres::matches(conn, expression).await?,
    };
    let pair = |pair: &str| {
        let (doc, score) = pair.split_once(' ')?;
        Some((doc.parse().ok()?, score.parse().ok()?))
    };
    Ok(list.unwrap_or_default().split(',').filter_map(pair).collect())
}

/// `word documents` pairs, separated by commas.
async fn vocabulary(conn: &mut Conn) -> Result<String> {
    let list = match conn.dialect() {
        Dialect::Sqlite => sqlite::vocabulary(conn).await?,
        Dialect::Postgres => postgres::vocabulary(conn).await?,
    };
    Ok(list.unwrap_or_default())
}
