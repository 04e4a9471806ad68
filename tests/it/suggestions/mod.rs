//! What could be better about a prompt, stored or not.
mod suppressions;

use serde_json::{Value, json};
use support::TestApp;

const LINT: &str = "/api/v1/prompts/lint";

/// The rules that fired, each once.
fn rules(report: &Value) -> Vec<String> {
    let mut rules: Vec<String> =
        report["findings"].as_array().unwrap().iter().map(|found| found["rule"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[tokio::test]
async fn a_text_is_checked_without_being_stored() {
    let test = TestApp::api().await;
    let content = "Summarise {{text}} in three points.\nTODO: say for whom.\n```\nnever closed";
    let report = test.post(LINT, json!({ "content": content, "variables": ["text", "left"] })).await.expect(200);
    let rules = rules(&report);
    for rule in ["C08", "S02", "T02"] {
        assert!(rules.contains(&rule.to_owned()), "no {rule} in {rules:?}");
    }
    let todo = report["findings"].as_array().unwrap().iter().find(|found| found["rule"] == "C08").unwrap();
    let (start, end) = (todo["span"]["start"].as_u64().unwrap(), todo["span"]["end"].as_u64().unwrap());
    assert!(content[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()].starts_with("TODO"), "{todo}");
    assert!(report["score"].as_u64().unwrap() < 100);
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 0);
}

#[tokio::test]
async fn a_stored_prompt_is_checked_at_the_version_that_is_asked_for() {
    let test = TestApp::api().await;
    let made = test.prompt("c", "n", "Summarise the text for children.\nTODO: name the text").await;
    let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
    test.put(&format!("{path}/content"), json!({ "content": "Summarise the text for children." })).await.expect(200);
    let suggestions = format!("{path}/suggestions");
    assert!(!rules(&test.get(&suggestions).await.expect(200)).contains(&"C08".to_owned()));
    let first = test.get(&format!("{suggestions}?version=1")).await.expect(200);
    assert!(rules(&first).contains(&"C08".to_owned()));
    assert_eq!(test.get(&format!("{suggestions}?version=9")).await.code(404), "not-found");
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused_with_a_pointer() {
    let test = TestApp::api().await;
    for body in [json!({}), json!({ "content": "x", "messages": [] })] {
        assert_eq!(test.post(LINT, body).await.violations()[0].0, "/content");
    }
    let long = "x".repeat(1_200_000);
    assert_eq!(test.post(LINT, json!({ "content": long })).await.violations()[0].1, "too-long");
    assert_eq!(test.post(LINT, json!({ "content": 1 })).await.violations()[0].0, "/content");
}

#[tokio::test]
async fn a_text_may_say_which_rules_do_not_count_for_it() {
    let test = TestApp::api().await;
    let with = |suppressions: Value| json!({ "content": "Write a poem.\nTODO: a", "suppressions": suppressions });
    let given = json!([{ "rule": "C08", "reason": "it is the topic" }]);
    let report = test.post(LINT, with(given)).await.expect(200);
    assert!(!rules(&report).contains(&"C08".to_owned()));
    let suppressed = &report["suppressed"][0];
    assert_eq!((&suppressed["rule"], &suppressed["reason"]), (&json!("C08"), &json!("it is the topic")));
    assert_eq!(suppressed["findings"][0]["rule"], "C08");
    assert_eq!(suppressed.get("suppressed_by"), None, "nothing is kept");

    let reason = |rule: &str, reason: &str| json!({ "rule": rule, "reason": reason });
    let long = "x".repeat(4097);
    for (suppressions, pointer, code) in [
        (json!([reason("C08", "a"), reason("S01", " \n")]), "/suppressions/1/reason", "required"),
        (json!([reason("C08", &long)]), "/suppressions/0/reason", "too-long"),
        (json!([reason("C08", "a"), reason("C08", "b")]), "/suppressions/1/rule", "duplicate"),
        (json!([{ "rule": "C08" }]), "/suppressions/0/reason", "required"),
    ] {
        let violations = test.post(LINT, with(suppressions)).await.violations();
        assert_eq!(violations, [(pointer.to_owned(), code.to_owned())]);
    }
    assert_eq!(test.post(LINT, with(json!([reason("Z99", "a")]))).await.violations()[0].0, "/suppressions/0/rule");
}
