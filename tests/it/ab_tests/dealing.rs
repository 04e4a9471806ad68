//! Which arm a unit gets: the same for ever, everywhere.
use std::collections::BTreeMap;

use serde_json::json;
use support::TestApp;

use super::{TESTS, arm, of_two, path, running, two_prompts};

const USERS: usize = 60;

async fn arms(test: &TestApp, path: &str) -> BTreeMap<usize, (String, bool)> {
    let mut arms = BTreeMap::new();
    for user in 0..USERS {
        let selection = arm(test, path, &format!("user-{user}")).await;
        let exposed = selection["exposed"].as_bool().unwrap();
        arms.insert(user, (selection["variant"].as_str().unwrap().to_owned(), exposed));
    }
    arms
}

#[tokio::test]
async fn a_unit_gets_the_same_arm_in_every_process_and_its_exposure_is_written_once() {
    let test = TestApp::api().await;
    let path = running(&test, json!({})).await;
    let other = test.another().await;

    let here = arms(&test, &path).await;

    assert_eq!(arms(&other, &path).await, here);
    assert_eq!(arms(&test, &path).await, here);
    assert_eq!(arms(&test.another().await, &path).await, here, "after a restart");
    assert_eq!(test.count("SELECT count(*) FROM ab_assignments").await, i64::try_from(USERS).unwrap());
    let of_b = here.values().filter(|(name, _)| name == "B").count();
    assert!((USERS / 5..USERS * 4 / 5).contains(&of_b), "{of_b} of {USERS}");
    let selection = arm(&test, &path, "user-0").await;
    assert_eq!((&selection["sticky"], &selection["unit_id"]), (&json!(true), &json!("user-0")));
    let content = if here[&0].0 == "A" { "Say hello." } else { "Say a warm hello." };
    assert_eq!(selection["selected_prompt"]["content"], content);
    assert_eq!(selection["served"], json!({ "version": 1, "label": null, "reason": "latest" }));
}

#[tokio::test]
async fn a_ramp_moves_nobody_between_arms_and_other_weights_move_nobody_who_was_seen() {
    let test = TestApp::api().await;
    let path = running(&test, json!({ "coverage": 0.3 })).await;
    let few = arms(&test, &path).await;
    let (inside, outside): (Vec<_>, Vec<_>) = few.iter().partition(|(_, (_, exposed))| *exposed);
    assert!(!inside.is_empty() && !outside.is_empty());
    assert!(outside.iter().all(|(_, (name, _))| name == "A"), "who does not take part gets the control");

    let changed = test.put(&path, json!({ "coverage": 1.0 })).await.expect(200);
    assert_eq!(changed["phase"], 2);
    let all = arms(&test.another().await, &path).await;
    assert!(inside.iter().all(|(user, arm)| all[user] == **arm), "who took part keeps the arm");
    assert!(all.values().all(|(_, exposed)| *exposed));

    test.put(&path, json!({ "weights": [0.0, 1.0] })).await.expect(200);
    assert_eq!(arms(&test.another().await, &path).await, all);
    assert_eq!(arm(&test, &path, "somebody-new").await["variant"], "B");
    assert_eq!(test.count("SELECT count(*) FROM ab_phases").await, 3);
    assert_eq!(test.put(&path, json!({ "weights": [1.0] })).await.violations()[0].0, "/weights");
}

#[tokio::test]
async fn row_65_who_is_not_meant_or_not_known_is_told_so() {
    let test = TestApp::api().await;
    let prompts = two_prompts(&test).await;
    let body = of_two(&prompts, json!({ "target_audience": { "plan": ["pro", "team"] }, "traffic_split": 0.0001 }));
    let path = path(&test.post(TESTS, body).await.expect(201));

    let outside = arm(&test, &path, "u").await;
    let inside = test.get(&format!("{path}/select?user_id=u&plan=pro")).await.expect(200);
    let session = test.get(&format!("{path}/select?session_id=s&plan=team")).await.expect(200);
    let nobody = test.get(&format!("{path}/select?plan=pro")).await.expect(200);
    let again = test.get(&format!("{path}/select?plan=pro")).await.expect(200);
    let forced = test.get(&format!("{path}/select?user_id=tester&plan=pro&force=A")).await.expect(200);

    assert_eq!((&outside["variant"], &outside["exposed"]), (&json!("A"), &json!(false)));
    assert_eq!((&inside["variant"], &inside["exposed"]), (&json!("B"), &json!(true)));
    assert_eq!((&session["unit_id"], &session["sticky"]), (&json!("s"), &json!(true)));
    assert_eq!((&nobody["sticky"], &nobody["exposed"]), (&json!(false), &json!(true)));
    assert_ne!(nobody["unit_id"], again["unit_id"]);
    assert_eq!((&forced["variant"], &forced["exposed"]), (&json!("A"), &json!(false)));
    for (query, place) in [
        ("user_id=", "/user_id"),
        (&*format!("user_id={}", "x".repeat(5_000)), "/user_id"),
        ("session_id=a%00b", "/session_id"),
        ("user_id=u&plan=pro&force=C", "/force"),
    ] {
        assert_eq!(test.get(&format!("{path}/select?{query}")).await.violations()[0].0, place);
    }
    let long = test.get(&format!("{path}/select?user_id={}", "x".repeat(10_240))).await;
    assert_eq!(long.code(414), "uri-too-long");
    assert_eq!(test.count("SELECT count(*) FROM ab_assignments").await, 4);
}

#[tokio::test]
async fn a_paused_test_keeps_who_it_has_and_takes_nobody() {
    let test = TestApp::api().await;
    let path = running(&test, json!({ "traffic_split": 0.0001 })).await;
    arm(&test, &path, "old").await;
    test.post(&format!("{path}/pause"), json!({})).await.expect(200);

    let (old, new) = (arm(&test, &path, "old").await, arm(&test, &path, "new").await);

    assert_eq!((&old["variant"], &old["exposed"]), (&json!("B"), &json!(true)));
    assert_eq!((&new["variant"], &new["exposed"]), (&json!("A"), &json!(false)));
    assert_eq!((&old["sticky"], &new["sticky"]), (&json!(true), &json!(false)), "who is new may get another arm later");
    test.post(&format!("{path}/start"), json!({})).await.expect(200);
    assert_eq!(arm(&test, &path, "new").await["variant"], "B");
    test.post(&format!("{path}/complete"), json!({})).await.expect(200);
    assert_eq!(test.get(&format!("{path}/select?user_id=old")).await.code(409), "test-ended");
}
