//! What refinements lead to is kept, found, and given to a store of documents.
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use support::{Receiver, TestApp};

use super::{framed, path_of, prompt, refine, said, session, store};

#[tokio::test]
async fn a_result_is_a_document_with_versions_and_a_report() {
    let (test, _model) = store(|n, _| said(&framed(&format!("Round {n}: ``` {{{{topic}}}}, {{{{audience}}}}.")))).await;
    let prompt = prompt(&test).await;
    let first = refine(&test, &prompt, "interpreter").await;
    let body = json!({ "refinement_instructions": "More\nof it.", "parent_session_id": first["session_id"] });
    let begun = test.post(&format!("{}/refine", path_of(&prompt)), body).await.expect(202);
    test.work().await;
    let second = session(&test, &begun).await;
    let other = test.prompt("c", "other", "Be  brief.").await;
    refine(&test, &other, "rules").await;

    let path = format!("/api/v1/documents/{}", first["document"]["id"].as_str().unwrap());
    let document = test.get(&path).await.expect(200);
    assert_eq!((&document["version"], &document["newest_version"]), (&json!(2), &json!(2)));
    assert_eq!((&document["session_id"], &document["prompt_id"]), (&second["session_id"], &prompt["id"]));
    let report = document["content"].as_str().unwrap();
    for part in ["# Refinement of writing/intro", "> More\n> of it.", "````\nRound 1: ```", "-Round 0", "Score "] {
        assert!(report.contains(part), "no `{part}` in {report}");
    }
    assert_eq!(document["result"]["content"], second["result"]["content"]);
    let before = test.get(&format!("{path}?version=1")).await.expect(200);
    assert_eq!((&before["session_id"], &before["newest_version"]), (&first["session_id"], &json!(2)));
    test.get(&format!("{path}?version=3")).await.problem(404, "not-found");
    test.get("/api/v1/documents/doc_01J9Z3N5T8QWERTYASDFGHZXCV").await.problem(404, "not-found");

    let all = test.get("/api/v1/documents").await.expect(200);
    assert_eq!((&all["total"], all["items"][0].get("content")), (&json!(2), None));
    let its = test.get(&format!("/api/v1/documents?prompt_id={}", prompt["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&its["total"], &its["items"][0]["version"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn documents_are_found_by_their_words_and_prompts_are_not_among_them() {
    let (test, _model) = store(|_, _| said(&framed("Mention wombats: {{topic}}, {{audience}}."))).await;
    let prompt = prompt(&test).await;
    refine(&test, &prompt, "interpreter").await;
    test.prompt("c", "wombat", "Wombats everywhere.").await;

    let search = async |query: &str| test.post("/api/v1/documents/search", json!({ "query": query })).await.expect(200);
    let found = search("wombat").await;
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(found["items"][0]["document"]["prompt_id"], prompt["id"]);
    assert!(found["items"][0]["highlight"].as_str().unwrap().contains("<mark>wombats</mark>"), "{found}");
    assert_eq!(search("category:writing").await["total"], 1);
    assert_eq!(search("-wombats category:writing").await["total"], 0);
    let prompts =
        test.post("/api/v1/prompts/search", json!({ "query": "wombats", "facets": ["category"] })).await.expect(200);
    assert_eq!((&prompts["total"], &prompts["facets"]["category"][0]["value"]), (&json!(1), &json!("c")), "{prompts}");
    let all =
        test.post("/api/v1/prompts/search", json!({ "query": "", "category": ["c", "writing"] })).await.expect(200);
    assert_eq!(all["total"], 2, "{all}");
    for (body, pointer) in [(json!({ "query": "x", "limit": 0 }), "/limit"), (json!({ "query": "" }), "/query")] {
        let problem = test.post("/api/v1/documents/search", body).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    // An index that was lost is made again.
    let mut tx = test.app.begin(&support::caller()).await.unwrap();
    shared::search::clear(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    shared::refinement::order_index(&test.app, &support::caller()).await.unwrap();
    test.work().await;
    assert_eq!(search("wombat").await["total"], 1);
}

#[tokio::test]
async fn a_store_of_documents_gets_each_of_them_once_it_answers() {
    let documents = Receiver::answering(|n, _| [StatusCode::BAD_GATEWAY, StatusCode::CREATED][n.min(1)]).await;
    let test = TestApp::with(&["--doc-store-url", &format!("http://{}", documents.address())]).await;
    let prompt = prompt(&test).await;
    let done = refine(&test, &prompt, "rules").await;
    let path = format!("/api/v1/documents/{}", done["document"]["id"].as_str().unwrap());
    assert_eq!(test.get(&path).await.expect(200)["stored_at"], json!(null));
    test.advance(Duration::from_mins(1));
    test.work().await;

    let document = test.get(&path).await.expect(200);
    assert!(document["stored_at"].is_string(), "{document}");
    let sent = documents.received();
    assert_eq!((sent.len(), sent[1].path.as_str()), (2, "/api/v1/documents"));
    let sent = sent[1].json();
    assert_eq!((&sent["content"], &sent["content_type"]), (&document["content"], &json!("prompt_refinement_result")));
    assert_eq!((&sent["correlation_id"], &sent["metadata"]["prompt_id"]), (&done["session_id"], &prompt["id"]));
}

#[tokio::test]
async fn a_store_of_documents_that_refuses_is_shown_to_a_person() {
    let documents = Receiver::answering(|_, _| StatusCode::UNPROCESSABLE_ENTITY).await;
    let test = TestApp::with(&["--doc-store-url", &format!("http://{}", documents.address())]).await;
    let done = refine(&test, &prompt(&test).await, "rules").await;
    assert_eq!(done["status"], "completed");
    let dead = test.get("/api/v1/jobs?state=dead").await.expect(200);
    assert_eq!((&dead["total"], &dead["items"][0]["queue"]), (&json!(1), &json!("document-deliveries")), "{dead}");
    assert_eq!(dead["items"][0]["error"], "document-refused", "{dead}");
}
