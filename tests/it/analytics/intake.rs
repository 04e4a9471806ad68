//! Taking usage in: durable, once, and only what makes sense.
use futures::future::join_all;
use serde_json::{Value, json};
use support::TestApp;

use super::{USAGE, event};

#[tokio::test]
async fn one_event_or_a_list_is_counted_and_an_event_id_counts_once() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let named = event(&prompt, json!({ "event_id": "e-1", "success": true }));

    assert_eq!(test.post(USAGE, named.clone()).await.expect(202), json!({ "accepted": 1, "duplicates": 0 }));
    assert_eq!(test.post(USAGE, named.clone()).await.expect(202), json!({ "accepted": 0, "duplicates": 1 }));
    let list = json!([
        named,
        event(&prompt, json!({})),
        event(&prompt, json!({ "event_id": "e-2" })),
        event(&prompt, json!({ "event_id": "e-2" }))
    ]);
    assert_eq!(test.post(USAGE, list).await.expect(202), json!({ "accepted": 2, "duplicates": 2 }));
    assert_eq!(test.count("SELECT count(*) FROM usage_events").await, 3);
    assert_eq!(test.count("SELECT CAST(sum(events) AS BIGINT) FROM usage_batches").await, 3);
}

#[tokio::test]
async fn the_name_of_an_event_is_that_of_a_key_and_a_prompt_and_others_learn_nothing_of_it() {
    let test = TestApp::api().await;
    let (one, other) = (test.prompt("a", "b", "one").await, test.prompt("c", "d", "two").await);
    let mut keys = Vec::new();
    for folder in ["a", "c"] {
        let key = json!({ "name": "k", "scopes": ["analytics"], "folders": [folder] });
        let made = test.post("/api/v1/keys", key).await.expect(201);
        keys.push(format!("Bearer {}", made["text"].as_str().unwrap()));
    }
    let report =
        async |key: &str, events: Value| test.post_with(USAGE, &[("authorization", key)], events).await.expect(202);
    let named = |prompt: &Value| event(prompt, json!({ "event_id": "call-1", "success": true }));
    let (new, again) = (json!({ "accepted": 1, "duplicates": 0 }), json!({ "accepted": 0, "duplicates": 1 }));

    assert_eq!(report(&keys[0], named(&one)).await, new);
    assert_eq!(report(&keys[1], named(&other)).await, new, "another key's name");
    assert_eq!(report(&keys[0], named(&one)).await, again);
    assert_eq!(report(&keys[1], named(&other)).await, again);
    // Whoever asks without a key is somebody too.
    let both = json!([named(&one), named(&other), named(&one)]);
    assert_eq!(test.post(USAGE, both).await.expect(202), json!({ "accepted": 2, "duplicates": 1 }));
    assert_eq!(test.count("SELECT count(*) FROM usage_events WHERE event_id = 'call-1'").await, 4);
    assert_eq!(test.count("SELECT count(DISTINCT actor) FROM usage_events").await, 3);
}

#[tokio::test]
async fn a_named_event_counts_once_for_as_long_as_its_like_is_taken() {
    let test = TestApp::with(&["--usage-days", "3"]).await;
    let prompt = test.prompt("a", "b", "one").await;
    let day = std::time::Duration::from_hours(24);
    // The clock of whoever reported it was ahead.
    let at = (test.now() + std::time::Duration::from_mins(5)).to_string();
    let named = event(&prompt, json!({ "event_id": "e-1", "occurred_at": at }));
    let mut taken = 0;
    for _ in 0..5 * 4 {
        let reply = test.post(USAGE, named.clone()).await;
        if reply.status == 202 {
            taken += reply.expect(202)["accepted"].as_i64().unwrap();
        } else {
            assert_eq!(reply.violations(), [("/occurred_at".to_owned(), "too-old".to_owned())]);
        }
        shared::analytics::order_roll_up(&test.app, &support::caller()).await.unwrap();
        test.work().await;
        shared::analytics::purge(&test.app, &support::caller(), 100).await.unwrap();
        test.advance(day / 4);
    }
    assert_eq!((taken, test.count("SELECT count(*) FROM usage_events").await), (1, 0), "purged, and not taken again");
    let old = (test.now() - 4 * day).to_string();
    let refused = test.post(USAGE, event(&prompt, json!({ "event_id": "e-2", "occurred_at": old }))).await;
    assert_eq!(refused.violations(), [("/occurred_at".to_owned(), "too-old".to_owned())]);
    test.post(USAGE, event(&prompt, json!({ "occurred_at": old }))).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once_share_transactions_and_each_learns_what_became_of_its_own() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let calls = (0..64).map(|n| test.post(USAGE, event(&prompt, json!({ "event_id": format!("{}", n % 40) }))));

    let receipts: Vec<Value> = join_all(calls).await.into_iter().map(|reply| reply.expect(202)).collect();

    let sum = |key: &str| receipts.iter().map(|receipt| receipt[key].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("accepted"), sum("duplicates")), (40, 24));
    assert_eq!(test.count("SELECT count(*) FROM usage_events").await, 40);
}

#[tokio::test]
async fn a_repeated_request_has_one_effect() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let key = [("idempotency-key", "k-1")];
    let first = test.post_with(USAGE, &key, event(&prompt, json!({}))).await.expect(202);
    let again = test.post_with(USAGE, &key, event(&prompt, json!({}))).await;

    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(202), first);
    assert_eq!(test.count("SELECT count(*) FROM usage_events").await, 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let future = (test.now() + std::time::Duration::from_mins(6)).to_string();
    for (field, value) in [
        ("version", json!(0)),
        ("version", json!(2)),
        ("response_time_ms", json!(-1)),
        ("response_time_ms", json!(1e300)),
        ("input_tokens", json!(-1)),
        ("output_tokens", json!(2_000_000_000_i64)),
        ("cost_usd", json!(-0.01)),
        ("score", json!(1e10)),
        ("occurred_at", json!(future)),
        ("occurred_at", json!("2001-01-01T00:00:00Z")),
        ("event_id", json!("")),
        ("user_id", json!("x".repeat(257))),
        ("model", json!("a\u{0}b")),
    ] {
        let wrong = event(&prompt, json!({ field: value }));
        let alone = test.post(USAGE, wrong.clone()).await.violations();
        assert_eq!(alone[0].0, format!("/{field}"), "{wrong}");
        let listed = test.post(USAGE, json!([event(&prompt, json!({})), wrong])).await.violations();
        assert_eq!((listed.len(), listed[0].0.as_str()), (1, format!("/1/{field}").as_str()), "{wrong}");
    }
    assert_eq!(test.count("SELECT count(*) FROM usage_events").await, 0);
    let unknown = json!({ "prompt_id": "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "version": 1 });
    assert_eq!(test.post(USAGE, unknown).await.violations()[0].1, "unknown-version");
    for empty in [json!([]), json!(vec![event(&prompt, json!({})); 1001])] {
        assert_eq!(test.post(USAGE, empty).await.violations()[0].1, "out-of-range");
    }
}
