//! The tables `prompts` and `prompt_tags`, many rows at a time.
use super::{Bounds, CategoryCount, PromptFilter, TagCount};
use crate::{
    db::{Conn, Query, params, portions},
    error::Result,
    id::PromptId,
    page::{PageRequest, Position},
    prompts::{
        Prompt, Show,
        repository::{PromptRow, select},
    },
    versions::{SETTINGS_BYTES, TEXTS_BYTES},
};

/// The first prompts after the one with this id, without their content. Damaged ones are marked.
pub(in crate::prompts) async fn after(
    conn: &mut Conn,
    filter: &PromptFilter,
    after: &str,
    most: i64,
) -> Result<Vec<Prompt>> {
    let (show, bounds) = (Show { content: false, usage_since: None }, filter.bounds());
    let start = select(&show).then("WHERE v.version = p.version AND p.id > ?", params![after]);
    let query = matching(start, filter, &bounds).then("ORDER BY p.id LIMIT ?", &[&most]);
    let rows: Vec<PromptRow> = conn.fetch_all(&query, query.params()).await?;
    Ok(rows.into_iter().map(|row| row.marked(&show)).collect())
}

/// Is this prompt one of those that match?
pub(in crate::prompts) async fn holds(conn: &mut Conn, filter: &PromptFilter, id: PromptId) -> Result<bool> {
    let bounds = filter.bounds();
    let query = Query::new("SELECT count(*) FROM prompts p WHERE 1 = 1").then("AND p.id = ?", &[&id]);
    let query = matching(query, filter, &bounds);
    let (found,): (i64,) = conn.fetch_one(&query, query.params()).await?;
    Ok(found == 1)
}

const COUNT: &str = "SELECT count(*) FROM prompts p WHERE 1 = 1";

/// The prompts of one page and one more, and how many there are in all. Damaged ones are marked.
pub(in crate::prompts) async fn list(
    conn: &mut Conn,
    filter: &PromptFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<Prompt>, i64)> {
    let bounds = filter.bounds();
    let counted = matching(Query::new(COUNT), filter, &bounds);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;

    let (limit, offset) = (request.limit_and_one(), request.offset());
    let query = of_page(select(&filter.show), filter, &bounds, after, (&limit, &offset));
    let rows: Vec<PromptRow> = conn.fetch_all(&query, query.params()).await?;
    Ok((rows.into_iter().map(|row| row.marked(&filter.show)).collect(), total))
}

/// How many bytes each prompt of a page of [`list`] holds.
pub(in crate::prompts) async fn lengths(
    conn: &mut Conn,
    filter: &PromptFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<Vec<i64>> {
    let (bounds, limit, offset) = (filter.bounds(), request.limit_and_one(), request.offset());
    let start = Query::new("SELECT CAST(COALESCE(octet_length(p.description), 0) +").then(SETTINGS_BYTES, params![]);
    let start = if filter.show.content { start.then(TEXTS_BYTES, params![]) } else { start };
    let start = start.then("AS BIGINT) FROM prompts p JOIN versions v ON v.prompt_id = p.id", params![]);
    let query = of_page(start, filter, &bounds, after, (&limit, &offset));
    let rows: Vec<(i64,)> = conn.fetch_all(&query, query.params()).await?;
    Ok(rows.into_iter().map(|(bytes,)| bytes).collect())
}

/// Goes on with which prompts are on a page, and in which order. That is found among narrow rows; only those of the page
/// are read whole.
fn of_page<'a>(
    start: Query<'a>,
    filter: &'a PromptFilter,
    bounds: &'a Bounds,
    after: Option<&'a Position>,
    (limit, offset): (&'a i64, &'a i64),
) -> Query<'a> {
    let narrow = "WHERE v.version = p.version AND p.id IN (SELECT p.id FROM prompts p WHERE 1 = 1";
    let mut query = matching(start.then(narrow, params![]), filter, bounds);
    if let Some(after) = after {
        query = query.then(filter.sort.after(), &[after.key.param(), &after.id]);
    }
    let query = query.then(filter.sort.order(), params![]).then("LIMIT ? OFFSET ?)", &[limit, offset]);
    query.then(filter.sort.order(), params![])
}

