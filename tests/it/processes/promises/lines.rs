//! Many lines in and out: what the API holds of them.
use std::time::Duration;

use support::{Process, Processes, RedisServer, figure};

use super::{LEFT, as_shipped, count, drained, of};

/// In this much time any of them is in, or out.
const STREAM_TIME: Duration = Duration::from_mins(10);

/// Sends lines, each a prompt.
pub(super) async fn import(store: &Processes, set: &str, total: usize) {
    let text = "A sentence that is said again. ".repeat(4);
    let line =
        |number| format!("{{\"category\":\"lines\",\"name\":\"{set} {number}\",\"content\":\"{number}: {text}\"}}\n");
    let request = store.client().post(store.url("/api/v1/bulk/import")).timeout(STREAM_TIME);
    let request = request.header("content-type", "application/x-ndjson").body((0..total).map(line).collect::<String>());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

/// How many lines come out.
async fn export(store: &Processes) -> usize {
    let request = store.client().get(store.url("/api/v1/bulk/export")).timeout(STREAM_TIME);
    let (mut answer, mut lines) = (request.send().await.unwrap(), 0);
    while let Some(portion) = answer.chunk().await.unwrap() {
        lines += portion.split(|byte| *byte == b'\n').count() - 1;
    }
    lines
}

/// In, worked and out: the most memory that the API has had since it began.
async fn in_and_out(store: &Processes, api: &Process, set: &str, total: usize) -> f64 {
    import(store, set, total).await;
    drained(store, LEFT).await;
    let prompts = count(store, "SELECT count(*) FROM prompts").await;
    assert_eq!(i64::try_from(export(store).await).unwrap(), prompts);
    api.peak_mib()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_lines_need_no_more_memory_than_a_thousand() {
    let redis = RedisServer::start();
    let store = as_shipped(Processes::distributed(&redis));
    let api = store.start_api().await;
    let _worker = store.start_worker();
    let many = of(4000, 100_000);

    let few = in_and_out(&store, &api, "few", 1000).await;
    let peak = in_and_out(&store, &api, "many", many).await;

    figure(
        "lines in and out",
        format_args!("API {few:.0} MiB with 1000 lines, {peak:.0} MiB with {many} more, at most"),
    );
    assert!(peak - few < 64.0, "{few} MiB, then {peak} MiB");
}
