//! Whoever receives a delivery can tell that it is genuine: with the library of Standard Webhooks itself.
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use support::{Received, Receiver, TestApp};

use super::{hook, hook_with, path};

const VERIFY: &str = r"
import json, sys, datetime
import standardwebhooks.webhooks as library
case = json.load(sys.stdin)
now = datetime.datetime.fromtimestamp(case['now'], tz=datetime.timezone.utc)
class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return now
library.datetime = Clock
try:
    library.Webhook(case['secret']).verify(case['body'], case['headers'])
    print('genuine')
except library.WebhookVerificationError as error:
    print('forged:', error)
";

/// A Python that has the library: the system's, or one in a folder of the test's own. Says loudly if there is none.
#[expect(clippy::print_stdout, reason = "whoever reads the log shall see what was not tested")]
fn python(folder: &Path) -> Option<PathBuf> {
    let has = |python: &Path| {
        let asked = Command::new(python).args(["-c", "import standardwebhooks"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let system = PathBuf::from("python3");
    if has(&system) {
        return Some(system);
    }
    let own = folder.join("venv");
    let made = Command::new("python3").args(["-m", "venv"]).arg(&own).output();
    let python = own.join("bin/python");
    if made.is_ok_and(|output| output.status.success()) {
        let install = ["-m", "pip", "install", "--quiet", "--timeout", "20", "--retries", "1", "standardwebhooks"];
        let _ = Command::new(&python).args(install).output();
        if has(&python) {
            return Some(python);
        }
    }
    println!(
        "SKIPPED: no python3 with `standardwebhooks`, and none could be installed; signatures were not verified by it"
    );
    None
}

fn verify(python: &Path, secret: &Value, received: &Received, now: i64) -> String {
    let headers: serde_json::Map<String, Value> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .into_iter()
        .map(|name| (name.to_owned(), received.header(name).into()))
        .collect();
    let body = String::from_utf8(received.body.to_vec()).unwrap();
    let case = json!({ "secret": secret, "body": body, "headers": headers, "now": now });
    let mut child = Command::new(python)
        .args(["-c", VERIFY])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &case).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn deliveries_are_genuine_to_the_library_of_the_standard_and_forgeries_are_not() {
    let folder = tempfile::TempDir::new().unwrap();
    let Some(python) = python(folder.path()) else { return };
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "é 提示词 🚀", "x").await;
    test.work().await;
    let now = test.now().millis() / 1000;
    let genuine = &receiver.received()[0];
    let said = |received: &Received, secret: &Value, now: i64| verify(&python, secret, received, now);

    assert_eq!(said(genuine, &hook["secret"], now), "genuine\n");
    let mut body = genuine.clone();
    body.body = [&body.body[..], b" "].concat().into();
    let mut id = genuine.clone();
    id.headers.insert("webhook-id", "dlv_other".parse().unwrap());
    let mut at = genuine.clone();
    at.headers.insert("webhook-timestamp", (now + 1).to_string().parse().unwrap());
    for (what, forged) in [("body", &body), ("id", &id), ("time", &at)] {
        assert!(said(forged, &hook["secret"], now).starts_with("forged"), "{what}");
    }
    for skew in [-600, 600] {
        assert!(said(genuine, &hook["secret"], now + skew).starts_with("forged"), "{skew} s");
    }

    let rotated = test.post(&format!("{}/rotate-secret", path(&hook)), json!({})).await.expect(200);
    test.prompt("a", "two", "x").await;
    test.work().await;
    let both = receiver.received()[1].clone();
    for secret in [&hook["secret"], &rotated["secret"]] {
        assert_eq!(said(&both, secret, now), "genuine\n");
    }
    test.advance(Duration::from_hours(24));
    test.prompt("a", "three", "x").await;
    test.work().await;
    let (new, now) = (receiver.received()[2].clone(), test.now().millis() / 1000);
    assert_eq!(said(&new, &rotated["secret"], now), "genuine\n");
    assert!(said(&new, &hook["secret"], now).starts_with("forged"), "the old secret is good for a day");
    println!("4 deliveries verified by the Python library `standardwebhooks`, 6 forgeries refused");
}

#[tokio::test]
async fn a_delivery_says_what_it_is_in_body_and_headers() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    let prompt = test.prompt("a", "b", "x").await;
    test.work().await;

    let received = &receiver.received()[0];
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("x-event-type"), "prompt.created");
    assert_eq!(received.header("x-webhook-id"), hook["id"].as_str().unwrap());
    assert_eq!(received.header("webhook-timestamp"), (test.now().millis() / 1000).to_string());
    let id = received.header("webhook-id");
    assert!(id.starts_with("dlv_") && !id.contains('.'));
    let body = received.json();
    let event = &shared::notifications::after(&test.app, 0, 10).await.unwrap()[0];
    assert_eq!(
        body,
        json!({ "id": event.id, "type": "prompt.created", "timestamp": support::BEGINNING, "sequence": 1,
                "data": { "id": prompt["id"], "category": "a", "name": "b", "version": 1, "change_type": "create" } })
    );
}

#[tokio::test]
async fn a_full_payload_holds_the_object_as_it_was_unless_it_is_too_large() {
    let (test, receiver, thin) = (TestApp::api().await, Receiver::start().await, Receiver::start().await);
    let _ = hook_with(&test, &receiver, json!({ "payload": "full" })).await;
    let _ = hook(&test, &thin).await;
    let prompt = test.prompt("a", "b", "as it was").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    test.put(&format!("{path}/content"), json!({ "content": "x".repeat(300 * 1024) })).await.expect(200);
    test.work().await;

    let received = receiver.received();
    let of = |kind: &str| received.iter().find(|it| it.header("x-event-type") == kind).unwrap().json();
    assert_eq!(of("prompt.created")["data"]["object"], prompt);
    assert_eq!(
        (&of("prompt.updated")["data"]["truncated"], &of("prompt.updated")["data"]["object"]),
        (&json!(true), &Value::Null)
    );
    assert!(thin.received().iter().all(|it| it.body.len() <= 4096));
}

#[tokio::test]
async fn objects_are_kept_only_while_somebody_wants_them() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let kept = async || test.count("SELECT count(*) FROM events WHERE object IS NOT NULL").await;
    test.prompt("a", "one", "x").await;
    assert_eq!(kept().await, 0);
    let full = hook_with(&test, &receiver, json!({ "payload": "full" })).await;
    test.prompt("a", "two", "x").await;
    assert_eq!(kept().await, 1);
    test.put(&path(&full), json!({ "payload": "thin" })).await.expect(200);
    test.prompt("a", "three", "x").await;
    assert_eq!(kept().await, 1);
}
