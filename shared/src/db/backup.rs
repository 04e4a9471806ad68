//! A store as one file, written while it is used, and looked at before anybody relies on it.
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use sqlx::SqlitePool;
use tempfile::TempDir;

use super::{Db, Location, Schema, Step, copy, sqlite};
use crate::{
    config::Settings,
    output::{Output, Target, folder_of, keep},
};

/// So many copies of one update are kept: whatever tries more often has another problem.
const COPIES_MAX: u32 = 300;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Its prompts, deleted ones included.
    pub prompts: i64,
    /// Its length.
    pub bytes: u64,
}

/// Writes everything as of one moment to a file that is not there yet, in the form of `SQLite`, whatever the store runs on.
/// Others read and write meanwhile. The file appears under its name only when it is whole. A pipe, a device or standard output
/// is written to once the backup is whole in a temporary file.
pub async fn backup(
    settings: &Settings,
    db: &Db,
    file: &Path,
    progress: impl FnMut(&str, Step, u64, u64),
) -> anyhow::Result<BackedUp> {
    let write = async |draft: &Path| {
        match db {
            Db::Sqlite { writer, .. } => sqlite::backup(writer, draft).await?,
            Db::Postgres { .. } => {
                let target = Db::open(&Settings { db: Location::File(draft.to_owned()), ..settings.clone() }).await?;
                target.migrate(false).await?;
                copy(db, &target, progress).await?;
                target.close().await;
            }
        }
        Ok(())
    };
    let target = Target::of(file)?;
    if let Some(path) = target.file() {
        return write_whole(path, &draft(path), write).await;
    }
    let folder = tempfile::tempdir().context("cannot make a folder for temporary files")?;
    let whole = folder.path().join("backup.db");
    let backed_up = write_whole(&whole, &draft(&whole), write).await?;
    let mut output = Output::open(Some(file))?;
    io::copy(&mut File::open(&whole)?, &mut output).with_context(|| format!("cannot write `{}`", file.display()))?;
    output.finish()?;
    Ok(backed_up)
}

/// The settings of a copy of a store in a file, which lasts as long as its folder: for who would hold up every other writer. Nothing
/// for a store on a server, where writers wait for rows only.
pub async fn copy_aside(settings: &Settings, db: &Db) -> anyhow::Result<Option<(Settings, TempDir)>> {
    let Db::Sqlite { writer, .. } = db else { return Ok(None) };
    let folder = tempfile::tempdir().context("cannot make a folder for temporary files")?;
    let file = folder.path().join("copy.db");
    sqlite::backup(writer, &file).await.context("cannot copy the store to temporary files")?;
    Ok(Some((Settings { db: Location::File(file), ..settings.clone() }, folder)))
}

/// Copies a store of an earlier version before it is changed, so that whoever goes back to that version has something to go back
/// to. `last` is the number of its last migration.
pub(super) async fn before_update(pool: &SqlitePool, store: &Path, last: i64) -> anyhow::Result<()> {
    let name = |attempt: u32| match attempt {
        1 => with_suffix(store, &format!(".before-update-{last}")),
        more => with_suffix(store, &format!(".before-update-{last}.{more}")),
    };
    // One that is there is of an earlier attempt, or of a store that went back and was used.
    let file = (1..=COPIES_MAX).map(name).find(|file| refuse_existing(file).is_ok()).context(
        "there are hundreds of copies from before this update already; look why it does not succeed, and remove them",
    )?;
    // Only one process at a time brings tables up to date: what lies here is of one that was killed.
    let draft = with_suffix(&file, ".draft");
    discard(&draft);
    let written = write_whole(&file, &draft, async |draft: &Path| sqlite::backup(pool, draft).await).await;
    let written = written.with_context(|| {
        format!(
            "the store was not changed, as it cannot be copied to `{}` first; make room for the copy, or keep one elsewhere \
             (`prompt-store backup` of the earlier version) and set PROMPT_STORE_COPY_BEFORE_UPDATE=false",
            file.display()
        )
    })?;
    tracing::info!(file = %file.display(), bytes = written.bytes, "the store was copied as it was, before its tables change");
    Ok(())
}

/// Writes a file that is not there yet. It appears under its name only when it is whole.
async fn write_whole(
    file: &Path,
    draft: &Path,
    write: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<BackedUp> {
    refuse_existing(file)?;
    let written = async {
        write(draft).await?;
        let backed_up = verify(draft).await?;
        keep(draft, file)?;
        anyhow::Ok(backed_up)
    };
    let written = written.await;
    if written.is_err() {
        discard(draft);
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
            let target = Target::of(file)?;
            let Some(file) = target.file() else {
                bail!("`{}` is no regular file, so no store can be kept in it", file.display())
            };
            refuse_existing(file)?;
            let (draft, folder) = (draft(file), folder_of(file));
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            let copied = std::fs::copy(backup, &draft).and_then(|_| keep(&draft, file));
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
            source.migrate(false).await?;
            let target = Db::open(settings).await?;
            target.migrate(false).await?;
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
