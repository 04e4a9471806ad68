//! A version, and why it was made.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, body::BodyRow};
use crate::{
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result},
    id::{PromptId, VersionId},
    names::names,
};

/// What made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeType {
    /// The prompt's first.
    Create,
    /// Someone changed it.
    Update,
    /// The first of a copy.
    Fork,
    /// An earlier one, brought back.
    Rollback,
    /// An accepted refinement.
    Refinement,
    /// It came from a file.
    Import,
}

names!(ChangeType {
    Create = "create",
    Update = "update",
    Fork = "fork",
    Rollback = "rollback",
    Refinement = "refinement",
    Import = "import",
});

/// One version of a prompt. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// `ver_…`
    pub id: VersionId,
    /// Whose version it is.
    pub prompt_id: PromptId,
    /// From 1, without gaps.
    pub version: i64,
    /// What it holds.
    #[serde(flatten)]
    pub body: Body,
    /// What its author said of it.
    pub change_summary: Option<String>,
    /// What made it.
    pub change_type: ChangeType,
    /// SHA-256 of everything it holds, in hex.
    pub content_hash: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Is what the database holds not what was written? Then what it holds is left out. Only lists show such a version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A version as its row holds it.
#[derive(FromRow)]
pub(super) struct VersionRow {
    id: VersionId,
    prompt_id: PromptId,
    version: i64,
    #[sqlx(flatten)]
    body: BodyRow,
    change_summary: Option<String>,
    change_type: ChangeType,
    created_by: String,
    created_at: Timestamp,
}

impl VersionRow {
    /// The version. One that is not what was written is marked, and has nothing of its body.
    pub(super) fn marked(self) -> Version {
        let sound = self.body.sound(true);
        let damaged = sound.is_none();
        let (body, content_hash) = sound.unwrap_or_default();
        Version {
            id: self.id,
            prompt_id: self.prompt_id,
            version: self.version,
            body,
            change_summary: self.change_summary,
            change_type: self.change_type,
            content_hash,
            created_by: self.created_by,
            created_at: self.created_at,
            damaged,
        }
    }

    /// The version, if it is what was written.
    pub(super) fn checked(self) -> Result<Version> {
        let version = self.marked();
        if version.damaged { Err(Error::damaged_version(version.id)) } else { Ok(version) }
    }
}

/// A version to be appended.
#[derive(Clone, Debug)]
pub struct NewVersion<'a> {
    /// Whose version it is.
    pub prompt_id: PromptId,
    /// The number after the current one.
    pub version: i64,
    /// What it holds.
    pub body: &'a Body,
    /// What its author said of it.
    pub change_summary: Option<String>,
    /// What made it.
    pub change_type: ChangeType,
}
