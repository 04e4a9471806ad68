//! Who asks for a change, what they may do, under which request, and with which idempotency key.
mod folders;
mod grant;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::error::{Error, Result};

pub use folders::Folders;
pub use grant::{Grant, Scope};

/// Every writing operation takes one. Cheap to clone; the clones share whether an answer was replayed.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name the audit log keeps: `admin`, `anonymous`, `worker`, or the id of a key.
    pub actor: Arc<str>,
    /// What they may do.
    pub grant: Arc<Grant>,
    /// The request that led here, as every log line of it says.
    pub request_id: Arc<str>,
    /// Present where the client wants the same request, sent twice, to have one effect.
    pub idempotency: Option<Idempotency>,
    replayed: Arc<AtomicBool>,
}

/// What makes two requests the same one.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Chosen by the client.
    pub key: Arc<str>,
    /// SHA-256, in hex, of what was asked: method, path, query and body.
    pub fingerprint: Arc<str>,
}

impl Caller {
    /// Someone who may do everything.
    #[must_use]
    pub fn new(actor: &str, request_id: &str, idempotency: Option<Idempotency>) -> Self {
        Self::with(Grant::everything(), actor, request_id, idempotency)
    }

    /// Someone who may do what was granted.
    #[must_use]
    pub fn with(
        grant: Arc<Grant>,
        actor: impl Into<Arc<str>>,
        request_id: &str,
        idempotency: Option<Idempotency>,
    ) -> Self {
        Self { actor: actor.into(), grant, request_id: request_id.into(), idempotency, replayed: Arc::default() }
    }

    /// The program itself: a worker, a command.
    #[must_use]
    pub fn system(actor: &str) -> Self {
        Self::new(actor, "-", None)
    }

    /// 403 `forbidden`, unless such things were granted. `what` begins the sentence: "moving the label …".
    pub fn must_be_allowed(&self, scope: Scope, what: &str) -> Result<()> {
        if self.grant.allows(scope) {
            return Ok(());
        }
        Err(forbidden(format!("{what} needs a key with the scope `{scope}`")))
    }

    /// 403 `forbidden`, if prompts of this category are out of reach.
    pub fn must_reach(&self, category: &str) -> Result<()> {
        if self.grant.folders.hold(category) {
            return Ok(());
        }
        Err(forbidden(format!("this key is for {} only, and not for `{category}`", self.grant.folders)))
    }

    /// 403 `forbidden`, if it is for some prompts only. `what` is what the route tells of.
    pub fn must_reach_everything(&self, what: &str) -> Result<()> {
        if self.grant.folders.are_all() {
            return Ok(());
        }
        Err(forbidden(format!("this key is for {} only, and this tells of {what}", self.grant.folders)))
    }

    /// 403 `forbidden`, if versions are not to be read or moved by this label.
    pub fn must_know(&self, label: &str) -> Result<()> {
        if self.grant.knows(label) {
            return Ok(());
        }
        Err(forbidden(format!(
            "this key is for the labels {} only, and not for `{label}`",
            self.grant.labels.join(", ")
        )))
    }

    /// Was the answer one that had been given before?
    #[must_use]
    pub fn was_replayed(&self) -> bool {
        self.replayed.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_replayed(&self) {
        self.replayed.store(true, Ordering::Relaxed);
    }
}

fn forbidden(detail: String) -> Error {
    Error::conflict("forbidden", detail)
}
