//! Following events as they happen.
use axum::{
    body::Body,
    http::{Method, Request},
};
use support::TestApp;

async fn make(test: &TestApp, names: std::ops::Range<usize>) {
    for name in names {
        test.prompt("a", &name.to_string(), "x").await;
    }
    test.work().await;
}

#[tokio::test]
async fn a_stream_begins_with_what_happens_next() {
    let test = TestApp::api().await;
    make(&test, 0..3).await;
    let mut events = test.follow(None).await;

    make(&test, 3..5).await;

    let told = events.take(2).await;
    assert_eq!((told[0].0, told[0].1.as_str()), (4, "prompt.created"));
    assert_eq!((told[1].2["data"]["name"].as_str(), &told[1].2["sequence"]), (Some("4"), &5.into()));
}

#[tokio::test]
async fn whoever_comes_back_goes_on_where_it_was_without_gap_or_double() {
    let test = TestApp::api().await;
    make(&test, 0..20).await;
    let (mut seen, mut last) = (Vec::new(), 0);
    for turn in 0..10 {
        let mut events = test.follow(Some(last)).await;
        make(&test, 20 + turn * 3..23 + turn * 3).await;
        for (id, _, _) in events.take(5).await {
            seen.push(id);
            last = id;
        }
    }
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_place_that_is_no_more_or_never_was_is_refused() {
    let test = TestApp::api().await;
    make(&test, 0..3).await;
    let ask =
        async |id: &str| test.request(Method::GET, "/api/v1/events", &[("last-event-id", id)], Body::empty()).await;
    for id in ["4", "x", "-1", "", "1.5", "99999999999999999999"] {
        assert_eq!(ask(id).await.code(400), "bad-cursor", "{id}");
    }
    assert_eq!(ask("3").await.header("content-type"), "text/event-stream");

    test.advance(std::time::Duration::from_hours(31 * 24));
    make(&test, 3..5).await;
    assert_eq!(shared::notifications::purge(&test.app, &support::caller(), 100).await.unwrap(), 3);

    assert_eq!(ask("2").await.code(410), "events-gone");
    assert_eq!(test.follow(Some(3)).await.next().await.unwrap().0, 4);
    assert_eq!(test.follow(Some(0)).await.next().await.unwrap().0, 4, "from the oldest that is kept");
}

#[tokio::test]
async fn no_more_than_so_many_follow_at_once() {
    let test = TestApp::api().await;
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(test.follow(None).await);
    }
    let reply = test.request(Method::GET, "/api/v1/events", &[], Body::empty()).await;
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(reply.code(503), "overloaded");

    all.pop();

    support::until("a place is free again", async || {
        let reply = test.send(Request::get("/api/v1/events").body(Body::empty()).unwrap()).await;
        (reply.status == 200).then_some(())
    })
    .await;
}
