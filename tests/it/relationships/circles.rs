//! Where a circle makes no sense there is none, whoever writes at once.
use support::TestApp;

use super::{prompt, relate};

#[tokio::test]
async fn row_50_what_is_built_on_something_is_not_its_foundation() {
    let test = TestApp::api().await;
    for kind in ["extends", "depends_on"] {
        let names: Vec<String> = (0..4).map(|n| format!("{kind}-{n}")).collect();
        let mut ids = Vec::new();
        for name in &names {
            ids.push(prompt(&test, name).await);
        }
        for pair in ids.windows(2) {
            relate(&test, &pair[0], kind, &pair[1], 1.0).await.expect(201);
        }
        for (from, to) in [(1, 0), (3, 0), (3, 1)] {
            let refused = relate(&test, &ids[from], kind, &ids[to], 1.0).await;
            assert_eq!(refused.code(409), "relationship-cycle", "{kind} {from} -> {to}");
        }
        relate(&test, &ids[0], kind, &ids[3], 1.0).await.expect(201);
        relate(&test, &ids[3], "references", &ids[0], 1.0).await.expect(201);
    }
}

#[tokio::test]
async fn a_circle_of_other_types_is_no_circle() {
    let test = TestApp::api().await;
    let (a, b) = (prompt(&test, "a").await, prompt(&test, "b").await);
    for (kind, other) in [("similar", "similar"), ("extends", "depends_on"), ("replaces", "replaces")] {
        relate(&test, &a, kind, &b, 1.0).await.expect(201);
        relate(&test, &b, other, &a, 1.0).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_would_close_a_circle_together_do_not() {
    let test = TestApp::api().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(prompt(&test, &format!("p{n}")).await);
    }
    // Each relates a prompt to the next, and the last to the first: one of them must lose.
    let replies = (0..6).map(|n| relate(&test, &ids[n], "extends", &ids[(n + 1) % 6], 1.0));
    let replies = futures::future::join_all(replies).await;
    let mut refused = 0;
    for reply in replies {
        match reply.status.as_u16() {
            201 => {}
            409 => refused += 1,
            other => panic!("{other}: {reply:?}"),
        }
    }
    assert_eq!(refused, 1);
    assert_eq!(test.count("SELECT count(*) FROM relationships").await, 5);
}
