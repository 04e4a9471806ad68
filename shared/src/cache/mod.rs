//! What reads keep, so that the next one asks nobody: in this process, and behind it in Redis.
//!
//! An answer counts as long as its mark has not changed since before it was read. Who changes a thing changes its mark once
//! the change is committed, here and in Redis, and tells the other processes. Whatever is lost on the way, no answer is
//! older than `--cache-max-age-ms`.
mod mark;
mod news;
mod second;
mod stats;

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use globset::{GlobBuilder, GlobMatcher};
use moka::{notification::RemovalCause, ops::compute::Op};

use crate::{
    config::Settings,
    error::{Error, Result},
    redis_client,
    secret::SecretKey,
};

pub use mark::Mark;
pub use stats::{CacheStats, LevelStats, MemoryStats, RedisStats};

use mark::{Marks, Seen};
use news::News;
use second::{Looked, Second};
use stats::Counts;

/// So long it is known that something is not there.
const REFUSAL_MAX_AGE: Duration = Duration::from_secs(2);
/// So long an answer counts while nobody tells this process what others change.
const UNTOLD_MAX_AGE: Duration = Duration::from_secs(1);
/// What an entry takes besides its key and its value.
const ENTRY_BYTES: usize = 200;
/// Ends the name in a key. No name holds it: control characters are refused.
const END: char = '\u{1f}';
const PATTERN_BYTES_MAX: usize = 512;

/// What can be kept.
pub trait Keepable: Any + Send + Sync {
    /// How much memory it takes, nearly.
    fn bytes(&self) -> usize;

    /// As other processes may read it; nothing, if it stays in this one.
    fn pack(&self) -> Option<Vec<u8>> {
        None
    }

    /// What another process packed.
    fn unpack(_: &[u8]) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Is what was read to be kept?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until it changes.
    Yes,
    /// It may change without anyone telling.
    No,
}

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This process.
    Memory,
    /// Redis.
    Redis,
    /// The database.
    Database,
}

/// An answer.
#[derive(Debug)]
pub struct Held<T> {
    /// What was read.
    pub value: Arc<T>,
    /// How long ago.
    pub age: Duration,
    /// By whom it was kept.
    pub source: Source,
}

/// What a thing is kept under.
#[derive(Clone, Debug)]
pub struct Key(String);

impl Key {
    /// The key of a thing by its name, which patterns match, and by what else tells it from others of that name.
    #[must_use]
    pub fn new(name: &[&str], rest: &[&str]) -> Self {
        let mut key = String::with_capacity(64);
        for (index, part) in name.iter().enumerate() {
            key.extend((index > 0).then_some('/'));
            key.push_str(part);
        }
        for part in rest {
            key.push(END);
            key.push_str(part);
        }
        Self(key)
    }
}

/// The cache of a process. The clones share it.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    kept: moka::future::Cache<String, Entry>,
    bytes_max: u64,
    max_age: Duration,
    marks: Marks,
    second: Option<Second>,
    told: AtomicBool,
    counts: Arc<Counts>,
}

#[derive(Clone)]
struct Entry {
    /// Or why there is nothing.
    value: Result<Arc<dyn Any + Send + Sync>, Arc<Error>>,
    mark: Mark,
    seen: Seen,
    since: Instant,
    bytes: u32,
}

impl Cache {
    /// The cache of a process that no other tells anything.
    #[must_use]
    pub fn local(settings: &Settings) -> Self {
        Self::with(settings, None)
    }

    /// The cache of a process, with Redis behind it where there is one. Redis must answer now.
    pub async fn open(settings: &Settings, secret: &SecretKey) -> anyhow::Result<Self> {
        let second = match redis_client::open(settings)? {
            Some(client) if settings.cache_bytes > 0 => {
                Some(Second::open(client, &settings.redis_prefix, secret, settings.cache_max_age).await?)
            }
            _ => None,
        };
        let cache = Self::with(settings, second);
        if cache.0.second.is_some() {
            tokio::spawn(news::listen(Arc::downgrade(&cache.0)));
        }
        Ok(cache)
    }

