//! Many hosts on one machine: each is a network namespace, and a bridge is the network between them.
use std::{
    io::Write,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{afterwards::Afterwards, place::Place};

/// Some hosts and the network between them. The machine's own network does not change. When the value is dropped, they
/// are gone, with every process on them.
pub struct Hosts {
    hosts: Vec<Host>,
    _removal: Afterwards,
}

/// One of them.
pub struct Host {
    name: &'static str,
    network: String,
    place: Place,
}

impl Hosts {
    /// Hosts with these names, of at most fifteen letters, in one network. Nothing, said aloud, where the tests may not
    /// make namespaces: only root may.
    pub fn new(names: &[&'static str]) -> Option<Self> {
        match Self::make(names) {
            Ok(hosts) => Some(hosts),
            Err(why) => {
                skipped(&format!("hosts of its own, and {why}"));
                None
            }
        }
    }

    fn make(names: &[&'static str]) -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            return Err("only root may make network namespaces".to_owned());
        }
        let prefix = format!("store-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let network = format!("{prefix}-lan");
        let hosts: Vec<Host> = (1..)
            .zip(names)
            .map(|(number, name): (u8, _)| {
                let place =
                    Place { address: format!("10.213.7.{number}"), namespace: Some(format!("{prefix}-{name}")) };
                Host { name, network: network.clone(), place }
            })
            .collect();
        let removal = Afterwards::run(&format!(
            "for name in {network} {}; do
                for process in $(ip netns pids $name); do kill -KILL $process; done
                ip netns delete $name
             done",
            hosts.iter().map(Host::namespace).collect::<Vec<_>>().join(" ")
        ));
        ip(&format!("netns add {network}"))?;
        ip(&format!("-n {network} link add dev lan type bridge"))?;
        ip(&format!("-n {network} link set dev lan up"))?;
        for host in &hosts {
            host.attach()?;
        }
        Ok(Self { hosts, _removal: removal })
    }

    /// The host of this name.
    pub fn get(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name == name).unwrap_or_else(|| panic!("there is no host `{name}`"))
    }
}

impl Host {
    /// Makes its namespace, and a pair of interfaces: one is its own, the other the network's.
    fn attach(&self) -> Result<(), String> {
        let (namespace, network, name) = (self.namespace(), &self.network, self.name);
        ip(&format!("netns add {namespace}"))?;
        ip(&format!("-n {namespace} link set dev lo up"))?;
        ip(&format!("-n {namespace} link add dev eth0 type veth peer name {name} netns {network}"))?;
        ip(&format!("-n {namespace} addr add {}/24 dev eth0", self.place.address))?;
        ip(&format!("-n {namespace} link set dev eth0 up"))?;
        ip(&format!("-n {network} link set dev {name} master lan up"))
    }

    fn namespace(&self) -> &str {
        self.place.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }

    /// Its address in the network.
    pub fn address(&self) -> &str {
        &self.place.address
    }

    /// A command that runs on this host. It ends with the thread that starts it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.place.command(program, None)
    }

    /// Runs a part of a test as if on this host, with this host's network. What it starts ends with it.
    pub async fn run<T, F>(&self, body: impl FnOnce() -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        self.place.run(body).await
    }

    /// Makes it answer to every address there is: whoever calls anybody from here calls this host.
    pub fn be_everybody(&self) {
        ip(&format!("-n {} route add local 0.0.0.0/0 dev lo", self.namespace())).unwrap();
        ip(&format!("-n {} -6 route add local ::/0 dev lo", self.namespace())).unwrap();
    }

    /// Pulls its plug: nothing goes in or out, and nobody is told.
    pub fn cut(&self) {
        ip(&format!("-n {} link set dev {} down", self.network, self.name)).unwrap();
    }

    /// Puts the plug in again.
    pub fn join(&self) {
        ip(&format!("-n {} link set dev {} up", self.network, self.name)).unwrap();
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`ip` cannot be run ({error}): `make setup` installs it"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`ip {arguments}` says: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// Written past the test runner, which keeps to itself what a test that passes prints.
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED, so NOTHING IS SHOWN: {test} needs {why}\n");
}
