//! What a program does that knows nothing but the tables.
use std::time::{Duration, Instant};

use shared::{
    App,
    clock::{Clock, Timestamp},
    db::{Json, Param, Query, portions},
    id::{AuditId, JobId, PromptId, VersionId},
};

use crate::store::{ACTOR, CONTENT, DESCRIPTION, TAGS, caller, config};

/// As many prompts a commit as the product makes.
const CHUNK: usize = 100;

/// A prompt, and the ids of what belongs to it.
pub(crate) struct Row {
    id: PromptId,
    version_id: VersionId,
    audit_id: AuditId,
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
        category: category.to_owned(),
        name: format!("{block} {number}"),
        now,
    };
    (0..count).map(row).collect()
}

/// Writes them, many rows a statement.
pub(crate) async fn insert(app: &App, rows: &[Row]) {
    let (variables, schema) =
        (Json(["company", "name", "handbook", "question", "language"]), Json(serde_json::json!({})));
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
        tx.commit().await.unwrap();
    }
}

/// Two updates of each row, each on disk before the next. How long that takes.
pub(crate) async fn update_twice(app: &App, jobs: &[JobId]) -> Duration {
    let began = Instant::now();
    for job in jobs {
        for state in ["running", "done"] {
            let mut tx = app.begin(&caller()).await.unwrap();
            let touched = tx.execute("UPDATE jobs SET state = $2 WHERE id = $1", &[job, &state]).await.unwrap();
            assert_eq!(touched, 1);
            tx.commit().await.unwrap();
        }
    }
    began.elapsed()
}
