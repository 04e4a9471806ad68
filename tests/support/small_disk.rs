//! A disk that is soon full.
use std::{fs, path::Path, process::Command};

use crate::{afterwards::Afterwards, hosts::skipped};

/// A disk of so many megabytes at this path, until the value is dropped. Nothing, said aloud, where the tests may not
/// mount.
pub fn small_disk(path: &Path, megabytes: u32) -> Option<Afterwards> {
    fs::create_dir_all(path).unwrap();
    let size = format!("size={megabytes}m");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path).output().unwrap();
    if !mounted.status.success() {
        skipped(&format!("a disk: {}", String::from_utf8_lossy(&mounted.stderr).trim()));
        return None;
    }
    Some(Afterwards::run(&format!("umount --lazy {}", path.display())))
}
