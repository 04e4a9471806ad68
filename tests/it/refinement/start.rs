//! What is asked for, and who is asked.
use axum::http::StatusCode;
use serde_json::{Value, json};
use support::TestApp;

use super::{REFINED, begin, framed, path_of, prompt, refine, said, session, store};

#[tokio::test]
async fn a_refinement_is_begun_asked_for_and_completed() {
    let (test, model) = store(|_, _| said(&format!("Here it is.\n\n{}\n\nI hope it helps!", framed(REFINED)))).await;
    let prompt = prompt(&test).await;

    let body =
        json!({ "refinement_instructions": "Be careful.", "user_id": "u1", "context_documents": ["Know <this>."] });
    let reply = test.post(&format!("{}/refine", path_of(&prompt)), body).await;
    let location = reply.header("location").to_owned();
    let begun = reply.expect(202);
    assert_eq!((&begun["status"], &begun["llm_service"]), (&json!("processing"), &json!("interpreter")));
    assert_eq!(location, format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap()));
    test.work().await;
    let done = session(&test, &begun).await;

    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["result"]["content"], REFINED);
    assert_eq!(done["result"]["variables"], json!(["topic", "audience"]));
    assert_eq!(done["result"]["diff"]["identical"], false);
    assert!(done["result"]["diff"]["unified"].as_str().unwrap().contains("+You are a \"careful\" editor."));
    assert!(done["result"]["lint"]["before"]["score"].is_u64() && done["result"]["lint"]["after"]["score"].is_u64());
    assert_eq!((done["calls"].as_array().unwrap().len(), &done["calls"][0]["state"]), (1, &json!("answered")));
    let asked = model.received();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, "/interpret"));
    let asked = asked[0].json();
    assert_eq!((asked["user_id"].as_str(), asked.as_object().unwrap().len()), (Some("u1"), 2));
    insta::assert_snapshot!("the_question_of_a_text", asked["query"].as_str().unwrap());
    let now = test.get(&path_of(&prompt)).await.expect(200);
    assert_eq!((&now["version"], &now["content"]), (&json!(1), &prompt["content"]), "nothing changes by itself");
}

