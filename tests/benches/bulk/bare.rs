//! What a program does that knows nothing but the tables.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::{
    App,
    clock::{Clock, Timestamp},
    db::{Dialect, Json, Param, Query, Tx, portions},
    id::{AuditId, EventId, JobId, PromptId, VersionId},
};
use support::terms;

use crate::store::{ACTOR, CONTENT, DESCRIPTION, TAGS, caller, config};

/// As many prompts a commit as the product makes.
const CHUNK: usize = 100;

/// A prompt, and the ids of what belongs to it.
pub(crate) struct Row {
    id: PromptId,
    version_id: VersionId,
    audit_id: AuditId,
    event_id: EventId,
    data: Json<Value>,
    object: String,
    category: String,
    name: String,
    now: Timestamp,
}

/// Everything that can be made before.
pub(crate) fn rows(category: &str, block: usize, count: usize) -> Vec<Row> {
    let now = Clock::System.now();
    let row = |number| Row {
        id: PromptId::generate(now),
        version_id: VersionId::generate(now),
        audit_id: AuditId::generate(now),
        event_id: EventId::generate(now),
        data: Json(
            json!({ "id": "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "category": category, "name": format!("{block} {number}"),
                           "version": 1, "change_type": "create" }),
        ),
        object: crate::store::order(category, &format!("{block} {number}")).to_string(),
        category: category.to_owned(),
        name: format!("{block} {number}"),
        now,
    };
    (0..count).map(row).collect()
}

/// Writes them, many rows a statement.
pub(crate) async fn insert(app: &App, rows: &[Row]) {
    let (variables, schema) = (Json(["company", "name", "handbook", "question", "language"]), Json(json!({})));
    let (config, hash) = (Json(config()), "0123456789abcdef".repeat(4));
    for chunk in rows.chunks(CHUNK) {
        let mut tx = app.begin(&caller()).await.unwrap();
        for rows in portions(chunk) {
            let prompts =
                "INSERT INTO prompts (id, category, name, description, is_template, version, revision, created_by,
                                                created_at, updated_at) VALUES";
            let query = Query::new(prompts).rows("(?, ?, ?, ?, TRUE, 1, 1, ?, ?, ?)", rows, |row| {
                vec![&row.id, &row.category, &row.name, &DESCRIPTION, &ACTOR, &row.now, &row.now]
            });
            tx.execute(&query, query.params()).await.unwrap();
            let versions =
                "INSERT INTO versions (id, prompt_id, version, type, template_format, variables, input_schema,
                                                  config, content, change_type, content_hash, created_by, created_at)
                            VALUES";
            let place = "(?, ?, 1, 'text', 'mustache', ?, ?, ?, ?, 'create', ?, ?, ?)";
            let query = Query::new(versions).rows(place, rows, |row| {
                let body: [&dyn Param; 5] = [&variables, &schema, &config, &CONTENT, &hash];
                [&[&row.version_id as &dyn Param, &row.id][..], &body, &[&ACTOR, &row.now]].concat()
            });
            tx.execute(&query, query.params()).await.unwrap();
            let audit = "INSERT INTO audit_log (id, at, actor, request_id, action, object_id) VALUES";
            let query = Query::new(audit).rows("(?, ?, ?, '-', 'prompt.created', ?)", rows, |row| {
                vec![&row.audit_id, &row.now, &ACTOR, &row.id]
            });
            tx.execute(&query, query.params()).await.unwrap();
        }
        let tags: Vec<(PromptId, i64, &str)> =
            chunk.iter().flat_map(|row| (0..).zip(TAGS).map(|(position, tag)| (row.id, position, tag))).collect();
        for rows in portions(&tags) {
            let query = Query::new("INSERT INTO prompt_tags (prompt_id, position, tag) VALUES");
            let query = query.rows("(?, ?, ?)", rows, |(id, position, tag)| vec![id, position, tag]);
            tx.execute(&query, query.params()).await.unwrap();
        }
        announce(&mut tx, chunk).await;
        index(&mut tx, chunk).await;
        tx.commit().await.unwrap();
    }
}

async fn announce(tx: &mut Tx, chunk: &[Row]) {
    for rows in portions(chunk) {
        let start = "INSERT INTO events (id, event_type, subject_id, data, object, actor, request_id, at) VALUES";
        let place = "(?, 'prompt.created', ?, ?,
                      CASE WHEN EXISTS (SELECT 1 FROM event_log WHERE keeps_object) THEN CAST(? AS TEXT) END, ?, '-', ?)";
        let query = Query::new(start)
            .rows(place, rows, |row| vec![&row.event_id, &row.id, &row.data, &row.object, &ACTOR, &row.now]);
        tx.execute(&query, query.params()).await.unwrap();
    }
}

