//! Many hosts: a database, Redis, APIs and workers on one network, which loses hosts and gets them back.
use std::{fs::File, path::PathBuf};

use serde_json::{Value, json};
use shared::db::Db;
use support::{Engine, Host, Hosts, PATIENCE, PostgresServer, Process, RedisServer, binary, engine, settings, until};
use tempfile::TempDir;

const KEY: &str = "kP7-3xQz9_vLr2TfWb8mYhNc4JdSgAe6";
const ITEMS: usize = 10_000;

const PROCESSED: &str = "SELECT CAST(sum(successful_items) AS BIGINT) FROM bulk_operations";

/// The hosts, what the first of them serves, and the log of each process.
struct Network {
    hosts: Hosts,
    postgres: PostgresServer,
    redis: RedisServer,
    logs: TempDir,
}

impl Network {
    fn new() -> Option<Self> {
        let hosts = Hosts::new(&["data", "api-1", "api-2", "worker-1", "worker-2", "worker-3", "client"])?;
        let postgres = PostgresServer::start_on(hosts.get("data"), &["autovacuum=on"]);
        postgres.create("store");
        let redis = RedisServer::start_on(hosts.get("data"));
        Some(Self { hosts, postgres, redis, logs: TempDir::new().unwrap() })
    }

    fn start(&self, host: &str, name: &str) -> Process {
        let host = self.hosts.get(host);
        let mut command = host.command(binary(name));
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(self.logs.path());
        command.env("PROMPT_STORE_DB", self.postgres.url("store")).env("REDIS_URL", self.redis.url());
        command.env("PROMPT_STORE_SECRET_KEY", KEY).env("PROMPT_STORE_ADMIN_KEY", KEY);
        command.env("PROMPT_STORE_HOST", host.address()).env("PROMPT_STORE_WORKER_HOST", host.address());
        command.env("PROMPT_STORE_LEASE_MS", "2000").env("PROMPT_STORE_TICK_MS", "100");
        command.env("PROMPT_STORE_LOG", "warn").stderr(File::create(self.log(host)).unwrap());
        // The machine is as busy as many hosts are.
        command.env("PROMPT_STORE_HANDLER_TIMEOUT_MS", "60000");
        if name == "prompt-store-worker" {
            // What a worker held when its host was lost is free again before its lease ends, as with the defaults.
            command.env("PROMPT_STORE_DB_TIMEOUT_MS", "1500");
        }
        Process::start(&mut command)
    }

    fn log(&self, host: &Host) -> PathBuf {
        self.logs.path().join(host.address())
    }

    /// A request from a host of its own: the status, and the JSON of the answer. Nothing, if nobody answers.
    async fn request(&self, api: &str, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let url = format!("http://{}:5110{path}", self.hosts.get(api).address());
        let send = async move || {
            let client = shared::http::client(PATIENCE).unwrap();
            let request = body.map_or_else(|| client.get(&url), |body| client.post(&url).json(&body));
            let response = request.bearer_auth(KEY).send().await.ok()?;
            Some((response.status().as_u16(), response.json().await.ok()?))
        };
        self.hosts.get("client").run(send).await
    }

    /// A number the database knows.
    fn count(&self, sql: &str) -> usize {
        self.postgres.sql("store", &[sql]).parse().unwrap()
    }

    /// The host of this address.
    fn at(&self, address: &str) -> &Host {
        let workers = ["worker-1", "worker-2", "worker-3"].map(|name| self.hosts.get(name));
        workers.into_iter().find(|host| host.address() == address).unwrap()
    }

    /// The addresses of the hosts whose worker is in the middle of a chunk now.
    fn at_work(&self) -> Vec<String> {
        let addresses = "SELECT DISTINCT host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid)
                         WHERE relation = 'prompts'::regclass AND mode = 'RowExclusiveLock'";
        self.postgres.sql("store", &[addresses]).lines().map(str::to_owned).collect()
    }

    /// The address of the host whose worker leads.
    fn leader(&self) -> Option<String> {
        let address = "SELECT host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid)
                       WHERE locktype = 'advisory' AND granted";
        Some(self.postgres.sql("store", &[address])).filter(|address| !address.is_empty())
    }
}

async fn order(network: &Network, api: &str, category: &str) -> String {
    let prompts: Vec<Value> = (0..ITEMS)
        .map(|number| json!({ "category": category, "name": format!("n{number}"), "content": format!("№ {number}") }))
        .collect();
    let (status, operation) = network.request(api, super::BULK, Some(prompts.into())).await.unwrap();
    assert_eq!(status, 202, "{operation}");
    format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap())
}

