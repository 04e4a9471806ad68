//! What to do about the secret of a store that is backed up, restored or copied: it is never in the database.
use std::path::PathBuf;

use shared::{config::Settings, db::Location};

const WITHOUT: &str = "Without it no API key works, and no secret of a webhook can be read";

/// After a backup.
pub(super) fn keep(settings: &Settings) -> String {
    match file_of(settings, &settings.db) {
        Some(key) => format!("Keep a copy of {} elsewhere. {WITHOUT}", key.display()),
        None => format!("Keep PROMPT_STORE_SECRET_KEY elsewhere. {WITHOUT}"),
    }
}

/// After a restore. Nothing, if a key lies there.
pub(super) fn restored(settings: &Settings) -> Option<String> {
    match file_of(settings, &settings.db) {
        Some(key) if key.exists() => None,
        Some(key) => Some(format!(
            "Put the key of the store that was backed up where it belongs before you start this one: {}. {WITHOUT}, and the store is not started",
            key.display()
        )),
        None => {
            Some(format!("Give every process the PROMPT_STORE_SECRET_KEY of the store that was backed up. {WITHOUT}"))
        }
    }
}

/// After a copy.
pub(super) fn copied(settings: &Settings, from: &Location, to: &Location) -> String {
    let (theirs, ours) = (file_of(settings, from), file_of(settings, to));
    let how = match (theirs, ours) {
        (Some(theirs), Some(ours)) => format!("`cp -p {} {}`", theirs.display(), ours.display()),
        (Some(theirs), None) => {
            format!("every process needs it: PROMPT_STORE_SECRET_KEY=\"$(cat {})\"", theirs.display())
        }
        (None, Some(ours)) => format!(
            "`(umask 077; printf %s \"$PROMPT_STORE_SECRET_KEY\" > {})`, with the secret the store was served with",
            ours.display()
        ),
        (None, None) => "every process needs the same PROMPT_STORE_SECRET_KEY as before".to_owned(),
    };
    format!("The key of the store is not copied: {how}. {WITHOUT}, and the copy is not started")
}

/// The file of the secret, unless it is given as a variable.
fn file_of(settings: &Settings, store: &Location) -> Option<PathBuf> {
    let is_given = settings.secret_key.as_deref().is_some_and(|key| !key.is_empty());
    store.file().filter(|_| !is_given).map(|file| file.with_extension("key"))
}