/// What is searched: the same tables, with terms that were made before.
async fn index(tx: &mut Tx, chunk: &[Row]) {
    let (next, step) = match tx.dialect() {
        Dialect::Sqlite => ("SELECT COALESCE(max(changed), 0) + 1 FROM search_documents", 1),
        Dialect::Postgres => ("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)", 0),
    };
    let (next,): (i64,) = tx.fetch_one(next, &[]).await.unwrap();
    let numbered: Vec<(i64, &Row)> = (0..).zip(chunk).map(|(place, row)| (next + place * step, row)).collect();
    let (hash, tags, none) = ("0123456789abcdef".repeat(2), TAGS.join("\u{1f}"), "");
    let variables = "company\u{1f}name\u{1f}handbook\u{1f}question\u{1f}language";
    let mut documents: Vec<(i64,)> = Vec::new();
    for rows in portions(&numbered) {
        let start = "INSERT INTO search_documents (id, live, analysis, text_hash, name, category, tags, labels,
                                                   lifecycle_status, template_format, created_by, model, variables,
                                                   updated_at, changed) VALUES";
        let place = "(?, TRUE, 1, ?, ?, ?, ?, ?, 'draft', 'mustache', ?, 'some-model-4', ?, ?, ?)";
        let query = Query::new(start)
            .rows(place, rows, |(changed, row)| {
                let texts: [&dyn Param; 6] = [&row.id, &hash, &row.name, &row.category, &tags, &none];
                [&texts[..], &[&ACTOR, &variables, &row.now, changed]].concat()
            })
            .then("RETURNING doc", &[]);
        documents.extend(tx.fetch_all::<(i64,)>(&query, query.params()).await.unwrap());
    }
    match tx.dialect() {
        Dialect::Sqlite => index_on_sqlite(tx, chunk, &documents).await,
        Dialect::Postgres => index_on_postgres(tx, chunk, &documents).await,
    }
}

async fn index_on_sqlite(tx: &mut Tx, chunk: &[Row], documents: &[(i64,)]) {
    let (tags, description, body) =
        (TAGS.join(" "), terms::words(DESCRIPTION).join(" "), terms::words(CONTENT).join(" "));
    let words = terms::distinct(&[&tags, &description, &body], "");
    let rows: Vec<(i64, &Row)> = documents.iter().map(|(doc,)| *doc).zip(chunk).collect();
    for rows in portions(&rows) {
        let query = Query::new("INSERT INTO search_texts (doc, name, tags, description, body) VALUES").rows(
            "(?, ?, ?, ?, ?)",
            rows,
            |(doc, row)| vec![doc, &row.name, &tags, &description, &body],
        );
        tx.execute(&query, query.params()).await.unwrap();
        let query = Query::new("INSERT INTO search_words (rowid, words) VALUES")
            .rows("(?, ?)", rows, |(doc, _)| vec![doc, &words]);
        tx.execute(&query, query.params()).await.unwrap();
    }
}

async fn index_on_postgres(tx: &mut Tx, chunk: &[Row], documents: &[(i64,)]) {
    let (tags, words) = (TAGS.join(" "), terms::distinct(&[&TAGS.join(" "), DESCRIPTION, CONTENT], "'"));
    let vector = |row: &Row| terms::vector(&[&row.name, &tags, DESCRIPTION, CONTENT]);
    let rows: Vec<(i64, String)> = documents.iter().map(|(doc,)| *doc).zip(chunk.iter().map(vector)).collect();
    for rows in portions(&rows) {
        let query = Query::new("INSERT INTO search_texts (doc, terms, words) VALUES").rows(
            "(?, CAST(? AS tsvector), CAST(? AS tsvector))",
            rows,
            |(doc, vector)| vec![doc, vector, &words],
        );
        tx.execute(&query, query.params()).await.unwrap();
    }
}

/// Two updates of each row, each on disk before the next. How long that takes.
pub(crate) async fn update_twice(app: App, jobs: Vec<JobId>) -> Duration {
    let began = Instant::now();
    for job in jobs {
        for state in ["running", "done"] {
            let mut tx = app.begin(&caller()).await.unwrap();
            let touched = tx.execute("UPDATE jobs SET state = $2 WHERE id = $1", &[&job, &state]).await.unwrap();
            assert_eq!(touched, 1);
            tx.commit().await.unwrap();
        }
    }
    began.elapsed()
}
