//! Taking events in.
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{
    model::{self, Event, Receipt, UsageEvent},
    repository,
};
use crate::{
    ab_testing,
    app::{App, begin},
    caller::Caller,
    db::Tx,
    error::{Error, Result, Violation},
    group_commit::{self, Grouped},
    id::{PromptId, UsageBatchId},
    prompts,
};

/// So many versions are remembered to exist.
const KNOWN_MAX: usize = 100_000;

/// Takes one event in, or a list. Answers once they are on disk.
pub async fn record(app: &App, caller: &Caller, events: Vec<UsageEvent>, single: bool) -> Result<Receipt> {
    let mut events = model::check(events, single, app.clock.now(), &app.settings)?;
    check_known(app, caller, &events, single).await?;
    forget_tests_beyond(app, caller, &mut events).await?;
    let reported = Reported { actor: Arc::clone(&caller.actor), events };
    if caller.is_repeatable() {
        let mut tx = begin!(app, caller);
        let receipt = write(&mut tx, &[reported]).await?.remove(0);
        tx.commit_with(&receipt).await?;
        return Ok(receipt);
    }
    group_commit::write(app, caller, reported).await
}

/// The events of a request, checked, and who reports them.
struct Reported {
    actor: Arc<str>,
    events: Vec<Event>,
}

impl Grouped for Reported {
    type Answer = Receipt;

    fn weight(&self) -> usize {
        self.events.len()
    }

    async fn write(tx: &mut Tx, requests: &[Self]) -> Result<Vec<Receipt>> {
        write(tx, requests).await
    }
}

/// Which versions are known to this process.
#[derive(Default)]
struct Known(Mutex<HashSet<(PromptId, i64)>>);

impl Known {
    fn versions(&self) -> MutexGuard<'_, HashSet<(PromptId, i64)>> {
        self.0.lock().expect("nobody panics while looking")
    }
}

/// Writes the events of some requests as one batch.
async fn write(tx: &mut Tx, requests: &[Reported]) -> Result<Vec<Receipt>> {
    let batch = UsageBatchId::generate(tx.now());
    let ends = requests.iter().scan(0, |end, reported| {
        *end += i64::try_from(reported.events.len()).unwrap_or(i64::MAX);
        Some(*end)
    });
    let ends: Vec<i64> = ends.collect();
    let events = requests.iter().flat_map(|it| it.events.iter().map(|event| (&*it.actor, event)));
    let mut events: Vec<_> = (0_i64..).zip(events).collect();
    // Transactions that meet at the same events meet in the same order.
    events.sort_by_key(|(_, (actor, event))| (*actor, event.prompt_id, event.event_id.as_ref()));
    let mut written = repository::insert(tx, batch, &events).await?;
    written.sort_unstable();
    if !written.is_empty() {
        repository::insert_batch(tx, batch, written.len()).await?;
    }
    let mut begin = 0;
    Ok(ends
        .into_iter()
        .map(|end| {
            let accepted = written.partition_point(|at| *at < end) - written.partition_point(|at| *at < begin);
            let accepted = i64::try_from(accepted).unwrap_or(i64::MAX);
            let receipt = Receipt { accepted, duplicates: end - begin - accepted };
            begin = end;
            receipt
        })
        .collect())
}

/// Refuses events of versions that are not there, or that the caller may not see. A version that was once seen stays.
async fn check_known(app: &App, caller: &Caller, events: &[Event], single: bool) -> Result<()> {
    let known: Arc<Known> = app.memory.of();
    let asked: HashSet<_> = {
        let known = known.versions();
        events.iter().map(|event| (event.prompt_id, event.version)).filter(|version| !known.contains(version)).collect()
    };
    let beyond = out_of_reach(app, caller, events).await?;
    if asked.is_empty() && beyond.is_empty() {
        return Ok(());
    }
    let mut unknown = HashSet::new();
    let mut conn = app.db.read().await?;
    for version in asked {
        match repository::version_exists(&mut conn, version).await? {
            true => {
                let mut known = known.versions();
                if known.len() >= KNOWN_MAX {
                    known.clear();
                }
                known.insert(version);
            }
            false => drop(unknown.insert(version)),
        }
    }
    let is_unknown =
        |event: &Event| beyond.contains(&event.prompt_id) || unknown.contains(&(event.prompt_id, event.version));
    let violations = events.iter().enumerate().filter(|(_, event)| is_unknown(event));
    let violations: Vec<_> = violations
        .map(|(index, event)| {
            let pointer = if single { "/version".to_owned() } else { format!("/{index}/version") };
            let detail = format!("prompt `{}` has no version {}", event.prompt_id, event.version);
            Violation::new(pointer, "unknown-version", detail)
        })
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
}

/// Takes tests that the caller's events may not count for out of them: they count for their prompts alone.
async fn forget_tests_beyond(app: &App, caller: &Caller, events: &mut [Event]) -> Result<()> {
    if !caller.grant.is_narrow() || events.iter().all(|event| event.ab_test_id.is_none()) {
        return Ok(());
    }
    let tests: HashSet<String> = events.iter().filter_map(|event| event.ab_test_id.clone()).collect();
    let (mut conn, mut within) = (app.db.read().await?, HashSet::new());
    for test in tests {
        if ab_testing::may_observe(&mut conn, caller, &test).await? {
            within.insert(test);
        }
    }
    let is_beyond = |event: &&mut Event| event.ab_test_id.as_ref().is_some_and(|test| !within.contains(test));
    for event in events.iter_mut().filter(is_beyond) {
        (event.ab_test_id, event.variant) = (None, None);
    }
    Ok(())
}

/// The prompts that the caller may not see.
async fn out_of_reach(app: &App, caller: &Caller, events: &[Event]) -> Result<HashSet<PromptId>> {
    let mut beyond = HashSet::new();
    let folders = &caller.grant.folders;
    if folders.are_all() {
        return Ok(beyond);
    }
    let prompts: HashSet<PromptId> = events.iter().map(|event| event.prompt_id).collect();
    let mut conn = app.db.read().await?;
    for id in prompts {
        if !prompts::is_in_reach(&mut conn, folders, id).await? {
            beyond.insert(id);
        }
    }
    Ok(beyond)
}