    fn with(settings: &Settings, second: Option<Second>) -> Self {
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let kept = moka::future::Cache::builder()
            .max_capacity(settings.cache_bytes)
            .weigher(|_: &String, entry: &Entry| entry.bytes)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counted.evicted();
                }
            })
            .build();
        let (bytes_max, max_age) = (settings.cache_bytes, settings.cache_max_age);
        let (marks, told) = (Marks::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { kept, bytes_max, max_age, marks, second, told, counts }))
    }

    /// What is kept under a key, or else what `load` reads. Of many who ask at once, one reads, and the others wait for it.
    pub async fn get<T: Keepable>(
        &self,
        key: &Key,
        mark: Mark,
        load: impl AsyncFnOnce() -> Result<(T, Keep)> + Send,
    ) -> Result<Held<T>> {
        let inner = &*self.0;
        if let Some(entry) = inner.kept.get(key.0.as_str()).await
            && inner.counts_still(&entry)
        {
            inner.counts.hit();
            return entry.held(Source::Memory);
        }
        let mut answer = None;
        let look = async |found: Option<moka::Entry<String, Entry>>| -> Result<Op<Entry>> {
            // Another may have read it meanwhile.
            if let Some(entry) = found.map(moka::Entry::into_value).filter(|entry| inner.counts_still(entry)) {
                inner.counts.hit();
                answer = Some(entry.held(Source::Memory));
                return Ok(Op::Nop);
            }
            inner.counts.miss();
            let (entry, source, keep) = inner.read(key, mark, load).await?;
            answer = Some(entry.held(source));
            Ok(if keep == Keep::Yes { Op::Put(entry) } else { Op::Remove })
        };
        inner.kept.entry_by_ref(key.0.as_str()).and_try_compute_with(look).await?;
        answer.unwrap_or_else(|| Err(Error::internal("a cache that neither found nor read")))
    }

    /// Things have changed, and the change is committed: nobody is given anymore what was read before.
    pub(crate) async fn changed(&self, mut marks: Vec<Mark>) {
        marks.sort_unstable();
        marks.dedup();
        for mark in &marks {
            self.0.marks.change(*mark);
        }
        if let Some(second) = self.0.second.as_ref().filter(|_| !marks.is_empty()) {
            second.tell(&News::Changed(marks)).await;
        }
    }

    /// Forgets what is kept of names like `writing/*`, here, in Redis and in the other processes. Answers how many answers
    /// this process has forgotten.
    pub async fn invalidate(&self, pattern: &str) -> Result<u64> {
        if pattern.is_empty() || pattern.len() > PATTERN_BYTES_MAX || pattern.chars().any(char::is_control) {
            let detail = format!("`pattern` must be 1 to {PATTERN_BYTES_MAX} bytes, without control characters");
            return Err(Error::invalid("/pattern", "out-of-range", detail));
        }
        let matcher = matcher(pattern).map_err(|error| {
            let detail = format!("`pattern` is no pattern like `writing/*`: {}", error.kind());
            Error::invalid("/pattern", "bad-pattern", detail)
        })?;
        let forgotten = self.0.forget(pattern, &matcher).await;
        if let Some(second) = &self.0.second {
            second.tell(&News::Invalidated(pattern.to_owned())).await;
        }
        Ok(forgotten)
    }

    /// How it does.
    pub async fn stats(&self) -> CacheStats {
        let inner = &*self.0;
        inner.kept.run_pending_tasks().await;
        let memory = MemoryStats {
            level: inner.counts.show(),
            entries: inner.kept.entry_count(),
            bytes: inner.kept.weighted_size(),
            bytes_max: inner.bytes_max,
            evictions: inner.counts.evictions(),
        };
        let redis = match &inner.second {
            Some(second) => Some(second.stats().await),
            None => None,
        };
        let is_told = redis.as_ref().map(|_| inner.told.load(Ordering::Relaxed));
        let redis_available = redis.as_ref().map(|redis| redis.available);
        CacheStats { memory, redis, redis_available, is_told }
    }
}

