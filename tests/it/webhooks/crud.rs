//! Making webhooks, changing them, and what is refused.
use serde_json::{Value, json};
use support::{Receiver, TestApp};

use super::{WEBHOOKS, deliveries, hook, hook_with, path};

#[tokio::test]
async fn a_webhook_is_made_with_what_it_leaves_out_and_its_secret_is_shown_once() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let body = json!({ "name": " hook ", "url": receiver.url(), "events": ["prompt.*"] });
    let reply = test.post(WEBHOOKS, body).await;
    let location = reply.header("location").to_owned();
    let hook = reply.expect(201);

    assert_eq!(location, path(&hook));
    for (key, value) in [
        ("name", json!("hook")),
        ("events", json!(["prompt.*"])),
        ("payload", json!("thin")),
        ("is_active", json!(true)),
        ("retry_count", json!(9)),
        ("timeout_seconds", json!(15)),
        ("consecutive_failures", json!(0)),
        ("disabled_reason", Value::Null),
        ("created_by", json!("anonymous")),
    ] {
        assert_eq!(hook[key], value, "{key}");
    }
    let secret = hook["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    let mut shown = hook.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(test.get(&location).await.expect(200), shown);
    assert_eq!(test.get(WEBHOOKS).await.expect(200)["items"], json!([shown]));
    assert_eq!(test.put(&location, json!({})).await.expect(200)["secret"], Value::Null);
}

#[tokio::test]
async fn no_secret_stands_in_the_database_as_it_is() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA";
    let body = json!({ "name": "h", "url": receiver.url(), "events": ["*"], "secret": secret });
    let send = async || test.post_with(WEBHOOKS, &[("idempotency-key", "k")], body.clone()).await.expect(201);
    let first = send().await;
    assert_eq!(first["secret"], secret);
    let again = send().await;
    assert_eq!((&again["id"], &again["secret"]), (&first["id"], &Value::Null), "repeated, without the secret");
    test.post(&format!("{}/rotate-secret", path(&first)), json!({})).await.expect(200);
    test.prompt("a", "b", "x").await;
    test.work().await;

    let mut conn = test.app.db.read().await.unwrap();
    let mut texts: Vec<(String,)> = Vec::new();
    for sql in [
        "SELECT secret || COALESCE(previous_secret, '') FROM webhooks",
        "SELECT COALESCE(answer, '') FROM idempotency_keys",
        "SELECT CAST(data AS TEXT) || COALESCE(object, '') FROM events",
        "SELECT payload FROM jobs",
        "SELECT COALESCE(detail, '') FROM audit_log",
    ] {
        texts.extend(conn.fetch_all::<(String,)>(sql, &[]).await.unwrap());
    }
    assert!(texts.len() >= 5);
    for (text,) in texts {
        assert!(!text.contains("whsec_") && !text.contains("MfKQ9r8GKYqrTwjUPD8"), "{text}");
    }
}

#[tokio::test]
async fn row_69_70_71_what_is_no_webhook_is_refused() {
    let test = TestApp::in_production().await;
    let long = format!("https://example.com/{}", "x".repeat(2048));
    let good = "https://example.com/hook";
    // rows 69, 70
    for url in [
        "",
        "example.com",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://example.com:22/",
        "http://example.com/",
        &long,
        "https://аpple.com/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost./",
        "https://metadata.google.internal/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ] {
        let violations = test.post(WEBHOOKS, json!({ "name": "h", "url": url, "events": ["*"] })).await.violations();
        assert_eq!(violations[0].0, "/url", "{url}");
    }
    // row 71, and the rest
    for (fields, pointer) in [
        (json!({ "events": [] }), "/events"),
        (json!({ "events": ["prompt.exploded"] }), "/events/0"),
        (json!({ "events": ["*", "prompt.*.*"] }), "/events/1"),
        (json!({ "name": "" }), "/name"),
        (json!({ "secret": "short" }), "/secret"),
        (json!({ "retry_count": 11 }), "/retry_count"),
        (json!({ "retry_count": -1 }), "/retry_count"),
        (json!({ "timeout_seconds": 0 }), "/timeout_seconds"),
        (json!({ "timeout_seconds": 31 }), "/timeout_seconds"),
        (json!({ "payload": "fat" }), "/payload"),
        (json!({ "failures": 0 }), "/failures"),
    ] {
        let mut body = json!({ "name": "h", "url": good, "events": ["*"] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(test.post(WEBHOOKS, body).await.violations()[0].0, pointer, "{fields}");
    }
    assert_eq!(test.count("SELECT count(*) FROM webhooks").await, 0);
    assert_eq!(test.count("SELECT count(*) FROM audit_log").await, 0);
}

#[tokio::test]
async fn a_webhook_is_sent_what_it_asked_for_and_nothing_else() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let _ = hook_with(&test, &receiver, json!({ "events": ["prompt.deleted", "relationship.*"] })).await;
    let prompt = test.prompt("a", "b", "x").await;
    test.delete(&format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap())).await;
    test.work().await;

    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].json()["type"], "prompt.deleted");
}

