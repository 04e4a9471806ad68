//! Results beside what they came from, and beside each other.
use serde_json::json;

use super::{apply, framed, path_of, prompt, refine, said, store};

#[tokio::test]
async fn the_newest_result_is_compared_before_anything_is_applied() {
    let (test, _model) = store(|n, _| said(&framed(&format!("Round {n}: {{{{topic}}}}, {{{{audience}}}}.")))).await;
    let prompt = prompt(&test).await;
    let compare = format!("{}/refinement/compare", path_of(&prompt));
    test.get(&compare).await.problem(409, "nothing-to-compare");
    let first = refine(&test, &prompt, "interpreter").await;
    test.advance(std::time::Duration::from_secs(1));
    let second = refine(&test, &prompt, "interpreter").await;

    let compared = test.get(&compare).await.expect(200);

    assert_eq!((&compared["a"]["version"], &compared["a"]["content"]), (&json!(1), &prompt["content"]));
    assert_eq!((&compared["b"]["version"], &compared["b"]["session_id"]), (&json!(null), &second["session_id"]));
    assert_eq!(compared["b"]["content"], "Round 1: {{topic}}, {{audience}}.");
    assert!(compared["diff"]["unified"].as_str().unwrap().contains("+Round 1"), "{compared}");
    assert_eq!(
        (&compared["diff"]["variables_added"], &compared["diff"]["variables_removed"]),
        (&json!([]), &json!([]))
    );

    apply(&test, &prompt, &second, json!({})).await.expect(200);
    let compared = test.get(&compare).await.expect(200);
    assert_eq!(compared["b"]["session_id"], first["session_id"], "the first is still to be decided on");
    assert_eq!(compared["a"]["version"], 2);
    apply(&test, &prompt, &first, json!({ "force": true })).await.expect(200);
    let compared = test.get(&compare).await.expect(200);
    assert_eq!((&compared["a"]["version"], &compared["b"]["version"]), (&json!(2), &json!(3)), "two versions then");
    let compared = test.get(&format!("{compare}?version_a=1&version_b=3")).await.expect(200);
    assert_eq!((&compared["a"]["content"], &compared["b"]["version"]), (&prompt["content"], &json!(3)));
    let compared = test.get(&format!("{compare}?version_b=2")).await.expect(200);
    assert_eq!((&compared["a"]["version"], &compared["b"]["version"]), (&json!(1), &json!(2)));
    test.get(&format!("{compare}?version_a=9")).await.problem(404, "not-found");
    test.get("/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV/refinement/compare").await.problem(404, "not-found");

    let (a, b) = (first["session_id"].as_str().unwrap(), second["session_id"].as_str().unwrap());
    let sessions = test.get(&format!("/api/v1/refinement/compare/{a}/{b}")).await.expect(200);
    assert_eq!((&sessions["a"]["session_id"], &sessions["b"]["session_id"]), (&json!(a), &json!(b)));
    assert!(sessions["diff"]["unified"].as_str().unwrap().contains("-Round 0"), "{sessions}");
    let begun = super::begin(&test, &prompt, "interpreter").await;
    let begun = begun["session_id"].as_str().unwrap();
    test.get(&format!("/api/v1/refinement/compare/{a}/{begun}")).await.problem(409, "nothing-to-compare");
    test.get(&format!("/api/v1/refinement/compare/{a}/ref_01J9Z3N5T8QWERTYASDFGHZXCV")).await.problem(404, "not-found");
}
