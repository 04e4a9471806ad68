//! How much a level answers.
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use utoipa::ToSchema;

/// What a level of this process was asked, since the process began.
#[derive(Debug, Default)]
pub(super) struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    failures: AtomicU64,
    evictions: AtomicU64,
}

impl Counts {
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn evicted(&self) {
        self.evictions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    pub(super) fn show(&self) -> LevelStats {
        let [hits, misses, failures] =
            [&self.hits, &self.misses, &self.failures].map(|count| count.load(Ordering::Relaxed));
        #[expect(clippy::cast_precision_loss, reason = "a share of so many needs no more digits")]
        let hit_ratio = (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64);
        LevelStats { hits, misses, hit_ratio, failures }
    }
}

/// What a level was asked, since the process began.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelStats {
    /// Answered by the level.
    pub hits: u64,
    /// Asked further: of the second level, or the database.
    pub misses: u64,
    /// Of `hits` in all; null while nothing was asked.
    pub hit_ratio: Option<f64>,
    /// Not answered, or not in time.
    pub failures: u64,
}

/// The level in this process.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoryStats {
    /// What it was asked.
    #[serde(flatten)]
    pub level: LevelStats,
    /// How many answers it keeps.
    pub entries: u64,
    /// How much memory they take, nearly.
    pub bytes: u64,
    /// How much they may take.
    pub bytes_max: u64,
    /// Answers that had to go, because there was no room.
    pub evictions: u64,
}

/// The level in Redis. It ends its entries by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RedisStats {
    /// What it was asked.
    #[serde(flatten)]
    pub level: LevelStats,
    /// Does it answer?
    pub available: bool,
    /// How long it took the last time.
    pub latency_ms: f64,
}

/// How the cache of a process does.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CacheStats {
    /// The level in this process.
    pub memory: MemoryStats,
    /// The level that processes share; null without Redis.
    pub redis: Option<RedisStats>,
    /// Does Redis answer? Null without Redis.
    pub redis_available: Option<bool>,
    /// Do other processes tell this one what they change? While they cannot, it keeps answers for a second at most.
    pub is_told: Option<bool>,
}
