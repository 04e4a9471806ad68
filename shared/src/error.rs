//! The one error of the domain. It knows what went wrong, never how HTTP spells it.
use std::fmt::Display;

use crate::text;

/// What every operation of the domain answers with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Of what is told to an operator.
const LOGGED_CHARS_MAX: usize = 4096;

/// The code of an operation that had no effect because another was faster; see [`Error::is_race`].
pub const RACE: &str = "write-conflict";

/// The code of an operation that met something else in the database than was written.
pub(crate) const DAMAGED: &str = "storage-damaged";

/// The code of an operation that met an index of words that is not what was written.
pub(crate) const INDEX_DAMAGED: &str = "search-damaged";

/// What went wrong: five kinds, each of which asks something else of the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there.
    #[error("there is no {entity} `{id}`")]
    NotFound {
        /// What was looked for, as the contract calls it: `prompt`, `version`.
        entity: &'static str,
        /// The id, name or number it was looked for by.
        id: String,
    },

    /// The input breaks a rule. The caller must change it.
    #[error("{detail}")]
    Invalid {
        /// Stable and kebab-case; `validation-failed` unless something more telling is known.
        code: &'static str,
        /// One sentence for a person.
        detail: String,
        /// The fields at fault, where fields are.
        violations: Vec<Violation>,
    },

    /// The state forbids it. The caller can act on the code.
    #[error("{detail}")]
    Conflict {
        /// Stable and kebab-case.
        code: &'static str,
        /// One sentence for a person.
        detail: String,
    },

    /// A dependency is away. The only transient kind: the same call may succeed later.
    #[error("{detail}")]
    Unavailable {
        /// Stable and kebab-case: `database-unavailable`, `storage-full`.
        code: &'static str,
        /// One sentence for a person.
        detail: &'static str,
        /// For the log, never for the client.
        #[source]
        source: anyhow::Error,
    },

    /// We are wrong. Details go to the log.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

/// A version that is not what was written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0} is not what was written")]
struct DamagedVersion(String);

/// One field of the input that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the body, `/name`; for a query parameter, the same with its name.
    pub pointer: String,
    /// Stable and kebab-case: `too-long`, `required`.
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: String,
}

impl Violation {
    /// A violation at a pointer.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

impl Error {
    /// One field breaks a rule.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::from_violations(vec![Violation::new(pointer, code, detail)])
    }

    /// Some fields break rules. There must be at least one.
    #[must_use]
    pub fn from_violations(violations: Vec<Violation>) -> Self {
        let detail = match violations.as_slice() {
            [only] => only.detail.clone(),
            several => format!("{} fields are not as they must be; `errors` lists them", several.len()),
        };
        Self::Invalid { code: "validation-failed", detail, violations }
    }

    /// `entity` is not there under `id`.
    pub fn not_found(entity: &'static str, id: impl Display) -> Self {
        Self::NotFound { entity, id: text::quoted(&id.to_string()) }
    }

    /// The state forbids it.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    /// What was there a moment ago has changed; see [`is_race`](Self::is_race).
    pub fn race(what: &'static str) -> Self {
        let detail = "others write to the same rows again and again; try again in a moment";
        Self::Unavailable { code: RACE, detail, source: anyhow::anyhow!(what) }
    }

    /// There is no space to write to.
    pub fn full(why: impl Display) -> Self {
        let detail = "the disk is full: reading goes on, writing waits until there is space";
        Self::Unavailable { code: "storage-full", detail, source: anyhow::anyhow!("{why}") }
    }

    /// The file of the database is no longer where it was opened.
    pub fn moved(file: impl Display) -> Self {
        let detail = "the file of the database was moved, removed or replaced while the store runs: reading goes on, writing \
                      waits until it is back in its place; its operator stops the store, puts the file back, and starts it again";
        let source = anyhow::anyhow!("`{file}` or its log is no longer the file that was opened");
        Self::Unavailable { code: "storage-moved", detail, source }
    }

    /// What the database answers is not what was written.
    pub fn damaged(what: impl Display) -> Self {
        let detail =
            "the database is damaged, and what it holds here is not answered; its operator can restore a backup";
        Self::Unavailable { code: DAMAGED, detail, source: anyhow::anyhow!("{what}") }
    }

    /// One version is not what was written; everything else may well be.
    pub fn damaged_version(which: impl Display) -> Self {
        match Self::damaged("") {
            Self::Unavailable { code, detail, .. } => {
                Self::Unavailable { code, detail, source: DamagedVersion(which.to_string()).into() }
            }
            other => other,
        }
    }

    /// The same for another, who waited for the same thing.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::NotFound { entity, id } => Self::NotFound { entity, id: id.clone() },
            Self::Invalid { code, detail, violations } => {
                Self::Invalid { code, detail: detail.clone(), violations: violations.clone() }
            }
            Self::Conflict { code, detail } => Self::Conflict { code, detail: detail.clone() },
            Self::Unavailable { code, detail, source } => {
                let source = match source.downcast_ref::<DamagedVersion>() {
                    Some(damaged) => damaged.clone().into(),
                    None => anyhow::anyhow!("{source:#}"),
                };
                Self::Unavailable { code, detail, source }
            }
            Self::Internal(source) => Self::Internal(anyhow::anyhow!("{source:#}")),
        }
    }

    /// We are wrong, in a way that has no error of its own.
    pub fn internal(detail: impl Display) -> Self {
        Self::Internal(anyhow::anyhow!("{detail}"))
    }

    /// The stable, kebab-case name of what went wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not-found",
            Self::Invalid { code, .. } | Self::Conflict { code, .. } | Self::Unavailable { code, .. } => code,
            Self::Internal(_) => "internal",
        }
    }

    /// For the log and the operator, never for the client: the code and the whole chain of causes.
    #[must_use]
    pub fn for_log(&self) -> String {
        let told = match self {
            Self::Internal(source) | Self::Unavailable { source, .. } => format!("{}: {source:#}", self.code()),
            refusal => format!("{}: {refusal}", self.code()),
        };
        text::printable(&told, LOGGED_CHARS_MAX)
    }

    /// Would the same call succeed later without anyone changing anything?
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Has another transaction been faster, so that the same operation, run again at once, sees what it has written?
    #[must_use]
    pub fn is_race(&self) -> bool {
        self.code() == RACE
    }

    /// Is it about the one thing that was asked for, so that whatever else is to be done can be done? A refusal, or a
    /// version that is damaged.
    #[must_use]
    pub fn fails_alone(&self) -> bool {
        match self {
            Self::Unavailable { source, .. } => source.is::<DamagedVersion>(),
            other => other.is_refusal(),
        }
    }

    /// Is the caller at fault, so that trying the same again is useless?
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Invalid { .. } | Self::Conflict { .. })
    }
}