#[tokio::test]
async fn switched_off_it_is_sent_nothing_and_switched_on_what_happens_from_then_on() {
    let (test, receiver) =
        (TestApp::api().await, Receiver::answering(|_, _| axum::http::StatusCode::BAD_GATEWAY).await);
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "one", "x").await;
    test.work().await;
    test.put(&path(&hook), json!({ "is_active": false })).await.expect(200);
    assert_eq!(deliveries(&test, &hook).await[0]["state"], "endpoint_disabled");
    test.prompt("a", "two", "x").await;
    test.work().await;
    assert_eq!(test.post(&format!("{}/test", path(&hook)), json!({})).await.code(409), "webhook-inactive");
    test.advance(std::time::Duration::from_secs(1));

    let again = test.put(&path(&hook), json!({ "is_active": true })).await.expect(200);
    assert_eq!((&again["consecutive_failures"], &again["failing_since"]), (&json!(0), &Value::Null));
    test.prompt("a", "three", "x").await;
    test.work().await;

    let names: Vec<_> = receiver.received().iter().map(|it| it.json()["data"]["name"].clone()).collect();
    assert_eq!(names, ["one", "three"]);
}

#[tokio::test]
async fn a_deleted_webhook_takes_its_log_with_it() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    test.prompt("a", "one", "x").await;
    test.work().await;
    assert_eq!(test.delete(&path(&hook)).await.status, 204);
    for table in ["webhooks", "webhook_deliveries", "webhook_attempts"] {
        let sql: &'static str = match table {
            "webhooks" => "SELECT count(*) FROM webhooks",
            "webhook_deliveries" => "SELECT count(*) FROM webhook_deliveries",
            _ => "SELECT count(*) FROM webhook_attempts",
        };
        assert_eq!(test.count(sql).await, 0, "{table}");
    }
    for (method, suffix) in
        [("get", ""), ("get", "/deliveries"), ("post", "/test"), ("post", "/rotate-secret"), ("delete", "")]
    {
        let at = format!("{}{suffix}", path(&hook));
        let reply = match method {
            "get" => test.get(&at).await,
            "post" => test.post(&at, json!({})).await,
            _ => test.delete(&at).await,
        };
        assert_eq!(reply.code(404), "not-found", "{method} {suffix}");
    }
}

#[tokio::test]
async fn every_change_leaves_its_row_in_the_log() {
    let (test, receiver) = (TestApp::api().await, Receiver::start().await);
    let hook = hook(&test, &receiver).await;
    test.put(&path(&hook), json!({ "name": "other" })).await.expect(200);
    test.post(&format!("{}/rotate-secret", path(&hook)), json!({})).await.expect(200);
    test.post(&format!("{}/test", path(&hook)), json!({})).await.expect(202);
    test.delete(&path(&hook)).await;
    let sql = "SELECT action FROM audit_log ORDER BY at, id";
    let rows: Vec<(String,)> = test.app.db.read().await.unwrap().fetch_all(sql, &[]).await.unwrap();
    let actions: Vec<_> = rows.iter().map(|(action,)| action.as_str()).collect();
    let expected =
        ["webhook.created", "webhook.updated", "webhook.secret_rotated", "webhook.tested", "webhook.deleted"];
    assert_eq!(actions, expected);
}
