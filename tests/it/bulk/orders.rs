//! Taking the order: what is accepted, what is refused, and how operations are found again.
use serde_json::{Value, json};
use support::TestApp;

use super::{BULK, OPERATIONS, item, items, miscounted, order, prompts};

#[tokio::test]
async fn an_operation_is_accepted_and_says_where_it_is() {
    let test = TestApp::api().await;

    let reply = test.post(BULK, json!({ "prompts": items(2), "on_conflict": "skip" })).await;

    let location = reply.header("location").to_owned();
    let operation = reply.expect(202);
    assert_eq!(location, format!("{OPERATIONS}/{}", operation["id"].as_str().unwrap()));
    assert_eq!(test.get(&location).await.expect(200), operation);
    for (key, value) in [
        ("operation_type", json!("create")),
        ("status", json!("pending")),
        ("on_conflict", json!("skip")),
        ("dry_run", json!(false)),
        ("total_items", json!(2)),
        ("processed_items", json!(0)),
        ("successful_items", json!(0)),
        ("skipped_items", json!(0)),
        ("failed_items", json!(0)),
        ("progress_percentage", json!(0.0)),
        ("time_estimate_seconds", Value::Null),
        ("errors", json!([])),
        ("error", Value::Null),
        ("created_at", json!(support::BEGINNING)),
        ("started_at", Value::Null),
        ("finished_at", Value::Null),
    ] {
        assert_eq!(operation[key], value, "{key}");
    }
}

#[tokio::test]
async fn the_api_alone_does_no_work() {
    let test = TestApp::api().await;

    let path = order(&test, items(3).into()).await;

    let operation = test.get(&path).await.expect(200);
    assert_eq!((operation["status"].as_str(), operation["processed_items"].as_i64()), (Some("pending"), Some(0)));
    assert_eq!(test.get(&format!("{path}/items")).await.expect(200)["items"][2]["state"], "pending");
    assert_eq!(prompts(&test).await, 0);
}

#[tokio::test]
async fn the_bare_list_is_an_order_too() {
    let test = TestApp::api().await;

    let path = order(&test, items(2).into()).await;
    test.work().await;

    let operation = test.get(&path).await.expect(200);
    assert_eq!((operation["status"].as_str(), operation["on_conflict"].as_str()), (Some("completed"), Some("fail")));
    assert_eq!(prompts(&test).await, 2);
}

#[tokio::test]
async fn one_to_ten_thousand_items_are_taken() {
    let test = TestApp::api().await;
    for body in [json!([]), json!({ "prompts": [] }), items(10_001).into(), json!({ "prompts": items(10_001) })] {
        test.post(BULK, body).await.expect(422);
    }
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations").await, 0);

    let path = order(&test, items(10_000).into()).await;

    assert_eq!(test.get(&path).await.expect(200)["total_items"], 10_000);
    assert_eq!(test.get(&format!("{path}/items?limit=1")).await.expect(200)["total"], 10_000);
    assert_eq!(miscounted(&test).await, 0);
}

#[tokio::test]
async fn what_is_no_order_is_refused_and_leaves_nothing() {
    let test = TestApp::api().await;
    for (body, pointer) in [
        (json!({}), "/prompts"),
        (json!({ "prompts": {} }), "/prompts"),
        (json!({ "prompts": items(1), "on_conflict": "overwrite" }), "/on_conflict"),
        (json!({ "prompts": items(1), "dry_run": "yes" }), "/dry_run"),
        (json!({ "prompts": items(1), "what": 1 }), "/what"),
    ] {
        let violations = test.post(BULK, body.clone()).await.violations();
        assert_eq!(violations[0].0, pointer, "{body}");
    }
    test.post(BULK, json!("prompts")).await.expect(422);

    for table in ["SELECT count(*) FROM bulk_operations", "SELECT count(*) FROM jobs", "SELECT count(*) FROM audit_log"]
    {
        assert_eq!(test.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn an_order_sent_twice_with_one_key_is_one_operation() {
    let test = TestApp::api().await;
    let send = async |body: Value| test.post_with(BULK, &[("idempotency-key", "k1")], body).await;

    let first = send(items(2).into()).await.expect(202);
    test.work().await;
    let second = send(items(2).into()).await;

    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.header("location"), format!("{OPERATIONS}/{}", first["id"].as_str().unwrap()));
    assert_eq!(second.expect(202), first, "the answer it was given before");
    assert_eq!(send(items(3).into()).await.code(422), "idempotency-mismatch");
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations").await, 1);
    assert_eq!(test.count("SELECT count(*) FROM jobs").await, 1);
    assert_eq!(prompts(&test).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sent_twenty_times_at_once_with_one_key_is_one_operation() {
    let test = TestApp::api().await;
    let send = async || test.post_with(BULK, &[("idempotency-key", "k1")], items(50).into()).await.expect(202);

    let answers = futures::future::join_all((0..20).map(|_| send())).await;

    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations").await, 1);
    assert_eq!(test.count("SELECT count(*) FROM bulk_items").await, 50);
}

#[tokio::test]
async fn an_operation_nobody_ordered_is_not_found() {
    let test = TestApp::api().await;
    for id in ["op_01J9Z3N5T8QWERTYASDFGHZXCV", "op_1", "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "%20"] {
        assert_eq!(test.get(&format!("{OPERATIONS}/{id}")).await.code(404), "not-found", "{id}");
        assert_eq!(test.get(&format!("{OPERATIONS}/{id}/items")).await.code(404), "not-found", "{id}");
    }
}

#[tokio::test]
async fn operations_are_listed_newest_first_and_by_status_and_type() {
    let test = TestApp::api().await;
    let good = order(&test, vec![item("a", "x")].into()).await;
    let bad = order(&test, vec![item("b", "")].into()).await;
    test.work().await;
    let waiting = order(&test, vec![item("c", "x")].into()).await;
    let list = async |query: &str| {
        let page = test.get(&format!("{OPERATIONS}{query}")).await.expect(200);
        let ids = page["items"].as_array().unwrap().iter();
        let paths: Vec<_> = ids.map(|it| format!("{OPERATIONS}/{}", it["id"].as_str().unwrap())).collect();
        assert_eq!(page["total"], paths.len(), "{query}");
        paths
    };

    assert_eq!(list("").await, [waiting.clone(), bad.clone(), good.clone()]);
    assert_eq!(list("?status=completed").await, [good]);
    assert_eq!(list("?status=completed_with_errors&operation_type=create").await, [bad]);
    assert_eq!(list("?status=pending").await, [waiting]);
    assert_eq!(list("?status=cancelled").await, Vec::<String>::new());
    assert_eq!(list("?operation_type=lifecycle").await, Vec::<String>::new());
    assert_eq!(test.get(&format!("{OPERATIONS}?operation_type=destroy")).await.violations()[0].0, "/operation_type");
    assert_eq!(test.get(&format!("{OPERATIONS}?status=finished")).await.violations()[0].0, "/status");
    assert_eq!(test.get(&format!("{OPERATIONS}?limit=0")).await.violations()[0].0, "/limit");
}

#[tokio::test]
async fn pages_of_operations_neither_repeat_nor_miss_any() {
    let test = TestApp::api().await;
    for number in 0..7 {
        order(&test, vec![item(number, "x")].into()).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..4 {
        let page = test.get(&format!("{OPERATIONS}?limit=2{cursor}")).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        order(&test, vec![item("later", "x")].into()).await;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }

    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
}
