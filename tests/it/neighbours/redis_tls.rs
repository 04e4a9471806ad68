//! A Redis behind TLS, with an authority of its own.
use support::{Processes, RedisServer, Tls, until};

use crate::processes::{self, start::refuses};

const CA: &str = "PROMPT_STORE_REDIS_CA_FILE";
const CERTIFICATE: &str = "PROMPT_STORE_REDIS_CERT_FILE";
const KEY: &str = "PROMPT_STORE_REDIS_KEY_FILE";

/// Jobs are done, answers kept, and changes told of.
async fn works(redis: &RedisServer, store: &Processes, clients: &str) {
    let _api = store.start_api().await;
    let _worker = store.start_worker();
    let path = processes::order(store, &processes::rows("encrypted", 20, 0)).await;
    assert_eq!(processes::finished(store, &path).await["status"], "completed");
    let health = store.get("/health").await.unwrap().1;
    assert_eq!(health["checks"]["redis"]["status"], "healthy", "{health}");
    let stats = store.get("/api/v1/cache/stats").await.unwrap().1;
    assert_eq!(stats["redis"]["available"], true, "{stats}");
    until("both processes listen to what changes", async || {
        let mut command = std::process::Command::new("redis-cli");
        command.args(clients.split(' ')).args(["--tls", "--cacert", &redis.file("root.crt"), "-u", &redis.url()]);
        let listeners = command.args(["PUBSUB", "NUMSUB", "prompt-store:cache-news"]).output().unwrap();
        String::from_utf8(listeners.stdout).unwrap().lines().any(|line| line == "2").then_some(())
    })
    .await;
    let (_, said, _) = store.run("prompt-store", &["doctor"]);
    assert!(said.contains("ok     redis: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn api_and_worker_reach_a_redis_behind_tls_by_its_own_authority() {
    let redis = RedisServer::start_with_tls(Tls::Anybody);
    let store = Processes::distributed(&redis).with(CA, redis.file("root.crt"));
    works(&redis, &store, "--no-auth-warning").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_wants_a_certificate_is_shown_one() {
    let redis = RedisServer::start_with_tls(Tls::Certified);
    let store = Processes::distributed(&redis).with(CA, redis.file("root.crt"));
    assert_eq!(store.run("prompt-store", &["migrate"]).0, 0);
    refuses(&mut store.command("prompt-store", &[]), 78, &["Redis", CERTIFICATE, KEY]);
    let (certificate, key) = (redis.file("data/server.crt"), redis.file("data/server.key"));
    let store = store.with(CERTIFICATE, &certificate).with(KEY, &key);
    works(&redis, &store, &format!("--cert {certificate} --key {key}")).await;
}

#[test]
fn what_does_not_fit_together_is_said_at_the_start() {
    let (plain, encrypted) = (RedisServer::start(), RedisServer::start_with_tls(Tls::Anybody));
    let root = encrypted.file("root.crt");
    let store = Processes::distributed(&encrypted);
    assert_eq!(store.run("prompt-store", &["migrate"]).0, 0);
    let refused = |variables: &[(&str, &str)], code: i32, words: &[&str]| {
        refuses(store.command("prompt-store", &[]).envs(variables.iter().copied()), code, words);
    };
    // Nobody known vouches for it.
    refused(&[], 78, &["Redis", "certificate", CA]);
    refused(&[(CA, "/nowhere/root.crt")], 78, &[CA, "/nowhere/root.crt"]);
    refused(&[(CA, &encrypted.file("data/server.key"))], 78, &[CA, "PEM"]);
    refused(&[(CA, &root), (KEY, &encrypted.file("data/server.key"))], 78, &[CERTIFICATE, KEY]);
    refused(&[("REDIS_URL", &plain.url()), (CA, &root)], 78, &[CA, "rediss://"]);
    // A server that does not speak TLS, and one that speaks nothing else.
    refused(&[("REDIS_URL", &plain.url().replace("redis:", "rediss:")), (CA, &root)], 69, &["Redis"]);
    refused(&[("REDIS_URL", &encrypted.url().replace("rediss:", "redis:"))], 69, &["Redis"]);
    refused(&[("REDIS_URL", &format!("{}/#insecure", encrypted.url()))], 2, &["insecure", CA]);
}
