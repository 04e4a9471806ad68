//! Rolling events up: each batch is added once to the hours and days of its series, by whichever worker holds the job.
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{model::Event, pulse::Pulse, repository, rollups, tally::Tally};
use crate::{
    ab_testing::{self, TestUsage},
    app::App,
    caller::Caller,
    clock::Timestamp,
    error::{Error, Result},
    jobs::{Claim, Job, Outcome, Queue},
};

/// The events of one transaction, unless one batch has more.
const EVENTS_MAX: i64 = 1000;
const BATCHES_MAX: i64 = 256;
/// After this a job gives its place back.
const TURN: Duration = Duration::from_secs(2);

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// Add what was reported to the roll-ups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RollUpUsage {}

impl Job for RollUpUsage {
    const QUEUE: Queue = Queue::UsageRollups;

    fn unique_key(&self) -> Option<String> {
        Some(String::new())
    }
}

/// What a row of the roll-ups is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    /// `hour` or `day`.
    pub(super) grain: &'static str,
    /// Empty: all prompts.
    pub(super) prompt_id: String,
    /// 0: all versions, models and services.
    pub(super) version: i64,
    pub(super) model: String,
    pub(super) service_name: String,
    /// When the hour or the day began.
    pub(super) bucket: Timestamp,
}

impl Series {
    /// Is it what one prompt adds up to in a day?
    pub(super) fn is_day_of_prompt(&self) -> bool {
        self.grain == "day" && self.version == 0 && !self.prompt_id.is_empty()
    }
}

/// Orders the job, if there is anything to roll up.
pub async fn order_roll_up(app: &App, caller: &Caller) -> Result<()> {
    {
        let mut conn = app.db.read().await?;
        if repository::batches(&mut conn, 1).await?.is_empty()
            || crate::jobs::is_ordered(&mut conn, &RollUpUsage {}, app.clock.now()).await?
        {
            return Ok(());
        }
    }
    let mut tx = app.begin(caller).await?;
    tx.enqueue(&RollUpUsage {}).await?;
    tx.commit().await
}

/// Rolls up what waits, until nothing does or its turn is over.
pub async fn roll_up(app: &App, claim: &Claim, caller: &Caller) -> Result<Outcome> {
    let began = Instant::now();
    while part(app, claim, caller).await? {
        if began.elapsed() >= TURN {
            return Ok(Outcome::Again);
        }
    }
    Ok(Outcome::Done)
}

/// Reads first and writes then, so that the writer is not kept: meanwhile nobody else changes roll-ups, or this worker has
/// lost the job, and its transaction fails as a whole.
async fn part(app: &App, claim: &Claim, caller: &Caller) -> Result<bool> {
    let mut conn = app.db.read().await?;
    let (mut batches, mut most) = (repository::batches(&mut conn, BATCHES_MAX).await?, EVENTS_MAX);
    let fits = |(_, events): &&(_, i64)| {
        let fits = most > 0;
        most -= events;
        fits
    };
    batches.truncate(batches.iter().take_while(fits).count());
    if batches.is_empty() {
        return Ok(false);
    }
    let mut tallies = BTreeMap::<Series, Tally>::new();
    let mut pulses = BTreeMap::<(String, i64), Pulse>::new();
    let mut of_tests = Vec::new();
    for (batch, _) in &batches {
        for (place, event) in repository::events(&mut conn, *batch).await?.into_iter().enumerate() {
            for series in series(&event) {
                tallies.entry(series).or_default().add(&event);
            }
            let stream = (event.prompt_id.to_string(), event.version);
            if !pulses.contains_key(&stream) {
                let before = repository::pulse(&mut conn, (&stream.0, stream.1)).await?;
                pulses.insert(stream.clone(), before.unwrap_or_default());
            }
            pulses.entry(stream).or_default().push(&event);
            if event.ab_test_id.is_some() {
                of_tests.push((format!("usage-{batch}-{place}"), event));
            }
        }
    }
    let usages: Vec<_> = of_tests.iter().filter_map(|(own_id, event)| of_test(own_id, event)).collect();
    let observed = ab_testing::observed(&mut conn, &usages).await?;
    for (series, tally) in &mut tallies {
        if let Some(before) = rollups::tally(&mut conn, series).await? {
            tally.merge(&before);
        }
    }
    drop(conn);
    let tallies: Vec<_> = tallies.into_iter().collect();
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    for (batch, _) in &batches {
        if repository::delete_batch(&mut tx, *batch).await? != 1 {
            return Err(Error::internal("a batch was rolled up by another, who had not the job"));
        }
    }
    rollups::put(&mut tx, &tallies).await?;
    for ((prompt_id, version), pulse) in &pulses {
        repository::put_pulse(&mut tx, (prompt_id, *version), pulse).await?;
    }
    ab_testing::write_observed(&mut tx, &observed).await?;
    tx.commit().await?;
    Ok(true)
}

/// What an event says of the test that it names.
#[expect(clippy::cast_precision_loss, reason = "below 2^53, as they were checked")]
fn of_test<'e>(own_id: &str, event: &'e Event) -> Option<TestUsage<'e>> {
    Some(TestUsage {
        test_id: event.ab_test_id.as_deref()?,
        variant: event.variant.as_deref(),
        prompt_id: event.prompt_id,
        version: event.version,
        own_id: own_id.to_owned(),
        user_id: event.user_id.as_deref(),
        session_id: event.session_id.as_deref(),
        at: event.occurred_at,
        success: event.success.map(|success| success > 0),
        score: event.score,
        response_time_ms: event.response_time_us.map(|us| us as f64 / 1e3),
        tokens: (event.input_tokens.or(event.output_tokens))
            .map(|_| (event.input_tokens.unwrap_or(0) + event.output_tokens.unwrap_or(0)) as f64),
        cost_usd: event.cost_nanos.map(|nanos| nanos as f64 / 1e9),
    })
}

/// Where an event counts: by hour and by day, for its version with its model and service, for its prompt, and for all.
fn series(event: &Event) -> Vec<Series> {
    let mut series = Vec::with_capacity(6);
    for (grain, length) in [("hour", HOUR), ("day", DAY)] {
        let at = event.occurred_at.millis();
        let bucket = Timestamp::from_millis(at - at.rem_euclid(length));
        let all = Series {
            grain,
            prompt_id: String::new(),
            version: 0,
            model: String::new(),
            service_name: String::new(),
            bucket,
        };
        let of_prompt = Series { prompt_id: event.prompt_id.to_string(), ..all.clone() };
        let of_version = Series {
            version: event.version,
            model: event.model.clone().unwrap_or_default(),
            service_name: event.service_name.clone().unwrap_or_default(),
            ..of_prompt.clone()
        };
        series.extend([all, of_prompt, of_version]);
    }
    series
}
