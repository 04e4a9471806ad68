//! Space on the disk that is not written to: what is full to the last byte cannot even be cleaned up.
use std::{io, path::PathBuf};

use crate::error::{Error, Result};

/// No disk is so small that more than this part of it is kept.
const PART: u64 = 20;

/// What is kept free on the disk of a file.
#[derive(Clone, Debug)]
pub struct Reserve {
    folder: PathBuf,
    bytes: u64,
}

/// How much there is on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// So much may be written.
    pub free: u64,
    /// With less than this, nothing is.
    pub kept: u64,
}

impl Reserve {
    /// So many bytes, or a twentieth of the disk if that is less.
    pub(super) fn new(folder: PathBuf, bytes: u64) -> Self {
        Self { folder, bytes }
    }

    /// How much there is now.
    pub fn room(&self) -> io::Result<Room> {
        let volume = rustix::fs::statvfs(&self.folder)?;
        let all = volume.f_blocks * volume.f_frsize;
        Ok(Room { free: volume.f_bavail * volume.f_frsize, kept: self.bytes.min(all / PART) })
    }

    /// Refuses to write where there is too little. A disk that cannot be looked at says by itself when it is full.
    pub(super) fn check(&self) -> Result<()> {
        match self.room() {
            Ok(room) if room.free < room.kept => {
                Err(Error::full(format!("{} bytes are free on its disk, and {} are kept", room.free, room.kept)))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_twentieth_of_a_disk_is_kept_and_nothing_where_nothing_is_to_be() {
        let reserve = |bytes| Reserve::new(std::env::temp_dir(), bytes);
        let most = reserve(u64::MAX).room().unwrap();
        assert!(most.kept > 0 && most.free > 0);
        assert_eq!(reserve(1).room().unwrap().kept, 1);
        reserve(0).check().unwrap();
        let nowhere = Reserve::new("/nowhere at all".into(), u64::MAX);
        nowhere.check().unwrap();
    }
}
