//! A real PostgreSQL, as a child process on a free port, with a cluster of its own.
use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::{
    PATIENCE,
    afterwards::Afterwards,
    certificate,
    hosts::Host,
    place::{Owner, Place},
    processes::signal,
    small_disk,
};

/// Who tests log in as, and the password the server asks for.
const USER: &str = "store";
const PASSWORD: &str = "secret";
/// The same, as the server keeps it: hashed once instead of 4096 times. Unoptimised, those take a tenth of a second for
/// each connection, and a test has several.
const VERIFIER: &str = "SCRAM-SHA-256$1:bm90LWEtc2VjcmV0LXVzZQ==$nG8+X5P894RLkZP9dVq9GNWtFfNGJxrx0Ul9VxqXKHg=:K1dX1LNjUluTavd9Rw7eeSa7pl7wkg1mPxeQVmrEODY=";

/// Quick, and still a database that a killed process cannot hurt: only a machine that loses its power could.
const OPTIONS: [&str; 7] = [
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "shared_buffers=128MB",
    "max_connections=300",
    "log_checkpoints=off",
    "timezone=UTC",
];

/// Ends with the value; the shared one with the test process.
pub struct PostgresServer {
    child: Child,
    place: Place,
    port: u16,
    options: Vec<String>,
    folder: PathBuf,
    _removal: Afterwards,
}

