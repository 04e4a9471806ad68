//! What a domain operation may reach. Cheap to clone, built once by each binary.
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::{
    cache::Cache,
    caller::Caller,
    clock::{Clock, Timestamp},
    config::Settings,
    db::{Db, Tx},
    error::{Error, Result},
    http::{Outgoing, Service},
    idempotency,
    jobs::Doorbell,
    llm::Services,
    memory::Memory,
    search,
    secret::SecretKey,
    uses::UseCounter,
};

/// The store, as its operations see it.
#[derive(Clone)]
pub struct App {
    /// Where everything is kept.
    pub db: Db,
    /// Tells workers that a job waits.
    pub doorbell: Doorbell,
    /// The present.
    pub clock: Clock,
    /// As they were at the start.
    pub settings: Arc<Settings>,
    /// Sends requests to others.
    pub http: Outgoing,
    /// Language models that refine.
    pub llm: Services,
    /// A store of documents that gets what refinements led to.
    pub doc_store: Option<Service>,
    /// What the store signs with.
    pub secret: SecretKey,
    /// Uses of prompts that are not yet in the database.
    pub uses: UseCounter,
    /// What rooms keep in this process.
    pub memory: Memory,
    /// What searches know by heart.
    pub search: search::Index,
    /// What reads keep.
    pub cache: Cache,
    /// When this process began.
    pub started_at: Timestamp,
}

/// What [`App::begin_once`] finds.
pub(crate) enum Begun<T> {
    /// The request is new: go on.
    Fresh(Box<Tx>),
    /// The request had its effect before: this was its answer.
    Answered(T),
}

/// `let mut tx = begin!(app, caller);` opens the transaction of an operation that a client may repeat. If the
/// caller's idempotency key was answered before, the function returns that answer again, as `?` returns an
/// error. End it with `tx.commit_with(&answer)`, which keeps the answer beside its effect.
macro_rules! begin {
    ($app:expr, $caller:expr) => {
        match $app.begin_once($caller).await? {
            $crate::app::Begun::Fresh(tx) => *tx,
            $crate::app::Begun::Answered(answer) => return Ok(answer),
        }
    };
}
pub(crate) use begin;

impl App {
    /// Opens a transaction as `caller`. Change, audit row and jobs commit together, or not at all.
    pub async fn begin(&self, caller: &Caller) -> Result<Tx> {
        Ok(Tx::new(self.db.begin().await?, caller.clone(), self))
    }

    /// Opens a transaction and claims the caller's idempotency key in it. An error, if another operation of the request has
    /// claimed it. See [`begin!`].
    pub(crate) async fn begin_once<T: DeserializeOwned>(&self, caller: &Caller) -> Result<Begun<T>> {
        let asked = caller.take_key()?;
        let mut tx = self.begin(caller).await?;
        let Some(asked) = asked else { return Ok(Begun::Fresh(Box::new(tx))) };
        let Some(answer) = idempotency::claim(&mut tx, &asked).await? else {
            tx.keeps_answer_to(asked.key);
            return Ok(Begun::Fresh(Box::new(tx)));
        };
        caller.mark_replayed();
        serde_json::from_str(&answer).map(Begun::Answered).map_err(|error| Error::Internal(error.into()))
    }
}
