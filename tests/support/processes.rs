//! The real binaries, as child processes on one database.
use std::{
    fs::{read_dir, read_link, read_to_string},
    io::Read,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::{Engine, PATIENCE, RedisServer, database::Database, engine, place::free_port, until};

/// A binary of the workspace: beside this test's own, unless `TEST_BINARIES` names a folder.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let beside = || test.parent().unwrap().parent().unwrap().to_owned();
    let path = std::env::var_os("TEST_BINARIES").map_or_else(beside, PathBuf::from).join(name);
    assert!(path.exists(), "`{}` is not built: run the tests with `make test`", path.display());
    path
}

/// A process of ours. It is killed with the value.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a command that was made by hand.
    pub fn start(command: &mut Command) -> Self {
        Self { child: command.stdin(Stdio::null()).spawn().unwrap() }
    }

    /// SIGKILL: no chance to clean up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) {
        signal(&self.child, Signal::TERM);
    }

    /// SIGSTOP: it stands still, as on a machine that is out of breath.
    pub fn pause(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// SIGCONT: it goes on, and does not know how late it is.
    pub fn resume(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.wait()
    }

    /// How it ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the process did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has it ended?
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The most memory it has had so far.
    pub fn peak_mib(&self) -> f64 {
        let status = read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Does it speak from this port of the machine's own address?
    pub fn speaks_from(&self, port: u16) -> bool {
        let (address, sockets) = (format!("0100007F:{port:04X}"), read_to_string("/proc/net/tcp").unwrap());
        let columns = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let inodes: Vec<_> = columns.filter(|it| it[1] == address).map(|it| format!("socket:[{}]", it[9])).collect();
        // One that has ended has no files.
        let files = read_dir(format!("/proc/{}/fd", self.id())).into_iter().flatten();
        files
            .flatten()
            .filter_map(|file| read_link(file.path()).ok())
            .any(|it| inodes.iter().any(|inode| it.as_os_str() == inode.as_str()))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One store of real processes: a database of its own, a folder for its files, and a Redis if it has one.
pub struct Processes {
    database: Database,
    redis: Option<String>,
    port: u16,
    client: reqwest::Client,
    variables: Vec<(&'static str, String)>,
}

impl Processes {
    /// A store whose API works its jobs itself.
    pub fn embedded() -> Self {
        Self::new(None)
    }

    /// A store whose workers are processes of their own.
    pub fn distributed(redis: &RedisServer) -> Self {
        Self::new(Some(redis.url()))
    }

    fn new(redis: Option<String>) -> Self {
        let client = shared::http::client(Duration::from_secs(30)).unwrap();
        Self { database: Database::empty(), redis, port: free_port(), client, variables: Vec::new() }
    }

    /// The same, with one more variable for all of its processes.
    #[must_use]
    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    /// A command of a binary with this store's settings, and none of the surroundings'.
    pub fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(binary(name));
        command.env_clear().args(args).current_dir(self.folder());
        command.env("PROMPT_STORE_DB", self.location());
        command.env("PROMPT_STORE_PORT", self.port.to_string()).env("PROMPT_STORE_WORKER_PORT", "0");
        command.env("PROMPT_STORE_LEASE_MS", "2000").env("PROMPT_STORE_TICK_MS", "100");
        command.env("PROMPT_STORE_LOG", "error");
        if engine() == Engine::Postgres {
            command.env("PROMPT_STORE_SECRET_KEY", "test secret ".repeat(3));
        }
        if let Some(redis) = &self.redis {
            command.env("REDIS_URL", redis);
        }
        command.envs(self.variables.iter().map(|(variable, value)| (variable, value)));
        command
    }

    /// Runs a command to its end: its exit code, what it printed, and what it complained of.
    pub fn run(&self, name: &str, args: &[&str]) -> (i32, String, String) {
        Self::finish(&mut self.command(name, args))
    }

    /// Runs a command made by hand to its end, which must come in time.
    pub fn finish(command: &mut Command) -> (i32, String, String) {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (printed, complaints) = (read_aside(stdout), read_aside(stderr));
        let status = Process { child }.wait();
        (status.code().unwrap_or(-1), printed.join().unwrap(), complaints.join().unwrap())
    }

    /// Starts the API and waits until it is ready.
    pub async fn start_api(&self) -> Process {
        let api = Process::start(&mut self.command("prompt-store", &[]));
        until("the API is ready", async || self.get("/health/ready").await.filter(|(status, _)| *status == 200)).await;
        api
    }

    /// Starts a worker.
    pub fn start_worker(&self) -> Process {
        Process::start(&mut self.command("prompt-store-worker", &[]))
    }

    /// Where the API listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Another port that nobody listens at.
    pub fn another_port(&self) -> u16 {
        free_port()
    }

    /// The folder its processes run in; a store that is a file lies there too.
    pub fn folder(&self) -> &std::path::Path {
        self.database.folder.path()
    }

    /// Has anyone made its file, or its tables?
    pub fn is_made(&self) -> bool {
        self.database.is_made()
    }

    /// Where the store is kept, as `PROMPT_STORE_DB` says it.
    pub fn location(&self) -> String {
        let other = self.variables.iter().rev().find(|(variable, _)| *variable == "PROMPT_STORE_DB");
        other.map_or_else(|| self.database.location(), |(_, location)| location.clone())
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `GET`; nothing, if nobody answers.
    pub async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let response = self.client.get(self.url(path)).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// `POST` of JSON; nothing, if nobody answers.
    pub async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let response = self.client.post(self.url(path)).json(body).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// `PUT` of JSON; nothing, if nobody answers.
    pub async fn put(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let response = self.client.put(self.url(path)).json(body).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// The client, for requests made by hand.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    rustix::process::kill_process(Pid::from_child(child), signal).unwrap();
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}
