//! What each recorded statement carries. A statement is known by how it begins, and must have as many parameters as
//! are known of it: one that the product has changed, or has anew, stops the run.
use serde_json::json;
use shared::{
    clock::{Clock, Timestamp},
    db::Json,
    id::{AuditId, PromptId, VersionId},
};

use crate::store;

/// A parameter, as the column wants it.
pub(crate) enum Value {
    Text(String),
    NoText,
    Number(i64),
    NoNumber,
    Flag(bool),
    Json(Json<serde_json::Value>),
    NoJson,
}

/// What a statement must answer.
pub(crate) enum Answer {
    /// So many rows touched.
    Touched(u64),
    /// One row of it.
    Prompt,
}

/// A statement with all it needs.
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Value>,
    pub(crate) answer: Answer,
}

/// One after the other, as the product ran them.
pub(crate) enum Part {
    /// Outside of a transaction, on a connection acquired for it.
    Alone(Statement),
    /// A transaction.
    Together(Vec<Statement>),
}

/// An operation that was recorded once, and is made anew for each time it is run.
pub(crate) struct Script(Vec<&'static str>);

/// What the statements are about.
#[derive(Default)]
pub(crate) struct About {
    /// Of the prompts that are made, one after the other, or of the one that is read.
    pub(crate) category: String,
    pub(crate) names: Vec<String>,
    /// Of the prompt that is read.
    pub(crate) id: String,
}

impl Script {
    pub(crate) fn new(recorded: Vec<&'static str>) -> Self {
        Self(recorded)
    }

    /// How many statements it has, those around transactions included.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Everything that is needed to run it: nothing is made while it runs.
    pub(crate) fn prepare(&self, about: &About) -> Vec<Part> {
        let mut filling = Filling::new(about);
        let (mut parts, mut open) = (Vec::new(), None);
        for sql in &self.0 {
            match (*sql, &mut open) {
                ("BEGIN", None) => open = Some(Vec::new()),
                ("COMMIT", Some(_)) => parts.extend(open.take().map(Part::Together)),
                (sql, Some(statements)) => statements.push(filling.fill(sql)),
                (sql, None) => parts.push(Part::Alone(filling.fill(sql))),
            }
        }
        assert!(open.is_none(), "a transaction that does not end: {:?}", self.0);
        parts
    }
}

/// Where a script stands while it is filled.
struct Filling<'a> {
    about: &'a About,
    now: Timestamp,
    prompt: PromptId,
    /// Tags of this prompt, prompts.
    tags: usize,
    made: usize,
}

fn text(text: &(impl ToString + ?Sized)) -> Value {
    Value::Text(text.to_string())
}

fn number(number: usize) -> Value {
    Value::Number(i64::try_from(number).expect("counts are small"))
}

impl<'a> Filling<'a> {
    fn new(about: &'a About) -> Self {
        let now = Clock::System.now();
        let prompt = PromptId::generate(now);
        Self { about, now, prompt, tags: 0, made: 0 }
    }

    fn fill(&mut self, sql: &'static str) -> Statement {
        let known = sql.trim_start();
        let begins = |start: &str| known.starts_with(start);
        let (params, answer) = if begins("INSERT INTO prompts (") {
            (self.insert_prompt(), Answer::Touched(1))
        } else if begins("DELETE FROM prompt_tags ") {
            (vec![text(&self.prompt)], Answer::Touched(0))
        } else if begins("INSERT INTO prompt_tags (") {
            self.tags += 1;
            (vec![text(&self.prompt), number(self.tags - 1), text(store::TAGS[self.tags - 1])], Answer::Touched(1))
        } else if begins("INSERT INTO versions (") {
            (self.insert_version(), Answer::Touched(1))
        } else if begins("INSERT INTO audit_log (") {
            (audit_row(self.now, "prompt.created", self.prompt), Answer::Touched(1))
        } else if begins("SELECT p.id, p.category, ") {
            (self.read(known), Answer::Prompt)
        } else {
            panic!("this bench does not know what this statement carries: {known}");
        };
        let wanted = (1..100).take_while(|number| sql.contains(&format!("${number}"))).count();
        assert_eq!(params.len(), wanted, "another number of parameters than this bench knows: {sql}");
        Statement { sql, params, answer }
    }

    fn insert_prompt(&mut self) -> Vec<Value> {
        self.prompt = PromptId::generate(self.now);
        (self.tags, self.made) = (0, self.made + 1);
        vec![
            text(&self.prompt),
            text(&self.about.category),
            text(&self.about.names[self.made - 1]),
            text(store::DESCRIPTION),
            Value::Flag(true),
            Value::NoText,
            Value::NoNumber,
            text(store::ACTOR),
            Value::Number(self.now.millis()),
        ]
    }

    fn insert_version(&self) -> Vec<Value> {
        vec![
            text(&VersionId::generate(self.now)),
            text(&self.prompt),
            number(1),
            text("text"),
            text("mustache"),
            Value::Json(Json(json!(["company", "name", "handbook", "question", "language"]))),
            Value::Json(Json(json!({}))),
            Value::Json(Json(store::config())),
            text(store::CONTENT),
            Value::NoJson,
            Value::NoText,
            text("create"),
            text(&"0123456789abcdef".repeat(4)),
            text(store::ACTOR),
            Value::Number(self.now.millis()),
        ]
    }

    /// With the content, without the use.
    fn read(&self, known: &str) -> Vec<Value> {
        let shown = [Value::Flag(true), Value::Flag(false)];
        let named = known.trim_end().ends_with("p.category = $3 AND p.name = $4");
        let prompt = match named {
            true => vec![text(&self.about.category), text(&self.about.names[0])],
            false if self.made == 0 => vec![text(&self.about.id)],
            false => vec![text(&self.prompt)],
        };
        shown.into_iter().chain(prompt).collect()
    }
}

/// What is written down of an action.
pub(crate) fn audit_row(now: Timestamp, action: &str, object_id: PromptId) -> Vec<Value> {
    let (id, at) = (text(&AuditId::generate(now)), Value::Number(now.millis()));
    vec![id, at, text(store::ACTOR), text("-"), text(action), text(&object_id), Value::NoText]
}
