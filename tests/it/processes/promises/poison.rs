//! A job that kills its worker, each time: it is put aside, and nobody else has to wait for it.
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use serde_json::{Value, json};
use support::{Process, Processes, Receiver, RedisServer, caller, figure, in_full, open_for_bench, percentile, until};

use super::{as_shipped, errand, of, workers_live};

const WORKERS: usize = 3;

/// A receiver that kills whoever calls it, as a message would that its sender cannot bear; as long as it is armed.
async fn killer(workers: Arc<Mutex<Vec<Process>>>, armed: Arc<AtomicBool>) -> Receiver {
    Receiver::answering(move |_, request| {
        if armed.load(Ordering::Acquire) {
            let mut workers = workers.lock().unwrap();
            // The lists of sockets and files change while they are read, and may miss one. A caller that is not found
            // gets no answer that would be taken for success.
            let looks = (0..100).find_map(|_| workers.iter().position(|worker| worker.speaks_from(request.port)));
            let Some(caller) = looks else { return StatusCode::INTERNAL_SERVER_ERROR };
            workers[caller].kill();
        }
        StatusCode::NO_CONTENT
    })
    .await
}

/// Starts the workers that have died again, as a supervisor would.
fn revive(store: &Processes, workers: &Mutex<Vec<Process>>) {
    for worker in workers.lock().unwrap().iter_mut().filter_map(|it| it.has_ended().then_some(it)) {
        *worker = store.start_worker();
    }
}

/// The job that was given up, as an administrator sees it.
async fn dead(store: &Processes) -> Option<Value> {
    let (_, page) = store.get("/api/v1/jobs?state=dead").await?;
    page["items"].as_array().unwrap().first().cloned()
}

/// As if the minute were over for which a job that has killed twice is left alone.
async fn end_quarantine(store: &Processes) {
    let app = open_for_bench(&store.location()).await;
    let mut tx = app.begin(&caller()).await.unwrap();
    tx.execute("UPDATE jobs SET run_at = 0 WHERE queue = 'webhook-deliveries' AND claims = 2", &[]).await.unwrap();
    tx.commit().await.unwrap();
    app.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_worker_is_dead_after_three_and_keeps_no_other_waiting() {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let _api = store.start_api().await;
    let workers: Arc<Mutex<Vec<Process>>> = Arc::default();
    workers.lock().unwrap().extend((0..WORKERS).map(|_| store.start_worker()));
    workers_live(&store, 3).await;
    let (mut usual, mut meanwhile) = (Vec::new(), Vec::new());
    for _ in 0..of(20, 300) {
        usual.push(errand(&store, 1).await.ended);
    }

    let armed = Arc::new(AtomicBool::new(true));
    let receiver = killer(Arc::clone(&workers), Arc::clone(&armed)).await;
    let hook = json!({ "name": "killer", "url": receiver.url(), "events": ["bulk_operation.started"] });
    assert_eq!(store.post("/api/v1/webhooks", &hook).await.unwrap().0, 201);
    let job = loop {
        meanwhile.push(errand(&store, 1).await.ended);
        if let Some(job) = dead(&store).await {
            break job;
        }
        revive(&store, &workers);
        if !in_full() {
            end_quarantine(&store).await;
        }
    };

    // Where workers die as slowly as they work, one that was taken for lost may count as well, and then calls no more.
    let deaths = receiver.received().len();
    assert_eq!((&job["error"], deaths > 0), (&json!("poison"), true), "{job}");
    armed.store(false, Ordering::Release);
    revive(&store, &workers);
    let retry = format!("/api/v1/jobs/{}/retry", job["id"].as_str().unwrap());
    // For a moment another may stand in its place: one that was ordered since, and finds the receiver left alone.
    let again = until("it is tried again", async || {
        let (status, again) = store.post(&retry, &json!({})).await?;
        (status == 200).then_some(again)
    })
    .await;
    assert_eq!(again["state"], "available", "{again}");
    until("it is called once more", async || (receiver.received().len() > deaths).then_some(())).await;
    let p95 = |times: &[Duration]| percentile(times, 95);
    figure(
        "poison",
        format_args!(
            "dead after {deaths} workers; p95 of {} others {:.2?}, p95 of {} others meanwhile {:.2?}, the slowest {:.1?}",
            usual.len(),
            p95(&usual),
            meanwhile.len(),
            p95(&meanwhile),
            percentile(&meanwhile, 100)
        ),
    );
}
