//! Background jobs. The ledger remembers them; the doorbell only says that one is waiting.
mod doorbell;
mod ledger;
mod model;
mod postgres;
mod prefixed;
mod sqlite;
mod standing;

use std::{str::FromStr, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

pub use doorbell::{Doorbell, LocalBell, RedisBell, WINDOW, redis_bell};
pub use ledger::{
    Claim, Outcome, bring_forward, bury, claim, depths, due, live_workers, purge, renew, settle_after, settle_again,
    settle_done, settle_later, take_due, waiting, worker_gone, worker_seen,
};
pub(crate) use ledger::{find, forget, insert, is_ordered, list, revive};

pub use standing::Trouble;

pub use model::{Depth, JobFilter, JobRow, JobState};

/// Every queue there is. A new variant does not compile until the worker serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Many prompts at once.
    BulkOperations,
    /// A few prompts at once, which do not stand in line behind the many.
    SmallBulkOperations,
    /// Prompts that cannot be found yet.
    SearchIndex,
    /// Telling others of events: a job for each receiver that something is due for.
    WebhookDeliveries,
    /// Adding up what was reported of calls.
    UsageRollups,
    /// Looking at running A/B tests.
    Experiments,
    /// Looking at prompts in use, once a day.
    Drift,
    /// Asking models to refine prompts.
    RefinementSessions,
    /// Giving what refinements led to to a store of documents.
    DocumentDeliveries,
    /// Reading what will be asked for.
    CacheWarmups,
}

impl Queue {
    /// How often a job that met a transient error is tried, the first time included.
    pub const ATTEMPTS: i64 = 20;

    /// All of them, in the order they are declared.
    pub const ALL: [Self; 10] = [
        Self::BulkOperations,
        Self::SmallBulkOperations,
        Self::SearchIndex,
        Self::WebhookDeliveries,
        Self::UsageRollups,
        Self::Experiments,
        Self::Drift,
        Self::RefinementSessions,
        Self::DocumentDeliveries,
        Self::CacheWarmups,
    ];

    /// As the ledger and Redis call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BulkOperations => "bulk-operations",
            Self::SmallBulkOperations => "small-bulk-operations",
            Self::SearchIndex => "search-index",
            Self::WebhookDeliveries => "webhook-deliveries",
            Self::UsageRollups => "usage-rollups",
            Self::Experiments => "experiments",
            Self::Drift => "drift",
            Self::RefinementSessions => "refinement-sessions",
            Self::DocumentDeliveries => "document-deliveries",
            Self::CacheWarmups => "cache-warmups",
        }
    }

    /// How many of its jobs one worker runs at once.
    #[must_use]
    pub const fn concurrency(self) -> usize {
        match self {
            Self::BulkOperations | Self::SmallBulkOperations => 2,
            Self::SearchIndex | Self::UsageRollups | Self::Experiments | Self::Drift | Self::CacheWarmups => 1,
            // They wait for others most of the time.
            Self::DocumentDeliveries => 4,
            Self::RefinementSessions => 8,
            Self::WebhookDeliveries => 16,
        }
    }

    /// How long a job waits after its failed attempt number `attempt`.
    #[must_use]
    pub fn retry_delay(self, attempt: i64) -> Duration {
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        let (first, most) = match self {
            // Whoever runs the store of documents may have to be woken.
            Self::DocumentDeliveries => (Duration::from_secs(5), Duration::from_hours(1)),
            _ => (Duration::from_secs(1), Duration::from_mins(10)),
        };
        crate::retry::delay(attempt, first, most)
    }
}

impl FromStr for Queue {
    type Err = anyhow::Error;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|queue| queue.name() == name);
        found.ok_or_else(|| anyhow::anyhow!("no queue is called `{name}`"))
    }
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

crate::db::text_column!(Queue);

impl Serialize for Queue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Queue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An order for a worker. What it carries is kept in the ledger, so it is small: ids, not data.
pub trait Job: Serialize + DeserializeOwned + Send + Sync {
    /// Who works it.
    const QUEUE: Queue;

    /// Two jobs of one queue with the same key are one job, while the first waits or runs.
    fn unique_key(&self) -> Option<String> {
        None
    }
}
