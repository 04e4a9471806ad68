//! Where a server runs: on this machine as it is, or on one of its [`Hosts`](crate::Hosts).
use std::{
    fs::File,
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) namespace: Option<String>,
}

/// A user and a group by their numbers.
pub(crate) type Owner = (u32, u32);

impl Place {
    /// This machine, as it is.
    pub(crate) fn here() -> Self {
        Self { address: "127.0.0.1".to_owned(), namespace: None }
    }

    /// A port nobody listens on now. A host has all its ports to itself, so there it is the usual one.
    pub(crate) fn port(&self, usual: u16) -> u16 {
        if self.namespace.is_some() { usual } else { free_port() }
    }

    /// A command that runs here, and that its parent's death ends too: a killed test run leaves no server behind.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, owner: Option<Owner>) -> Command {
        let mut command = match &self.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, "setpriv"]);
                command
            }
            None => Command::new("setpriv"),
        };
        if let Some((user, group)) = owner {
            command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
        }
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command
    }

    /// Does anyone here take connections on this port?
    pub(crate) fn listens(&self, port: u16) -> bool {
        let address = format!("{}:{port}", self.address).parse().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        let Some(_) = &self.namespace else { return connect() };
        let inside = || {
            self.enter();
            connect()
        };
        std::thread::scope(|scope| scope.spawn(inside).join().unwrap())
    }

    /// Runs something with the network of this place. What it starts ends with it.
    pub(crate) async fn run<T, F>(&self, body: impl FnOnce() -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let (place, (sender, receiver)) = (self.clone(), oneshot::channel());
        // Only a thread that is new, and ends afterwards, may go to another network.
        let thread = std::thread::spawn(move || {
            place.enter();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = sender.send(runtime.block_on(body()));
        });
        match receiver.await {
            Ok(answer) => answer,
            Err(_) => std::panic::resume_unwind(thread.join().unwrap_err()),
        }
    }

    /// Moves the calling thread here, for good.
    fn enter(&self) {
        if let Some(namespace) = &self.namespace {
            let link = File::open(format!("/run/netns/{namespace}")).unwrap();
            move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        }
    }
}

/// A port nobody listens on now. It is none that the system gives to clients: while a server is away, the client that
/// looks for it could be given its port, and then nobody could listen there again.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at the same time have numbers near each other, so they begin far apart.
    let start = std::process::id().wrapping_mul(251);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(step < 20_000, "no port is free");
        let port = u16::try_from(12_000 + start.wrapping_add(step) % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
