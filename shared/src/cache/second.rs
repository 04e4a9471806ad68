//! The second level: Redis, which the processes of a store share. It may be slow, away or wrong; a read then asks the
//! database.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use super::{
    mark::Mark,
    news::News,
    stats::{Counts, RedisStats},
};
use crate::secret::SecretKey;

/// Nobody waits longer for Redis than the database would take.
const DEADLINE: Duration = Duration::from_millis(25);
/// After so many failures in a row, Redis is asked once a [`PAUSE`].
const FAILURES_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// How much a store's answers look like those of another version of this program.
const FORM: &str = env!("CARGO_PKG_VERSION");
const PURPOSE: &str = "cache";
const MAC_BYTES: usize = 32;

/// What is kept in Redis, how it is asked, and how it answers.
pub(super) struct Second {
    connection: ConnectionManager,
    client: redis::Client,
    prefix: Arc<str>,
    /// So that nobody else who writes to this Redis can say what a prompt is.
    secret: SecretKey,
    /// Entries end by themselves then.
    max_age: Duration,
    health: Health,
    /// Tells the news of this process from that of others.
    own: String,
    pub(super) counts: Counts,
}

/// What Redis knows of a key.
pub(super) enum Looked {
    /// This, which is so old.
    Found(Vec<u8>, Duration),
    /// Nothing that still counts. Whoever reads it now may keep it under this stamp.
    Nothing(Stamp),
    /// It does not answer.
    Away,
}

/// How often a thing had changed, as Redis counts it, before it was read.
#[derive(Debug)]
pub(super) struct Stamp(String);

impl Second {
    /// Redis must answer now; later it may come and go.
    pub(super) async fn open(
        client: redis::Client,
        prefix: &str,
        secret: &SecretKey,
        max_age: Duration,
    ) -> anyhow::Result<Self> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(CONNECTION_TIMEOUT))
            .set_connection_timeout(Some(CONNECTION_TIMEOUT))
            .set_number_of_retries(1);
        let connecting = client.get_connection_manager_with_config(config);
        let connection =
            tokio::time::timeout(CONNECTION_TIMEOUT * 2, connecting).await.context("it does not answer")??;
        Ok(Self {
            connection,
            client,
            prefix: prefix.into(),
            secret: secret.clone(),
            max_age,
            health: Health::default(),
            own: crate::start::instance(),
            counts: Counts::default(),
        })
    }

    /// What is kept under a key, if it counts.
    pub(super) async fn look(&self, key: &str, mark: Mark) -> Looked {
        if !self.health.is_trusted() {
            return Looked::Away;
        }
        let name = self.name(key);
        let mut pipe = redis::pipe();
        pipe.get(&name).pttl(&name).hmget(self.marks(), &[&mark.place().to_string(), "all"]);
        let Some(answer) = self.ask::<(Option<Vec<u8>>, i64, Vec<Option<u64>>)>(&pipe).await else {
            self.counts.miss();
            return Looked::Away;
        };
        let (kept, left_ms, counts) = answer;
        let stamp = Stamp(format!("{counts:?}"));
        let Some(value) = kept.and_then(|kept| self.open_entry(key, &stamp, kept)) else {
            self.counts.miss();
            return Looked::Nothing(stamp);
        };
        self.counts.hit();
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        Looked::Found(value, self.max_age.saturating_sub(left))
    }

    /// Keeps what was read after its stamp was taken.
    pub(super) async fn keep(&self, key: &str, stamp: &Stamp, value: &[u8]) {
        let mut entry = self.secret.mac(PURPOSE, &signed(key, stamp, value)).to_vec();
        entry.extend_from_slice(value);
        let mut pipe = redis::pipe();
        let millis = u64::try_from(self.max_age.as_millis()).unwrap_or(u64::MAX);
        pipe.pset_ex(self.name(key), entry, millis).ignore();
        let _: Option<()> = self.ask(&pipe).await;
    }

    /// Counts changes, and tells the other processes of them. If that fails, what is in Redis is not trusted until it has
    /// ended.
    pub(super) async fn tell(&self, news: &News) {
        let mut pipe = redis::pipe();
        match news {
            News::Changed(marks) => {
                for mark in marks {
                    pipe.hincr(self.marks(), mark.place(), 1).ignore();
                }
            }
            News::Invalidated(_) => {
                pipe.hincr(self.marks(), "all", 1).ignore();
            }
        }
        pipe.publish(self.channel(), format!("{} {}", self.own, news.to_text())).ignore();
        if self.ask::<()>(&pipe).await.is_none() {
            self.health.distrust(self.max_age);
        }
    }

    /// What others tell, from now on.
    pub(super) async fn subscribe(&self) -> anyhow::Result<redis::aio::PubSub> {
        let subscribing = async {
            let mut listener = self.client.get_async_pubsub().await?;
            listener.subscribe(self.channel()).await?;
            anyhow::Ok(listener)
        };
        tokio::time::timeout(CONNECTION_TIMEOUT, subscribing).await.context("Redis does not answer")?
    }

    /// The news of another process; nothing, if it is our own, or none.
    pub(super) fn heard(&self, message: &str) -> Option<News> {
        let (who, news) = message.split_once(' ')?;
        if who == self.own { None } else { News::from_text(news) }
    }

    /// How it does. Where it last failed, it is asked again: a process that nobody reads from finds out as well.
    pub(super) async fn stats(&self) -> RedisStats {
        if !self.is_available() {
            let mut pipe = redis::pipe();
            pipe.pset_ex(format!("{}:cache-probe", self.prefix), "", 1).ignore();
            let _: Option<()> = self.ask(&pipe).await;
        }
        let latency_ms = self.health.latency_us.load(Ordering::Relaxed);
        let latency_ms = f64::from(u32::try_from(latency_ms).unwrap_or(u32::MAX)) / 1000.0;
        RedisStats { level: self.counts.show(), available: self.is_available(), latency_ms }
    }

    pub(super) fn is_available(&self) -> bool {
        self.health.failures.load(Ordering::Relaxed) < FAILURES_MAX
    }

    /// Runs commands, unless Redis is given a rest; nothing, if it does not answer in time.
    async fn ask<T: redis::FromRedisValue>(&self, pipe: &redis::Pipeline) -> Option<T> {
        if !self.health.may_ask() {
            return None;
        }
        let (began, mut connection) = (Instant::now(), self.connection.clone());
        let answer = tokio::time::timeout(DEADLINE, pipe.query_async::<T>(&mut connection)).await;
        match answer {
            Ok(Ok(answer)) => {
                self.health.answered(began.elapsed());
                return Some(answer);
            }
            Ok(Err(error)) => tracing::debug!(%error, "the cache in Redis failed"),
            Err(_) => tracing::debug!("the cache in Redis did not answer in time"),
        }
        self.counts.failed();
        self.health.failed();
        None
    }

    /// The value of an entry that is whole, ours, under this key and as old as the stamp says.
    fn open_entry(&self, key: &str, stamp: &Stamp, mut entry: Vec<u8>) -> Option<Vec<u8>> {
        let value = entry.split_off(MAC_BYTES.min(entry.len()));
        self.secret.verify(PURPOSE, &signed(key, stamp, &value), &entry).then_some(value)
    }

    fn name(&self, key: &str) -> String {
        format!("{}:cache:{FORM}:{key}", self.prefix)
    }

    fn marks(&self) -> String {
        format!("{}:cache-marks", self.prefix)
    }

    fn channel(&self) -> String {
        format!("{}:cache-news", self.prefix)
    }
}

