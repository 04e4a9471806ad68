//! Every day each prompt that is in use is looked at, and what is found is written down.
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    model::{DriftStatus, Missing, Performance, Window},
    performance, repository,
};
use crate::{
    analytics::{self, Profile},
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::Conn,
    error::Result,
    id::PromptId,
    jobs::{self, Claim, Job, Outcome, Queue},
};

const DAY: Duration = Duration::from_hours(24);
/// The reference lasts at least so long, and holds so many events.
const REFERENCE_DAYS: i64 = 14;
const REFERENCE_EVENTS: u64 = 1000;
/// How long the time is that is compared with it.
pub(super) const WINDOW_DAYS: i64 = 7;
/// Prompts that were used so lately are looked at.
const IN_USE: Duration = Duration::from_hours(24 * 30);
const PAGE: i64 = 50;
/// After this a job gives its place back.
const TURN: Duration = Duration::from_secs(2);
const KEPT: Duration = Duration::from_hours(24 * 400);
/// Early warnings are shown for so long.
const WARNED: Duration = Duration::from_hours(24 * 30);

/// Look at every prompt that is in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateDrift {
    /// On this day, which is when it began.
    pub day: i64,
}

impl Job for EvaluateDrift {
    const QUEUE: Queue = Queue::Drift;

    fn unique_key(&self) -> Option<String> {
        Some(self.day.to_string())
    }
}

/// Orders the job once a day, if there is anything to look at.
pub async fn order_evaluation(app: &App, caller: &Caller) -> Result<()> {
    let day = app.clock.now().day();
    let job = EvaluateDrift { day: day.millis() };
    {
        let mut conn = app.db.read().await?;
        if repository::is_done(&mut conn, day).await?
            || jobs::is_ordered(&mut conn, &job, app.clock.now()).await?
            || !analytics::is_any(&mut conn).await?
        {
            return Ok(());
        }
    }
    let mut tx = app.begin(caller).await?;
    tx.enqueue(&job).await?;
    tx.commit().await
}

/// Looks at the prompts that are in use, from where the last turn ended, until there is none or its turn is over.
pub async fn evaluate_all(app: &App, claim: &Claim, caller: &Caller, day: i64) -> Result<Outcome> {
    let (began, day) = (Instant::now(), Timestamp::from_millis(day));
    let last = repository::last_evaluated(&mut app.db.read().await?, day).await?;
    let mut after = last.map_or_else(String::new, |id| id.to_string());
    loop {
        let ids = analytics::in_use(&mut app.db.read().await?, &after, day - IN_USE, PAGE).await?;
        let Some(last) = ids.last() else { break };
        after = last.to_string();
        for id in ids {
            let found = match look_at(app, id, day).await {
                Ok(found) => found,
                Err(error) if error.is_transient() => return Err(error),
                // What is wrong with one prompt keeps nobody from looking at the others.
                Err(error) => {
                    tracing::error!(prompt = %id, error = error.for_log(), "the drift of a prompt cannot be computed");
                    None
                }
            };
            if let Some((version, found)) = found {
                let mut tx = app.begin(caller).await?;
                claim.hold(&mut tx, app.settings.lease).await?;
                repository::put(&mut tx, (id, version, day), &found).await?;
                tx.commit().await?;
            }
        }
        if began.elapsed() >= TURN {
            return Ok(Outcome::Again);
        }
    }
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    repository::done(&mut tx, day, day - KEPT).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// What is found of the newest version of a prompt that is in use.
async fn look_at(app: &App, id: PromptId, day: Timestamp) -> Result<Option<(i64, Performance)>> {
    let mut conn = app.db.read_at_once().await?;
    let Some(version) = analytics::newest_in_use(&mut conn, id).await? else { return Ok(None) };
    Ok(Some((version, performance(&mut conn, id, version, day, WINDOW_DAYS).await?)))
}

/// How a version does at the moment, against its reference.
pub(super) async fn performance(
    conn: &mut Conn,
    id: PromptId,
    version: i64,
    now: Timestamp,
    window_days: i64,
) -> Result<Performance> {
    let days = analytics::profiles(conn, id, version).await?;
    let pinned = repository::find(conn, id).await?.and_then(|baseline| baseline.reference());
    let (reference, current) = windows(&days, pinned, now, window_days);
    let early_warnings = analytics::early_warnings(conn, id, version, now - WARNED).await?;
    let before = repository::last_before(conn, id, version, now.day()).await?;
    let sure: BTreeMap<String, i64> = before
        .iter()
        .flat_map(|found| &found.metrics)
        .filter(|metric| metric.consecutive > 0)
        .map(|metric| (metric.metric.clone(), metric.consecutive))
        .collect();
    let (a, b) = (summed(&days, reference), summed(&days, current));
    let metrics = performance::compare(&a, &b, &sure);
    let shown = |window: Option<(Timestamp, Timestamp)>, profile: &Profile| {
        window.map(|(from, to)| Window { from, to, n: profile.events() })
    };
    let status = performance::status(&metrics);
    Ok(Performance {
        status,
        reference: shown(reference, &a),
        current: shown(current, &b),
        missing: (status == DriftStatus::InsufficientData).then(|| Missing {
            reference: performance::REFERENCE_MIN.saturating_sub(a.events()),
            current: performance::CURRENT_MIN.saturating_sub(b.events()),
        }),
        metrics,
        early_warnings,
    })
}

type Span = Option<(Timestamp, Timestamp)>;

/// The reference: what was pinned, or the first two weeks, or longer until there are a thousand events. The time that is
/// compared with it: the last days that are no part of it. Both begin and end with days.
fn windows(days: &BTreeMap<Timestamp, Profile>, pinned: Span, now: Timestamp, window_days: i64) -> (Span, Span) {
    let end = now.day() + DAY;
    let start = end - DAY * u32::try_from(window_days).unwrap_or(1);
    let reference = pinned.or_else(|| {
        let first = *days.keys().next()?;
        let mut events = 0;
        let whole = first + DAY * u32::try_from(REFERENCE_DAYS).unwrap_or(1);
        for (day, profile) in days.range(..start) {
            events += profile.events();
            if *day + DAY >= whole && events >= REFERENCE_EVENTS {
                return Some((first, *day + DAY));
            }
        }
        (first < start).then_some((first, start))
    });
    let current = match reference {
        Some((_, reference_end)) if reference_end > start => (reference_end < end).then_some((reference_end, end)),
        _ => Some((start, end)),
    };
    (reference, current)
}

fn summed(days: &BTreeMap<Timestamp, Profile>, window: Span) -> Profile {
    let mut sum = Profile::default();
    if let Some((from, to)) = window.filter(|(from, to)| from < to) {
        days.range(from..to).for_each(|(_, profile)| sum.merge(profile));
    }
    sum
}
