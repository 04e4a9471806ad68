//! The tables `prompts` and `prompt_tags`, many rows at a time.
use super::{Bounds, CategoryCount, PromptFilter, TagCount};
use crate::{
    db::{Conn, Query, params},
    error::Result,
    page::{PageRequest, Position},
    prompts::{
        Prompt, Show,
        repository::{PromptRow, select},
    },
};

/// The first prompts after the one with this id, without their content.
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
    rows.into_iter().map(|row| row.shown(&show)).collect()
}

const COUNT: &str = "SELECT count(*) FROM prompts p WHERE 1 = 1";

/// The prompts of one page and one more, and how many there are in all.
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
    // Which they are is found among narrow rows; only those of the page are read whole.
    let narrow = "WHERE v.version = p.version AND p.id IN (SELECT p.id FROM prompts p WHERE 1 = 1";
    let mut query = matching(select(&filter.show).then(narrow, params![]), filter, &bounds);
    if let Some(after) = after {
        query = query.then(filter.sort.after(), &[after.key.param(), &after.id]);
    }
    let query = query.then(filter.sort.order(), params![]).then("LIMIT ? OFFSET ?)", &[&limit, &offset]);
    let query = query.then(filter.sort.order(), params![]);
    let rows: Vec<PromptRow> = conn.fetch_all(&query, query.params()).await?;
    let prompts: Result<_> = rows.into_iter().map(|row| row.shown(&filter.show)).collect();
    Ok((prompts?, total))
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
