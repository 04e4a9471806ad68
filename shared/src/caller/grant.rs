//! What somebody may do: how far a key reaches.
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Folders;
use crate::names::names;

/// A kind of action. Each route asks for one, and says which in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Read prompts, search them, have them filled.
    #[serde(rename = "prompts:read")]
    PromptsRead,
    /// Make prompts and change them.
    #[serde(rename = "prompts:write")]
    PromptsWrite,
    /// Move protected labels, and prompts through their life.
    #[serde(rename = "prompts:publish")]
    PromptsPublish,
    /// Load and change many at once, and take all of them out.
    #[serde(rename = "bulk")]
    Bulk,
    /// Webhooks, and the stream of events.
    #[serde(rename = "webhooks")]
    Webhooks,
    /// Report how prompts are used, and see it.
    #[serde(rename = "analytics")]
    Analytics,
    /// A/B tests.
    #[serde(rename = "experiments")]
    Experiments,
    /// How the store is: `/health`, `/metrics`.
    #[serde(rename = "metrics")]
    Metrics,
    /// Everything, keys and the audit log included.
    #[serde(rename = "admin")]
    Admin,
}

names!(Scope {
    PromptsRead = "prompts:read",
    PromptsWrite = "prompts:write",
    PromptsPublish = "prompts:publish",
    Bulk = "bulk",
    Webhooks = "webhooks",
    Analytics = "analytics",
    Experiments = "experiments",
    Metrics = "metrics",
    Admin = "admin",
});

impl Scope {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::PromptsRead,
        Self::PromptsWrite,
        Self::PromptsPublish,
        Self::Bulk,
        Self::Webhooks,
        Self::Analytics,
        Self::Experiments,
        Self::Metrics,
        Self::Admin,
    ];
}

/// What a caller may do, to which prompts, by which labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The kinds of action.
    pub scopes: Vec<Scope>,
    /// The categories it reaches.
    pub folders: Folders,
    /// The labels it may read by and move. None: all.
    pub labels: Vec<String>,
    /// What a read by name serves that names no label and no version. `production`, unless said.
    pub default_label: Option<String>,
}

impl Grant {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self { scopes: vec![Scope::Admin], folders: Folders::default(), labels: Vec::new(), default_label: None }
    }

    /// The same, shared: most callers may do everything, and many ask at once.
    #[must_use]
    pub fn everything() -> Arc<Self> {
        static ALL: LazyLock<Arc<Grant>> = LazyLock::new(|| Arc::new(Grant::all()));
        Arc::clone(&ALL)
    }

    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { scopes: Vec::new(), ..Self::all() }
    }

    /// May it do such things?
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| *own == scope || *own == Scope::Admin)
    }

    /// May it read by this label, and, given the scope, move it?
    #[must_use]
    pub fn knows(&self, label: &str) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|own| own == label)
    }

    /// Is it for some prompts only, or for some of their versions?
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        !(self.folders.are_all() && self.labels.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_may_do_everything_and_nobody_else_more_than_it_says() {
        assert!(Scope::ALL.iter().all(|scope| Grant::all().allows(*scope)));
        assert!(Scope::ALL.iter().all(|scope| !Grant::none().allows(*scope)));
        let reader = Grant { scopes: vec![Scope::PromptsRead], ..Grant::none() };
        let may: Vec<_> = Scope::ALL.into_iter().filter(|scope| reader.allows(*scope)).collect();
        assert_eq!(may, [Scope::PromptsRead]);
    }
}
