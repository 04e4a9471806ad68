//! Who may work a job: claims, leases, fences, and jobs that are ordered once.
use std::time::Duration;

use shared::{
    bulk::{self, RunBulkOperation},
    jobs,
};
use support::{TestApp, caller};

use super::{JOBS, PROMPTS, QUEUE, meddle, only_due, order, row};

/// The lease of the harness.
const LEASE: Duration = Duration::from_secs(1);
/// Before the third claim in a row.
const QUARANTINE: Duration = Duration::from_mins(1);
const INSTANT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn the_api_alone_works_nothing() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;

    let job = only_due(&test).await;

    assert_eq!((row(&test, job).await.state.as_str(), test.count(PROMPTS).await), ("available", 0));
}

#[tokio::test]
async fn of_two_claims_of_a_job_one_wins() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let job = only_due(&test).await;

    let first = jobs::claim(&test.app, &caller(), job).await.unwrap();
    let second = jobs::claim(&test.app, &caller(), job).await.unwrap();

    assert!(first.is_some() && second.is_none());
    let row = row(&test, job).await;
    assert_eq!((row.state.as_str(), row.claims, row.fence), ("running", 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_claims_at_once_one_wins() {
    let test = TestApp::api().await;
    for round in 1..=5 {
        order(&test.app, &format!("round-{round}"), 1).await;
        let job = only_due(&test).await;

        let claims = (0..20).map(|_| {
            let app = test.app.clone();
            tokio::spawn(async move { jobs::claim(&app, &caller(), job).await.unwrap().is_some() })
        });
        let won = futures::future::join_all(claims).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();

        assert_eq!((won, row(&test, job).await.fence), (1, 1), "round {round}");
    }
}

#[tokio::test]
async fn a_claim_lasts_for_its_lease_and_as_long_as_it_is_renewed() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let job = only_due(&test).await;
    let claim = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();

    test.advance(LEASE.saturating_sub(INSTANT));
    assert!(jobs::claim(&test.app, &caller(), job).await.unwrap().is_none());
    jobs::renew(&test.app, &caller(), &claim).await.unwrap();
    test.advance(LEASE.saturating_sub(INSTANT));
    assert!(jobs::claim(&test.app, &caller(), job).await.unwrap().is_none());
    test.advance(INSTANT);
    assert!(jobs::claim(&test.app, &caller(), job).await.unwrap().is_some());

    let late = jobs::renew(&test.app, &caller(), &claim).await.unwrap_err();
    assert_eq!(late.code(), "lease-lost");
}

#[tokio::test]
async fn a_late_worker_writes_nothing() {
    let test = TestApp::api().await;
    let operation = order(&test.app, "a", 1).await[0];
    let job = only_due(&test).await;
    let late = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
    test.advance(LEASE);
    let current = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();

    let refused = bulk::run(&test.app, &late, operation).await.unwrap_err();
    let settled = jobs::settle_done(&test.app, &caller(), &late).await.unwrap_err();
    let again = jobs::settle_again(&test.app, &caller(), &late).await.unwrap_err();

    assert_eq!([refused.code(), settled.code(), again.code()], ["lease-lost"; 3]);
    assert_eq!(test.count(PROMPTS).await, 0);
    assert_eq!(test.count("SELECT count(*) FROM bulk_items WHERE state = 'pending'").await, 1);
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations WHERE status = 'pending'").await, 1);
    assert_eq!(row(&test, job).await.fence, 2);

    assert_eq!(bulk::run(&test.app, &current, operation).await.unwrap(), jobs::Outcome::Done);
    jobs::settle_done(&test.app, &caller(), &current).await.unwrap();
    assert_eq!((test.count(PROMPTS).await, row(&test, job).await.state.as_str()), (1, "done"));
}

#[tokio::test]
async fn the_chunk_of_a_worker_that_loses_its_job_meanwhile_is_rolled_back_whole() {
    let test = TestApp::api().await;
    let operation = order(&test.app, "a", 1).await[0];
    let job = only_due(&test).await;
    let claim = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
    let mut tx = test.app.begin(&caller()).await.unwrap();
    tx.execute("UPDATE bulk_operations SET status = 'processing'", &[]).await.unwrap();
    tx.execute("UPDATE jobs SET fence = fence + 1", &[]).await.unwrap();

    let held = claim.hold(&mut tx, LEASE).await.unwrap_err();
    drop(tx);

    assert_eq!(held.code(), "lease-lost");
    assert_eq!(test.count("SELECT count(*) FROM bulk_operations WHERE status = 'pending'").await, 1);
    assert_eq!(bulk::run(&test.app, &claim, operation).await.unwrap(), jobs::Outcome::Done, "the fence is as it was");
}

#[tokio::test]
async fn a_job_is_poison_after_three_lost_claims_and_its_operation_failed() {
    let test = TestApp::api().await;
    let operation = order(&test.app, "a", 1).await[0];
    let job = only_due(&test).await;
    let claim = async || jobs::claim(&test.app, &caller(), job).await.unwrap();

    assert!(claim().await.is_some());
    test.advance(LEASE);
    assert!(claim().await.is_some(), "the first re-claim is at once");
    test.advance((LEASE + QUARANTINE).saturating_sub(INSTANT));
    assert!(claim().await.is_none(), "the next waits a minute");
    test.advance(INSTANT);
    assert!(claim().await.is_some());
    test.advance(LEASE);
    worker::work(&test.app, job).await.unwrap();

    let row = row(&test, job).await;
    assert_eq!(row.state, "dead");
    assert!(row.last_error.as_ref().unwrap().contains("poison"), "{row:?}");
    assert_eq!(test.count(PROMPTS).await, 0);
    let operation = test.get(&format!("/api/v1/bulk/operations/{operation}")).await.expect(200);
    assert_eq!(operation["status"], "failed");
    assert!(operation["error"].is_string() && operation["finished_at"].is_string(), "{operation}");
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'bulk_operation.failed'").await, 1);
}

#[tokio::test]
async fn a_renewed_lease_does_not_shorten_the_quarantine() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let job = only_due(&test).await;
    let claim = async || jobs::claim(&test.app, &caller(), job).await.unwrap();
    claim().await.unwrap();
    test.advance(LEASE);
    let second = claim().await.unwrap();

    jobs::renew(&test.app, &caller(), &second).await.unwrap();

    test.advance((LEASE + QUARANTINE).saturating_sub(INSTANT));
    assert!(claim().await.is_none(), "its worker lived for a while, and was lost all the same");
    test.advance(INSTANT);
    assert!(claim().await.is_some());
}

