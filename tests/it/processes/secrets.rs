//! P-S2: what is secret is nowhere but where it must be: not in the log, in metrics, answers, the audit log, orders of jobs,
//! or the bytes of the database.
use std::{fs, process::Stdio};

use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use support::{Process, Processes, Receiver, figure, until};

/// Each stands for one secret, and for nothing else.
const ADMIN: &str = "sentinel-Admin-0123456789-abcdefghijk";
const STORE: &str = "sentinel-Store-0123456789-abcdefghijk";
const MODEL: &str = "sentinel-Model-0123456789-abcdefghijk";
const WRONG: &str = "sentinel-Wrong-0123456789-abcdefghijk";
const VALUE: &str = "sentinel-Value-0123456789-abcdefghijk";
const WEBHOOK: &[u8] = b"sentinel-Webhook-0123456789-abcd";

/// Asks, and keeps what was answered.
async fn ask(store: &Processes, answers: &mut Vec<String>, key: &str, method: &str, path: &str, body: &str) -> Value {
    let method = method.parse().unwrap();
    let request = store.client().request(method, store.url(path)).bearer_auth(key);
    let request = request.header("content-type", "application/json").body(body.to_owned());
    let text = request.send().await.unwrap().text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    answers.push(text);
    json
}

/// Has every secret used, rightly and wrongly. Answers the two that the store itself made or was given by request.
async fn use_all(store: &Processes, model: &Receiver, answers: &mut Vec<String>) -> [String; 2] {
    let key = json!({ "name": "k", "scopes": ["prompts:read", "prompts:write"] }).to_string();
    let mut told = Vec::new();
    let key = ask(store, &mut told, ADMIN, "POST", "/api/v1/keys", &key).await["text"].as_str().unwrap().to_owned();
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(WEBHOOK));
    let hook = json!({ "name": "h", "url": model.url(), "events": ["*"], "secret": secret }).to_string();
    ask(store, &mut told, ADMIN, "POST", "/api/v1/webhooks", &hook).await;
    let prompt = json!({ "category": "c", "name": "n", "content": "Hello {{ who }}", "is_template": true }).to_string();
    let prompt = ask(store, answers, &key, "POST", "/api/v1/prompts", &prompt).await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());

    // The value is in this one answer, which is what it is for.
    let filled = format!("/api/v1/prompts/search/c/n?who={VALUE}");
    assert_eq!(ask(store, &mut told, &key, "GET", &filled, "").await["filled_content"], format!("Hello {VALUE}"));
    for (key, method, path, body) in [
        (WRONG, "GET", "/api/v1/prompts", ""),
        (&*format!("{key}x"), "GET", "/api/v1/prompts", ""),
        (&*key, "GET", "/api/v1/keys", ""),
        (ADMIN, "GET", "/api/v1/keys", ""),
        (ADMIN, "GET", "/api/v1/webhooks", ""),
        (ADMIN, "GET", "/api/v1/audit", ""),
        (ADMIN, "GET", "/metrics", ""),
        (ADMIN, "GET", "/health", ""),
    ] {
        ask(store, answers, key, method, path, body).await;
    }
    let refine = json!({ "llm_service": "openai", "refinement_instructions": "better" }).to_string();
    let begun = ask(store, answers, ADMIN, "POST", &format!("{path}/refine"), &refine).await;
    let session =
        format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap_or_else(|| panic!("{begun}")));
    until("the model was asked, and refused", async || {
        (ask(store, answers, ADMIN, "GET", &session, "").await["status"] == "failed").then_some(())
    })
    .await;
    until("the webhook was sent something", async || {
        model.received().iter().any(|it| it.headers.contains_key("webhook-signature")).then_some(())
    })
    .await;
    [key, secret]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_found_where_it_need_not_be() {
    // It knows our key, and says it back.
    let model = Receiver::answering(|_, request| {
        let key = request.headers.get("authorization").map_or("", |key| key.to_str().unwrap());
        (StatusCode::UNAUTHORIZED, format!("{{\"error\": \"invalid key {key}\"}}"))
    })
    .await;
    let store = Processes::embedded()
        .with("PROMPT_STORE_ADMIN_KEY", ADMIN)
        .with("PROMPT_STORE_SECRET_KEY", STORE)
        .with("OPENAI_API_KEY", MODEL)
        .with("OPENAI_BASE_URL", format!("http://{}", model.address()))
        .with("PROMPT_STORE_LOG", "debug");
    let log = store.folder().join("log");
    let mut command = store.command("prompt-store", &[]);
    command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut api = Process::start(&mut command);
    until("it is ready", async || store.get("/health/ready").await.filter(|(status, _)| *status == 200)).await;

    let mut answers = Vec::new();
    let [key, webhook] = use_all(&store, &model, &mut answers).await;
    let (code, audit, _) = store.run("prompt-store", &["audit", "export"]);
    assert_eq!(code, 0);
    // What is on its way to the file is still beside it.
    api.kill();

    let mut places =
        vec![("answers".to_owned(), answers.concat().into_bytes()), ("audit".to_owned(), audit.into_bytes())];
    for entry in fs::read_dir(store.folder()).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            places.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()));
        }
    }
    assert!(places.iter().any(|(name, bytes)| name == "log" && bytes.len() > 1000), "the log says something");
    let raw = std::str::from_utf8(WEBHOOK).unwrap();
    let secrets = [ADMIN, STORE, MODEL, WRONG, VALUE, &key, &key[30..73], &webhook["whsec_".len()..], raw];
    let mut bytes = 0;
    for (place, text) in &places {
        bytes += text.len();
        for secret in secrets {
            let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` is in {place}");
        }
    }
    figure("P-S2", format!("{} secrets, {} places, {bytes} bytes: none found", secrets.len(), places.len()));
}
