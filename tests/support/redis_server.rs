//! A real Redis, as a child process on a free port.
use std::{
    process::{Child, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{certificate, hosts::Host, place::Place, processes::signal};

/// Ends with the value; the shared one with the test process.
pub struct RedisServer {
    child: Child,
    place: Place,
    port: u16,
    folder: TempDir,
    tls: Option<Tls>,
}

/// Whom a server that speaks TLS lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Whoever knows it by its certificate.
    Anybody,
    /// Whoever shows a certificate of the same authority too: Redis's own default.
    Certified,
}

impl RedisServer {
    /// The one that tests share, each under its own prefix.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (started, server) = std::sync::mpsc::channel();
            // The parent whose death ends the server is a thread; that of the first test ends with the test.
            std::thread::spawn(move || {
                started.send(Self::start()).unwrap();
                loop {
                    std::thread::park();
                }
            });
            server.recv().unwrap()
        })
    }

    /// One of the test's own, to flush or kill.
    pub fn start() -> Self {
        Self::start_at(Place::here(), None)
    }

    /// One that speaks TLS and nothing else.
    pub fn start_with_tls(tls: Tls) -> Self {
        Self::start_at(Place::here(), Some(tls))
    }

    /// One on a host, for the others of its network.
    pub fn start_on(host: &Host) -> Self {
        Self::start_at(host.place(), None)
    }

    fn start_at(place: Place, tls: Option<Tls>) -> Self {
        let folder = TempDir::new().unwrap();
        if tls.is_some() {
            std::fs::create_dir(folder.path().join("data")).unwrap();
            certificate::make(folder.path(), &place.address);
        }
        let port = place.port(6379);
        let child = Self::spawn(&place, port, &folder, tls);
        let server = Self { child, place, port, folder, tls };
        server.wait();
        server
    }

    fn spawn(place: &Place, port: u16, folder: &TempDir, tls: Option<Tls>) -> Child {
        let (port, none) = (port.to_string(), "0".to_owned());
        let (plain, encrypted) = if tls.is_some() { (none, port) } else { (port, none) };
        let mut command = place.command("redis-server", None);
        if let Some(tls) = tls {
            let file = |name: &str| folder.path().join(name).display().to_string();
            command.args(["--tls-port", &encrypted, "--tls-ca-cert-file", &file("root.crt")]);
            command.args(["--tls-cert-file", &file("data/server.crt"), "--tls-key-file", &file("data/server.key")]);
            command.args(["--tls-auth-clients", if tls == Tls::Certified { "yes" } else { "no" }]);
        }
        command
            .args(["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", &place.address])
            .args(["--port", &plain, "--dir", folder.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server and setpriv are installed: `make setup` does it")
    }

    fn wait(&self) {
        let started = Instant::now();
        while !self.place.listens(self.port) {
            assert!(started.elapsed() < crate::PATIENCE, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://{}:{}", self.place.address, self.port)
    }

    /// The same for one of its users.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@{}:{}", self.place.address, self.port)
    }

    /// A file of one that speaks TLS: `root.crt`, `data/server.crt`, `data/server.key`.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Tells it something, as an operator would, and answers what it says.
    pub fn tell<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut told = redis::cmd(words.next().unwrap());
        for word in words {
            told.arg(word);
        }
        told.query(&mut self.client().get_connection().unwrap()).unwrap()
    }

    /// Who connects to it.
    pub fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// Empties it, as an operator might by mistake.
    pub async fn flush(&self) {
        let url = self.url();
        let flush = async move || {
            let client = redis::Client::open(url).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
        };
        self.place.run(flush).await;
    }

    /// Kills it, as a failing machine would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Makes it hang: it takes connections and requests, and answers none.
    pub fn pause(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// Starts it again, empty, where it was.
    pub fn revive(&mut self) {
        self.child = Self::spawn(&self.place, self.port, &self.folder, self.tls);
        self.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
