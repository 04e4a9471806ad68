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

/// Every writing operation takes one. Cheap to clone; the clones share whether an answer was replayed, and one idempotency
/// key among them, which one operation can take.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name the audit log keeps: `admin`, `anonymous`, `worker`, or the id of a key.
    pub actor: Arc<str>,
    /// What they may do.
    pub grant: Arc<Grant>,
    /// The request that led here, as every log line of it says.
    pub request_id: Arc<str>,
    key: Option<Arc<Key>>,
    replayed: Arc<AtomicBool>,
}

/// The key of a run of a request, and whether an operation has taken it.
#[derive(Debug)]
struct Key {
    asked: Idempotency,
    is_taken: AtomicBool,
}

impl Key {
    fn fresh(asked: Idempotency) -> Arc<Self> {
        Arc::new(Self { asked, is_taken: AtomicBool::new(false) })
    }
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
    /// Someone who may do everything. With `idempotency`, the same request, sent twice, has one effect.
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
        let (actor, request_id, key) = (actor.into(), request_id.into(), idempotency.map(Key::fresh));
        Self { actor, grant, request_id, key, replayed: Arc::default() }
    }

    /// The program itself: a worker, a command.
    #[must_use]
    pub fn system(actor: &str) -> Self {
        Self::new(actor, "-", None)
    }

    /// The same for another run of the request, whose operation may take the key again: the run before had no effect.
    #[must_use]
    pub fn of_next_run(&self) -> Self {
        Self { key: self.key.as_ref().map(|key| Key::fresh(key.asked.clone())), ..self.clone() }
    }

    /// The same, once it is known what else makes the request the same one.
    #[must_use]
    pub fn fingerprinted(&self, more: &str) -> Self {
        let with_more = |key: &Arc<Key>| {
            let Idempotency { key, fingerprint } = &key.asked;
            Key::fresh(Idempotency { key: key.clone(), fingerprint: format!("{fingerprint} {more}").into() })
        };
        Self { key: self.key.as_ref().map(with_more), ..self.clone() }
    }

    /// Does the client want the same request, sent twice, to have one effect?
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.key.is_some()
    }

    /// The idempotency key of the request, for the one operation whose answer it keeps. An error, if another has taken it: its
    /// answer would be given for this one's.
    pub(crate) fn take_key(&self) -> Result<Option<Idempotency>> {
        let Some(key) = &self.key else { return Ok(None) };
        if key.is_taken.swap(true, Ordering::Relaxed) {
            return Err(Error::internal("a second operation of a request claims its idempotency key"));
        }
        Ok(Some(key.asked.clone()))
    }

    /// 403 `forbidden`, unless such things were granted. `what` begins the sentence: "moving the label …".
    pub fn must_be_allowed(&self, scope: Scope, what: &str) -> Result<()> {
        if self.grant.allows(scope) {
            return Ok(());
        }
        Err(forbidden(format!("{what} needs a key with the scope `{scope}`")))
    }

    /// Are prompts of this category within reach? One that is not is not there, as far as the caller can tell.
    #[must_use]
    pub fn reaches(&self, category: &str) -> bool {
        self.grant.folders.hold(category)
    }

    /// 403 `forbidden`, if prompts of this category are out of reach. For whoever named the category: of a prompt that was
    /// asked for by its id, this would tell where it is.
    pub fn must_reach(&self, category: &str) -> Result<()> {
        if self.reaches(category) {
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

    /// 403 `forbidden`, if only what some labels point at is to be seen.
    pub fn must_see_every_version(&self) -> Result<()> {
        if self.grant.labels.is_empty() {
            return Ok(());
        }
        let labels = self.grant.labels.join(", ");
        Err(forbidden(format!("this key is for the labels {labels} only, and this tells of other versions")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operation_of_a_run_takes_the_key() {
        let asked = Idempotency { key: "k".into(), fingerprint: "f".into() };
        let caller = Caller::new("somebody", "-", Some(asked));
        assert_eq!(&*caller.clone().take_key().unwrap().unwrap().key, "k");
        assert_eq!(caller.take_key().unwrap_err().code(), "internal");
        let again = caller.of_next_run();
        assert!(again.take_key().unwrap().is_some() && again.take_key().is_err());
        let with_body = caller.fingerprinted("body");
        assert_eq!(&*with_body.take_key().unwrap().unwrap().fingerprint, "f body");
        assert!(Caller::system("worker").take_key().unwrap().is_none());
    }
}
