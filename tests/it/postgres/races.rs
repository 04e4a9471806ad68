//! Two writers at once. One of them is the test, which holds its transaction open while a request runs into it.
use serde_json::json;
use shared::db::AssertSqlSafe;
use support::{Engine, TestApp, caller, engine, until};

/// Another connection waits for a lock of this database.
async fn somebody_waits(test: &TestApp) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("a request waits", async || (test.count(waiting).await > 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_a_moment_earlier_is_a_conflict() {
    if engine() != Engine::Postgres {
        return; // SQLite lets one transaction write at a time.
    }
    let test = TestApp::api().await;
    let first = test.prompt("c", "first", "x").await;
    let second = test.prompt("c", "second", "x").await;
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let rename = format!("UPDATE prompts SET name = 'taken' WHERE id = '{}'", first["id"].as_str().unwrap());
    tx.execute(AssertSqlSafe(rename), &[]).await.unwrap();

    let path = format!("/api/v1/prompts/{}", second["id"].as_str().unwrap());
    let (reply, ()) = tokio::join!(test.put(&path, json!({ "name": "taken" })), async {
        somebody_waits(&test).await;
        tx.commit().await.unwrap();
    });

    // Not what the database said, a unique violation: the request ran again, and saw who has the name.
    assert_eq!(reply.code(409), "prompt-name-taken");
    let kept = test.get(&path).await.expect(200);
    assert_eq!(kept, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_the_victim_of_a_deadlock_runs_again() {
    if engine() != Engine::Postgres {
        return; // SQLite has no row locks to wait for in a circle.
    }
    let test = TestApp::api().await;
    let first = test.prompt("c", "first", "x").await;
    let second = test.prompt("c", "second", "x").await;
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let rename = format!("UPDATE prompts SET name = 'taken' WHERE id = '{first}'");
    tx.execute(AssertSqlSafe(rename), &[]).await.unwrap();

    let path = format!("/api/v1/prompts/{second}");
    let (reply, ()) = tokio::join!(test.put(&path, json!({ "name": "taken" })), async {
        somebody_waits(&test).await;
        // The request holds the second prompt and waits for the name; now each waits for the other.
        let touch = format!("UPDATE prompts SET description = 'touched' WHERE id = '{second}'");
        tx.execute(AssertSqlSafe(touch), &[]).await.unwrap();
        tx.commit().await.unwrap();
    });

    assert_eq!(reply.code(409), "prompt-name-taken");
    assert_eq!(test.get(&path).await.expect(200)["description"], "touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_restores_of_one_prompt_are_one() {
    let test = TestApp::api().await;
    let prompt = test.prompt("c", "first", "x").await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    assert_eq!(test.delete(&path).await.status, 204);
    let restore = format!("{path}/restore");

    let replies = futures::future::join_all((0..8).map(|_| test.post(&restore, json!({})))).await;

    let (done, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(done.len(), 1);
    for reply in refused {
        assert_eq!(reply.code(409), "not-deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_until_it_is_gone() {
    if engine() != Engine::Postgres {
        return; // On one host everyone may lead.
    }
    let test = TestApp::api().await;
    let mut first = test.app.db.lead().await.unwrap().expect("nobody leads yet");
    assert!(test.app.db.lead().await.unwrap().is_none(), "two lead");
    assert!(first.lasts().await);

    test.count(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .await;

    until("it no longer leads", async || (!first.lasts().await).then_some(())).await;
    until("another leads", async || test.app.db.lead().await.unwrap()).await;
}