/// Cuts off a host whose worker is in the middle of a chunk, and does not lead: that is another one's part. Nothing, if all
/// items are done before.
async fn cut_off_in_the_middle(network: &Network, items: usize) -> Option<&Host> {
    until("a worker is cut off in the middle of a chunk, or all is done", async || {
        if network.count(PROCESSED) == items {
            return Some(None);
        }
        let leader = network.leader()?;
        let address = network.at_work().into_iter().find(|address| *address != leader)?;
        let host = network.at(&address);
        host.cut();
        // It may have come to the end just before.
        if network.at_work().contains(&address) {
            return Some(Some(host));
        }
        host.join();
        None
    })
    .await
}

/// Waits until every job that runs now has been claimed again, or is over.
async fn all_claimed_again(network: &Network) {
    let running = network.postgres.sql("store", &["SELECT id || ' ' || fence FROM jobs WHERE state = 'running'"]);
    assert!(!running.is_empty());
    for (id, fence) in running.lines().map(|line| line.split_once(' ').unwrap()) {
        let again = format!("SELECT count(*) FROM jobs WHERE id = '{id}' AND (fence > {fence} OR state = 'done')");
        until("another worker went on", async || (network.count(&again) == 1).then_some(())).await;
    }
}

/// Waits for the end, which is far: what must come in time is only the next progress.
async fn all_over(network: &Network, items: usize) {
    let url = network.postgres.url("store");
    // One connection looks again and again; a `psql` each time would take the workers' time.
    let watch = async move || {
        let db = Db::open(&settings(&["--db", &url]).0).await.unwrap();
        let mut conn = db.read().await.unwrap();
        let mut processed = 0;
        while processed < items {
            processed = until("more items are done", async || {
                let (now,): (i64,) = conn.fetch_one(PROCESSED, &[]).await.unwrap();
                usize::try_from(now).ok().filter(|now| *now > processed)
            })
            .await;
        }
    };
    network.hosts.get("client").run(watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_lost_and_come_back_cost_no_prompt_and_make_none_twice() {
    if engine() != Engine::Postgres {
        // `SQLite` is for one host.
        return;
    }
    let Some(network) = Network::new() else { return };
    let _apis = ["api-1", "api-2"].map(|host| network.start(host, "prompt-store"));
    for api in ["api-1", "api-2"] {
        let ready = async || network.request(api, "/health/ready", None).await.filter(|(status, _)| *status == 200);
        until("the API is ready", ready).await;
    }
    // The first one leads, so that the others can be lost without that.
    let first = network.start("worker-1", "prompt-store-worker");
    until("it leads", async || network.leader()).await;
    let mut workers = vec![first];
    workers.extend(["worker-2", "worker-3"].map(|host| network.start(host, "prompt-store-worker")));
    let mut operations = Vec::new();
    let late = loop {
        let [one, two] = ["one", "two"].map(|name| format!("{name}-{}", operations.len()));
        let (one, two) = tokio::join!(order(&network, "api-1", &one), order(&network, "api-2", &two));
        operations.extend([one, two]);
        // The leader may have taken both operations, or a chunk have ended just before its host was cut off.
        if let Some(late) = cut_off_in_the_middle(&network, operations.len() * ITEMS).await {
            break late;
        }
        assert!(operations.len() < 20, "no chunk was ever caught");
    };
    let items = operations.len() * ITEMS;
    all_claimed_again(&network).await;
    late.join();
    let killed = network.hosts.get("worker-1").address();
    workers[0].kill();
    until("another leads", async || network.leader().filter(|leader| leader != killed)).await;
    network.redis.flush().await;

    assert!(network.count(PROCESSED) < items, "all of it came too late");
    let log = network.log(late);
    until("the late worker was refused", async || {
        let said = std::fs::read_to_string(&log).unwrap();
        ["another worker went on with this job", "another worker has this job now"]
            .iter()
            .any(|words| said.contains(words))
            .then_some(())
    })
    .await;
    all_over(&network, items).await;
    for (api, path) in ["api-2", "api-1"].iter().cycle().zip(&operations) {
        let (_, operation) = network.request(api, path, None).await.unwrap();
        assert_eq!(
            (operation["status"].as_str(), operation["successful_items"].as_u64()),
            (Some("completed"), Some(10_000))
        );
    }
    for sql in [
        "SELECT count(*) FROM prompts",
        "SELECT count(DISTINCT (category, name)) FROM prompts",
        "SELECT count(*) FROM versions",
        "SELECT count(DISTINCT prompt_id) FROM versions",
        "SELECT count(*) FROM audit_log WHERE action = 'prompt.created'",
        "SELECT count(*) FROM bulk_items WHERE state = 'succeeded'",
    ] {
        assert_eq!(network.count(sql), items, "{sql}");
    }
    until("every job is settled", async || {
        (network.count("SELECT count(*) FROM jobs WHERE state <> 'done'") == 0).then_some(())
    })
    .await;
}
