//! A store to be asked, and what it is asked.
use std::time::Instant;

use serde_json::json;
use shared::{Caller, db::Param, prompts, versions::ChangeType};
use support::{BenchStore, Processes, open_for_bench};

use crate::load::Kind;

/// Prompts of one transaction.
const CHUNK: usize = 500;
/// What people write as prompts is about so long.
const CONTENT_BYTES: usize = 700;

/// Makes a store of so many prompts in a file. Answers the id of one.
pub(crate) async fn fill(file: &str, size: usize) -> String {
    let app = open_for_bench(file).await;
    let caller = Caller::system("bench");
    let mut some = String::new();
    for first in (0..size).step_by(CHUNK) {
        let drafts: Vec<_> = (first..(first + CHUNK).min(size))
            .map(|n| {
                let words = ["summary", "review", "translate", "classify", "extract", "answer", "rewrite"];
                let sentence = format!("Please {} the text of number {n} with care. ", words[n % words.len()]);
                let content = sentence.repeat(CONTENT_BYTES / sentence.len());
                let new = json!({ "category": format!("folder{}", n % 50), "name": format!("prompt {n}"),
                                  "content": content, "tags": [words[n % words.len()]] });
                serde_json::from_value::<prompts::NewPrompt>(new).unwrap().check().unwrap()
            })
            .collect();
        let mut tx = app.begin(&caller).await.unwrap();
        let made = prompts::insert_many(&mut tx, &drafts.iter().collect::<Vec<_>>(), ChangeType::Create).await.unwrap();
        tx.commit().await.unwrap();
        some = made[0].unwrap().to_string();
    }
    app.db.close().await;
    some
}

/// Where everything is.
pub(crate) struct Scene {
    base: String,
    id: String,
    template: String,
    ab_test: String,
}

impl Scene {
    /// Adds a template and a test to what is there.
    pub(crate) async fn new(store: &Processes, id: &str) -> Self {
        let make = async |path: &str, body: serde_json::Value| {
            let (status, made) = store.post(path, &body).await.unwrap();
            assert_eq!(status, 201, "{made}");
            made["id"].as_str().unwrap().to_owned()
        };
        let greeting = json!({ "category": "bench", "name": "greeting", "is_template": true,
                               "content": format!("Dear {{{{name}}}}, {}", "welcome to you. ".repeat(40)) });
        let template = make("/api/v1/prompts", greeting).await;
        let plain = json!({ "category": "bench", "name": "plain", "content": "Say it again. ".repeat(50) });
        let plain = make("/api/v1/prompts", plain).await;
        let test = json!({ "name": "bench", "status": "running", "prompt_a_id": plain, "prompt_b_id": template,
                           "metrics": [{ "name": "success_rate" }] });
        let ab_test = make("/api/v1/ab-tests", test).await;
        Self { base: store.url("/api/v1"), id: id.to_owned(), template, ab_test }
    }

    pub(crate) fn live(&self) -> Kind {
        Kind::get("live", self.base.replace("/api/v1", "/health/live"))
    }

    fn by_name(&self) -> Kind {
        Kind::get("by name", format!("{}/prompts/search/bench/plain", self.base))
    }

    fn create(&self) -> Kind {
        let body = format!(
            r#"{{"category": "made", "name": "' .. run .. ' ' .. n .. '", "content": "{}"}}"#,
            "Say it again. ".repeat(50)
        );
        let script = format!(
            "n, run = 0, os.time() .. tostring({{}})
             request = function()
                 n = n + 1
                 return wrk.format('POST', nil, {{['content-type'] = 'application/json'}}, '{body}')
             end"
        );
        Kind::scripted("create", format!("{}/prompts", self.base), script)
    }

    fn search(&self) -> Kind {
        let script = post(r#"{"query": "translate text", "limit": 10}"#);
        Kind::scripted("search", format!("{}/prompts/search", self.base), script)
    }

    fn list(&self) -> Kind {
        Kind::get("list of 50", format!("{}/prompts?limit=50&category=folder7", self.base))
    }

    /// Those that might be slower in a larger store.
    pub(crate) fn growing(&self) -> Vec<Kind> {
        vec![
            self.by_name(),
            Kind::get("by id", format!("{}/prompts/{}", self.base, self.id)),
            self.list(),
            self.search(),
            self.create(),
        ]
    }

    /// All of them; `cold` keeps nothing.
    pub(crate) fn kinds(&self, cold: &Processes) -> Vec<Kind> {
        let (base, by_name) = (&self.base, self.by_name().url);
        let items: Vec<String> =
            (0..100).map(|n| format!(r#"{{"category": "folder{}", "name": "prompt {n}"}}"#, n % 50)).collect();
        let known = "tag = nil
             response = function(status, headers) tag = tag or headers['ETag'] or headers['etag'] end
             request = function() return wrk.format('GET', nil, {['if-none-match'] = tag}) end";
        let update = "n = 0
             request = function()
                 n = n + 1
                 return wrk.format('PUT', nil, {['content-type'] = 'application/json'},
                     '{\"description\": \"' .. n .. os.time() .. '\"}')
             end";
        let mixed = format!(
            "n = 0
             request = function()
                 n = n + 1
                 if n % 20 == 0 then
                     return wrk.format('PUT', '/api/v1/prompts/{}', {{['content-type'] = 'application/json'}},
                         '{{\"description\": \"' .. n .. os.time() .. '\"}}')
                 end
                 return wrk.format('GET')
             end",
            self.template
        );
        vec![
            self.by_name(),
            Kind::scripted("by name, 304", by_name.clone(), known.to_owned()),
            Kind::get("by name, nothing kept", cold.url("/api/v1/prompts/search/bench/plain")),
            Kind::get("by name, filled", format!("{base}/prompts/search/bench/greeting?name=Ada")),
            Kind::scripted(
                "batch of 100",
                format!("{base}/prompts/batch-get"),
                post(&format!(r#"{{"items": [{}]}}"#, items.join(", "))),
            ),
            Kind::get("select of a test", format!("{base}/ab-tests/{}/select?user_id=ada", self.ab_test)),
            Kind::get("by id", format!("{base}/prompts/{}", self.id)),
            self.list(),
            self.search(),
            self.create(),
            Kind::scripted("update", format!("{base}/prompts/{}", self.template), update.to_owned()),
            Kind::scripted("95 % by name, 5 % update", by_name, mixed),
        ]
    }
}

fn post(body: &str) -> String {
    format!("wrk.method = 'POST'; wrk.headers['content-type'] = 'application/json'; wrk.body = [[{body}]]")
}

/// One prepared insert of a prompt and its version a commit, by a program that knows nothing but the tables: how many a
/// second.
pub(crate) async fn bare_inserts() -> f64 {
    const ROWS: i32 = 1000;
    const PROMPT: &str =
        "INSERT INTO prompts (id, category, name, is_template, version, revision, created_by, created_at,
                                               updated_at) VALUES ($1, 'bare', $1, 0, 1, 1, 'bench', 1, 1)";
    let store = BenchStore::sqlite().await;
    let app = store.app.clone();
    // In a task, as requests are served.
    let took = tokio::spawn(async move {
        let began = Instant::now();
        for n in 0..ROWS {
            let mut tx = app.begin(&Caller::system("bench")).await.unwrap();
            let id = format!("prm_{n:026}");
            tx.execute(PROMPT, &[&id as &dyn Param]).await.unwrap();
            tx.commit().await.unwrap();
        }
        began.elapsed()
    });
    f64::from(ROWS) / took.await.unwrap().as_secs_f64()
}
