//! A key that somebody presents: is it one of ours, and what was granted with it?
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use subtle::ConstantTimeEq;

use super::{KeyText, repository};
use crate::{
    app::App,
    caller::{Caller, Grant},
    clock::Timestamp,
    error::Result,
    id::KeyId,
};

/// A process looks so often whether a key was taken back. Half of what is promised, so that a slow look is in time.
const TRUSTED: Duration = Duration::from_millis(500);
/// When a key was used last is written down so often.
const NOTED: Duration = Duration::from_mins(1);
/// So many keys are remembered; beyond that all are forgotten and looked up again.
const REMEMBERED_MAX: usize = 10_000;

/// What this process knows of keys.
#[derive(Default)]
struct Known(Mutex<HashMap<KeyId, Remembered>>);

struct Remembered {
    digest: String,
    grant: Option<Arc<Grant>>,
    ends: Option<Timestamp>,
    seen: Instant,
    used: Option<Timestamp>,
    noted: Option<Timestamp>,
}

/// Who presents this key, by the key's id, and what was granted. None: it is not ours, or no more.
pub async fn authenticate(app: &App, text: &str) -> Result<Option<(KeyId, Arc<Grant>)>> {
    let Some(key) = KeyText::read(text) else { return Ok(None) };
    let (id, given) = (key.id(), key.digest(&app.secret));
    let known = app.memory.of::<Known>();
    let fresh = |known: &Known| {
        let mut keys = known.0.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = keys.get_mut(&id).filter(|key| key.seen.elapsed() < TRUSTED)?;
        let is_it = bool::from(remembered.digest.as_bytes().ct_eq(given.as_bytes()));
        let now = app.clock.now();
        let lasts = remembered.ends.is_none_or(|end| now < end);
        let grant = remembered.grant.clone().filter(|_| is_it && lasts);
        if grant.is_some() {
            remembered.used = Some(now);
        }
        Some(grant)
    };
    if let Some(grant) = fresh(&known) {
        return Ok(grant.map(|grant| (id, grant)));
    }
    look_up(app, &known, id).await?;
    Ok(fresh(&known).flatten().map(|grant| (id, grant)))
}

/// An id that nobody has is remembered too: whoever guesses does not get to the database each time.
async fn look_up(app: &App, known: &Known, id: KeyId) -> Result<()> {
    let seen = Instant::now();
    let mut conn = app.db.read().await?;
    let digest = repository::digest(&mut conn, id).await?.unwrap_or_default();
    let key = repository::find(&mut conn, id).await?;
    drop(conn);
    let ends = key.as_ref().and_then(|key| key.expires_at);
    let grant = key.and_then(|key| key.grant(app.clock.now())).map(Arc::new);
    let mut keys = known.0.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() >= REMEMBERED_MAX {
        keys.retain(|_, key| key.used > key.noted);
    }
    let (used, noted) = keys.get(&id).map_or((None, None), |key| (key.used, key.noted));
    keys.insert(id, Remembered { digest, grant, ends, seen, used, noted });
    Ok(())
}

/// A key has changed: this process looks again at once, the others when their half second is over.
pub(super) fn forget(app: &App, id: KeyId) {
    let known = app.memory.of::<Known>();
    let mut keys = known.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = keys.get_mut(&id) {
        (key.digest, key.grant) = (String::new(), None);
        key.seen = key.seen.checked_sub(TRUSTED).unwrap_or(key.seen);
    }
}

/// What somebody may do whom the store knows by this name: a job that a key ordered may do what the key may do when the
/// job runs. Whoever is no key is the operator, or the program itself.
pub async fn grant_of(app: &App, actor: &str) -> Result<Grant> {
    let Ok(id) = actor.parse::<KeyId>() else { return Ok(Grant::all()) };
    let key = repository::find(&mut app.db.read().await?, id).await?;
    Ok(key.and_then(|key| key.grant(app.clock.now())).unwrap_or_else(Grant::none))
}

/// Writes down which keys were used since it was written down last, at most once a minute for each.
pub async fn note_uses(app: &App, caller: &Caller) -> Result<()> {
    let now = app.clock.now();
    let due: Vec<(KeyId, Timestamp)> = {
        let known = app.memory.of::<Known>();
        let mut keys = known.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |key: &mut Remembered| {
            let used = key.used.filter(|used| key.noted.is_none_or(|noted| *used >= noted + NOTED))?;
            key.noted = Some(now);
            Some(used)
        };
        keys.iter_mut().filter_map(|(id, key)| Some((*id, due(key)?))).collect()
    };
    if due.is_empty() {
        return Ok(());
    }
    let mut tx = app.begin(caller).await?;
    for (id, at) in due {
        repository::used(&mut tx, id, at).await?;
    }
    tx.commit().await
}
