//! What each recorded statement carries. A statement is known by how it begins, and must have as many parameters as
//! are known of it: one that the product has changed, or has anew, stops the run.
use serde_json::json;
use shared::{
    clock::{Clock, Timestamp},
    db::Json,
    id::{AuditId, EventId, PromptId, VersionId},
};

use support::terms::{distinct, vector, words};

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
    /// The number that was answered last.
    Last,
}

/// What a statement must answer.
pub(crate) enum Answer {
    /// So many rows touched.
    Touched(u64),
    /// One row of it.
    Prompt,
    /// A row that begins with a number.
    Number,
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
        } else if begins("INSERT INTO events (") {
            (self.insert_event(), Answer::Touched(1))
        } else if begins("SELECT p.id, p.category, ") {
            (self.read(known), Answer::Prompt)
        } else if known.contains("search_") {
            self.fill_search(known)
        } else {
            panic!("this bench does not know what this statement carries: {known}");
        };
        let numbered = (1..100).take_while(|number| sql.contains(&format!("${number}"))).count();
        let wanted = numbered.max(sql.matches('?').count());
        assert_eq!(params.len(), wanted, "another number of parameters than this bench knows: {sql}");
        Statement { sql, params, answer }
    }

    /// The statements that put a prompt into the index.
    fn fill_search(&self, known: &str) -> (Vec<Value>, Answer) {
        let begins = |start: &str| known.starts_with(start);
        let name = &self.about.names[self.made - 1];
        let tags = store::TAGS.join(" ");
        let texts = [name.as_str(), &tags, store::DESCRIPTION, store::CONTENT];
        if known.contains("LEFT JOIN search_documents") {
            (vec![text(&self.prompt)], Answer::Number)
        } else if begins("INSERT INTO search_documents (") {
            (self.insert_document(name), Answer::Number)
        } else if begins("INSERT INTO search_texts (doc, name") {
            let fields = texts.iter().map(|text| Value::Text(words(text).join(" ")));
            (std::iter::once(Value::Last).chain(fields).collect(), Answer::Touched(1))
        } else if begins("INSERT INTO search_texts (doc, terms") {
            (vec![Value::Last, Value::Text(vector(&texts)), Value::Text(distinct(&texts, "'"))], Answer::Touched(1))
        } else if begins("INSERT INTO search_words (") {
            (vec![Value::Last, Value::Text(distinct(&texts, ""))], Answer::Touched(1))
        } else {
            panic!("this bench does not know what this statement carries: {known}");
        }
    }

    fn insert_document(&self, name: &str) -> Vec<Value> {
        vec![
            text(&self.prompt),
            Value::Flag(true),
            number(1),
            text("0123456789abcdef0123456789abcdef"),
            text(name),
            text(&self.about.category),
            text(&store::TAGS.join("\u{1f}")),
            text(""),
            text("draft"),
            text("mustache"),
            text(store::ACTOR),
            text("some-model-4"),
            text("company\u{1f}name\u{1f}handbook\u{1f}question\u{1f}language"),
            Value::Number(self.now.millis()),
            Value::Last,
        ]
    }

    fn insert_event(&self) -> Vec<Value> {
        let name = &self.about.names[self.made - 1];
        let (id, prompt) = (text(&EventId::generate(self.now)), text(&self.prompt));
        let data = json!({ "id": self.prompt.to_string(), "category": self.about.category, "name": name, "version": 1,
                           "change_type": "create" });
        let mut object = store::order(&self.about.category, name);
        object["body"] = store::config();
        let (data, object) = (Value::Json(Json(data)), text(&object));
        let origin = [text(store::ACTOR), text("-"), Value::Number(self.now.millis())];
        [id, text("prompt.created"), prompt, data, object].into_iter().chain(origin).collect()
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
