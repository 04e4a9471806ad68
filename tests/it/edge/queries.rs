//! A query is read as it stands or refused, and never mended.
use axum::{body::Body, http::Method};
use serde_json::json;
use support::{Reply, TestApp};

use super::{PROMPTS, schema::Contract};

async fn get(test: &TestApp, path: &str) -> Reply {
    test.request(Method::GET, path, &[], Body::empty()).await
}

/// Every place that gives parameters no names of its own: a read by name, the arm of a test, and the same before v2.
async fn open_queries(test: &TestApp) -> Vec<String> {
    let (a, b) = (test.prompt("n", "q", "<{{x}}>").await, test.prompt("n", "r", "c").await);
    let plan = json!({ "name": "t", "prompt_a_id": a["id"], "prompt_b_id": b["id"] });
    let made = test.post("/api/v1/ab-tests", plan).await.expect(201);
    let id = made["id"].as_str().unwrap();
    vec![
        format!("{PROMPTS}/search/n/q"),
        "/prompts/search/n/q".to_owned(),
        format!("/api/v1/ab-tests/{id}/select"),
        format!("/ab-tests/{id}/select"),
    ]
}

#[tokio::test]
async fn row_93_a_query_that_is_no_text_is_refused_wherever_it_is_read() {
    let test = TestApp::api().await;
    let mut paths = open_queries(&test).await;
    paths.extend([PROMPTS, "/api/v1/audit", "/prompts", "/analytics", "/api/v1/bulk/export"].map(str::to_owned));
    // row 93
    for path in &paths {
        for query in ["x=caf%E9", "x=%E0%A4%A", "x=%", "x=%4", "x=%zz"] {
            let problem = get(&test, &format!("{path}?{query}")).await.problem(400, "bad-query");
            assert_eq!(problem["errors"][0]["pointer"], "/x", "{path} {query}");
        }
        assert_eq!(get(&test, &format!("{path}?%ff=1")).await.code(400), "bad-query", "{path}");
        let violations = get(&test, &format!("{path}?x=a%00b")).await.violations();
        assert_eq!(violations, [("/x".to_owned(), "nul-character".to_owned())], "{path}");
    }
}

#[tokio::test]
async fn row_94_a_parameter_is_given_once_where_one_value_is_meant() {
    let test = TestApp::api().await;
    // row 94
    for path in &open_queries(&test).await {
        for (query, pointer) in [("x=1&x=2", "/x"), ("user_id=a&user_id=a", "/user_id"), ("a=1&x=1&%78=2", "/x")] {
            let violations = get(&test, &format!("{path}?{query}")).await.violations();
            assert_eq!(violations, [(pointer.to_owned(), "duplicate".to_owned())], "{path} {query}");
        }
    }
    let path = format!("{PROMPTS}/search/n/q?label=none&label=latest&x=1");
    assert_eq!(get(&test, &path).await.violations(), [("/label".to_owned(), "duplicate".to_owned())]);
    assert_eq!(
        get(&test, &format!("{PROMPTS}/search/n/q?x=caf%C3%A9+%2B")).await.expect(200)["filled_content"],
        "<café +>"
    );
}

#[tokio::test]
async fn row_94_every_known_parameter_is_given_once_or_is_a_list() {
    let test = TestApp::api().await;
    let mut seen = 0;
    for route in
        Contract::read().routes().iter().filter(|route| route.method == Method::GET && !route.path.contains('{'))
    {
        for (name, schema) in &route.query {
            let is_list = schema["type"].to_string().contains("array");
            let reply = get(&test, &format!("{}?{name}=1&{name}=1", route.path)).await;
            let twice = reply.body["errors"][0]["code"] == "duplicate";
            if twice {
                assert_eq!(reply.body["errors"][0]["detail"], format!("`{name}` is given twice; give it once"));
            }
            assert_eq!(twice, !is_list, "{} {name}: {}", route.path, reply.body);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}
