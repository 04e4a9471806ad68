//! The file of a store, as it was opened: is it still the one under its name?
//!
//! A file that is moved or removed while it is open goes on taking writes, which nobody finds any more: the log of `SQLite` stays
//! behind under the old name, and the next start knows nothing of it. So writes stop when the name leads elsewhere.
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::error::{Error, Result};

/// The file and its log, each by device and inode. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OpenFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: OnceLock<Identity>,
    log: OnceLock<Identity>,
}

/// Device and inode.
type Identity = (u64, u64);

impl OpenFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::new(Opened { path: path.to_owned(), file: OnceLock::new(), log: OnceLock::new() }))
    }

    /// A connection was opened: the first of them says which file it is, and the others must be to the same.
    pub(super) fn was_opened(&self) -> bool {
        if let (None, Ok(Some(found))) = (self.0.file.get(), identity(&self.0.path)) {
            let _ = self.0.file.set(found);
        }
        self.is_in_place()
    }

    /// Do the names still lead to the files that are open? A file that cannot be looked at is taken to be there.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let mut log = self.0.path.clone().into_os_string();
        log.push("-wal");
        is_same(&self.0.file, identity(&self.0.path)) && is_same(&self.0.log, identity(Path::new(&log)))
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.is_in_place() {
            true => Ok(()),
            false => Err(Error::moved(self.0.path.display())),
        }
    }
}

/// What was not there at the first look is noted as soon as it is.
fn is_same(known: &OnceLock<Identity>, found: io::Result<Option<Identity>>) -> bool {
    match (known.get(), found) {
        (_, Err(_)) | (None, Ok(None)) => true,
        (None, Ok(Some(found))) => {
            let _ = known.set(found);
            true
        }
        (Some(known), Ok(found)) => found == Some(*known),
    }
}

fn identity(path: &Path) -> io::Result<Option<Identity>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_place_until_its_name_leads_to_nothing_or_to_another() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let file = OpenFile::new(&at("store.db"));
        file.check().unwrap();
        fs::write(at("store.db"), "a").unwrap();
        assert!(file.was_opened());
        fs::write(at("store.db-wal"), "a").unwrap();
        file.check().unwrap();

        fs::rename(at("store.db"), at("moved.db")).unwrap();
        assert_eq!(file.check().unwrap_err().code(), "storage-moved");
        fs::write(at("store.db"), "another").unwrap();
        assert!(!file.was_opened(), "nobody opens another in its place");
        fs::rename(at("moved.db"), at("store.db")).unwrap();
        file.check().unwrap();
        std::os::unix::fs::symlink("store.db", at("link.db")).unwrap();
        assert!(OpenFile::new(&at("link.db")).was_opened(), "a link is followed");

        fs::remove_file(at("store.db-wal")).unwrap();
        assert!(file.check().is_err(), "what is written goes into a log that is gone");
    }
}
