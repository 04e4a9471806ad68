//! Every tick, rings for what is waiting: lost rings, retries, and jobs of lost workers alike. It is outbox,
//! retry timer and crash recovery at once, and it keeps the house clean. Of the workers of many hosts one leads,
//! and does that for all.
use std::time::Duration;

use futures::future::join_all;
use shared::{
    App, Caller, Result, ab_testing, analytics, audit, bulk,
    clock::Timestamp,
    db::Leadership,
    drift, idempotency,
    jobs::{self, Depth, Queue},
    notifications, telemetry, webhooks,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::slots::Slots;

/// What has happened is told so often in each tick, if there is time: others wait for it, while a lost ring is rare.
const TELLINGS: u32 = 4;
/// Nobody waits for what is looked at every few minutes or once a day: whether it is due is asked in one tick of so many.
const ORDERS: u32 = 10;
const HEARTBEAT: Duration = Duration::from_secs(5);
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// The audit log is sealed so often, if anything was written.
const SEALING: Duration = Duration::from_secs(1);
/// Jobs that ended well are kept this long, for a person to look at.
const DONE_KEPT: Duration = Duration::from_hours(24);
/// Clocks are set right by less all the time.
const SET_BACK: Duration = Duration::from_secs(1);
/// So many rows are thrown away at once, so that nobody waits long for the writer.
const PURGE_MOST: i64 = 1000;
/// Events may come at fifty a second, and must go as fast.
const PURGE_TURNS: usize = 5;

/// What it is time for.
enum Due {
    Heartbeat,
    Chores,
    Sealing,
    Orders,
    Turn,
    Telling,
}

pub(crate) async fn run(slots: Slots, instance: String, shutdown: CancellationToken) {
    let every = |period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let tick = slots.app.settings.tick;
    let (mut ticks, mut tellings, mut orders) = (every(tick), every(tick / TELLINGS), every(tick * ORDERS));
    let (mut heartbeats, mut chores, mut sealings) = (every(HEARTBEAT), every(HOUSEKEEPING), every(SEALING));
    let caller = crate::caller();
    let mut lead = None;
    let mut last = slots.app.clock.now();
    loop {
        // In this order: the ticks, which may come faster than a turn ends, must not keep the rare ones waiting.
        let due = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = heartbeats.tick() => Due::Heartbeat,
            _ = chores.tick(), if lead.is_some() => Due::Chores,
            _ = sealings.tick(), if lead.is_some() => Due::Sealing,
            _ = orders.tick() => Due::Orders,
            _ = ticks.tick() => Due::Turn,
            _ = tellings.tick() => Due::Telling,
        };
        let outcome = async {
            mind_the_clock(&slots.app, &caller, &mut last).await?;
            match due {
                Due::Heartbeat => beat(&slots, &caller, &instance).await,
                Due::Chores => clean(&slots, &caller).await,
                Due::Sealing => audit::seal(&slots.app, &caller).await,
                Due::Orders => order(&slots.app, &caller).await,
                Due::Turn => turn(&slots, &caller, &mut lead).await,
                Due::Telling => tell(&slots.app, &caller).await,
            }
        };
        let outcome = outcome.await;
        if let Err(error) = outcome {
            tracing::warn!(error = error.for_log(), "the scheduler could not do its turn; it tries again");
        }
    }
}

/// A clock that is set forward makes everything due at once, which the fences bear. One that is set back would keep it
/// waiting for as long.
async fn mind_the_clock(app: &App, caller: &Caller, last: &mut Timestamp) -> Result<()> {
    let now = app.clock.now();
    let back = last.since(now);
    if back < SET_BACK {
        *last = now;
        return Ok(());
    }
    let mut tx = app.begin(caller).await?;
    if jobs::bring_forward(&mut tx, back).await? {
        tracing::warn!(?back, "the clock was set back; what waits does not wait longer for that");
        webhooks::bring_forward(&mut tx, back).await?;
    }
    tx.commit().await?;
    *last = now;
    Ok(())
}

/// Most of the time nothing has happened, and that is all there is to find out.
async fn tell(app: &App, caller: &Caller) -> Result<()> {
    match notifications::announced(app).await? {
        true => webhooks::publish(app, caller).await,
        false => Ok(()),
    }
}

/// What has happened is told in every turn, however long turns take. What cannot be done keeps nothing else waiting.
async fn turn(slots: &Slots, caller: &Caller, lead: &mut Option<Leadership>) -> Result<()> {
    let outcomes = [
        webhooks::publish(&slots.app, caller).await,
        analytics::order_roll_up(&slots.app, caller).await,
        ring(slots, caller, lead).await,
    ];
    outcomes.into_iter().collect()
}

async fn order(app: &App, caller: &Caller) -> Result<()> {
    let tests = ab_testing::order_evaluations(app, caller).await;
    drift::order_evaluation(app, caller).await.and(tests)
}

