//! Whoever is killed while events are told: every receiver is told of all of them, and knows what it is told twice.
//!
//! By hand with as many as one likes: `make kills EVENTS=5000 KILLS=200`.
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use futures::future::join_all;
use serde_json::json;
use support::{Process, Processes, Received, Receiver, RedisServer, until, until_none_left, variable};

use super::figures::hook;

const ENDPOINTS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_every_event_is_told_and_what_comes_twice_is_the_same() {
    let (events, kills) = (variable("WEBHOOK_EVENTS", 120), variable("WEBHOOK_KILLS", 9));
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let members = vec![store.start_api().await, store.start_worker(), store.start_worker()];
    let receivers = join_all((0..ENDPOINTS).map(|_| Receiver::start())).await;
    for receiver in &receivers {
        hook(&store, receiver).await;
    }

    let began = Instant::now();
    let killing = kill(&store, &redis, members, &receivers, events, kills);
    let ((_members, killed), ()) = tokio::join!(killing, make(&store, events));
    until_none_left("all were told", async || untold(&store, events * ENDPOINTS).await).await;

    let (mut missing, mut again) = (0, BTreeMap::<usize, usize>::new());
    for receiver in &receivers {
        let mut told = BTreeMap::<String, Received>::new();
        for it in receiver.received() {
            let id = it.header("webhook-id").to_owned();
            let Some(first) = told.get(&id) else {
                told.insert(id, it);
                continue;
            };
            assert_eq!(first.body, it.body, "{id} tells something else the second time");
            let culprit = (0..killed.len()).min_by_key(|kill| apart(killed[*kill], first.at));
            *again.entry(culprit.expect("nobody was killed")).or_default() += 1;
        }
        let names: BTreeSet<_> = told.values().map(|it| it.json()["data"]["name"].to_string()).collect();
        assert_eq!(names.len(), told.len(), "an event has one id");
        missing += events - names.len();
    }
    let twice: usize = again.values().sum();
    println!(
        "{kills} SIGKILLs, {} of them of workers, one FLUSHALL: {} deliveries to {ENDPOINTS} receivers, {missing} missing, \
         {twice} sent again, at most {} after one kill; {:.0?}",
        killed.len(),
        events * ENDPOINTS,
        again.values().max().unwrap_or(&0),
        began.elapsed()
    );
    assert_eq!(missing, 0);
    // Whoever is killed may have sent one to each receiver without having written it down.
    assert!(twice <= killed.len() * ENDPOINTS, "{twice} deliveries were sent again");
}

fn apart(one: Instant, other: Instant) -> std::time::Duration {
    one.saturating_duration_since(other).max(other.saturating_duration_since(one))
}

/// Makes so many prompts, each asked for until the API says that it is there.
async fn make(store: &Processes, events: usize) {
    for n in 0..events {
        let body = json!({ "category": "a", "name": n.to_string(), "content": "x" });
        until("the API is there", async || {
            let request = store.client().post(store.url("/api/v1/prompts")).header("idempotency-key", n.to_string());
            let status = request.json(&body).send().await.ok()?.status();
            (status == 201).then_some(())
        })
        .await;
    }
}

/// Kills the API and the workers in turn, evenly over all that is to be sent. Answers who runs at the end, and when
/// workers were killed.
async fn kill(
    store: &Processes,
    redis: &RedisServer,
    mut members: Vec<Process>,
    receivers: &[Receiver],
    events: usize,
    kills: usize,
) -> (Vec<Process>, Vec<Instant>) {
    let mut killed = Vec::new();
    for kill in 0..kills {
        let due = events * ENDPOINTS * (kill + 1) / (kills + 1);
        until("more is sent", async || (receivers.iter().map(Receiver::count).sum::<usize>() >= due).then_some(()))
            .await;
        let member = kill % members.len();
        members[member].kill();
        if member == 0 {
            members[0] = store.start_api().await;
        } else {
            killed.push(Instant::now());
            members[member] = store.start_worker();
        }
        if kill == kills / 2 {
            redis.flush().await;
        }
    }
    (members, killed)
}

/// How many of so many deliveries no receiver has taken yet.
async fn untold(store: &Processes, all: usize) -> usize {
    let stats = store.get("/api/v1/notifications/stats").await.filter(|(status, _)| *status == 200);
    let taken = stats.map_or(0, |(_, stats)| stats["status_counts"]["delivered"].as_u64().unwrap_or(0));
    all - usize::try_from(taken).unwrap()
}