/// What is signed of an entry, so that it cannot be put under another key, or passed for a newer one.
fn signed(key: &str, stamp: &Stamp, value: &[u8]) -> Vec<u8> {
    let mut message = format!("{FORM}\n{key}\n{}\n", stamp.0).into_bytes();
    message.extend_from_slice(value);
    message
}

/// How Redis has answered lately.
struct Health {
    began: Instant,
    failures: AtomicU32,
    /// Nobody asks before, in milliseconds since it began.
    rests_until: AtomicU64,
    /// What is kept may be older than it says until then.
    distrusted_until: AtomicU64,
    latency_us: AtomicU64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            failures: AtomicU32::new(0),
            rests_until: AtomicU64::new(0),
            distrusted_until: AtomicU64::new(0),
            latency_us: AtomicU64::new(0),
        }
    }
}

impl Health {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn after(&self, pause: Duration) -> u64 {
        self.now().saturating_add(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
    }

    /// While it fails, one asks in a while whether it is back.
    fn may_ask(&self) -> bool {
        if self.failures.load(Ordering::Relaxed) < FAILURES_MAX {
            return true;
        }
        let until = self.rests_until.load(Ordering::Relaxed);
        let next = self.after(PAUSE);
        self.now() >= until
            && self.rests_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn answered(&self, took: Duration) {
        self.failures.store(0, Ordering::Relaxed);
        self.latency_us.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= FAILURES_MAX {
            self.rests_until.store(self.after(PAUSE), Ordering::Relaxed);
        }
    }

    fn distrust(&self, how_long: Duration) {
        self.distrusted_until.fetch_max(self.after(how_long), Ordering::Relaxed);
    }

    fn is_trusted(&self) -> bool {
        self.now() >= self.distrusted_until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_again_and_again_is_asked_once_in_a_while() {
        let health = Health::default();
        for _ in 0..FAILURES_MAX {
            assert!(health.may_ask());
            health.failed();
        }
        assert!(!health.may_ask());
        health.rests_until.store(0, Ordering::Relaxed);
        assert!(health.may_ask(), "one finds out");
        assert!(!health.may_ask(), "and only one");
        health.answered(Duration::from_millis(2));
        assert!(health.may_ask() && health.may_ask());
    }

    #[test]
    fn who_could_not_be_told_is_not_trusted_for_a_while() {
        let health = Health::default();
        assert!(health.is_trusted());
        health.distrust(Duration::from_mins(1));
        assert!(!health.is_trusted());
    }
}
