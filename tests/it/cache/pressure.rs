//! P-C3, P-C6: many who ask at once, and names that nobody has.
use std::sync::Arc;

use futures::future::join_all;
use support::{TestApp, figure, in_full};

use super::{AB, content, stat};

/// Nobody of the thousand is turned away, however slow the machine is.
const ROOM: [&str; 2] = ["--max-in-flight", "1000"];

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_ask_at_once_cost_one_query() {
    let test = Arc::new(TestApp::with(&ROOM).await);
    let _ = test.prompt("a", "b", "one").await;
    let tasks = (0..1000).map(|_| {
        let test = Arc::clone(&test);
        tokio::spawn(async move { content(&test).await })
    });
    for read in join_all(tasks).await {
        assert_eq!(read.unwrap(), "one");
    }
    let [hits, misses] = [stat(&test, "/memory/hits").await, stat(&test, "/memory/misses").await];
    figure("P-C3", format_args!("1,000 reads at once: {misses} read the database, {hits} waited for it"));
    assert_eq!((hits, misses), (999, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_ask_for_what_is_not_there_cost_one_query() {
    let test = Arc::new(TestApp::with(&ROOM).await);
    let tasks = (0..1000).map(|_| {
        let test = Arc::clone(&test);
        tokio::spawn(async move { test.get(AB).await.problem(404, "not-found") })
    });
    join_all(tasks).await;
    assert_eq!(stat(&test, "/memory/misses").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_has_do_not_drive_out_what_is_read() {
    // Room for some thousand refusals, of which ten times as many come.
    let test = TestApp::with(&["--cache-bytes", "1000000", "--cache-max-age-ms", "3600000"]).await;
    let hot: Vec<String> = (0..20).map(|n| format!("/api/v1/prompts/search/hot/{n}")).collect();
    for n in 0..20 {
        let _ = test.prompt("hot", &n.to_string(), "x").await;
    }
    let flood = if in_full() { 300_000 } else { 20_000 };
    let mut kept = 0;
    for number in 0..flood {
        if number % 5 == 0 {
            let reply = test.get(&hot[number / 5 % hot.len()]).await;
            kept += usize::from(super::status(&reply) == super::HIT);
        }
        test.get(&format!("/api/v1/prompts/search/none/{number}")).await.problem(404, "not-found");
    }
    let share = kept * 1000 / (flood / 5);
    figure(
        "P-C6",
        format_args!("{flood} names that nobody has: {}.{} % of the reads of others hit", share / 10, share % 10),
    );
    assert!(share >= 950, "{share} of 1,000");
    assert!(stat(&test, "/memory/bytes").await <= 1_100_000);
}