#[tokio::test]
async fn row_66_what_cannot_be_begun_is_said_with_where_it_is_wrong() {
    let test = TestApp::with(&["--bedrock-proxy-url", "http://127.0.0.1:1"]).await;
    let prompt = prompt(&test).await;
    let path = format!("{}/refine", path_of(&prompt));
    let text = json!("x");
    let other = test.prompt("writing", "other", "x").await;
    let elsewhere = refine(&test, &other, "rules").await["session_id"].clone();
    for (field, value, code) in [
        ("llm_service", json!("gpt"), "unknown-service"),
        ("llm_service", json!("http://127.0.0.1:1/"), "unknown-service"),
        ("llm_service", json!("interpreter"), "unknown-service"),
        ("refinement_instructions", json!(""), "out-of-range"),
        ("refinement_instructions", json!("  \n"), "out-of-range"),
        ("refinement_instructions", json!("i".repeat(20_000)), "out-of-range"),
        ("refinement_instructions", json!("nul\u{0}"), "nul-character"),
        ("user_id", json!(""), "required"),
        ("context_documents", json!(vec!["x"; 11]), "too-many"),
        ("context_documents", json!(["", "x"]), "out-of-range"),
        ("context_documents", json!(["doc_01J9Z3N5T8QWERTYASDFGHZXCV"]), "unknown-document"),
        ("parent_session_id", json!("ref_01J9Z3N5T8QWERTYASDFGHZXCV"), "unknown-session"),
        ("parent_session_id", elsewhere, "unknown-session"),
        ("url", json!("http://example.com"), "unknown-field"),
    ] {
        let mut body = json!({ "refinement_instructions": text, "llm_service": "rules" });
        body[field] = value.clone();
        let problem = test.post(&path, body).await.problem(422, "validation-failed");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(&format!("/{field}")), "{field} {value}: {problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let missing = test.post(&path, json!({ "refinement_instructions": "x" })).await.problem(422, "validation-failed");
    assert!(missing["detail"].as_str().unwrap().contains("`bedrock-proxy`, `rules`"), "{missing}");
    let nobody = "/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV/refine";
    test.post(nobody, json!({ "refinement_instructions": "x", "llm_service": "rules" }))
        .await
        .problem(404, "not-found");
    assert_eq!(test.count("SELECT count(*) FROM refinements").await, 1);
}

#[tokio::test]
async fn the_same_request_twice_is_one_refinement() {
    let (test, model) = store(|_, _| said(&framed("Write about {{topic}} for {{audience}}, please."))).await;
    let prompt = prompt(&test).await;
    let path = format!("{}/refine", path_of(&prompt));
    let body = json!({ "refinement_instructions": "x" });
    let key = [("idempotency-key", "once")];
    let one = test.post_with(&path, &key, body.clone()).await.expect(202);
    let two = test.post_with(&path, &key, body).await.expect(202);
    test.work().await;
    assert_eq!((one["session_id"].clone(), model.count()), (two["session_id"].clone(), 1));
}

#[tokio::test]
async fn a_result_is_refined_further_as_the_next_version_of_its_document() {
    let (test, model) = store(|n, _| said(&framed(&format!("Round {n}: {{{{topic}}}} for {{{{audience}}}}.")))).await;
    let prompt = prompt(&test).await;
    let first = refine(&test, &prompt, "interpreter").await;
    let body = json!({ "refinement_instructions": "More.", "parent_session_id": first["session_id"],
        "context_documents": [first["document"]["id"]] });
    let begun = test.post(&format!("{}/refine", path_of(&prompt)), body).await.expect(202);
    test.work().await;
    let second = session(&test, &begun).await;

    assert_eq!((&first["document"]["id"], &second["document"]["version"]), (&second["document"]["id"], &json!(2)));
    let asked = model.received()[1].json()["query"].as_str().unwrap().to_owned();
    assert!(asked.contains("<prompt_to_refine>\nRound 0: {{topic}} for {{audience}}.\n</prompt_to_refine>"), "{asked}");
    assert!(asked.contains("<context_document>\n# Refinement of writing/intro"), "{asked}");
    assert!(second["result"]["diff"]["unified"].as_str().unwrap().contains("-Round 0"), "{second}");
    let history = test.get(&format!("{}/refinement/history", path_of(&prompt))).await.expect(200);
    assert_eq!(history["items"][0]["parent_session_id"], first["session_id"]);
    let failed = begin(&test, &prompt, "interpreter").await;
    let body = json!({ "refinement_instructions": "x", "parent_session_id": failed["session_id"] });
    let problem = test.post(&format!("{}/refine", path_of(&prompt)), body).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "no-result");
}

#[tokio::test]
async fn refinements_are_listed_by_status_and_user() {
    let (test, _model) =
        store(|n, _| if n == 0 { Ok(said(&framed("A {{topic}} {{audience}}"))) } else { Err(StatusCode::BAD_REQUEST) })
            .await;
    let prompt = prompt(&test).await;
    let path = format!("{}/refine", path_of(&prompt));
    for user in ["a", "b", "b"] {
        test.post(&path, json!({ "refinement_instructions": "x", "user_id": user })).await.expect(202);
        test.work().await;
        test.advance(std::time::Duration::from_secs(1));
    }
    for (query, total) in [("", 3), ("?user_id=b", 2), ("?status=failed", 2), ("?status=completed&user_id=b", 0)] {
        let page = test.get(&format!("/api/v1/refinement/sessions{query}")).await.expect(200);
        assert_eq!(page["total"], total, "{query}: {page}");
        assert!(page["items"].as_array().unwrap().iter().all(|item| item.get("result").is_none()));
    }
    let first = test.get("/api/v1/refinement/sessions?limit=2").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = test.get(&format!("/api/v1/refinement/sessions?limit=2&cursor={cursor}")).await.expect(200);
    let ids: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|it| &it["session_id"])
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.windows(2).all(|pair| pair[0].as_str() > pair[1].as_str()), "{ids:?}");
    test.get("/api/v1/refinement/sessions?status=lost").await.problem(422, "validation-failed");
    test.get("/api/v1/refinement/sessions/ref_01J9Z3N5T8QWERTYASDFGHZXCV").await.problem(404, "not-found");
    test.get("/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV/refinement/history").await.problem(404, "not-found");
}
