//! What cannot be done about a test is said at the test, and keeps no other waiting.
use std::time::Duration;

use serde_json::{Value, json};
use support::{Accident, TestApp, caller};

use super::results::Trial;

const MINUTES: Duration = Duration::from_mins(6);
const DEAD: &str = "SELECT count(*) FROM jobs WHERE state = 'dead'";

#[tokio::test]
async fn a_winner_that_cannot_be_promoted_ends_the_test_with_the_reason() {
    for lost in ["prompt_b_id", "prompt_a_id"] {
        let test = TestApp::api().await;
        let more = json!({ "test_metric": "success_rate", "promote": true, "min_hours": 0 });
        let mut trial = Trial::new(&test, more).await;
        trial.report("A", 300, |n| json!({ "success": n % 2 == 0 })).await;
        trial.report("B", 300, |n| json!({ "success": n % 5 != 0 })).await;
        test.delete(&format!("/api/v1/prompts/{}", trial.made[lost].as_str().unwrap())).await.expect(204);

        let ended = trial.evaluate_after(MINUTES).await;

        assert_eq!((&ended["test"]["status"], &ended["test"]["result"]), (&json!("completed"), &json!("winner")));
        assert_eq!((&ended["winner"], test.count(DEAD).await), (&json!("B"), 0));
        let note = ended["test"]["note"].as_str().unwrap();
        assert!(note.starts_with("not promoted: "), "{note}");
        let rows = test.get("/api/v1/audit?action=ab_test.completed").await.expect(200);
        assert_eq!(rows["items"][0]["detail"], format!("winner; {note}"));
        assert_eq!(test.count("SELECT count(*) FROM labels").await, 0);
    }
}

#[tokio::test]
async fn a_test_that_cannot_be_looked_at_says_so_and_keeps_no_other_waiting() {
    let test = TestApp::api().await;
    let bad = Trial::new(&test, json!({})).await;
    let prompts = (test.prompt("other", "a", "one").await, test.prompt("other", "b", "two").await);
    let good = Trial::of(&test, test.post(super::TESTS, super::of_two(&prompts, json!({}))).await.expect(201));
    let row = format!("NEW.test_id = '{}'", bad.made["id"].as_str().unwrap());
    test.accident("INSERT ON ab_evaluations", &row, Accident::Fails("an accident")).await;

    let failed = bad.evaluate_after(MINUTES).await;

    assert_eq!((failed["test"]["status"].as_str(), test.count(DEAD).await), (Some("running"), 1));
    assert!(failed["test"]["note"].as_str().unwrap().contains("dead"), "{failed}");
    assert_eq!(good.results().await["evaluations"].as_array().unwrap().len(), 1);
    let jobs = "SELECT count(*) FROM jobs WHERE queue = 'experiments'";
    let before = test.count(jobs).await;
    for _ in 0..3 {
        test.advance(Duration::from_secs(5));
        shared::ab_testing::order_evaluations(&test.app, &caller()).await.unwrap();
        test.work().await;
    }
    assert_eq!(test.count(jobs).await, before, "it rests after it failed");
    for _ in 0..3 {
        bad.evaluate_after(MINUTES).await;
    }
    assert_eq!(test.count(DEAD).await, 1, "of jobs that were to do the same the last is kept");
    assert_eq!(good.results().await["evaluations"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_dead_job_is_told_of_by_health_until_it_is_forgotten() {
    let test = TestApp::api().await;
    let bad = Trial::new(&test, json!({})).await;
    test.accident("INSERT ON ab_evaluations", "NEW.units >= 0", Accident::Fails("an accident")).await;
    bad.evaluate_after(MINUTES).await;
    let queue = async || test.get("/health").await.body["checks"]["queue"].clone();

    let told = queue().await;

    assert_eq!(told["status"], "degraded");
    for way in ["1 dead", "GET /api/v1/jobs?state=dead", "/retry", "DELETE /api/v1/jobs/{id}"] {
        assert!(told["detail"].as_str().unwrap().contains(way), "{told}");
    }
    let dead = test.get("/api/v1/jobs?state=dead").await.expect(200);
    let job = format!("/api/v1/jobs/{}", dead["items"][0]["id"].as_str().unwrap());
    test.delete(&job).await.expect(204);
    assert_eq!(queue().await["status"], "healthy");
    assert_eq!(test.delete(&job).await.code(404), "not-found");
    let done = test.get("/api/v1/jobs?state=done").await.expect(200)["items"].as_array().cloned().unwrap_or_default();
    for job in done.iter().map(|job| job["id"].as_str().unwrap()) {
        assert_eq!(test.delete(&format!("/api/v1/jobs/{job}")).await.code(409), "job-not-dead");
    }
    let rows = test.get("/api/v1/audit?action=job.forgotten").await.expect(200);
    assert_eq!(rows["total"], Value::from(1));
}
