//! What is promised of jobs, on both doorbells: in the process, and through Redis.
use serde_json::json;
use shared::{
    bulk::RunBulkOperation,
    id::{JobId, OperationId},
    jobs::WINDOW,
};
use support::{TestApp, caller, until};

use super::{DEAD, DONE, JOBS, PROMPTS, QUEUE, RUNNING, all_done, meddle, order, silent};

macro_rules! on_both_doorbells {
    ($($name:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(support::TestApp::embedded().await).await;
            })+
        }
        mod distributed {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(support::TestApp::distributed().await).await;
            })+
        }
    };
}

on_both_doorbells!(
    a_job_enqueued_in_a_transaction_is_worked,
    an_order_that_was_rolled_back_is_no_job,
    a_job_whose_ring_was_lost_is_found_by_the_scheduler,
    more_jobs_than_the_window_holds_are_all_worked,
    a_window_takes_five_hundred_rings_and_leaves_the_rest_to_the_ledger,
    a_ring_heard_many_times_is_one_piece_of_work,
    a_graceful_stop_gives_jobs_back_and_a_new_worker_goes_on,
    jobs_that_ended_well_are_thrown_away_after_a_day_and_dead_ones_after_thirty,
);

async fn a_job_enqueued_in_a_transaction_is_worked(test: TestApp) {
    order(&test.app, "one", 1).await;

    all_done(&test, 1).await;
}

async fn an_order_that_was_rolled_back_is_no_job(test: TestApp) {
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let operation_id = OperationId::generate(tx.now());
    tx.enqueue(&RunBulkOperation { operation_id, round: 0 }).await.unwrap();
    drop(tx);

    order(&test.app, "after", 1).await;
    all_done(&test, 1).await;
}

async fn a_job_whose_ring_was_lost_is_found_by_the_scheduler(test: TestApp) {
    order(&silent(&test), "lost", 20).await;

    all_done(&test, 20).await;
}

async fn more_jobs_than_the_window_holds_are_all_worked(test: TestApp) {
    order(&test.app, "many", 700).await;
    assert!(test.app.doorbell.room(QUEUE).await.unwrap() < WINDOW, "the commit rings");

    all_done(&test, 700).await;

    assert_eq!(test.count("SELECT count(*) FROM jobs WHERE fence <> 1").await, 0, "each was claimed once");
}

async fn a_window_takes_five_hundred_rings_and_leaves_the_rest_to_the_ledger(mut test: TestApp) {
    test.stop_worker().await;
    let jobs: Vec<JobId> = (0..1200).map(|_| JobId::generate(test.now())).collect();

    let mut rung = 0;
    for some in jobs.chunks(300) {
        rung += test.app.doorbell.ring(QUEUE, some).await;
    }

    assert_eq!(rung, WINDOW);
    assert_eq!(test.app.doorbell.room(QUEUE).await.unwrap(), 0);
}

async fn a_ring_heard_many_times_is_one_piece_of_work(test: TestApp) {
    order(&silent(&test), "often", 10).await;
    let jobs = shared::jobs::due(&test.app, QUEUE, 10).await.unwrap();
    for _ in 0..10 {
        test.app.doorbell.ring(QUEUE, &jobs).await;
    }

    all_done(&test, 10).await;
    until("every ring was heard", async || {
        let room = test.app.doorbell.room(QUEUE).await.unwrap();
        (room == WINDOW).then_some(())
    })
    .await;
    assert_eq!(test.count("SELECT count(*) FROM jobs WHERE fence <> 1").await, 0, "each was claimed once");
    assert_eq!(test.count("SELECT count(*) FROM audit_log WHERE action = 'prompt.created'").await, 10);
}

async fn a_graceful_stop_gives_jobs_back_and_a_new_worker_goes_on(mut test: TestApp) {
    let item = |number: usize| json!({ "category": "long", "name": format!("n{number}"), "content": "x" });
    let items: Vec<_> = (0..1500).map(item).collect();
    let _ = test.post("/api/v1/bulk/prompts", items.into()).await.expect(202);
    order(&test.app, "short", 50).await;
    until("the worker is at it", async || (test.count(PROMPTS).await > 0).then_some(())).await;

    test.stop_worker().await;

    assert_eq!(test.count(RUNNING).await, 0, "what ran is given back");
    assert!(test.count(DONE).await < 51, "the stop came in the middle");
    let before = test.count(PROMPTS).await;
    test.start_worker();
    until("every job is done", async || (test.count(DONE).await == 51).then_some(())).await;
    assert!(before < 1550);
    assert_eq!((test.count(PROMPTS).await, test.count(JOBS).await, test.count(DEAD).await), (1550, 51, 0));
}

async fn jobs_that_ended_well_are_thrown_away_after_a_day_and_dead_ones_after_thirty(mut test: TestApp) {
    order(&test.app, "old", 3).await;
    let mut tx = test.app.begin(&caller()).await.unwrap();
    let unknown = OperationId::generate(tx.now());
    tx.enqueue(&RunBulkOperation { operation_id: unknown, round: 0 }).await.unwrap();
    tx.commit().await.unwrap();
    until("all are over", async || (test.count(DONE).await == 3 && test.count(DEAD).await == 1).then_some(())).await;
    test.stop_worker().await;
    meddle(&test, "UPDATE jobs SET finished_at = finished_at - 86400000").await;
    order(&test.app, "young", 1).await;

    test.start_worker();

    let old = "SELECT count(*) FROM jobs WHERE state = 'done' AND finished_at < created_at";
    until("the old ones are gone", async || (test.count(old).await == 0).then_some(())).await;
    until("the young one is done", async || (test.count(DONE).await == 1).then_some(())).await;
    assert_eq!(test.count(DEAD).await, 1);
    test.stop_worker().await;
    meddle(&test, "UPDATE jobs SET finished_at = finished_at - 2505600000 WHERE state = 'dead'").await;
    test.start_worker();
    until("the dead one is gone", async || (test.count(DEAD).await == 0).then_some(())).await;
}
