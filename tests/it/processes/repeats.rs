//! P-H2: whoever repeats a request with its key until it is answered has it done once, whatever was killed meanwhile.
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Processes, figure, in_full, until};

use super::count;

const CLIENTS: usize = 8;

/// Repeats a request until it is answered. Answers what was made, and how often it was asked.
async fn insist(store: &Processes, key: &str) -> (Value, usize) {
    let body = json!({ "category": "c", "name": key, "content": "x" });
    let asked = AtomicUsize::new(0);
    let made = until("it is answered", async || {
        asked.fetch_add(1, Ordering::Relaxed);
        let request = store.client().post(store.url("/api/v1/prompts")).header("idempotency-key", key).json(&body);
        // No answer, or one that says to come back: it may have been done or not.
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        if [409, 503].contains(&status) {
            return None;
        }
        let made: Value = answer.json().await.ok()?;
        assert_eq!(status, 201, "{made}");
        Some(made)
    })
    .await;
    (made, asked.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn row_44_requests_that_are_repeated_under_kills_are_done_once() {
    let store = Processes::embedded();
    let (each, wanted_kills) = if in_full() { (500, 60) } else { (40, 8) };
    let (done, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let clients = futures::future::join_all((0..CLIENTS).map(async |client| {
        for n in 0..each {
            let key = format!("{client}-{n}");
            let (made, times) = insist(&store, &key).await;
            // Asked again, it is what it was.
            assert_eq!(insist(&store, &key).await.0["id"], made["id"]);
            asked.fetch_add(times, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let killer = async {
        let (mut random, mut kills) = (StdRng::seed_from_u64(7), 0);
        let mut api = store.start_api().await;
        while done.load(Ordering::Relaxed) < CLIENTS * each {
            // Kills come at random moments of the work, and as many as were wanted.
            let next = done.load(Ordering::Relaxed) + random.random_range(1..=CLIENTS * each / wanted_kills);
            let enough = || done.load(Ordering::Relaxed) >= next.min(CLIENTS * each);
            until("more is done", async || enough().then_some(())).await;
            if done.load(Ordering::Relaxed) < CLIENTS * each {
                api.kill();
                kills += 1;
                api = store.start_api().await;
            }
        }
        kills
    };
    let (_, kills) = tokio::join!(clients, killer);

    let rows = count(&store, "SELECT count(*) FROM prompts").await;
    assert_eq!(usize::try_from(rows).unwrap(), CLIENTS * each);
    let rows_of_audit = count(&store, "SELECT count(*) FROM audit_log WHERE action = 'prompt.created'").await;
    assert_eq!(rows_of_audit, rows);
    figure(
        "P-H2",
        format!("{kills} kills, {rows} keys, asked {} times: {rows} prompts", asked.load(Ordering::Relaxed)),
    );
}
