//! How often somebody may ask: each key, each address, and whoever tries keys that are none. Each process counts for
//! itself.
use std::{
    hash::Hash,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderName, HeaderValue, Response, StatusCode, request::Parts},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::{config::Edge, problem::Problem};

/// Whoever tries keys may be wrong so often at once,
const WRONG_KEYS: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// and once more each time this has passed.
const WRONG_KEY_AGAIN: Duration = Duration::from_millis(200);
/// When so many more are counted, those who may ask again as they please are forgotten.
const FORGOTTEN_EVERY: usize = 10_000;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Who has asked how often.
pub(crate) struct Limits {
    wrong_keys: Counted<IpAddr>,
    keys: Option<Counted<Arc<str>>>,
    addresses: Option<Counted<IpAddr>>,
}

impl Limits {
    pub(crate) fn of(edge: &Edge) -> Self {
        let quota = Quota::with_period(WRONG_KEY_AGAIN).expect("some time passes").allow_burst(WRONG_KEYS);
        let each = |rate| NonZeroU32::new(rate).map(Quota::per_second);
        Self {
            wrong_keys: Counted::new("wrong-keys", quota),
            keys: each(edge.rate_per_key).map(|quota| Counted::new("key", quota)),
            addresses: each(edge.rate_per_address).map(|quota| Counted::new("address", quota)),
        }
    }

    /// Before anything is looked up.
    pub(crate) fn of_address(&self, parts: &Parts) -> Result<(), Problem> {
        match (&self.addresses, address(parts)) {
            (Some(limit), Some(address)) => limit.count(&address),
            _ => Ok(()),
        }
    }

    /// Once it is known who asks.
    pub(crate) fn of_key(&self, actor: &Arc<str>) -> Result<(), Problem> {
        self.keys.as_ref().map_or(Ok(()), |limit| limit.count(actor))
    }

    /// A key that is none: the refusal, or that there were too many of them.
    pub(crate) fn of_wrong_key(&self, parts: &Parts, refusal: Problem) -> Problem {
        address(parts).and_then(|address| self.wrong_keys.count(&address).err()).unwrap_or(refusal)
    }
}

/// Where a request is from: the machine at the other end of the connection. Of version 6 each site has a network of
/// addresses, which count as one.
fn address(parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(match peer.ip().to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        version_4 @ IpAddr::V4(_) => version_4,
    })
}

/// One limit, by what is counted.
struct Counted<K: Hash + Eq + Clone> {
    name: &'static str,
    quota: Quota,
    limiter: DefaultKeyedRateLimiter<K>,
    /// So many may be counted before some are forgotten.
    most: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Counted<K> {
    fn new(name: &'static str, quota: Quota) -> Self {
        Self { name, quota, limiter: RateLimiter::keyed(quota), most: AtomicUsize::new(FORGOTTEN_EVERY) }
    }

    /// Looking through all of them is worth it only when many have come since the last time.
    fn forget(&self) {
        let most = self.most.load(Ordering::Relaxed);
        if self.limiter.len() > most
            && self.most.compare_exchange(most, usize::MAX, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.limiter.retain_recent();
            self.most.store(self.limiter.len() + FORGOTTEN_EVERY, Ordering::Relaxed);
        }
    }

    fn count(&self, whose: &K) -> Result<(), Problem> {
        self.forget();
        let Err(refused) = self.limiter.check_key(whose) else { return Ok(()) };
        let wait = refused.wait_time_from(self.limiter.clock().now());
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        let detail = format!("too many requests; ask again in {seconds} s");
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", detail).after(seconds).of_limit(Limited {
            name: self.name,
            burst: self.quota.burst_size().get(),
            window: self.quota.burst_size_replenished_in(),
            seconds,
        }))
    }
}

/// What whoever asks too often is told, besides when to come back.
#[derive(Clone, Debug)]
pub(crate) struct Limited {
    name: &'static str,
    burst: u32,
    window: Duration,
    seconds: u32,
}

impl Limited {
    /// As the draft of the IETF says it: so many in so many seconds, of which nothing is left for some.
    pub(crate) fn tell<B>(&self, response: &mut Response<B>) {
        let Self { name, burst, window, seconds } = self;
        let window = window.as_secs().max(1);
        let told =
            [(POLICY, format!("\"{name}\";q={burst};w={window}")), (LIMIT, format!("\"{name}\";r=0;t={seconds}"))];
        for (header, value) in told {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(header, value);
            }
        }
    }
}
