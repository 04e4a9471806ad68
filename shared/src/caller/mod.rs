//! Who asks for a change, under which request, and with which idempotency key.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Every writing operation takes one. Cheap to clone; the clones share whether an answer was replayed.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name the audit log keeps: `admin`, `anonymous`, `worker`.
    pub actor: Arc<str>,
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
    /// Someone at a door.
    #[must_use]
    pub fn new(actor: &str, request_id: &str, idempotency: Option<Idempotency>) -> Self {
        Self { actor: actor.into(), request_id: request_id.into(), idempotency, replayed: Arc::default() }
    }

    /// The program itself: a worker, a command.
    #[must_use]
    pub fn system(actor: &str) -> Self {
        Self::new(actor, "-", None)
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
