//! Chaos: two APIs, three workers and Redis, of which one after the other is killed, stopped, asked to end or emptied
//! while work comes in. Everything follows from a seed.
use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{Process, Processes, RedisServer, place::free_port};

const APIS: usize = 2;
const WORKERS: usize = 3;
const CLIENTS: u64 = 3;

/// What happened.
#[derive(Debug, Default)]
pub struct Chaos {
    /// Orders that were accepted, each once.
    pub orders: u64,
    /// The prompts they were to make.
    pub items: u64,
    /// Accidents, by what they were.
    pub accidents: BTreeMap<&'static str, u64>,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accidents {
    /// Everything.
    All,
    /// Workers are stopped for longer than their lease, and go on.
    Stops,
}

/// Lets clients order, and accidents happen, for so long. Afterwards every process runs; they end with the second value.
pub async fn chaos(
    store: &Processes,
    redis: &RedisServer,
    seed: u64,
    time: Duration,
    kind: Accidents,
) -> (Chaos, Vec<Process>) {
    let (mut crowd, stop) = (Crowd::new(store, redis), AtomicBool::new(false));
    let (ports, mut random) = (crowd.ports, Random(seed));
    // Of many that stand in line to write, it is one of those that wait that is stopped: whoever writes is waited for.
    let many = if kind == Accidents::Stops { 5 * CLIENTS } else { CLIENTS };
    let clients = (0..many).map(|number| {
        let seed = seed.wrapping_mul(many) + number;
        Client { store, ports, seed, random: Random(seed), orders: 0 }.run(&stop)
    });
    let accidents = async {
        let (began, mut seen) = (Instant::now(), BTreeMap::new());
        while began.elapsed() < time {
            tokio::time::sleep(Duration::from_millis(random.within(50, 350))).await;
            let accident = match kind {
                Accidents::All => crowd.accident(&mut random).await,
                Accidents::Stops => crowd.stop_worker(&mut random).await,
            };
            *seen.entry(accident).or_default() += 1;
        }
        stop.store(true, Ordering::Relaxed);
        seen
    };
    let (sent, accidents) = tokio::join!(futures::future::join_all(clients), accidents);
    let sum = |one: fn(&(u64, u64)) -> u64| sent.iter().map(one).sum();
    (Chaos { orders: sum(|it| it.0), items: sum(|it| it.1), accidents }, crowd.members)
}

/// Numbers that follow from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low`, below `high`.
    fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }
}

/// The processes of the store, and the ports of its APIs.
struct Crowd<'s> {
    store: &'s Processes,
    redis: &'s RedisServer,
    ports: [u16; APIS],
    members: Vec<Process>,
}

impl<'s> Crowd<'s> {
    fn new(store: &'s Processes, redis: &'s RedisServer) -> Self {
        let ports = [store.port(), free_port()];
        let mut crowd = Self { store, redis, ports, members: Vec::new() };
        crowd.members = (0..APIS + WORKERS).map(|member| crowd.start(member)).collect();
        crowd
    }

    fn start(&self, member: usize) -> Process {
        match self.ports.get(member) {
            Some(port) => {
                let port = port.to_string();
                Process::start(self.store.command("prompt-store", &["--port", &port]).stderr(Stdio::null()))
            }
            None => self.store.start_worker(),
        }
    }

    async fn stop_worker(&mut self, random: &mut Random) -> &'static str {
        let member = APIS + usize::try_from(random.within(0, WORKERS as u64)).unwrap();
        self.members[member].pause();
        tokio::time::sleep(Duration::from_millis(random.within(2500, 4500))).await;
        self.members[member].resume();
        "stopped"
    }

    /// One accident. Answers what it was.
    async fn accident(&mut self, random: &mut Random) -> &'static str {
        let member = usize::try_from(random.within(0, (APIS + WORKERS) as u64)).unwrap();
        match random.within(0, 100) {
            0..70 => {
                self.members[member].kill();
                self.members[member] = self.start(member);
                "killed"
            }
            70..88 => {
                self.members[member].pause();
                // Longer than a lease, often enough.
                tokio::time::sleep(Duration::from_millis(random.within(200, 3500))).await;
                self.members[member].resume();
                "stopped"
            }
            88..96 => {
                self.members[member].ask_to_end();
                self.members[member].wait();
                self.members[member] = self.start(member);
                "asked to end"
            }
            _ => {
                self.redis.flush().await;
                "Redis emptied"
            }
        }
    }
}

/// Somebody who orders, again and again until it is answered.
struct Client<'s> {
    store: &'s Processes,
    ports: [u16; APIS],
    seed: u64,
    random: Random,
    orders: u64,
}

impl Client<'_> {
    /// Orders until it is told to stop: new prompts, and new tags for those of an earlier order. Answers how many orders
    /// were accepted, and how many prompts they were to make.
    async fn run(mut self, stop: &AtomicBool) -> (u64, u64) {
        let mut made = Vec::new();
        let mut items = 0;
        while !stop.load(Ordering::Relaxed) {
            if made.is_empty() || self.random.within(0, 10) < 7 {
                let (many, category) = (self.random.within(1, 400), format!("{} {}", self.seed, self.orders));
                let item = |number| json!({ "category": category, "name": format!("{number}"), "content": "x" });
                let body: Value = (0..many).map(item).collect();
                self.order(reqwest::Method::POST, "", &body).await;
                items += many;
                made.push(category);
            } else {
                let category = &made[usize::try_from(self.random.within(0, made.len() as u64)).unwrap()];
                let tag = format!("{} {}", self.seed, self.orders);
                let body = json!({ "filter": { "category": category }, "tags_to_add": [tag] });
                self.order(reqwest::Method::PUT, "/tags", &body).await;
            }
            tokio::time::sleep(Duration::from_millis(self.random.within(20, 300))).await;
        }
        (self.orders, items)
    }

    async fn order(&mut self, method: reqwest::Method, path: &str, body: &Value) {
        let key = format!("{} {}", self.seed, self.orders);
        loop {
            let port = self.ports[usize::try_from(self.random.within(0, APIS as u64)).unwrap()];
            let url = format!("http://127.0.0.1:{port}/api/v1/bulk/prompts{path}");
            let request = self.store.client().request(method.clone(), url).header("idempotency-key", &key).json(body);
            match request.timeout(Duration::from_secs(10)).send().await {
                Ok(answer) if answer.status() == 202 => break,
                Ok(answer) => assert!(answer.status() == 429 || answer.status() == 503, "{}", answer.status()),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.orders += 1;
    }
}
