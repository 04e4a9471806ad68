//! Which change tells what.
use serde_json::{Value, json};
use support::TestApp;

use super::{path, told, types};

#[tokio::test]
async fn every_change_of_a_prompt_tells_what_it_was() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "before", "one, and long enough").await;
    let path = path(&prompt);
    test.put(&path, json!({ "description": "new" })).await.expect(200);
    test.put(&format!("{path}/content"), json!({ "content": "two, and long enough" })).await.expect(200);
    test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    test.delete(&format!("{path}/labels/production")).await;
    test.put(&format!("{path}/lifecycle"), json!({ "status": "published" })).await.expect(200);
    test.post(&format!("{path}/versions/1/rollback"), json!({})).await.expect(200);
    test.delete(&path).await;
    test.post(&format!("{path}/restore"), json!({})).await.expect(200);
    let events = told(&test).await;

    let types: Vec<_> = events.iter().map(|event| event.event_type.to_string()).collect();
    assert_eq!(
        types,
        [
            "prompt.created",
            "prompt.updated",
            "prompt.version_created",
            "prompt.updated",
            "prompt.label_moved",
            "prompt.label_moved",
            "prompt.lifecycle_changed",
            "prompt.version_created",
            "prompt.updated",
            "prompt.deleted",
            "prompt.updated",
        ]
    );
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
    for event in &events {
        assert_eq!(event.data["id"], prompt["id"], "{event:?}");
        assert!(event.data.get("content").is_none() && event.data.to_string().len() < 4096, "thin: {event:?}");
    }
    assert_eq!(
        events[4].data,
        json!({ "id": prompt["id"], "category": "a", "name": "before", "version": 2,
                "label": "production", "from_version": null, "to_version": 1 })
    );
    assert_eq!((&events[5].data["from_version"], &events[5].data["to_version"]), (&json!(1), &Value::Null));
    assert_eq!(
        (&events[6].data["previous_status"], &events[6].data["new_status"]),
        (&json!("draft"), &json!("published"))
    );
    assert_eq!((&events[7].data["change_type"], &events[7].data["version"]), (&json!("rollback"), &json!(3)));
}

#[tokio::test]
async fn what_changes_nothing_or_is_refused_tells_nothing() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = path(&prompt);
    assert_eq!(types(&test).await, ["prompt.created"]);

    test.put(&path, json!({ "content": "one" })).await.expect(200);
    test.put_with(&path, &[("if-match", "\"99\"")], json!({ "name": "x" })).await.expect(412);
    test.post("/api/v1/prompts", json!({ "category": "a", "name": "b", "content": "x" })).await.expect(409);
    for _ in 0..2 {
        let body = json!({ "category": "a", "name": "keyed", "content": "x" });
        test.post_with("/api/v1/prompts", &[("idempotency-key", "k")], body).await.expect(201);
    }

    assert_eq!(types(&test).await, ["prompt.created", "prompt.created"]);
}

#[tokio::test]
async fn relationships_and_operations_tell_too_and_items_like_single_writes() {
    let test = TestApp::api().await;
    let (one, two) = (test.prompt("a", "one", "x").await, test.prompt("a", "two", "x").await);
    let body = json!({ "target_prompt_id": two["id"], "relationship_type": "extends" });
    let made = test.post(&format!("{}/relationships", path(&one)), body).await.expect(201);
    let relationship = format!("/api/v1/relationships/{}", made["id"].as_str().unwrap());
    test.put(&relationship, json!({ "strength": 0.5 })).await.expect(200);
    test.delete(&relationship).await;
    let items = json!([{ "category": "a", "name": "one", "content": "x" }, { "category": "a", "name": "three", "content": "x" }]);
    test.post("/api/v1/bulk/prompts", json!({ "prompts": items, "dry_run": true })).await.expect(202);
    test.work().await;
    test.post("/api/v1/bulk/prompts", items).await.expect(202);

    assert_eq!(
        types(&test).await,
        [
            "prompt.created",
            "prompt.created",
            "relationship.created",
            "relationship.updated",
            "relationship.deleted",
            "bulk_operation.started",
            "bulk_operation.completed",
            "bulk_operation.started",
            "prompt.created",
            "bulk_operation.completed",
        ]
    );
    let events = told(&test).await;
    assert_eq!(events[2].data["target_prompt_id"], two["id"]);
    let last = &events[9].data;
    assert_eq!((&last["status"], &last["failed_items"]), (&json!("completed_with_errors"), &json!(1)));
}

#[tokio::test]
async fn the_catalogue_lists_every_type_and_the_stats_count_them() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "one").await;
    test.work().await;

    let catalogue = test.get("/api/v1/notifications/events").await.expect(200);
    let names: Vec<&str> = catalogue.as_array().unwrap().iter().map(|kind| kind["type"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 19);
    for name in ["prompt.label_moved", "ab_test.completed", "refinement.failed", "webhook.disabled"] {
        assert!(names.contains(&name), "{name}");
    }
    let stats = test.get("/api/v1/notifications/stats").await.expect(200);
    assert_eq!((&stats["event_counts"]["prompt.created"], &stats["total_notifications"]), (&json!(1), &json!(1)));
    assert_eq!(stats["recent_events"][0]["type"], "prompt.created");
    assert_eq!(stats["webhook_stats"], json!({ "total": 0, "active": 0, "failing": 0, "disabled": 0 }));
}

#[tokio::test]
async fn events_are_kept_for_thirty_days() {
    let test = TestApp::api().await;
    test.prompt("a", "old", "one").await;
    test.work().await;
    test.advance(std::time::Duration::from_hours(30 * 24));
    test.prompt("a", "new", "one").await;
    test.prompt("a", "untold", "one").await;

    let purged = shared::notifications::purge(&test.app, &support::caller(), 100).await.unwrap();

    assert_eq!((purged, test.count("SELECT count(*) FROM events").await), (1, 2));
    assert_eq!(told(&test).await[0].sequence, 2, "numbers are not given twice");
}
