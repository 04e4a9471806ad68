//! Working the items: chunk by chunk, each item by itself.
use serde_json::{Value, json};
use support::{Accident, TestApp, until};

use super::{BULK, OPERATIONS, item, items, miscounted, order, prompts, run, short};

#[tokio::test]
async fn a_bad_item_fails_alone_and_says_why() {
    let test = TestApp::api().await;
    let _ = test.prompt("bulk", "taken", "x").await;
    let body = json!([
        item("good", "x"),
        item("taken", "x"),
        item("", "x"),
        { "category": "bulk", "name": "no content" },
        { "category": "bulk", "name": "unknown field", "content": "x", "colour": "red" },
        { "category": "bulk", "name": 7, "content": "x" },
        { "category": "bulk", "name": "both", "content": "x", "messages": [{ "role": "user", "content": "y" }] },
        item("nul", "a\u{0}b"),
        17,
        null,
        item("good too", "x"),
        { "category": " bulk ", "name": "good", "content": "y" },
    ]);

    let (operation, items) = run(&test, body).await;

    assert_eq!(operation["status"], "completed_with_errors");
    assert_eq!(
        short(&items),
        [
            "succeeded",
            "failed prompt-name-taken",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "failed validation-failed",
            "succeeded",
            "failed duplicate",
        ]
    );
    let errors = operation["errors"].as_array().unwrap();
    assert_eq!(
        errors.iter().map(|error| error["index"].as_i64().unwrap()).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    );
    for (error, word) in
        errors.iter().zip(["taken", "name", "content", "colour", "string", "", "NUL", "", "", "item 0"])
    {
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty() && detail.contains(word)), "{error}");
    }
    assert_eq!(prompts(&test).await, 3);
    assert_eq!(operation["progress_percentage"], 100.0);
}

#[tokio::test]
async fn a_name_whose_first_item_was_bad_can_still_be_made_by_a_later_one() {
    let test = TestApp::api().await;

    let (_, items) = run(&test, json!([item("n", ""), item("n", "x"), item("n", "y")])).await;

    assert_eq!(short(&items), ["failed validation-failed", "succeeded", "failed duplicate"]);
}

#[tokio::test]
async fn only_the_first_hundred_errors_are_shown_and_every_item_tells_its_own() {
    let test = TestApp::api().await;
    let bad: Vec<_> = (0..150).map(|number| item(number, "")).collect();

    let (operation, items) = run(&test, bad.into()).await;

    assert_eq!((operation["failed_items"].as_i64(), operation["errors"].as_array().unwrap().len()), (Some(150), 100));
    assert_eq!(operation["errors"][99]["index"], 99);
    assert!(items.iter().all(|item| item["state"] == "failed" && item["detail"].is_string()));
}

#[tokio::test]
async fn contents_are_kept_byte_for_byte() {
    let test = TestApp::api().await;
    let contents = [
        "line one\nline two\r\n\ttabbed, and a space at the end ",
        "\"quoted\" 'twice' `thrice` \\ back\\slash \\n",
        "日本語のプロンプト 👩‍👩‍👧 e\u{301} é \u{fffd}",
        "{{name}} and {{code here}} and {% raw %}",
        "\u{feff}a byte order mark, a bell \u{7} and \u{202e}turned",
    ];
    let body: Vec<_> = contents.iter().enumerate().map(|(number, content)| item(number, content)).collect();

    let (operation, items) = run(&test, body.into()).await;

    assert_eq!(operation["status"], "completed", "{operation}");
    for (content, item) in contents.iter().zip(items) {
        let prompt = test.get(&format!("/api/v1/prompts/{}", item["prompt_id"].as_str().unwrap())).await.expect(200);
        assert_eq!(prompt["content"], *content);
    }
}