#[tokio::test]
async fn progress_forgives_earlier_losses() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let job = only_due(&test).await;
    for _ in 0..5 {
        let claim = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
        assert!(!claim.is_poison());
        let mut tx = test.app.begin(&caller()).await.unwrap();
        claim.hold(&mut tx, LEASE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(row(&test, job).await.claims, 0);
        test.advance(LEASE);
    }

    test.work().await;

    assert_eq!(row(&test, job).await.state, "done");
}

#[tokio::test]
async fn a_unique_job_is_one_while_it_waits_or_runs_and_another_when_it_is_done() {
    let test = TestApp::api().await;
    let operation_id = order(&test.app, "a", 1).await[0];
    let again = async || {
        let mut tx = test.app.begin(&caller()).await.unwrap();
        tx.enqueue(&RunBulkOperation { operation_id, round: 0 }).await.unwrap();
        tx.enqueue(&RunBulkOperation { operation_id, round: 0 }).await.unwrap();
        tx.commit().await.unwrap();
        test.count(JOBS).await
    };

    assert_eq!(again().await, 1, "it waits");
    let job = only_due(&test).await;
    let claim = jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();
    assert_eq!(again().await, 1, "it runs");
    jobs::settle_done(&test.app, &caller(), &claim).await.unwrap();
    assert_eq!(again().await, 2, "it is done");
}

#[tokio::test]
async fn what_was_rung_for_is_rung_again_only_after_a_while() {
    let test = TestApp::api().await;
    order(&test.app, "a", 3).await;
    let take = async |most| jobs::take_due(&test.app, &caller(), QUEUE, most).await.unwrap().len();

    assert_eq!((take(2).await, take(500).await, take(500).await), (2, 1, 0));
    test.advance(Duration::from_secs(10));
    assert_eq!(take(500).await, 3, "nobody answered");
}

#[tokio::test]
async fn a_job_of_a_lost_worker_is_rung_for_as_soon_as_its_lease_is_over() {
    let test = TestApp::api().await;
    order(&test.app, "a", 1).await;
    let take = async || jobs::take_due(&test.app, &caller(), QUEUE, 500).await.unwrap();
    let job = take().await[0];
    jobs::claim(&test.app, &caller(), job).await.unwrap().unwrap();

    assert_eq!(take().await, []);
    test.advance(LEASE);
    assert_eq!(take().await, [job]);
}

#[tokio::test]
async fn a_job_that_is_over_cannot_be_claimed() {
    let test = TestApp::api().await;
    order(&test.app, "a", 2).await;
    test.work().await;
    meddle(&test, "UPDATE jobs SET state = 'dead' WHERE id = (SELECT min(id) FROM jobs)").await;
    test.advance(Duration::from_hours(48));

    assert_eq!(jobs::due(&test.app, QUEUE, 10).await.unwrap(), []);
    let mut conn = test.app.db.read().await.unwrap();
    let ids: Vec<(shared::id::JobId,)> = conn.fetch_all("SELECT id FROM jobs", &[]).await.unwrap();
    for (job,) in ids {
        assert!(jobs::claim(&test.app, &caller(), job).await.unwrap().is_none());
    }
}
