//! A Redis that answers and refuses what workers need: no job waits for it, everybody says so, and it is used again by itself.
use std::{
    fs,
    time::{Duration, Instant},
};

use shared::jobs::Doorbell;
use support::{Process, Processes, RedisServer, TestApp, until};

use crate::{
    jobs::{all_done, order},
    processes,
};

/// A way to refuse, what is said of it, and how it ends.
struct Refusal {
    begin: &'static str,
    says: &'static str,
    end: &'static str,
}

const REFUSALS: [Refusal; 6] = [
    // One byte: whatever would need more memory is refused.
    Refusal { begin: "CONFIG SET maxmemory 1", says: "maxmemory", end: "CONFIG SET maxmemory 0" },
    Refusal { begin: "REPLICAOF 127.0.0.1 1", says: "primary", end: "REPLICAOF NO ONE" },
    Refusal { begin: "ACL SETUSER default -@scripting", says: "+@all", end: "ACL SETUSER default +@all" },
    Refusal {
        begin: "ACL SETUSER default resetkeys ~elsewhere:*",
        says: "PROMPT_STORE_REDIS_PREFIX",
        end: "ACL SETUSER default ~*",
    },
    Refusal {
        begin: "ACL SETUSER default resetchannels &elsewhere:*",
        says: "channels",
        end: "ACL SETUSER default allchannels",
    },
    Refusal { begin: "ACL SETUSER default -@write", says: "+@all", end: "ACL SETUSER default +@all" },
];

async fn redis_is(test: &TestApp, status: &str) -> String {
    until(&format!("Redis is said to be {status}"), async || {
        let health = test.get("/health").await.expect(200);
        let redis = &health["checks"]["redis"];
        (redis["status"] == status).then(|| redis["detail"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_keeps_no_job_waiting_and_is_used_again_by_itself() {
    let redis = RedisServer::start();
    let test = TestApp::distributed_over(&redis).await;
    let mut jobs = 0;
    for Refusal { begin, says, end } in REFUSALS {
        redis.tell::<()>(begin);
        order(&test.app, &format!("during {begin}"), 5).await;
        jobs += 5;
        all_done(&test, jobs).await;
        let said = redis_is(&test, "degraded").await;
        assert!(said.contains(says) && said.contains("refuses"), "{begin}: {said}");
        let ready = test.get("/health/ready").await.expect(200);
        assert_eq!(ready["degraded"], serde_json::json!(["redis"]), "{begin}");

        redis.tell::<()>(end);
        redis_is(&test, "healthy").await;
        until("the worker is told again", async || test.app.doorbell.is_of_use().await.filter(|it| *it)).await;
        order(&test.app, &format!("after {begin}"), 5).await;
        jobs += 5;
        all_done(&test, jobs).await;
        let ready = test.get("/health/ready").await.expect(200);
        assert_eq!(ready["degraded"], serde_json::json!([]), "{begin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rung_for_and_never_heard_is_found_all_the_same() {
    let redis = RedisServer::start();
    let mut test = TestApp::distributed_over(&redis).await;
    test.stop_worker().await;
    let Doorbell::Redis { prefix, .. } = &test.app.doorbell else { unreachable!() };
    // Whoever listens to this queue comes to grief over what somebody else keeps there; ringing works.
    redis.tell::<()>(&format!("SET {prefix}:bulk-operations:workers somebody-else"));

    test.start_worker();
    order(&test.app, "unheard", 5).await;

    all_done(&test, 5).await;
    assert!(test.app.doorbell.attempt().await.is_ok(), "nothing else is wrong with this Redis");
}

/// A user who may touch what is under the prefix, and nothing else.
const LIMITED: &str = "ACL SETUSER limited on >secret ~prompt-store:* &prompt-store:* +@all -@dangerous";

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_redis_who_may_touch_the_prefix_alone_is_enough() {
    let redis = RedisServer::start();
    redis.tell::<()>(LIMITED);
    let store = Processes::distributed(&redis).with("REDIS_URL", redis.url_as("limited", "secret"));
    let _api = store.start_api().await;
    let _worker = store.start_worker();
    for turn in 0..3 {
        let path = processes::order(&store, &processes::rows(&format!("turn {turn}"), 20, 0)).await;
        assert_eq!(processes::finished(&store, &path).await["status"], "completed");
    }
    until("listeners have said that they are there", async || {
        let keys: Vec<String> = redis.tell("KEYS *");
        keys.iter().any(|key| key.ends_with("bulk-operations:workers")).then_some(())
    })
    .await;

    let keys: Vec<String> = redis.tell("KEYS *");
    let outside: Vec<&String> = keys.iter().filter(|key| !key.starts_with("prompt-store:")).collect();
    assert_eq!(outside, Vec::<&String>::new());
    let (code, said, _) = store.run("prompt-store", &["doctor"]);
    assert!(said.contains("ok     redis: it answers"), "{code}: {said}");
    let denied: Vec<String> = redis.tell::<Vec<redis::Value>>("ACL LOG").iter().map(|it| format!("{it:?}")).collect();
    assert_eq!(denied, Vec::<String>::new(), "nothing was tried that is not allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_said_by_every_process_without_filling_the_log() {
    let redis = RedisServer::start();
    let store = Processes::distributed(&redis);
    let _api = store.start_api().await;
    let port = store.another_port();
    let log = store.folder().join("worker.log");
    let mut command = store.command("prompt-store-worker", &[]);
    // The log as it is by default.
    command.env_remove("PROMPT_STORE_LOG").env("PROMPT_STORE_WORKER_PORT", port.to_string());
    let _worker = Process::start(command.stderr(fs::File::create(&log).unwrap()));
    let up = async |up: &str| {
        for port in [store.port(), port] {
            let line = format!("prompt_store_redis_up {up}\n");
            until(&format!("the process at {port} tells `{line}`"), async || {
                let told = store.client().get(format!("http://127.0.0.1:{port}/metrics")).send().await.ok()?;
                told.text().await.ok()?.contains(&line).then_some(())
            })
            .await;
        }
    };
    up("1").await;

    redis.tell::<()>("CONFIG SET maxmemory 1");
    up("0").await;
    let (began, mut turns) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(5) {
        let path = processes::order(&store, &processes::rows(&format!("turn {turns}"), 5, 0)).await;
        assert_eq!(processes::finished(&store, &path).await["status"], "completed");
        turns += 1;
    }
    let (code, said, _) = store.run("prompt-store", &["doctor"]);
    let line = said.lines().find(|line| line.contains("redis: ")).unwrap();
    assert!(code == 1 && line.starts_with("WRONG") && line.contains("maxmemory"), "{said}");
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("look for jobs in the database"), "{said}");
    assert!(said.lines().count() < 20, "{turns} turns: {said}");

    redis.tell::<()>("CONFIG SET maxmemory 0");
    up("1").await;
    until("the log says that it is over", async || {
        fs::read_to_string(&log).unwrap().contains("does again what workers ask").then_some(())
    })
    .await;
}
