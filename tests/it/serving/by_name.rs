//! The read by name: which prompt, which parameters are variables, and what comes back.
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use support::TestApp;

use super::{NAMED, PROMPTS, fill, kept};

#[tokio::test]
async fn a_prompt_is_served_with_everything_it_is() {
    let test = kept(json!({ "content": "Dear {{name}}", "tags": ["t"], "config": { "model": "m" } })).await;

    let served = test.get(&format!("{NAMED}?name=Ada")).await.expect(200);

    let id = served["id"].as_str().unwrap();
    let prompt = test.get(&format!("{PROMPTS}/{id}")).await.expect(200);
    for (key, value) in prompt.as_object().unwrap() {
        assert_eq!(&served[key], value, "{key}");
    }
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("Dear Ada"), &json!([])));
    assert_eq!(served["served"], json!({ "version": 1, "label": null, "reason": "latest" }));
}

#[tokio::test]
async fn a_template_without_variables_given_is_not_filled() {
    let test = kept(json!({ "content": "Dear {{name}}" })).await;
    for reply in [
        test.get(NAMED).await,
        test.get(&format!("{NAMED}?user_id=u&session_id=s&include=usage")).await,
        test.request(Method::POST, NAMED, &[], Body::empty()).await,
        test.post(NAMED, json!({})).await,
        test.post(NAMED, json!({ "variables": null, "user_id": "u" })).await,
    ] {
        let served = reply.expect(200);
        assert_eq!((&served["filled_content"], &served["content"]), (&Value::Null, &json!("Dear {{name}}")));
    }
}

#[tokio::test]
async fn a_prompt_without_variables_is_its_content() {
    let test = kept(json!({ "content": " {{code here}} é \n" })).await;
    for reply in [test.get(NAMED).await, fill(&test, json!({})).await] {
        assert_eq!(reply.expect(200)["filled_content"], " {{code here}} é \n");
    }
}

#[tokio::test]
async fn what_is_said_to_be_no_template_is_not_filled() {
    let test = kept(json!({ "content": "{{name}}", "is_template": false })).await;
    let served = test.get(&format!("{NAMED}?name=Ada")).await.expect(200);
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("{{name}}"), &json!(["name"])));
}

#[tokio::test]
async fn row_59_a_missing_variable_is_refused_and_all_are_listed() {
    let test = kept(json!({ "content": "{{a}} {{b}} {{c}} {{a}}" })).await;
    // row 59
    for reply in [test.get(&format!("{NAMED}?b=1")).await, fill(&test, json!({ "b": 1 })).await] {
        let problem = reply.expect(422);
        assert_eq!(problem["code"], "missing-variables");
        let pointers: Vec<&Value> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, ["/variables/a", "/variables/c"]);
        assert!(problem["detail"].as_str().unwrap().ends_with("a, c"), "{problem}");
    }
    assert_eq!(fill(&test, json!({})).await.code(422), "missing-variables");
}

#[tokio::test]
async fn row_59_an_extra_variable_is_passed_over_and_reported() {
    let test = kept(json!({ "content": "{{a}}" })).await;
    // row 59
    let served = test.get(&format!("{NAMED}?z=1&a=2&y=3&n%C3%A9=5")).await.expect(200);
    assert_eq!((&served["filled_content"], &served["unused"]), (&json!("2"), &json!(["z", "y", "né"])));
}

#[tokio::test]
async fn variables_of_reserved_names_go_by_post() {
    let names = ["version", "label", "include", "user_id", "session_id"];
    let content: String = names.iter().map(|name| format!("{{{{{name}}}}} ")).collect();
    let test = kept(json!({ "content": content })).await;
    let variables: Value = names.iter().map(|name| ((*name).to_owned(), json!(name))).collect();

    let served = fill(&test, variables).await.expect(200);

    assert_eq!(served["filled_content"], "version label include user_id session_id ");
}

