//! What `deploy/` says fits the program.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use regex::Regex;
use serde_json::Value;
use shared::start::Failure;
use support::{Processes, RedisServer, until};

use crate::sources::sources;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// Every variable that a binary reads.
fn variables() -> BTreeSet<String> {
    let variable = Regex::new(r#"env = "([A-Z_]+)""#).unwrap();
    let sources = ["shared/src", "api/src", "worker/src"].map(sources);
    let texts = sources.iter().flatten().map(|source| source.text.as_str());
    texts.flat_map(|text| variable.captures_iter(text).map(|found| found[1].to_owned())).collect()
}

#[test]
fn every_variable_is_one_that_is_read() {
    let (known, named) = (variables(), Regex::new(r"\b(PROMPT_STORE_[A-Z_]+|REDIS_URL)\b").unwrap());
    assert!(known.len() > 30, "{known:?}");
    for name in [
        "Dockerfile",
        "compose.yaml",
        "README.md",
        "systemd/prompt-store.service",
        "systemd/prompt-store-worker@.service",
    ] {
        for variable in named.captures_iter(&file(name)) {
            assert!(known.contains(&variable[1]), "{name}: nobody reads {}", &variable[1]);
        }
    }
}

/// What stands in a section of a unit of systemd, by its name.
fn unit(name: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let (mut sections, mut section) = (BTreeMap::<_, BTreeMap<_, _>>::new(), String::new());
    for line in file(name).lines() {
        if let Some(next) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            next.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            sections.entry(section.clone()).or_default().insert(key.to_owned(), value.to_owned());
        }
    }
    sections
}

#[test]
fn a_unit_is_started_again_until_what_it_needs_is_there_and_never_where_a_restart_mends_nothing() {
    let lasting = [Failure::Settings(String::new()), Failure::Database(String::new()), Failure::Damaged(String::new())];
    let never: BTreeSet<String> =
        lasting.iter().map(|failure| failure.exit_code().to_string()).chain(["2".to_owned()]).collect();
    for name in ["systemd/prompt-store.service", "systemd/prompt-store-worker@.service"] {
        let unit = unit(name);
        assert_eq!(
            unit["Unit"]["StartLimitIntervalSec"], "0",
            "{name}: with systemd's default it gives up after 5 starts"
        );
        assert_eq!((&*unit["Service"]["Restart"], &*unit["Service"]["RestartSec"]), ("on-failure", "2"), "{name}");
        let prevented =
            unit["Service"]["RestartPreventExitStatus"].split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(prevented, never, "{name}");
    }
}

#[test]
fn compose_builds_what_the_dockerfile_has_and_mounts_what_is_there() {
    let compose: Value = serde_saphyr::from_str(&file("compose.yaml")).unwrap();
    let dockerfile = file("Dockerfile");
    for service in compose["services"].as_object().unwrap().values() {
        if let Some(target) = service.pointer("/build/target") {
            assert!(dockerfile.contains(&format!(" AS {}\n", target.as_str().unwrap())), "{target}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            let is_there = if from.starts_with('.') {
                folder().join(from).exists()
            } else {
                compose["volumes"].get(from).is_some()
            };
            assert!(is_there, "{volume}");
        }
    }
    let replicas = |service: &str| compose["services"][service]["deploy"]["replicas"].as_u64();
    assert_eq!((replicas("api"), replicas("worker")), (Some(2), Some(3)));
}

#[test]
fn prometheus_asks_the_ports_that_the_images_open() {
    let prometheus: Value = serde_saphyr::from_str(&file("prometheus/prometheus.yml")).unwrap();
    let dockerfile = file("Dockerfile");
    for job in prometheus["scrape_configs"].as_array().unwrap() {
        let port = &job["dns_sd_configs"][0]["port"];
        assert!(dockerfile.contains(&format!("EXPOSE {port}\n")), "{job}");
    }
    let rules: Value = serde_saphyr::from_str(&file("prometheus/alerts.yml")).unwrap();
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        assert!(rule["annotations"]["summary"].is_string() && rule["labels"]["severity"].is_string(), "{rule}");
    }
}

/// The health checks of the images, which have no curl.
#[tokio::test(flavor = "multi_thread")]
async fn both_binaries_say_whether_one_of_them_is_ready() {
    let store = Processes::distributed(RedisServer::shared());
    let ask = |name: &str, port: u16| {
        let mut command = store.command(name, &["health"]);
        let port = port.to_string();
        Processes::finish(command.env("PROMPT_STORE_WORKER_PORT", &port).env("PROMPT_STORE_PORT", &port)).0
    };
    assert_eq!(ask("prompt-store", store.port()), 1);
    assert_eq!(ask("prompt-store-worker", store.port()), 1);
    let _api = store.start_api().await;
    assert_eq!(ask("prompt-store", store.port()), 0);

    let port = store.another_port();
    let mut command = store.command("prompt-store-worker", &[]);
    let _worker = support::Process::start(command.env("PROMPT_STORE_WORKER_PORT", port.to_string()));
    until("the worker is ready", async || (ask("prompt-store-worker", port) == 0).then_some(())).await;
}
