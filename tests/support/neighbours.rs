//! Programs that stand around a store where others depend on it: a pooler before PostgreSQL, a proxy before the API, Prometheus.
//! Each is a child process on a free port, with the configuration of `deploy/` where there is one.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    PATIENCE, PostgresServer,
    place::{Owner, Place, free_port},
    postgres_server::{own, owner},
};

/// Ends with the value.
pub struct Neighbour {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Neighbour {
    /// A pooler before the databases of a server; `mode` is `session`, `transaction` or `statement`.
    pub fn pgbouncer(server: &PostgresServer, mode: &str) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let (user, password) = PostgresServer::login();
        write(&folder, "userlist.txt", &format!("\"{user}\" \"{password}\"\n"));
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = scram-sha-256\nauth_file = {}/userlist.txt\npool_mode = {mode}\nunix_socket_dir =\n\
             default_pool_size = 40\nmax_client_conn = 200\n",
            server.port(),
            folder.path().display()
        );
        let file = write(&folder, "pgbouncer.ini", &settings);
        own(folder.path());
        // It refuses to be root.
        Self::start("pgbouncer", &[file.to_str().unwrap()], owner(), port, folder)
    }

    /// nginx, as `deploy/nginx` says, before an API at this port. `within` is added to its `server`.
    pub fn nginx(api: u16, within: &str) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let site = deployed("nginx/prompt-store.conf")
            .replace("127.0.0.1:5110", &format!("127.0.0.1:{api}"))
            .replace("listen 80;", &format!("listen 127.0.0.1:{port}; {within}"));
        write(&folder, "site.conf", &site);
        // One process, which ends with its parent, and has all its files in the folder.
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths: String = paths.map(|path| format!("{path}_temp_path temp-{path};\n")).concat();
        let main = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 256; }}\n\
             http {{\naccess_log off;\n{paths}include site.conf;\n}}\n"
        );
        write(&folder, "nginx.conf", &main);
        let prefix = folder.path().to_str().unwrap().to_owned();
        Self::start("nginx", &["-e", "stderr", "-p", &prefix, "-c", "nginx.conf"], None, port, folder)
    }

    /// `HAProxy`, as `deploy/haproxy` says, before an API at this port.
    pub fn haproxy(api: u16) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let settings = deployed("haproxy/haproxy.cfg")
            .replace("127.0.0.1:5110", &format!("127.0.0.1:{api}"))
            .replace("bind :80", &format!("bind 127.0.0.1:{port}"));
        let file = write(&folder, "haproxy.cfg", &settings);
        Self::start("haproxy", &["-db", "-q", "-f", file.to_str().unwrap()], None, port, folder)
    }

    /// Prometheus with this configuration and these rules.
    pub fn prometheus(settings: &str, rules: &str) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let file = write(&folder, "prometheus.yml", settings);
        write(&folder, "alerts.yml", rules);
        let file = format!("--config.file={}", file.display());
        let data = format!("--storage.tsdb.path={}/data", folder.path().display());
        let listen = format!("--web.listen-address=127.0.0.1:{port}");
        Self::start("prometheus", &[&file, &data, &listen], None, port, folder)
    }

    fn start(name: &str, args: &[&str], owner: Option<Owner>, port: u16, folder: TempDir) -> Self {
        let place = Place::here();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = place.command(program(name), owner);
        command.args(args).current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut neighbour = Self { child: command.spawn().unwrap(), port, folder };
        let started = Instant::now();
        while !place.listens(port) {
            let is_there = neighbour.child.try_wait().unwrap().is_none() && started.elapsed() < PATIENCE;
            assert!(is_there, "{name} did not start: {}", neighbour.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        neighbour
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of `deploy/`.
pub fn deployed(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)).unwrap()
}

/// Where a program is: Debian keeps those for operators beside the `PATH` of others.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed: `make setup` does it"))
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    own(&path);
    path
}
