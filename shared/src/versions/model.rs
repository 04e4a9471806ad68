//! A version, and why it was made.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Body;
use crate::{
    clock::Timestamp,
    db::FromRow,
    error::Result,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Version {
    /// `ver_…`
    pub id: VersionId,
    /// Whose version it is.
    pub prompt_id: PromptId,
    /// From 1, without gaps.
    pub version: i64,
    /// What it holds.
    #[serde(flatten)]
    #[sqlx(flatten)]
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
}

impl Version {
    /// The version, if it is what was written.
    pub(super) fn checked(self) -> Result<Self> {
        self.body.check_hash(&self.content_hash, self.id).map(|()| self)
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
