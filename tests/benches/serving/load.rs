//! Load, made by wrk, and the servers that bear it.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{Process, Processes, until};
use tempfile::TempDir;

/// What a turn of load came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
}

/// A kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// As the table calls it.
    pub(crate) name: &'static str,
    /// Where it goes.
    pub(crate) url: String,
    /// How wrk makes one, in Lua; nothing for a plain `GET`.
    pub(crate) script: Option<String>,
}

impl Kind {
    pub(crate) fn get(name: &'static str, url: String) -> Self {
        Self { name, url, script: None }
    }

    pub(crate) fn scripted(name: &'static str, url: String, script: String) -> Self {
        Self { name, url, script: Some(script) }
    }

    /// Bears it for a while. Every answer must be 2xx or 304.
    pub(crate) fn run(&self, connections: usize, time: Duration, folder: &Path) -> Turn {
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "1", "--latency", "--timeout", "10s"]);
        wrk.args(["--connections", &connections.to_string(), "--duration", &format!("{}s", time.as_secs())]);
        if let Some(script) = &self.script {
            let path = folder.join("load.lua");
            fs::write(&path, script).unwrap();
            wrk.arg("--script").arg(path);
        }
        let output = wrk.arg(&self.url).output().expect("wrk is installed");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{}: {said}", self.name);
        let after = |label: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(label));
            line.unwrap_or_else(|| panic!("no {label} in {said}")).trim().to_owned()
        };
        Turn { rate: after("Requests/sec:").parse().unwrap(), p99: milliseconds(&after("99%")) }
    }
}

/// `1.23ms`, `870.00us`, `1.01s`.
fn milliseconds(text: &str) -> f64 {
    let (number, factor) = match (text.strip_suffix("us"), text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), ..) => (number, 0.001),
        (_, Some(number), _) => (number, 1.0),
        (.., Some(number)) => (number, 1000.0),
        _ => panic!("`{text}` is no time"),
    };
    number.parse::<f64>().unwrap() * factor
}

/// nginx with one worker, that gives a file of a kilobyte away: about the most that this machine can serve.
pub(crate) struct Nginx {
    _process: Process,
    _folder: TempDir,
    pub(crate) url: String,
}

impl Nginx {
    pub(crate) fn start(port: u16) -> Self {
        let folder = TempDir::with_prefix("prompt-store-nginx-").unwrap();
        let root = folder.path();
        fs::write(root.join("file.json"), "x".repeat(1024)).unwrap();
        fs::write(
            root.join("nginx.conf"),
            format!(
                "daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error;
                 events {{ worker_connections 1024; }}
                 http {{
                     access_log off; keepalive_requests 100000000; sendfile on; open_file_cache max=10;
                     client_body_temp_path {root}; proxy_temp_path {root}; fastcgi_temp_path {root};
                     uwsgi_temp_path {root}; scgi_temp_path {root};
                     server {{ listen 127.0.0.1:{port}; root {root}; }}
                 }}",
                root = root.display()
            ),
        )
        .unwrap();
        // The worker must be able to read it, whoever it runs as.
        fs::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new(program);
        command.arg("-c").arg(root.join("nginx.conf")).stderr(Stdio::null());
        let process = Process::start(&mut command);
        Self { _process: process, _folder: folder, url: format!("http://127.0.0.1:{port}/file.json") }
    }
}

/// A store that serves, and what it costs.
pub(crate) struct Served {
    pub(crate) api: Process,
    /// From the start of the process until it says that it lives.
    pub(crate) start: Duration,
}

/// Starts the API and waits until it is ready.
pub(crate) async fn serve(store: &Processes) -> Served {
    let began = Instant::now();
    let api = Process::start(&mut store.command("prompt-store", &[]));
    let mut live = None;
    until("the API lives", async || {
        live = store.get("/health/live").await.map(|_| began.elapsed());
        live
    })
    .await;
    until("the API is ready", async || store.get("/health/ready").await.filter(|(status, _)| *status == 200)).await;
    Served { api, start: live.unwrap() }
}

impl Served {
    /// What it holds in memory, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.api.id())).unwrap();
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        held.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// The time of processors it has had, in seconds.
    pub(crate) fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.api.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // User and system, in ticks of a hundredth of a second.
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
    }
}

/// How long the files of a store are.
pub(crate) fn on_disk(file: &str) -> u64 {
    let length = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    length(file.into()) + length(format!("{file}-wal").into())
}
