//! A few items beside very many.
use std::time::Duration;

use serde_json::json;
use support::{Processes, RedisServer, figure, percentile, until};

use super::{super::taken, LEFT, as_shipped, cancel_all, count, errand, of, workers_live};

/// As many as may wait, but for the few: in ten operations.
const ITEMS: i64 = 9990;

/// So many errands of ten items, one after the other: when each had begun, and when it was over.
async fn errands(store: &Processes) -> (Vec<Duration>, Vec<Duration>) {
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..of(3, 15) {
        let errand = errand(store, 10).await;
        begun.push(errand.begun);
        ended.push(errand.ended);
    }
    (begun, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_items_do_not_wait_for_a_hundred_thousand() {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let _api = store.start_api().await;
    let _worker = store.start_worker();
    workers_live(&store, 1).await;
    let (_, idle) = errands(&store).await;
    for set in 0..10 {
        let item = |number| json!({ "category": "many", "name": format!("{set} {number}"), "content": "x" });
        taken(&store, &(0..ITEMS).map(item).collect()).await;
    }
    until("the many are begun", async || (count(&store, LEFT).await < 10 * ITEMS).then_some(())).await;

    let (begun, ended) = errands(&store).await;

    let left = count(&store, LEFT).await;
    assert!(left > 0, "nothing was left of the many, so this shows nothing");
    cancel_all(&store).await;
    let [idle, median, slowest] = [percentile(&idle, 50), percentile(&ended, 50), percentile(&ended, 100)];
    figure(
        "ten items beside many",
        format_args!(
            "of {} the many had {left} left; begun after {:.2?} at most, over after {median:.2?} (median), {slowest:.2?} \
             (slowest); idle {idle:.2?} (median)",
            10 * ITEMS,
            percentile(&begun, 100)
        ),
    );
}
