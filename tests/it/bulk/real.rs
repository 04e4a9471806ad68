//! Real prompts with a history, brought to another store and back out.
use serde_json::{Value, json};
use support::{TestApp, real_prompts};

use super::transfer::{export, import};

/// Every prompt has three versions and labels that moved; some are published, some have a successor or a relationship.
async fn with_history(rows: &[(String, String)]) -> TestApp {
    let test = TestApp::api().await;
    let mut before: Option<String> = None;
    for (number, (name, text)) in rows.iter().enumerate() {
        let id = test.prompt("imported", name, text).await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/prompts/{id}");
        let change = async |what: &str, body: Value| test.put(&format!("{path}{what}"), body).await.expect(200);
        change("/content", json!({ "content": format!("{text}\n\n{{{{language}}}}"), "change_summary": "a language" }))
            .await;
        change("/labels/production", json!({ "version": 2 })).await;
        change("/content", json!({ "content": text.to_uppercase() })).await;
        change("/labels/production", json!({ "version": 1, "reason": "it was better" })).await;
        change("/labels/staging", json!({ "version": 3 })).await;
        if number % 3 == 0 {
            change("/lifecycle", json!({ "status": "published" })).await;
        }
        if let Some(before) = before.filter(|_| number % 5 == 0) {
            let related = json!({ "target_prompt_id": before, "relationship_type": "similar", "strength": 0.5 });
            test.post(&format!("{path}/relationships"), related).await.expect(201);
        }
        before = Some(id);
    }
    test
}

#[tokio::test]
async fn real_prompts_with_their_history_are_the_same_on_the_other_side() {
    let Some(rows) = real_prompts() else { return };
    let source = with_history(&rows).await;
    let first = export(&source, "").await;
    let target = TestApp::api().await;

    let (operation, _) = import(&target, "", first.clone()).await;

    assert_eq!(operation["status"], "completed", "{operation}");
    let second = export(&target, "").await;
    assert!(first == second, "{} and {} bytes", first.len(), second.len());
    assert_eq!(target.count("SELECT count(*) FROM versions").await, i64::try_from(3 * rows.len()).unwrap());
    println!("{} prompts, {} versions: {} bytes, the same", rows.len(), 3 * rows.len(), first.len());
}
