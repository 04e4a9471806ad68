//! How Redis stands with the workers of a store: whether it does what they ask of it, as far as this process knows.
use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{Pipeline, RedisError, Script};

/// While nothing changes, trouble is told of again so often.
const SAID_AGAIN: Duration = Duration::from_mins(1);
/// After trouble nobody who serves a client asks before.
const REST: Duration = Duration::from_secs(1);

/// Why Redis is of no use to workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer.
    Away(String),
    /// It answers, and does not do what is asked of it.
    Refuses(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) => write!(f, "it does not answer ({why})"),
            Self::Refuses(why) => {
                write!(f, "it answers, and refuses what workers need ({why}); {}", way_out(why))
            }
        }
    }
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        let away = error.is_io_error() || error.is_connection_dropped() || error.is_timeout();
        if away { Self::Away(error.to_string()) } else { Self::Refuses(first(&error.to_string()).to_owned()) }
    }
}

/// What several commands are answered with together names the place of each refusal among them, which says nothing to people.
fn first(refusals: &str) -> &str {
    let Some((_, rest)) = refusals.split_once("error: ") else { return refusals };
    rest.split("), (Index").next().unwrap_or(rest).trim_end_matches([')', ']'])
}

/// What the user of a store needs, where Redis has several.
const RIGHTS: &str = "let its user run every command but dangerous ones on the keys and channels under \
                      PROMPT_STORE_REDIS_PREFIX: `~prompt-store:* &prompt-store:* +@all -@dangerous`";
const NO_CLUSTER: &str = "it is a cluster: name a Redis of its own in REDIS_URL";

fn way_out(why: &str) -> &'static str {
    let ways = [
        ("OOM", "it is out of memory: raise its `maxmemory`, or remove what else is in it"),
        ("READONLY", "it is a replica, which can only be read: name the primary in REDIS_URL"),
        ("NOPERM", RIGHTS),
        // The same, said of what a script does.
        ("THE USER EXECUTING THE SCRIPT", RIGHTS),
        ("MOVED", NO_CLUSTER),
        ("CROSSSLOT", NO_CLUSTER),
        ("CLUSTERDOWN", NO_CLUSTER),
        ("NOAUTH", "write user and password into REDIS_URL: redis://user:password@host"),
        ("WRONGPASS", "correct user and password in REDIS_URL"),
    ];
    // The library writes the codes of Redis in its own way: `NoPerm`.
    let why = why.to_uppercase();
    ways.iter().find(|(sign, _)| why.contains(sign)).map_or("look at its log and its configuration", |(_, way)| way)
}

/// What is known of Redis, for all who ring and listen in a process.
#[derive(Debug, Default)]
pub struct Standing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    asked_at: Option<Instant>,
    said_at: Option<Instant>,
    trouble: Option<Trouble>,
}

impl Standing {
    /// What was found out last, if anything is wrong.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.state().trouble.clone()
    }

    /// Is what was found out younger than this?
    pub(super) fn is_younger_than(&self, age: Duration) -> bool {
        self.state().asked_at.is_some_and(|at| at.elapsed() < age)
    }

    /// Was there trouble a moment ago?
    pub(super) fn rests(&self) -> bool {
        self.trouble().is_some() && self.is_younger_than(REST)
    }

    /// Something was found out. It is logged when it changes, and once a minute while it is bad.
    pub(super) fn note(&self, found: Option<Trouble>) {
        let mut state = self.state();
        let kind = |trouble: &Option<Trouble>| trouble.as_ref().map(std::mem::discriminant);
        let changed = kind(&found) != kind(&state.trouble);
        let is_due = state.said_at.is_none_or(|at| at.elapsed() > SAID_AGAIN);
        match &found {
            Some(trouble) if changed || is_due => {
                tracing::warn!(%trouble, "Redis is of no use now; workers look for jobs in the database");
                state.said_at = Some(Instant::now());
            }
            None if changed => {
                tracing::info!("Redis does again what workers ask of it");
                state.said_at = None;
            }
            _ => {}
        }
        (state.trouble, state.asked_at) = (found, Some(Instant::now()));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What ringing and listening need of Redis, tried on a key of its own: writes to every kind of key, in a script.
const TRY: &str = "
    local key = KEYS[1]
    redis.call('hset', key, 'field', '1')
    redis.call('hsetnx', key, 'field', '1')
    redis.call('hmset', key, 'field', '1')
    redis.call('hget', key, 'field')
    redis.call('hmget', key, 'field')
    redis.call('hgetall', key)
    redis.call('hdel', key, 'field')
    redis.call('rpush', key, '1')
    redis.call('lpush', key, '1')
    redis.call('lrange', key, 0, 0)
    redis.call('llen', key)
    redis.call('ltrim', key, 1, 0)
    redis.call('zadd', key, 1, '1')
    redis.call('zscore', key, '1')
    redis.call('zcard', key)
    redis.call('zrangebyscore', key, 0, 0)
    redis.call('zrem', key, '2')
    redis.call('zpopmin', key, 1)
    redis.call('sadd', key, '1')
    redis.call('smembers', key)
    redis.call('srem', key, '1')
    return 1";

/// The same by way of a script that is loaded first, and what other processes are told by.
pub(super) fn attempt(prefix: &str) -> Pipeline {
    let mut pipe = redis::pipe();
    // Not in the script: one that has written is no longer refused for want of memory.
    pipe.cmd("DEL").arg(format!("{prefix}:try")).ignore();
    pipe.cmd("SCRIPT").arg("LOAD").arg(TRY).ignore();
    pipe.cmd("EVALSHA").arg(Script::new(TRY).get_hash()).arg(1).arg(format!("{prefix}:try")).ignore();
    // Whoever listens to what changes passes over what it does not know.
    pipe.cmd("PUBLISH").arg(format!("{prefix}:cache-news")).arg("").ignore();
    pipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_refuses_comes_with_the_way_out() {
        for (why, way) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", "maxmemory"),
            ("ReadOnly: You can't write against a read only replica.", "primary"),
            ("NoPerm: this user has no permissions to run the 'evalsha' command", "+@all"),
            ("ERR The user executing the script can't access at least one of the keys", "~prompt-store:*"),
            ("CROSSSLOT Keys in request don't hash to the same slot", "cluster"),
            ("MISCONF Redis is configured to save RDB snapshots", "its log"),
        ] {
            assert!(Trouble::Refuses(why.to_owned()).to_string().contains(way), "{why}");
        }
    }

    #[test]
    fn of_several_refusals_the_first_is_told() {
        let one = "Pipeline failure: [(Index 1, error: READONLY: a replica)]";
        let two = "Pipeline failures: [(Index 0, error: NOPERM: no rights), (Index 1, error: NOSCRIPT: none)]";
        assert_eq!(
            (first(one), first(two), first("OOM: full")),
            ("READONLY: a replica", "NOPERM: no rights", "OOM: full")
        );
    }

    #[test]
    fn after_trouble_nobody_asks_for_a_moment() {
        let standing = Standing::default();
        assert!(!standing.rests() && !standing.is_younger_than(REST));
        standing.note(Some(Trouble::Away("it is away".to_owned())));
        assert!(standing.rests());
        standing.note(None);
        assert!(!standing.rests() && standing.is_younger_than(REST));
    }
}
