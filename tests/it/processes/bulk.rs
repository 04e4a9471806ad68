//! Bulk operations by real workers, which are killed in the middle: nothing is lost, and nothing done twice.
use support::{Processes, RedisServer, until};

use super::{content, count, finished, holds_exactly, order, rows};

const LEFT: &str = "SELECT CAST(sum(total_items - successful_items - skipped_items - failed_items) AS BIGINT)
                    FROM bulk_operations";

/// Orders ever larger sets until one is seen half done. Answers where it is, and all rows ordered so far.
async fn halfway(store: &Processes) -> (String, Vec<(String, String)>) {
    let mut all = Vec::new();
    for total in [1500, 4000, 9000] {
        let rows = rows(&format!("set of {total}"), total, 0);
        let path = order(store, &rows).await;
        all.extend(rows);
        let processed = until("a chunk is done", async || {
            let (_, operation) = store.get(&path).await?;
            operation["processed_items"].as_u64().filter(|processed| *processed > 0)
        })
        .await;
        if processed < total as u64 {
            return (path, all);
        }
    }
    panic!("the workers are too fast to be caught in the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_make_every_prompt_and_refuse_repeated_names() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let _workers = [store.start_worker(), store.start_worker()];
    let rows = rows("library", 217, 4);

    let path = order(&store, &rows).await;

    let operation = finished(&store, &path).await;
    assert_eq!(operation["status"], "completed_with_errors");
    let numbers = ["total_items", "processed_items", "successful_items", "skipped_items", "failed_items"];
    assert_eq!(numbers.map(|key| operation[key].as_i64().unwrap()), [217, 217, 213, 0, 4]);
    for (place, error) in operation["errors"].as_array().unwrap().iter().enumerate() {
        assert_eq!((error["index"].as_u64(), error["code"].as_str()), (Some(213 + place as u64), Some("duplicate")));
    }
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_in_the_middle_and_started_again_make_every_prompt_once() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let mut workers = [store.start_worker(), store.start_worker()];
    let (path, rows) = halfway(&store).await;

    workers.iter_mut().for_each(support::Process::kill);

    assert!(count(&store, LEFT).await > 0, "the kill came too late");
    let _workers = [store.start_worker(), store.start_worker()];
    assert_eq!(finished(&store, &path).await["status"], "completed");
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_back_late_does_nothing_twice() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let late = store.start_worker();
    let (path, rows) = halfway(&store).await;

    late.pause();

    let left = count(&store, LEFT).await;
    assert!(left > 0, "the pause came too late");
    let _other = store.start_worker();
    // Longer than the lease, unless it is clear before that the other has taken over. It cannot, if the late one
    // was stopped while it held the database; then both begin at once.
    let mut looks = 0;
    until("the other took over", async || {
        looks += 1;
        (count(&store, LEFT).await < left || looks == 150).then_some(())
    })
    .await;
    late.resume();
    assert_eq!(finished(&store, &path).await["status"], "completed");
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_nothing_advances_and_health_says_so() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let rows = vec![("alone".to_owned(), content(1))];
    let path = order(&store, &rows).await;

    let mut looks = 0;
    until("it was looked at often enough", async || {
        let (status, health) = store.get("/health").await?;
        assert_eq!((status, health["checks"]["worker"]["status"].as_str()), (200, Some("degraded")), "{health}");
        assert_eq!(health["status"], "degraded");
        let (_, operation) = store.get(&path).await?;
        assert_eq!((operation["status"].as_str(), operation["processed_items"].as_i64()), (Some("pending"), Some(0)));
        looks += 1;
        (looks == 25).then_some(())
    })
    .await;

    let _worker = store.start_worker();
    assert_eq!(finished(&store, &path).await["status"], "completed");
    let (_, health) = store.get("/health").await.unwrap();
    assert_eq!(health["checks"]["worker"]["status"], "healthy", "{health}");
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_store_killed_in_the_middle_goes_on_where_it_was() {
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let (path, rows) = halfway(&store).await;

    api.kill();

    assert!(count(&store, LEFT).await > 0, "the kill came too late");
    let _api = store.start_api().await;
    assert_eq!(finished(&store, &path).await["status"], "completed");
    holds_exactly(&store, &rows).await;
}
