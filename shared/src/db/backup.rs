//! A store as one file, written while it is used, and looked at before anybody relies on it.
use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::{Db, Location, Schema, Step, copy, sqlite};
use crate::config::Settings;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Its prompts, deleted ones included.
    pub prompts: i64,
    /// Its length.
    pub bytes: u64,
}

/// Writes everything as of one moment to a file that is not there yet, in the form of `SQLite`, whatever the store runs on.
/// Others read and write meanwhile. The file appears under its name only when it is whole.
pub async fn backup(
    settings: &Settings,
    db: &Db,
    file: &Path,
    progress: impl FnMut(&str, Step, u64, u64),
) -> anyhow::Result<BackedUp> {
    refuse_existing(file)?;
    let draft = draft(file);
    let written = async {
        match db {
            Db::Sqlite { writer, .. } => sqlite::backup(writer, &draft).await?,
            Db::Postgres { .. } => {
                let target = Db::open(&Settings { db: Location::File(draft.clone()), ..settings.clone() }).await?;
                target.migrate().await?;
                copy(db, &target, progress).await?;
                target.close().await;
            }
        }
        let backed_up = verify(&draft).await?;
        keep(&draft, file)?;
        anyhow::Ok(backed_up)
    };
    let written = written.await;
    if written.is_err() {
        discard(&draft);
    }
    written
}

/// Makes a store of a backup: a file that is not there yet, or an empty database of a server.
pub async fn restore(
    settings: &Settings,
    backup: &Path,
    progress: impl FnMut(&str, Step, u64, u64),
) -> anyhow::Result<BackedUp> {
    let found = verify(backup).await?;
    match &settings.db {
        Location::File(file) => {
            refuse_existing(file)?;
            let draft = draft(file);
            if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            }
            let copied = std::fs::copy(backup, &draft).map_err(anyhow::Error::from).and_then(|_| keep(&draft, file));
            if copied.is_err() {
                discard(&draft);
            }
            copied.with_context(|| format!("cannot write `{}`", file.display()))?;
        }
        Location::Server(_) => {
            // Brought up to date beside it: a backup is never changed.
            let folder = tempfile::tempdir().context("cannot make a folder for temporary files")?;
            let file = folder.path().join("restore.db");
            std::fs::copy(backup, &file).context("cannot copy the backup to temporary files")?;
            let source = Db::open(&Settings { db: Location::File(file), ..settings.clone() }).await?;
            source.migrate().await?;
            let target = Db::open(settings).await?;
            target.migrate().await?;
            copy(&source, &target, progress).await?;
            source.close().await;
            target.close().await;
        }
    }
    Ok(found)
}

/// Is the file whole, of this version or an earlier one, and does everything in it point at what is there?
pub async fn verify(file: &Path) -> anyhow::Result<BackedUp> {
    let metadata = std::fs::metadata(file).with_context(|| format!("there is no backup `{}`", file.display()))?;
    let (schema, prompts) =
        sqlite::verify(file).await.with_context(|| format!("`{}` is no whole backup of a store", file.display()))?;
    match schema {
        Schema::Current | Schema::Older => Ok(BackedUp { prompts, bytes: metadata.len() }),
        Schema::Newer => bail!("`{}` was made by a later version; use that version", file.display()),
        Schema::Empty => bail!("`{}` holds no store", file.display()),
    }
}

/// A log that lies beside a file without it is what is left of another store, and would be read as part of this one.
fn refuse_existing(file: &Path) -> anyhow::Result<()> {
    for beside in ["", "-wal", "-shm", "-journal"] {
        let path = with_suffix(file, beside);
        ensure!(
            !path.exists(),
            "`{}` exists; nothing is written over: move it away, or give another name",
            path.display()
        );
    }
    Ok(())
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn draft(file: &Path) -> PathBuf {
    with_suffix(file, &format!(".{}.draft", std::process::id()))
}

/// Gives a file its name once it is on the disk.
fn keep(draft: &Path, file: &Path) -> anyhow::Result<()> {
    OpenOptions::new().write(true).open(draft)?.sync_all()?;
    std::fs::rename(draft, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn discard(draft: &Path) {
    for beside in ["", "-wal", "-shm", "-journal"] {
        // What was never made need not go.
        let _ = std::fs::remove_file(with_suffix(draft, beside));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.db");
        refuse_existing(&file).unwrap();
        File::create(folder.path().join("store.db-wal")).unwrap();
        assert!(refuse_existing(&file).unwrap_err().to_string().contains("store.db-wal` exists"));
    }
}
