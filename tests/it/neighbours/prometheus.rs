//! Prometheus asks the store, and every alert of ours fires when it should.
use std::{collections::BTreeSet, process::Command};

use axum::http::StatusCode;
use regex::Regex;
use serde_json::{Value, json};
use shared::telemetry::{Kind, METRICS};
use support::{Neighbour, Process, Processes, Receiver, RedisServer, deployed, program, until};

/// The rules, as they are in the file.
fn rules() -> Vec<Value> {
    let alerts: Value = serde_saphyr::from_str(&deployed("prometheus/alerts.yml")).unwrap();
    alerts["groups"][0]["rules"].as_array().unwrap().clone()
}

fn alerts() -> BTreeSet<String> {
    rules().iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_alert_fires_when_it_should_and_not_before() {
    let tests: Value = serde_saphyr::from_str(&deployed("prometheus/alerts.test.yml")).unwrap();
    let (mut fire, mut rest) = (BTreeSet::new(), BTreeSet::new());
    for test in tests["tests"].as_array().unwrap() {
        for asked in test["alert_rule_test"].as_array().unwrap() {
            let name = asked["alertname"].as_str().unwrap().to_owned();
            let fires = !asked["exp_alerts"].as_array().unwrap().is_empty();
            if fires {
                fire.insert(name)
            } else {
                rest.insert(name)
            };
        }
    }
    assert_eq!((&fire, &rest), (&alerts(), &alerts()), "each alert is shown to fire, and not to");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus/alerts.test.yml");
    let output = Command::new(program("promtool")).args(["test", "rules"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn no_two_numbers_differ_by_an_ending_that_readers_of_metrics_add_or_take_away() {
    // A histogram has three series; OpenMetrics gives counters `_total` and `_created`.
    let endings = ["_total", "_created", "_bucket", "_sum", "_count", "_info"];
    let bare = |name: &'static str| endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| bare(metric.name)).collect();
    assert_eq!(names.len(), METRICS.len());
    for metric in METRICS {
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
    }
}

/// A store of several processes, and Prometheus that asks them often.
struct Watched {
    store: Processes,
    prometheus: Neighbour,
}

impl Watched {
    /// Prometheus as `deploy/` has it, where every name is a port of this machine, seconds are what minutes were, and nothing
    /// must last before it is told.
    fn begin(store: Processes, worker: u16) -> Self {
        let mut settings = deployed("prometheus/prometheus.yml").replace("15s", "250ms");
        let found = Regex::new(r"(?s)dns_sd_configs:\n\s+- names: \[(\w+)\]\n\s+type: A\n\s+port: \d+").unwrap();
        settings = found
            .replace_all(&settings, |found: &regex::Captures| {
                let port = if &found[1] == "api" { store.port() } else { worker };
                format!("static_configs:\n      - targets: ['127.0.0.1:{port}']")
            })
            .into_owned();
        let key = store.folder().join("admin-key");
        std::fs::write(&key, ADMIN_KEY).unwrap();
        let settings = settings.replace("/run/secrets/admin-key", key.to_str().unwrap());
        let lasting =
            Regex::new(r"for: \d+m").unwrap().replace_all(&deployed("prometheus/alerts.yml"), "for: 0s").into_owned();
        let rules = Regex::new(r"\[\d+[mh]\]").unwrap().replace_all(&lasting, "[30s]").into_owned();
        let prometheus = Neighbour::prometheus(&settings, &rules);
        Self { store, prometheus }
    }

    async fn ask(&self, path: &str) -> Option<Value> {
        let answer = self.store.client().get(self.prometheus.url(path)).send().await.ok()?;
        answer.json::<Value>().await.ok().map(|mut answer| answer["data"].take())
    }

    async fn fires(&self, alert: &str) {
        until(&format!("{alert} fires"), async || {
            let firing = self.ask("/api/v1/alerts").await?;
            let is_it = |it: &&Value| it["labels"]["alertname"] == alert && it["state"] == "firing";
            firing["alerts"].as_array()?.iter().find(is_it).map(|_| ())
        })
        .await;
    }

    async fn series(&self, name: &str) -> usize {
        let found = self.ask(&format!("/api/v1/series?match[]={name}")).await;
        found.and_then(|found| found.as_array().map(Vec::len)).unwrap_or(0)
    }
}

const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";

async fn call(store: &Processes, path: &str, body: &Value) -> Value {
    let request = store.client().post(store.url(path)).bearer_auth(ADMIN_KEY).json(body);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_what_alerts_ask_for_and_fires_them() {
    let mut redis = RedisServer::start();
    let store = Processes::distributed(&redis).with("PROMPT_STORE_ADMIN_KEY", ADMIN_KEY);
    let _api = store.start_api().await;
    let port = store.another_port();
    let mut worker =
        Process::start(store.command("prompt-store-worker", &[]).env("PROMPT_STORE_WORKER_PORT", port.to_string()));
    let watched = Watched::begin(store, port);
    let store = &watched.store;

    until("both are asked", async || {
        let targets = watched.ask("/api/v1/targets").await?;
        let targets = targets["activeTargets"].as_array()?;
        (targets.len() == 2 && targets.iter().all(|it| it["health"] == "up")).then_some(())
    })
    .await;
    // Whatever an alert asks for is there before anything has happened, except what only a read or a file makes.
    let name = Regex::new("prompt_store_[a-z_]+").unwrap();
    for rule in rules() {
        let asked = name.find_iter(rule["expr"].as_str().unwrap()).map(|it| it.as_str().to_owned());
        for series in asked.filter(|it| !it.ends_with("_bucket") && !it.contains("database_bytes")) {
            until(&format!("{series} is there"), async || (watched.series(&series).await > 0).then_some(())).await;
        }
    }
    let broken: Value = watched.ask("/api/v1/rules").await.unwrap();
    for rule in broken["groups"][0]["rules"].as_array().unwrap() {
        assert!(rule["lastError"].is_null() && rule["health"] != "err", "{rule}");
    }

    // The first webhook of a process that is switched off.
    let gone = Receiver::answering(|_, _| StatusCode::GONE).await;
    let webhook = json!({ "name": "gone", "url": gone.url(), "events": ["prompt.created"] });
    call(store, "/api/v1/webhooks", &webhook).await;
    call(store, "/api/v1/prompts", &json!({ "category": "a", "name": "b", "content": "x" })).await;
    watched.fires("PromptStoreWebhookDisabled").await;

    redis.kill();
    watched.fires("PromptStoreRedisAway").await;
    worker.kill();
    watched.fires("PromptStoreDown").await;
    watched.fires("PromptStoreNoWorker").await;
}
