//! A row of the audit log, and what to look for among them.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result},
    id::AuditId,
};

/// What somebody did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct AuditRow {
    /// `aud_…`
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who: the id of a key, `admin`, `anonymous`, `worker`.
    pub actor: String,
    /// By which request.
    pub request_id: String,
    /// What: `prompt.updated`.
    pub action: String,
    /// To what.
    pub object_id: String,
    /// What the object itself will not tell.
    pub detail: Option<String>,
    /// SHA-256 of the object as it was left, where it was left as something.
    #[serde(rename = "after_hash")]
    pub state: Option<String>,
    /// The same before.
    #[serde(rename = "before_hash")]
    pub before: Option<String>,
    /// Its place in the chain, from 1; null for the moment until it is sealed.
    pub sequence: Option<i64>,
    /// SHA-256 of what this row says and of the seal before it.
    pub seal: Option<String>,
}

/// What to look for in the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Done by them: the id of a key, `admin`.
    pub actor: Option<String>,
    /// This was done: `prompt.updated`.
    pub action: Option<String>,
    /// Done to this: the id of a prompt, a webhook, a key.
    pub object_id: Option<String>,
    /// Done by this request.
    pub request_id: Option<String>,
    /// Not before.
    #[param(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    pub(super) fn check(&self) -> Result<()> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if until <= since => {
                Err(Error::invalid("/until", "reversed", "`until` must be after `since`"))
            }
            _ => Ok(()),
        }
    }
}
