//! Where a command writes: a file that appears whole, or whatever else stands under the name, which is written through.
//!
//! A regular file is written beside its place, synced, and renamed, so that nobody finds half of it, and it keeps the mode and
//! the owner of the file it replaces. A device, a pipe and standard output are written to as they are: a rename would put a
//! plain file in their place. A symbolic link is followed to its file, and a directory is refused.
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use rustix::fs::{Access, access};

#[cfg(test)]
mod tests;

/// The name of standard output where a file is asked for.
const STANDARD: &str = "-";
/// A chain of symbolic links is not followed further, as on Linux.
const LINKS_MAX: usize = 40;
/// The magic number of statfs(2) for `/proc`, whose links name open files.
const PROC: i64 = 0x9fa0;

/// What stands under a name.
#[derive(Debug)]
pub enum Target {
    /// This process's standard output: `-`, `/dev/stdout`.
    Standard,
    /// A device, a pipe, or a file that this process has open (`/dev/fd/3`): it is written to as it is.
    Through(PathBuf),
    /// A regular file, at the end of all symbolic links, which may be there already.
    File {
        /// Where it is, or will be.
        path: PathBuf,
        /// What is there now.
        existing: Option<Box<Metadata>>,
    },
}

impl Target {
    /// Finds out what stands under a name, without changing it. Fails for a directory.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        Self::find(path).with_context(|| format!("cannot write `{}`", path.display()))
    }

    fn find(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new(STANDARD) || is_standard(path) {
            return Ok(Self::Standard);
        }
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            ensure!(!path.as_os_str().is_empty(), "it has no name");
            ensure!(!path.as_os_str().as_bytes().ends_with(b"/"), "it is a directory; name a file in it");
            let found = match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File { path, existing: None });
                }
                found => found?,
            };
            let kind = found.file_type();
            if kind.is_symlink() {
                if names_an_open_file(&path) {
                    return Ok(Self::Through(path));
                }
                path = folder_of(&path).join(fs::read_link(&path)?);
            } else if kind.is_dir() {
                bail!("it is a directory; name a file in it");
            } else if kind.is_file() {
                return Ok(Self::File { path, existing: Some(Box::new(found)) });
            } else {
                ensure!(!kind.is_socket(), "it is a socket, which cannot be opened by its name");
                return Ok(Self::Through(path));
            }
        }
        bail!("its symbolic links lead round and round")
    }

    /// The path of a regular file, which may be there already; nothing for anything else.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Standard | Self::Through(_) => None,
        }
    }
}

/// The folder a file lies in; `.` for a bare name.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives a draft the name of its file, once both it and the name are on the disk.
pub fn keep(draft: &Path, file: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(draft)?.sync_all()?;
    fs::rename(draft, file)?;
    File::open(folder_of(file))?.sync_all()
}

/// Is it the file that standard output writes to?
fn is_standard(path: &Path) -> bool {
    let (Ok(there), Ok(here)) = (fs::metadata(path), rustix::fs::fstat(io::stdout())) else { return false };
    (there.dev(), there.ino()) == (here.st_dev, here.st_ino)
}

/// A link in `/proc/…/fd` is followed by the system only: the name it shows may be of nothing, or of something else.
fn names_an_open_file(link: &Path) -> bool {
    rustix::fs::statfs(folder_of(link)).is_ok_and(|found| is_proc(found.f_type))
}

/// The field has another type on other machines.
fn is_proc(kind: impl TryInto<i64>) -> bool {
    kind.try_into().is_ok_and(|kind| kind == PROC)
}

/// A target that is open. Write to it, then [`finish`](Self::finish): a regular file appears only then.
#[derive(Debug)]
pub struct Output {
    /// For messages.
    name: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Standard(io::Stdout),
    Through(File),
    Draft(Draft),
}

impl Output {
    /// Opens what stands under a name, or standard output where there is none. One line says why not.
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let name = path.unwrap_or(Path::new(STANDARD));
        let state = match Target::of(name)? {
            Target::Standard => State::Standard(io::stdout()),
            Target::Through(path) => {
                // Neither made nor cut short. A file that somebody has open already is written on at its end.
                let is_file = fs::metadata(&path).is_ok_and(|found| found.is_file());
                let file = OpenOptions::new().write(true).append(is_file).open(&path);
                State::Through(file.with_context(|| format!("cannot write `{}`", name.display()))?)
            }
            Target::File { path, existing } => State::Draft(
                Draft::beside(path, existing.as_deref())
                    .with_context(|| format!("cannot write `{}`", name.display()))?,
            ),
        };
        Ok(Self { name: name.to_owned(), state })
    }

    /// Is it standard output, whose reader may go when it has read enough?
    #[must_use]
    pub fn is_standard(&self) -> bool {
        matches!(self.state, State::Standard(_))
    }

    /// Everything was written. A regular file appears under its name now, and is on the disk.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let done = match &mut self.state {
            State::Standard(stdout) => stdout.flush(),
            State::Through(file) => file.flush(),
            State::Draft(draft) => draft.keep(),
        };
        done.with_context(|| format!("cannot write `{}`", self.name.display()))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Standard(stdout) => stdout.write(bytes),
            State::Through(file) => file.write(bytes),
            State::Draft(draft) => draft.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Standard(stdout) => stdout.flush(),
            State::Through(file) => file.flush(),
            State::Draft(draft) => draft.file.flush(),
        }
    }
}

/// A file that is written beside its place. Dropped before it is kept, it is removed.
#[derive(Debug)]
struct Draft {
    file: File,
    path: PathBuf,
    place: PathBuf,
    is_kept: bool,
}

impl Draft {
    fn beside(place: PathBuf, existing: Option<&Metadata>) -> anyhow::Result<Self> {
        if existing.is_some() {
            access(&place, Access::WRITE_OK).context("it is write-protected")?;
        }
        let path = place.with_added_extension(format!("{}.part", std::process::id()));
        // Exclusively: a link that somebody left under this name is not followed.
        let _ = fs::remove_file(&path);
        let mode = if existing.is_some() { 0o600 } else { 0o666 };
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let file =
            file.with_context(|| format!("nothing can be written to the folder `{}`", folder_of(&place).display()))?;
        let draft = Self { file, path, place, is_kept: false };
        if let Some(existing) = existing {
            draft.resemble(existing)?;
        }
        Ok(draft)
    }

    /// Gives the draft the owner and the mode of the file it will replace.
    fn resemble(&self, existing: &Metadata) -> anyhow::Result<()> {
        let made = self.file.metadata()?;
        if (made.uid(), made.gid()) != (existing.uid(), existing.gid()) {
            std::os::unix::fs::fchown(&self.file, Some(existing.uid()), Some(existing.gid())).with_context(|| {
                format!(
                    "it belongs to user {} and group {}, and would no more; write it as that user, or give another name",
                    existing.uid(),
                    existing.gid()
                )
            })?;
        }
        self.file.set_permissions(fs::Permissions::from_mode(existing.mode() & 0o7777))?;
        Ok(())
    }

    fn keep(&mut self) -> io::Result<()> {
        keep(&self.path, &self.place)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}