/// `*` is any number of characters, `/` among them.
fn matcher(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(false).build().map(|glob| glob.compile_matcher())
}

impl Inner {
    /// Has nothing changed since before it was read, and is it young enough?
    fn counts_still(&self, entry: &Entry) -> bool {
        let most = if entry.value.is_err() { REFUSAL_MAX_AGE.min(self.age_max()) } else { self.age_max() };
        entry.seen == self.marks.see(entry.mark) && entry.since.elapsed() < most
    }

    fn age_max(&self) -> Duration {
        let is_untold = self.second.is_some() && !self.told.load(Ordering::Relaxed);
        if is_untold { self.max_age.min(UNTOLD_MAX_AGE) } else { self.max_age }
    }

    /// Reads what is not kept here.
    async fn read<T: Keepable>(
        &self,
        key: &Key,
        mark: Mark,
        load: impl AsyncFnOnce() -> Result<(T, Keep)>,
    ) -> Result<(Entry, Source, Keep)> {
        let seen = self.marks.see(mark);
        let made = |value, since, bytes: usize| {
            let bytes = u32::try_from(bytes + key.0.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
            Entry { value, mark, seen, since, bytes }
        };
        let looked = match &self.second {
            Some(second) => second.look(&key.0, mark).await,
            None => Looked::Away,
        };
        if let Looked::Found(packed, age) = &looked
            && let Some(value) = T::unpack(packed)
        {
            let (bytes, since) = (value.bytes(), Instant::now().checked_sub(*age).unwrap_or_else(Instant::now));
            return Ok((made(Ok(Arc::new(value)), since, bytes), Source::Redis, Keep::Yes));
        }
        let since = Instant::now();
        match load().await {
            Ok((value, keep)) => {
                let packed = value.pack().filter(|_| keep == Keep::Yes);
                if let (Some(second), Looked::Nothing(stamp), Some(packed)) = (&self.second, &looked, packed) {
                    second.keep(&key.0, stamp, &packed).await;
                }
                let bytes = value.bytes();
                Ok((made(Ok(Arc::new(value)), since, bytes), Source::Database, keep))
            }
            Err(error) if error.is_refusal() => {
                Ok((made(Err(Arc::new(error)), since, ENTRY_BYTES), Source::Database, Keep::Yes))
            }
            Err(error) => Err(error),
        }
    }

    async fn apply(&self, news: &News) {
        match news {
            News::Changed(marks) => marks.iter().for_each(|mark| self.marks.change(*mark)),
            News::Invalidated(pattern) => {
                if let Ok(matcher) = matcher(pattern) {
                    self.forget(pattern, &matcher).await;
                }
            }
        }
    }

    async fn forget(&self, pattern: &str, matcher: &GlobMatcher) -> u64 {
        if pattern == "*" {
            self.kept.run_pending_tasks().await;
            let all = self.kept.entry_count();
            self.marks.change_all();
            self.kept.invalidate_all();
            return all;
        }
        let is_meant = |key: &str| matcher.is_match(key.split(END).next().unwrap_or(key));
        let meant: Vec<Arc<String>> =
            self.kept.iter().map(|(key, _)| key).filter(|key| is_meant(key.as_str())).collect();
        for key in &meant {
            self.kept.invalidate(key.as_str()).await;
        }
        u64::try_from(meant.len()).unwrap_or(u64::MAX)
    }

    /// From now on others tell, or do not. What they told before is not known.
    fn is_told(&self, told: bool) {
        if told {
            self.marks.change_all();
        }
        self.told.store(told, Ordering::Relaxed);
    }
}

impl Entry {
    fn held<T: Keepable>(&self, source: Source) -> Result<Held<T>> {
        let value = self.value.clone().map_err(|error| error.again())?;
        let value = value.downcast().map_err(|_| Error::internal("two things are kept under one key"))?;
        Ok(Held { value, age: self.since.elapsed(), source })
    }
}
