//! What the store tells Prometheus, and what is drawn and watched of it.
use std::{collections::BTreeSet, path::Path};

use regex::Regex;
use serde_json::{Value, json};
use shared::telemetry::{Kind, METRICS};
use support::{TestApp, until};

/// A file of the repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The names of numbers that a text asks for, which must be there.
fn known(text: &str) -> BTreeSet<&'static str> {
    let names = Regex::new("prompt_store_[a-z_]+").unwrap();
    names.find_iter(text).map(|name| metric(name.as_str())).collect()
}

/// The number that a series is of: a histogram has several.
fn metric(series: &str) -> &'static str {
    let is_of = |name: &str, kind: Kind| match series.strip_prefix(name) {
        Some("") => kind != Kind::Histogram,
        Some("_bucket" | "_sum" | "_count") => kind == Kind::Histogram,
        _ => false,
    };
    let found = METRICS.iter().find(|metric| is_of(metric.name, metric.kind));
    found.unwrap_or_else(|| panic!("nothing tells `{series}`")).name
}

#[test]
fn every_query_of_the_dashboard_names_what_is_told_and_all_of_that_is_drawn() {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/prompt-store.json")).unwrap();
    let mut drawn = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let names = known(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{}: {target}", panel["title"]);
            drawn.extend(names);
        }
    }
    let missing: Vec<&str> = METRICS.iter().map(|metric| metric.name).filter(|name| !drawn.contains(name)).collect();
    // Whether Redis answers is watched, not drawn.
    assert_eq!(missing, ["prompt_store_redis_up"]);
}

#[test]
fn every_alert_names_what_is_told() {
    let alerts = file("deploy/prometheus/alerts.yml");
    let expressions: Vec<&str> =
        alerts.split("expr: >-").skip(1).map(|rest| rest.split("for:").next().unwrap()).collect();
    assert!(expressions.len() > 8);
    for expression in expressions {
        assert!(!known(expression).is_empty() || expression.contains("up{"), "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_tells_how_it_is() {
    let test = TestApp::embedded().await;
    let _ = test.prompt("a", "b", "x").await;
    for _ in 0..2 {
        let _ = test.get("/api/v1/prompts/search/a/b").await.expect(200);
    }
    test.request("BREW".parse().unwrap(), "/api/v1/prompts", &[], "").await;
    let told = until("the scheduler has looked at the queues", async || {
        let told = String::from_utf8(test.get("/metrics").await.bytes).unwrap();
        told.contains("prompt_store_oldest_job_age_seconds").then_some(told)
    })
    .await;
    // Two tests of one process add to the same numbers: that one is there is what can be said.
    for series in [
        "prompt_store_http_requests_total{method=\"GET\",route=\"/api/v1/prompts/search/{category}/{name}\",status=\"200\"} ",
        "prompt_store_http_requests_total{method=\"other\",route=\"/api/v1/prompts\",status=\"405\"} ",
        "prompt_store_http_requests_in_flight ",
        "prompt_store_cache_hits_total{level=\"memory\"} ",
        "prompt_store_cache_bytes ",
        "prompt_store_database_connections{state=\"idle\"} ",
        "prompt_store_jobs{queue=\"cache-warmups\",state=\"dead\"} ",
        "prompt_store_webhook_deliveries_pending ",
        "prompt_store_build_info{version=",
        "prompt_store_statement_seconds_bucket{le=\"0.001\"} ",
    ] {
        assert!(told.contains(series), "no `{series}` in\n{told}");
    }
    assert!(!told.contains("BREW"));
    let numbers = Regex::new("(?m)^(prompt_store_[a-z_]+)").unwrap();
    for name in numbers.captures_iter(&told) {
        metric(&name[1]);
    }
    let health = test.get("/health").await.expect(200);
    assert_eq!(health["checks"]["database"]["status"], json!("healthy"));
}
