//! A real Redis, as a child process on a free port.
use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::processes::signal;

/// Ends with the value; the shared one with the test process.
pub struct RedisServer {
    child: Child,
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
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let child = Self::spawn(port, &folder);
        let server = Self { child, port, folder };
        server.wait();
        server
    }

    fn spawn(port: u16, folder: &TempDir) -> Child {
        // Its parent's death ends it too, so that a killed test run leaves no server behind.
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .args(["--port", &port.to_string(), "--dir", folder.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server and setpriv are installed: `make setup` does it")
    }

    fn wait(&self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < crate::PATIENCE, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Empties it, as an operator might by mistake.
    pub async fn flush(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
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
        self.child = Self::spawn(self.port, &self.folder);
        self.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
