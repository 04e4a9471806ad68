//! What is ordered, and what it fills.
use serde_json::{Value, json};
use shared::{App, Caller};

/// Who writes, on both sides.
pub(crate) const ACTOR: &str = "bench";
pub(crate) const TAGS: [&str; 2] = ["support", "tier-1"];
pub(crate) const DESCRIPTION: &str = "Answers a question that came in by mail, in the tone of the house";
pub(crate) const CONTENT: &str = "You are the assistant of {{company}}. Answer the customer {{name}} politely, in at most \
    five sentences, and never promise what the handbook does not. If the question is about an invoice, name its number \
    and the day it is due. If it cannot be answered from what is below, say so, and tell the customer that a person will \
    write within one working day.\n\nHandbook:\n{{handbook}}\n\nQuestion:\n{{question}}\n\nAnswer in {{language}}.";

/// The model settings of every prompt.
pub(crate) fn config() -> Value {
    json!({ "model": "some-model-4", "temperature": 0.2, "max_tokens": 600 })
}

/// What a client sends to make a prompt.
pub(crate) fn order(category: &str, name: &str) -> Value {
    json!({ "category": category, "name": name, "description": DESCRIPTION, "content": CONTENT, "tags": TAGS,
            "config": config() })
}

pub(crate) fn caller() -> Caller {
    Caller::system(ACTOR)
}

/// Rows of the tables that the prompts of a category fill: prompts, versions, tags, audit log, events, documents and
/// their texts.
pub(crate) async fn rows_of(app: &App, category: &str) -> [i64; 7] {
    const COUNTS: [&str; 7] = [
        "SELECT count(*) FROM prompts WHERE category = $1",
        "SELECT count(*) FROM versions v JOIN prompts p ON p.id = v.prompt_id WHERE p.category = $1",
        "SELECT count(*) FROM prompt_tags t JOIN prompts p ON p.id = t.prompt_id WHERE p.category = $1",
        "SELECT count(*) FROM audit_log a JOIN prompts p ON p.id = a.object_id WHERE p.category = $1",
        "SELECT count(*) FROM events e JOIN prompts p ON p.id = e.subject_id WHERE p.category = $1",
        "SELECT count(*) FROM search_documents WHERE category = $1",
        "SELECT count(*) FROM search_texts t JOIN search_documents d ON d.doc = t.doc WHERE d.category = $1",
    ];
    let mut counts = [0; 7];
    for (count, sql) in counts.iter_mut().zip(COUNTS) {
        let mut conn = app.db.read().await.unwrap();
        (*count,) = conn.fetch_one(sql, &[&category.to_owned()]).await.unwrap();
    }
    counts
}