async fn ring(slots: &Slots, caller: &Caller, lead: &mut Option<Leadership>) -> Result<()> {
    let app = &slots.app;
    if let Some(leadership) = lead
        && !leadership.lasts().await
    {
        *lead = None;
    }
    if app.doorbell.attempt_soon().await.is_err() {
        // Another may still reach the bell.
        *lead = None;
        for queue in Queue::ALL {
            work_due(slots, queue).await?;
        }
        return Ok(());
    }
    // All at once: a bell that does not answer costs its patience once, not for each queue.
    let rooms = join_all(Queue::ALL.map(async |queue| (queue, app.doorbell.room(queue).await))).await;
    if lead.is_none() && rooms.iter().any(|(_, room)| room.is_ok()) {
        *lead = app.db.lead().await?;
    }
    let waiting = if lead.is_some() { jobs::waiting(app).await? } else { Vec::new() };
    for (queue, room) in rooms {
        match room {
            Ok(room) if waiting.contains(&queue) => {
                let due = jobs::take_due(app, caller, queue, i64::try_from(room).unwrap_or(i64::MAX)).await?;
                app.doorbell.ring(queue, &due).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%queue, error = format!("{error:#}"), "no bell; this worker takes what it can itself");
                *lead = None;
                work_due(slots, queue).await?;
            }
        }
    }
    Ok(())
}

/// Works what is due and has a place, whatever was rung for: nobody heard it, or the claim tells who did.
async fn work_due(slots: &Slots, queue: Queue) -> Result<()> {
    let free = i64::try_from(slots.free(queue)).unwrap_or(i64::MAX);
    if free > 0 {
        for id in jobs::due(&slots.app, queue, free).await? {
            let slots = slots.clone();
            tokio::spawn(async move { slots.work(queue, id).await });
        }
    }
    Ok(())
}

/// Whoever has a free place and hears of nothing, though something has been due for longer than a lease, takes it: whatever is
/// wrong with the bell, no job waits for ever.
async fn work_unheard(slots: &Slots, depths: &[Depth]) -> Result<()> {
    let (now, lease) = (slots.app.clock.now(), slots.app.settings.lease);
    let is_late = |depth: &&Depth| {
        matches!(depth.state.as_str(), "available" | "running") && now.since(depth.oldest_run_at) > lease
    };
    for depth in depths.iter().filter(is_late) {
        work_due(slots, depth.queue).await?;
    }
    Ok(())
}

async fn beat(slots: &Slots, caller: &Caller, instance: &str) -> Result<()> {
    let app = &slots.app;
    jobs::worker_seen(app, caller, instance).await?;
    let now = app.clock.now();
    let depths = jobs::depths(app).await?;
    work_unheard(slots, &depths).await?;
    for queue in Queue::ALL {
        for state in ["available", "running", "dead"] {
            // Where there is none, none is said: a gauge keeps what it was told last.
            let depth = depths.iter().find(|depth| depth.queue == queue && depth.state == state);
            let labels = [("queue", queue.name()), ("state", state)];
            metrics::gauge!(telemetry::JOBS, &labels).set(as_f64(depth.map_or(0, |depth| depth.jobs)));
            if state == "available" {
                let age = depth.map_or(0.0, |depth| now.since(depth.oldest_run_at).as_secs_f64());
                metrics::gauge!(telemetry::OLDEST_JOB_AGE, "queue" => queue.name()).set(age);
            }
        }
    }
    let (pending, oldest) = webhooks::backlog(app).await?;
    metrics::gauge!(telemetry::WEBHOOK_DELIVERIES).set(as_f64(pending));
    let age = oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
    metrics::gauge!(telemetry::OLDEST_DELIVERY_AGE).set(age);
    Ok(())
}

/// A count that is shown.
fn as_f64(count: i64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

async fn clean(slots: &Slots, caller: &Caller) -> Result<()> {
    let app = &slots.app;
    idempotency::purge(app, caller, PURGE_MOST).await?;
    bulk::end_abandoned(app, caller).await?;
    let (now, dead_kept) = (app.clock.now(), Duration::from_hours(24) * app.settings.dead_jobs_days);
    jobs::purge(app, caller, (now - DONE_KEPT, now - dead_kept), PURGE_MOST).await?;
    webhooks::purge(app, caller, PURGE_MOST).await?;
    analytics::purge(app, caller, PURGE_MOST).await?;
    for _ in 0..PURGE_TURNS {
        if notifications::purge(app, caller, PURGE_MOST).await? < PURGE_MOST.unsigned_abs() {
            break;
        }
    }
    if let Err(error) = app.doorbell.sweep().await {
        tracing::warn!(error = format!("{error:#}"), "could not sweep the bell");
    }
    Ok(())
}
