//! What a key is, to whoever manages keys.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::{Folders, Grant, Scope},
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result, Violation},
    id::KeyId,
    text,
};

const NAME_CHARS_MAX: usize = 100;
const FOLDER_CHARS_MAX: usize = 255;
const FOLDERS_MAX: usize = 50;
const LABELS_MAX: usize = 50;

/// A key to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Who or what will have it, for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The categories it is for: `writing/blog`, or `writing/*` for `writing` and all below it. Left out: all.
    #[serde(default)]
    pub folders: Vec<String>,
    /// The labels it may read by, and move. Left out: all.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What a read by name serves that says neither label nor version. Left out: `production`.
    pub default_label: Option<String>,
    /// When it ends. Left out: never.
    pub expires_at: Option<Timestamp>,
}

/// How a key is followed by another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// So long the old key still works, in seconds: 0 to 604,800 (a week). A day, unless said.
    #[serde(default = "one_day")]
    #[schema(minimum = 0, maximum = 604_800)]
    pub overlap_seconds: i64,
}

/// A week.
const OVERLAP_SECONDS_MAX: i64 = 604_800;

fn one_day() -> i64 {
    86_400
}

impl Default for Rotation {
    fn default() -> Self {
        Self { overlap_seconds: one_day() }
    }
}

impl Rotation {
    pub(super) fn check(&self) -> Result<()> {
        if (0..=OVERLAP_SECONDS_MAX).contains(&self.overlap_seconds) {
            return Ok(());
        }
        Err(Error::invalid("/overlap_seconds", "out-of-range", "0 to 604800 seconds"))
    }
}

/// A key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Key {
    /// `key_…`
    pub id: KeyId,
    /// Who or what has it, for people.
    pub name: String,
    /// What it may do.
    #[sqlx(json)]
    pub scopes: Vec<Scope>,
    /// The categories it is for; empty: all.
    #[sqlx(json)]
    pub folders: Vec<String>,
    /// The labels it may read by and move; empty: all.
    #[sqlx(json)]
    pub labels: Vec<String>,
    /// What a read by name serves that says neither label nor version; null: `production`.
    pub default_label: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends, or ended; null: never.
    pub expires_at: Option<Timestamp>,
    /// When somebody took it back.
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The key it followed.
    pub replaces: Option<KeyId>,
}

/// A key that was just made: the only answer that tells its text.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MadeKey {
    /// What there is to know of it.
    #[serde(flatten)]
    pub key: Key,
    /// The key itself, for `Authorization: Bearer …`. Null in the answer to a repeated request: make another then.
    pub text: Option<String>,
}

impl NewKey {
    pub(super) fn check(&self, now: Timestamp) -> Result<()> {
        let mut violations: Vec<Violation> =
            text::identifier(&self.name, "/name", NAME_CHARS_MAX).err().into_iter().collect();
        let mut refuse = |pointer: String, code, detail: &str| violations.push(Violation::new(pointer, code, detail));
        if self.scopes.is_empty() {
            refuse("/scopes".to_owned(), "required", "a key without a scope may do nothing; give it at least one");
        }
        if self.scopes.contains(&Scope::Admin) && !(self.folders.is_empty() && self.labels.is_empty()) {
            refuse(
                "/scopes".to_owned(),
                "not-together",
                "an administrator reaches everything; leave out folders and labels",
            );
        }
        if self.folders.len() > FOLDERS_MAX {
            refuse("/folders".to_owned(), "too-many", "at most 50");
        }
        if self.labels.len() > LABELS_MAX {
            refuse("/labels".to_owned(), "too-many", "at most 50");
        }
        for (n, folder) in self.folders.iter().enumerate() {
            let bare = folder.strip_suffix("/*").unwrap_or(folder);
            if bare.is_empty()
                || bare.contains('*')
                || !text::category(bare, "/folders", FOLDER_CHARS_MAX).is_ok_and(|kept| kept == bare)
            {
                refuse(format!("/folders/{n}"), "pattern", "a category, or one followed by `/*`");
            }
        }
        let labels = self.labels.iter().enumerate().map(|(n, label)| (format!("/labels/{n}"), label));
        let default = self.default_label.iter().map(|label| ("/default_label".to_owned(), label));
        for (pointer, label) in labels.chain(default) {
            if let Err(violation) = text::label(label, &pointer) {
                refuse(pointer, violation.code, &violation.detail);
            }
        }
        if let Some(label) = &self.default_label
            && !self.labels.is_empty()
            && !self.labels.contains(label)
        {
            refuse("/default_label".to_owned(), "not-together", "it is not among the labels this key may read by");
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            refuse("/expires_at".to_owned(), "past", "it must be in the future");
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
    }
}

impl Key {
    /// What it grants now: nothing, once it has ended or was taken back.
    pub(super) fn grant(&self, now: Timestamp) -> Option<Grant> {
        if self.revoked_at.is_some() || self.expires_at.is_some_and(|end| end <= now) {
            return None;
        }
        Some(Grant {
            scopes: self.scopes.clone(),
            folders: Folders::of(self.folders.clone()),
            labels: self.labels.clone(),
            default_label: self.default_label.clone(),
        })
    }
}
