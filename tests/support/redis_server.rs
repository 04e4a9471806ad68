//! A real Redis, as a child process on a free port.
use std::{
    process::{Child, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{hosts::Host, place::Place, processes::signal};

/// Ends with the value; the shared one with the test process.
pub struct RedisServer {
    child: Child,
    place: Place,
    port: u16,
    folder: TempDir,
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
        Self::start_at(Place::here())
    }

    /// One on a host, for the others of its network.
    pub fn start_on(host: &Host) -> Self {
        Self::start_at(host.place())
    }

    fn start_at(place: Place) -> Self {
        let folder = TempDir::new().unwrap();
        let port = place.port(6379);
        let child = Self::spawn(&place, port, &folder);
        let server = Self { child, place, port, folder };
        server.wait();
        server
    }

    fn spawn(place: &Place, port: u16, folder: &TempDir) -> Child {
        place
            .command("redis-server", None)
            .args(["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", &place.address])
            .args(["--port", &port.to_string(), "--dir", folder.path().to_str().unwrap()])
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
        format!("redis://{}:{}", self.place.address, self.port)
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
        self.child = Self::spawn(&self.place, self.port, &self.folder);
        self.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
