//! What is left to do when a test process has ended, however it ended.
use std::process::{Child, Command, Stdio};

/// Runs a script when the value is dropped, or when the process that held it is gone: a killed test run cleans up too.
pub struct Afterwards {
    shell: Child,
}

impl Afterwards {
    pub(crate) fn run(script: &str) -> Self {
        use std::os::unix::process::CommandExt;
        // Its input ends with whoever holds the other side. A group of its own keeps Ctrl-C from ending it first.
        let shell = Command::new("sh")
            .args(["-c", &format!("read -r never\n{script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .unwrap();
        Self { shell }
    }
}

impl Drop for Afterwards {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