#[tokio::test]
async fn each_prompt_that_is_made_has_a_row_in_the_audit_log_in_the_name_of_who_ordered_it() {
    let test = TestApp::api().await;
    let reply = test.post(BULK, json!([item("a", "x"), item("b", ""), item("c", "x")])).await;
    let request_id = reply.header("x-request-id").to_owned();
    test.work().await;

    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.created'").await, 2);
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'bulk_operation.created'").await, 1);
    let mut conn = test.app.db.read().await.unwrap();
    let rows: Vec<(String, String)> =
        conn.fetch_all("SELECT DISTINCT actor, request_id FROM audit_log", &[]).await.unwrap();
    assert_eq!(rows, [("anonymous".to_owned(), request_id)]);
}

#[tokio::test]
async fn items_are_listed_in_their_order_page_by_page() {
    let test = TestApp::api().await;
    let path = order(&test, items(25).into()).await;
    test.work().await;

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = test.get(&format!("{path}/items?limit=10{cursor}")).await.expect(200);
        assert_eq!(page["total"], 25);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["index"].as_u64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let offset = test.get(&format!("{path}/items?limit=10&offset=20")).await.expect(200);

    assert_eq!(seen, (0..25).collect::<Vec<_>>());
    assert_eq!((offset["items"][0]["index"].as_i64(), offset["has_more"].as_bool()), (Some(20), Some(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counts_are_those_of_the_tables_after_every_chunk() {
    let test = TestApp::api().await;
    let some = (0..1000).map(|number| if number % 7 == 0 { item(number, "") } else { item(number, "x") });
    let path = order(&test, some.collect::<Vec<_>>().into()).await;
    let app = test.app.clone();
    let working = tokio::spawn(async move {
        // A turn is short, and how much fits into it depends on the engine.
        while let [job] = shared::jobs::due(&app, shared::jobs::Queue::BulkOperations, 1).await?[..] {
            worker::work(&app, job).await?;
        }
        Ok::<_, shared::Error>(())
    });

    let mut seen = Vec::new();
    let last = until("it is over", async || {
        assert_eq!(miscounted(&test).await, 0);
        let operation = test.get(&path).await.expect(200);
        let number = |key: &str| operation[key].as_i64().unwrap();
        let processed = number("processed_items");
        assert_eq!(processed, number("successful_items") + number("skipped_items") + number("failed_items"));
        assert_eq!(operation["progress_percentage"], f64::from(i32::try_from(processed).unwrap()) / 10.0);
        assert_eq!(
            operation["status"],
            match processed {
                0 => "pending",
                1000 => "completed_with_errors",
                _ => "processing",
            }
        );
        seen.push(processed);
        (processed == 1000).then_some(operation)
    })
    .await;

    working.await.unwrap().unwrap();
    assert!(seen.is_sorted() && seen.iter().all(|processed| processed % 100 == 0), "{seen:?}");
    assert!(seen.iter().any(|processed| (1..1000).contains(processed)), "nothing was seen in between: {seen:?}");
    assert_eq!((last["successful_items"].as_i64(), last["failed_items"].as_i64()), (Some(857), Some(143)));
    assert_eq!(prompts(&test).await, 857);
}

#[tokio::test]
async fn the_time_left_is_estimated_from_the_pace_so_far() {
    let test = TestApp::api().await;
    let path = order(&test, items(300).into()).await;
    test.accident("UPDATE ON bulk_items", "NEW.item = 100", Accident::Fails("stop")).await;
    test.accident("UPDATE ON bulk_operations", "NEW.error IS NOT NULL", Accident::Ignored).await;
    test.work().await;
    test.advance(std::time::Duration::from_secs(10));

    let operation = test.get(&path).await.expect(200);

    assert_eq!((operation["status"].as_str(), operation["processed_items"].as_i64()), (Some("processing"), Some(100)));
    assert_eq!(operation["progress_percentage"], 33.3);
    assert_eq!(operation["time_estimate_seconds"], 20.0);
}

#[tokio::test]
async fn a_long_operation_and_a_short_one_are_both_worked_to_the_end() {
    let test = TestApp::api().await;
    let long = order(&test, items(250).into()).await;
    let short = order(&test, vec![item("short", "x")].into()).await;

    test.work().await;

    for path in [long, short] {
        assert_eq!(test.get(&path).await.expect(200)["status"], "completed");
    }
    let list: Value = test.get(OPERATIONS).await.expect(200);
    assert_eq!(list["total"], 2);
}