/// How many bytes each of these prompts holds, if they are there.
pub(in crate::prompts) async fn lengths_of(conn: &mut Conn, ids: &[PromptId]) -> Result<Vec<(PromptId, i64)>> {
    let mut lengths = Vec::with_capacity(ids.len());
    for ids in portions(ids) {
        let start = Query::new("SELECT p.id, CAST(COALESCE(octet_length(p.description), 0) +");
        let start = start.then(SETTINGS_BYTES, params![]).then(TEXTS_BYTES, params![]);
        let from = "AS BIGINT) FROM prompts p JOIN versions v ON v.prompt_id = p.id AND v.version = p.version
                    WHERE p.id IN (";
        let query = start.then(from, params![]).rows("?", ids, |id| vec![id]).then(")", params![]);
        lengths.extend(conn.fetch_all::<(PromptId, i64)>(&query, query.params()).await?);
    }
    Ok(lengths)
}

pub(in crate::prompts) fn matching<'a>(query: Query<'a>, filter: &'a PromptFilter, bounds: &'a Bounds) -> Query<'a> {
    let query = match &bounds.folder {
        Some((first, end)) => query.then("AND p.category >= ? AND p.category < ?", &[first, end]),
        None => query.and("p.category = ?", &filter.category),
    };
    let query = within(query, &bounds.within);
    let query = if filter.include_deleted { query } else { query.then("AND p.deleted_at IS NULL", params![]) };
    query
        .and_each("EXISTS (SELECT 1 FROM prompt_tags t WHERE t.prompt_id = p.id AND t.tag = ?)", &filter.tags)
        .and("p.lifecycle_status = ?", &filter.lifecycle_status)
        .and("EXISTS (SELECT 1 FROM labels l WHERE l.prompt_id = p.id AND l.label = ?)", &filter.label)
        .and("p.created_by = ?", &filter.created_by)
        .and("p.is_template = ?", &filter.is_template)
        .and("p.updated_at >= ?", &filter.updated_since)
}

/// The categories a statement may show, with what sorts from one place to another. None: all.
type Within = [(String, String, String)];

fn within<'a>(query: Query<'a>, folders: &'a Within) -> Query<'a> {
    if folders.is_empty() {
        return query;
    }
    let within = folders.iter().enumerate().fold(query.then("AND (", params![]), |query, (index, folder)| {
        let query = if index == 0 { query } else { query.then("OR", params![]) };
        let (own, first, end) = folder;
        query.then("p.category = ? OR (p.category >= ? AND p.category < ?)", &[own, first, end])
    });
    within.then(")", params![])
}

const COUNT_CATEGORIES: &str = "SELECT count(DISTINCT p.category) FROM prompts p WHERE p.deleted_at IS NULL";

pub(in crate::prompts) async fn categories(
    conn: &mut Conn,
    folders: &Within,
    after: &str,
    request: &PageRequest,
) -> Result<(Vec<CategoryCount>, i64)> {
    let counted = within(Query::new(COUNT_CATEGORIES), folders);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let start = "SELECT p.category, count(*) AS count FROM prompts p WHERE p.deleted_at IS NULL";
    let query = within(Query::new(start), folders).then("AND p.category > ?", params![after]);
    let query = query.then("GROUP BY p.category ORDER BY p.category LIMIT ? OFFSET ?", &[&limit, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const COUNT_TAGS: &str = "SELECT count(DISTINCT t.tag) FROM prompt_tags t JOIN prompts p ON p.id = t.prompt_id
                          WHERE p.deleted_at IS NULL";

pub(in crate::prompts) async fn tags(
    conn: &mut Conn,
    folders: &Within,
    after: &str,
    request: &PageRequest,
) -> Result<(Vec<TagCount>, i64)> {
    let counted = within(Query::new(COUNT_TAGS), folders);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (limit, offset) = (request.limit_and_one(), request.offset());
    let start = "SELECT t.tag, count(*) AS count FROM prompt_tags t JOIN prompts p ON p.id = t.prompt_id
                 WHERE p.deleted_at IS NULL";
    let query = within(Query::new(start), folders).then("AND t.tag > ?", params![after]);
    let query = query.then("GROUP BY t.tag ORDER BY t.tag LIMIT ? OFFSET ?", &[&limit, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}