#[tokio::test]
async fn a_post_may_name_a_version_or_a_label() {
    let test = kept(json!({ "content": "one {{x}}" })).await;
    let id = test.get(NAMED).await.expect(200)["id"].as_str().unwrap().to_owned();
    test.put(&format!("{PROMPTS}/{id}/content"), json!({ "content": "two {{x}}" })).await.expect(200);
    test.put(&format!("{PROMPTS}/{id}/labels/old"), json!({ "version": 1 })).await.expect(200);
    for (body, filled) in [
        (json!({ "variables": { "x": 1 } }), "two 1"),
        (json!({ "variables": { "x": 1 }, "version": 1 }), "one 1"),
        (json!({ "variables": { "x": 1 }, "label": "old" }), "one 1"),
        (json!({ "variables": { "x": 1 }, "label": "latest" }), "two 1"),
    ] {
        assert_eq!(test.post(NAMED, body).await.expect(200)["filled_content"], filled);
    }
    assert_eq!(test.post(NAMED, json!({ "version": 3 })).await.code(404), "not-found");
    let both = test.post(NAMED, json!({ "version": 1, "label": "old" })).await;
    assert_eq!(both.violations(), [("/version".to_owned(), "not-together".to_owned())]);
}

#[tokio::test]
async fn a_post_is_answered_whole_whatever_the_client_has() {
    let test = kept(json!({ "content": "{{x}}" })).await;
    let tag = test.get(&format!("{NAMED}?x=1")).await.header("etag").to_owned();

    let headers = [("if-none-match", tag.as_str())];
    let reply = test.post_with(NAMED, &headers, json!({ "variables": { "x": 2 } })).await;

    assert_eq!(reply.expect(200)["filled_content"], "2");
}

#[tokio::test]
async fn names_with_a_slash_are_written_encoded() {
    let test = TestApp::api().await;
    test.prompt("teams/support", "UX/UI Developer", "c").await;
    test.prompt("100%", "a+b?c#d&e=f", "d").await;
    let path = format!("{PROMPTS}/search/teams%2Fsupport/UX%2FUI%20Developer");
    assert_eq!(test.get(&path).await.expect(200)["filled_content"], "c");
    assert_eq!(test.post(&path, json!({})).await.expect(200)["filled_content"], "c");
    let odd = test.get(&format!("{PROMPTS}/search/100%25/a+b%3Fc%23d%26e%3Df")).await.expect(200);
    assert_eq!(odd["filled_content"], "d");
}

#[tokio::test]
async fn a_name_is_found_in_either_spelling_but_not_in_another_case() {
    let test = TestApp::api().await;
    test.prompt("Café", "Élan", "c").await;
    for path in ["Caf%C3%A9/%C3%89lan", "Cafe%CC%81/E%CC%81lan", "%20Caf%C3%A9/%C3%89lan%20"] {
        assert_eq!(test.get(&format!("{PROMPTS}/search/{path}")).await.expect(200)["filled_content"], "c", "{path}");
    }
    for path in ["caf%C3%A9/%C3%89lan", "Caf%C3%A9/%C3%A9lan", "Cafe/Elan"] {
        assert_eq!(test.get(&format!("{PROMPTS}/search/{path}")).await.code(404), "not-found", "{path}");
    }
}

#[tokio::test]
async fn names_that_look_like_routes_are_names() {
    let test = TestApp::api().await;
    for (category, name) in [("search", "search"), ("categories", "tags"), ("x", "versions"), ("render", "...")] {
        test.prompt(category, name, "c").await;
        let path = format!("{PROMPTS}/search/{category}/{name}");
        assert_eq!(test.get(&path).await.expect(200)["filled_content"], "c", "{path}");
    }
}

#[tokio::test]
async fn a_read_by_name_changes_nothing_and_shows_nothing_that_changes() {
    let test = kept(json!({ "content": "c" })).await;
    let (first, second) = (test.get(NAMED).await, test.get(NAMED).await);
    assert_eq!((first.status, first.bytes), (StatusCode::OK, second.bytes));
    assert_eq!(first.headers["etag"], second.headers["etag"]);
}

#[tokio::test]
async fn an_unknown_name_is_not_found() {
    let test = kept(json!({ "content": "c" })).await;
    for path in ["a/x", "x/b", "A/b", "a/B", "a%25/b", "%25/%25"] {
        let reply = test.get(&format!("{PROMPTS}/search/{path}")).await;
        assert_eq!(reply.code(404), "not-found", "{path}");
    }
}