impl PostgresServer {
    /// The one that tests share, each with its own database.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (started, server) = mpsc::channel();
            // The parent whose death ends the server is a thread; that of the first test ends with the test.
            std::thread::spawn(move || {
                started.send(Self::start(&[])).unwrap();
                loop {
                    std::thread::park();
                }
            });
            server.recv().unwrap()
        })
    }

    /// One of the test's own, to stop or to set up otherwise: `["fsync=on"]`. With `ssl=on` it gets a certificate.
    pub fn start(options: &[&str]) -> Self {
        Self::start_at(Place::here(), options)
    }

    /// One on a host, for the others of its network.
    pub fn start_on(host: &Host, options: &[&str]) -> Self {
        Self::start_at(host.place(), options)
    }

    fn start_at(place: Place, options: &[&str]) -> Self {
        let folder = TempDir::with_prefix("prompt-store-postgres-").unwrap().keep();
        // When a test run is killed, the processes of the server may need a moment to notice, and write until then.
        let removal = Afterwards::run(&format!("rm -rf {0} || {{ sleep 3; rm -rf {0}; }}", folder.display()));
        initialise(&folder);
        if options.contains(&"ssl=on") {
            certificate::make(&folder, &place.address);
            own(&data(&folder).join("server.key"));
        }
        let options: Vec<String> = OPTIONS.iter().chain(options).map(|option| (*option).to_owned()).collect();
        let port = place.port(5432);
        let child = spawn(&place, port, &options, &folder);
        let mut server = Self { child, place, port, options, folder, _removal: removal };
        server.wait();
        server
    }

    /// Who tests log in as, and with what password.
    pub(crate) fn login() -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// The address of a database, with the password.
    pub fn url(&self, database: &str) -> String {
        self.url_as(USER, PASSWORD, database)
    }

    /// The same for someone else.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@{}:{}/{database}", self.place.address, self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate by which a client knows a server that was started with `ssl=on`.
    pub fn root_certificate(&self) -> PathBuf {
        self.folder.join("root.crt")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Runs statements, each on its own, and answers what the rows say. It goes in by a door that no network cuts.
    #[track_caller]
    pub fn sql(&self, database: &str, statements: &[&str]) -> String {
        let mut psql = Command::new(program("psql"));
        psql.env_clear().env("PGPASSWORD", PASSWORD).env("PGOPTIONS", "-c default_transaction_read_only=off");
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        psql.arg("--host").arg(&self.folder).args(["--port", &self.port.to_string()]);
        psql.args(["--username", USER, "--dbname", database]);
        psql.args(statements.iter().flat_map(|statement| ["--command", statement]));
        let output = psql.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Makes an empty database.
    #[track_caller]
    pub fn create(&self, name: &str) {
        self.sql("postgres", &[&format!("CREATE DATABASE {name}")]);
    }

    /// Makes a copy of a database that nobody uses: forty milliseconds, where its tables would take longer.
    #[track_caller]
    pub fn copy(&self, template: &str, name: &str) {
        // The way of copying is left to the server: its own choice, since 15, is the faster one.
        self.sql("postgres", &[&format!("CREATE DATABASE {name} TEMPLATE {template}")]);
    }

    /// Drops databases, in use or not.
    #[track_caller]
    pub fn drop(&self, names: &[String]) {
        let drop = |name| format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let statements: Vec<String> = names.iter().map(drop).collect();
        self.sql("postgres", &statements.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// SIGINT: it ends every connection, rolls back and stops in good order, as when it is restarted on purpose.
    pub fn stop_fast(&mut self) {
        signal(&self.child, Signal::INT);
        self.ended();
    }

    /// SIGQUIT: it stops at once, and has to recover afterwards.
    pub fn stop_immediately(&mut self) {
        signal(&self.child, Signal::QUIT);
        self.ended();
    }

    /// SIGKILL to each of its processes, as a failing machine would.
    pub fn kill(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            return;
        }
        // A postmaster that stands still makes no more processes while they are counted.
        signal(&self.child, Signal::STOP);
        let processes = self.processes();
        self.child.kill().unwrap();
        for process in &processes {
            let _ = rustix::process::kill_process(*process, Signal::KILL);
        }
        self.ended();
        // While one of them is there, the cluster counts as in use.
        let started = Instant::now();
        while processes.iter().any(|process| is_there(*process)) {
            assert!(started.elapsed() < PATIENCE, "processes of PostgreSQL survive SIGKILL");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts it again where it was, with what it had written.
    pub fn revive(&mut self) {
        self.child = spawn(&self.place, self.port, &self.options, &self.folder);
        self.wait();
    }

    /// Starts it again as a replica, whose primary never says anything.
    pub fn become_replica(&mut self) {
        self.stop_fast();
        let signal = data(&self.folder).join("standby.signal");
        fs::write(&signal, "").unwrap();
        own(&signal);
        self.revive();
    }

    /// A small disk of its own, which databases can be put on by `TABLESPACE small`. Nothing, said aloud, where the
    /// tests may not mount.
    pub fn add_small_disk(&self, megabytes: u32) -> Option<Afterwards> {
        let path = self.folder.join("small");
        let removal = small_disk(&path, megabytes)?;
        own(&path);
        self.sql("postgres", &[&format!("CREATE TABLESPACE small LOCATION '{}'", path.display())]);
        Some(removal)
    }

    /// SIGSTOP to each of its processes: it takes connections and statements, and answers none.
    pub fn pause(&self) {
        // First the postmaster, so that none is added; then the others, each of which leads a group of its own.
        signal(&self.child, Signal::STOP);
        for process in self.processes() {
            let _ = rustix::process::kill_process(process, Signal::STOP);
        }
    }

    /// Lets it go on.
    pub fn resume(&self) {
        for process in self.processes() {
            let _ = rustix::process::kill_process(process, Signal::CONT);
        }
        signal(&self.child, Signal::CONT);
    }

    /// Its processes without the first, one for each connection and some for the house.
    fn processes(&self) -> Vec<Pid> {
        let id = self.child.id();
        let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        list.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
    }

    /// Waits until it is ready. It says so itself, in the last line of its lock file.
    fn wait(&mut self) {
        let started = Instant::now();
        loop {
            let lock = fs::read_to_string(data(&self.folder).join("postmaster.pid")).unwrap_or_default();
            let lines: Vec<&str> = lock.lines().map(str::trim).collect();
            if lines.first() == Some(&self.child.id().to_string().as_str())
                && matches!(lines.get(7), Some(&("ready" | "standby")))
            {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let in_time = ended.is_none() && started.elapsed() < PATIENCE;
            assert!(in_time, "PostgreSQL did not start ({ended:?}): {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ended(&mut self) {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "PostgreSQL did not stop: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Makes a cluster: its data, and who may come in from where.
fn initialise(folder: &Path) {
    own(folder);
    let password = folder.join("password");
    fs::write(&password, VERIFIER).unwrap();
    own(&password);
    let output = Place::here()
        .command(program("initdb"), owner())
        .env("LC_ALL", "C.UTF-8")
        .args(["--auth=scram-sha-256", "--username", USER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .arg(format!("--pwfile={}", password.display()))
        .arg(format!("--pgdata={}", data(folder).display()))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("PostgreSQL and setpriv are installed: `make setup` does it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let doors = data(folder).join("pg_hba.conf");
    let hosts = "\nhost all all 10.213.0.0/16 scram-sha-256\n";
    fs::write(&doors, fs::read_to_string(&doors).unwrap() + hosts).unwrap();
}

fn spawn(place: &Place, port: u16, options: &[String], folder: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = place.command(program("postgres"), owner());
    command.arg("-D").arg(data(folder)).args(["-p", &port.to_string()]).arg("-k").arg(folder);
    command.args(["-c", &format!("listen_addresses={}", place.address)]);
    command.args(options.iter().flat_map(|option| ["-c", option]));
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// A program of PostgreSQL: beside `initdb` on the `PATH`, or the highest version that Debian has installed, which keeps
/// them elsewhere. Debian's `psql` on the `PATH` is a wrapper that takes twice as long.
fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        let debian = versions.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists());
        let newest = debian.max_by_key(|path| version(path)).map(|path| path.join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let listed = || std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
        newest.or_else(listed).expect("PostgreSQL is not installed: `make setup` does it")
    });
    folder.join(name)
}

/// As whom it runs. It refuses to be root; anyone else is who they are.
pub(crate) fn owner() -> Option<Owner> {
    static OWNER: OnceLock<Option<Owner>> = OnceLock::new();
    *OWNER.get_or_init(|| {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let find = |wanted: &str| {
            users.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let (name, user, group) = (fields.first()?, fields.get(2)?, fields.get(3)?);
                (*name == wanted).then_some((user.parse().ok()?, group.parse().ok()?))
            })
        };
        Some(find("postgres").or_else(|| find("nobody")).expect("there is a user `postgres` or `nobody`"))
    })
}

pub(crate) fn own(path: &Path) {
    if let Some((user, group)) = owner() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// One that has ended and that nobody has asked about yet is not there any more.
fn is_there(process: Pid) -> bool {
    fs::read_link(format!("/proc/{}/exe", process.as_raw_nonzero())).is_ok()
}
