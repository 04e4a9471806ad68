//! The table `usage_rollups`.
use std::collections::BTreeMap;

use futures::TryStreamExt;

use super::{Moments, Series, Sketch, Tally};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Query, params, portions},
    error::Result,
    id::PromptId,
};

#[derive(FromRow)]
struct TallyRow {
    bucket: Timestamp,
    version: i64,
    model: String,
    service_name: String,
    events: i64,
    successes: i64,
    failures: i64,
    parse_failures: i64,
    latency_n: i64,
    latency_us: i64,
    tokens_n: i64,
    input_tokens: i64,
    output_tokens: i64,
    cost_n: i64,
    cost_nanos: i64,
    score_n: i64,
    score_mean: f64,
    score_m2: f64,
    latency_sketch: Vec<u8>,
    tokens_sketch: Vec<u8>,
    cost_sketch: Vec<u8>,
}

impl TallyRow {
    fn part(self) -> Result<Part> {
        let tally = self.tally()?;
        let Self { bucket, version, model, service_name, .. } = self;
        Ok(Part { bucket, version, model, service_name, tally })
    }

    fn tally(&self) -> Result<Tally> {
        Ok(Tally {
            events: self.events,
            successes: self.successes,
            failures: self.failures,
            parse_failures: self.parse_failures,
            latency_n: self.latency_n,
            latency_us: self.latency_us,
            tokens_n: self.tokens_n,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_n: self.cost_n,
            cost_nanos: self.cost_nanos,
            score: Moments { n: self.score_n, mean: self.score_mean, m2: self.score_m2 },
            latency: Sketch::from_bytes(&self.latency_sketch)?,
            tokens: Sketch::from_bytes(&self.tokens_sketch)?,
            cost: Sketch::from_bytes(&self.cost_sketch)?,
        })
    }
}

const TALLY: &str = "SELECT * FROM usage_rollups
                     WHERE grain = $1 AND prompt_id = $2 AND version = $3 AND model = $4 AND service_name = $5
                       AND bucket = $6";

/// What was added up before for a series.
pub(in super::super) async fn tally(conn: &mut Conn, series: &Series) -> Result<Option<Tally>> {
    let Series { grain, prompt_id, version, model, service_name, bucket } = series;
    let row: Option<TallyRow> =
        conn.fetch_optional(TALLY, params![grain, prompt_id, version, model, service_name, bucket]).await?;
    row.map(|row| row.tally()).transpose()
}

const STAMP: &str = "SELECT COALESCE(max(day_changed), 0) FROM usage_rollups WHERE day_changed IS NOT NULL";

/// The largest number that days of prompts have; those that are written next have a larger one.
pub(in super::super) async fn stamp(conn: &mut Conn) -> Result<i64> {
    let (stamp,) = conn.fetch_one(STAMP, params![]).await?;
    Ok(stamp)
}

/// Writes what was added up, in place of what was there. One job at a time does.
pub(in super::super) async fn put(conn: &mut Conn, tallies: &[(Series, Tally)]) -> Result<()> {
    let next = stamp(conn).await? + 1;
    let start = "INSERT INTO usage_rollups (grain, prompt_id, version, model, service_name, bucket, events, successes,
                     failures, parse_failures, latency_n, latency_us, tokens_n, input_tokens, output_tokens, cost_n, cost_nanos, score_n,
                     score_mean, score_m2, latency_sketch, tokens_sketch, cost_sketch, day_changed) VALUES";
    let end = "ON CONFLICT (grain, prompt_id, version, model, service_name, bucket) DO UPDATE SET
                   events = excluded.events, successes = excluded.successes, failures = excluded.failures,
                   parse_failures = excluded.parse_failures, latency_n = excluded.latency_n,
                   latency_us = excluded.latency_us, tokens_n = excluded.tokens_n, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
                   cost_n = excluded.cost_n, cost_nanos = excluded.cost_nanos, score_n = excluded.score_n,
                   score_mean = excluded.score_mean, score_m2 = excluded.score_m2,
                   latency_sketch = excluded.latency_sketch, tokens_sketch = excluded.tokens_sketch,
                   cost_sketch = excluded.cost_sketch, day_changed = excluded.day_changed";
    let rows: Vec<_> = tallies
        .iter()
        .map(|(series, tally)| {
            let sketches = [tally.latency.to_bytes(), tally.tokens.to_bytes(), tally.cost.to_bytes()];
            (series, tally, sketches, series.is_day_of_prompt().then_some(next))
        })
        .collect();
    for rows in portions(&rows) {
        let query = Query::new(start)
            .rows(
                "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
                |(series, tally, [latency, tokens, cost], changed)| {
                    vec![
                        &series.grain,
                        &series.prompt_id,
                        &series.version,
                        &series.model,
                        &series.service_name,
                        &series.bucket,
                        &tally.events,
                        &tally.successes,
                        &tally.failures,
                        &tally.parse_failures,
                        &tally.latency_n,
                        &tally.latency_us,
                        &tally.tokens_n,
                        &tally.input_tokens,
                        &tally.output_tokens,
                        &tally.cost_n,
                        &tally.cost_nanos,
                        &tally.score.n,
                        &tally.score.mean,
                        &tally.score.m2,
                        latency,
                        tokens,
                        cost,
                        changed,
                    ]
                },
            )
            .then(end, params![]);
        conn.execute(&query, query.params()).await?;
    }
    Ok(())
}

const PURGE_HOURS: &str = "DELETE FROM usage_rollups
                           WHERE (grain, prompt_id, version, model, service_name, bucket) IN
                                (SELECT grain, prompt_id, version, model, service_name, bucket FROM usage_rollups
                                 WHERE grain = 'hour' AND bucket < $1 LIMIT $2)";

pub(in super::super) async fn purge_hours(conn: &mut Conn, before: Timestamp, most: i64) -> Result<u64> {
    conn.execute(PURGE_HOURS, params![before, most]).await
}

const TALLIES: &str = "SELECT * FROM usage_rollups
                       WHERE grain = $1 AND prompt_id = $2 AND version = 0 AND model = '' AND service_name = ''
                         AND bucket BETWEEN $3 AND $4";

/// What a prompt, or all of them, add up to in each hour or day that begins in a time.
pub(in super::super) async fn tallies(
    conn: &mut Conn,
    grain: &str,
    prompt_id: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<Timestamp, Tally>> {
    let rows: Vec<TallyRow> = conn.fetch_all(TALLIES, params![grain, prompt_id, from, to]).await?;
    rows.iter().map(|row| Ok((row.bucket, row.tally()?))).collect()
}

/// What a version, with a model and a service, adds up to in an hour or a day.
pub(in super::super) struct Part {
    pub(in super::super) bucket: Timestamp,
    pub(in super::super) version: i64,
    pub(in super::super) model: String,
    pub(in super::super) service_name: String,
    pub(in super::super) tally: Tally,
}

/// Looks at each part of what a prompt, or all of them, add up to.
pub(in super::super) async fn parts(
    conn: &mut Conn,
    grain: &str,
    prompt_id: Option<String>,
    (from, to): (Timestamp, Timestamp),
    mut see: impl FnMut(Part),
) -> Result<()> {
    let query = Query::new("SELECT * FROM usage_rollups WHERE version > 0")
        .then("AND grain = ? AND bucket BETWEEN ? AND ?", params![grain, from, to])
        .and("prompt_id = ?", &prompt_id);
    let mut rows = conn.fetch::<TallyRow>(&query, query.params())?;
    while let Some(row) = rows.try_next().await? {
        see(row.part()?);
    }
    Ok(())
}

/// Sums, without what has percentiles.
/// What a prompt adds up to, without the sketches.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub(in super::super) struct Sums {
    pub(in super::super) events: i64,
    pub(in super::super) successes: i64,
    pub(in super::super) failures: i64,
    pub(in super::super) cost_nanos: i64,
    pub(in super::super) latency_n: i64,
    pub(in super::super) latency_us: i64,
}

/// What a prompt adds up to in a day.
#[derive(FromRow)]
pub(in super::super) struct PromptDay {
    pub(in super::super) prompt_id: String,
    pub(in super::super) bucket: Timestamp,
    #[sqlx(flatten)]
    pub(in super::super) sums: Sums,
}

const PROMPT_DAYS: &str =
    "SELECT prompt_id, bucket, events, successes, failures, cost_nanos, latency_n, latency_us FROM usage_rollups
     WHERE day_changed > 0 AND bucket >= $1 AND bucket < $2";

/// What each prompt adds up to on each day of a time.
pub(in super::super) async fn prompt_days(conn: &mut Conn, from: Timestamp, to: Timestamp) -> Result<Vec<PromptDay>> {
    conn.fetch_all(PROMPT_DAYS, params![from, to]).await
}

const CHANGED_DAYS: &str =
    "SELECT prompt_id, bucket, events, successes, failures, cost_nanos, latency_n, latency_us FROM usage_rollups
     WHERE day_changed > $1";

/// Days that were written after a number was the largest.
pub(in super::super) async fn changed_days(conn: &mut Conn, stamp: i64) -> Result<Vec<PromptDay>> {
    conn.fetch_all(CHANGED_DAYS, params![stamp]).await
}

const DAYS_OF_VERSION: &str = "SELECT * FROM usage_rollups WHERE grain = 'day' AND prompt_id = $1 AND version = $2";

/// Looks at each day of a version, with a model and a service.
pub(in super::super) async fn days_of_version(
    conn: &mut Conn,
    id: PromptId,
    version: i64,
    mut see: impl FnMut(Part),
) -> Result<()> {
    let mut rows = conn.fetch::<TallyRow>(DAYS_OF_VERSION, params![id, version])?;
    while let Some(row) = rows.try_next().await? {
        see(row.part()?);
    }
    Ok(())
}

const IS_ANY: &str = "SELECT count(*) FROM (SELECT 1 FROM usage_rollups LIMIT 1) AS found";

/// Is anything rolled up?
pub(in super::super) async fn is_any(conn: &mut Conn) -> Result<bool> {
    let (found,): (i64,) = conn.fetch_one(IS_ANY, &[]).await?;
    Ok(found > 0)
}

const IN_USE: &str = "SELECT p.id FROM prompts p
                      WHERE p.id > $1 AND p.deleted_at IS NULL
                        AND EXISTS (SELECT 1 FROM usage_rollups u
                                    WHERE u.grain = 'day' AND u.prompt_id = p.id AND u.version = 0 AND u.model = ''
                                      AND u.service_name = '' AND u.bucket >= $2)
                      ORDER BY p.id LIMIT $3";

/// The first prompts after one that were used on a day or later.
pub(in super::super) async fn in_use(
    conn: &mut Conn,
    after: &str,
    since: Timestamp,
    most: i64,
) -> Result<Vec<PromptId>> {
    let ids: Vec<(PromptId,)> = conn.fetch_all(IN_USE, params![after, since, most]).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

const NEWEST_IN_USE: &str = "SELECT max(version) FROM usage_rollups
                             WHERE grain = 'day' AND prompt_id = $1 AND version > 0";

/// The newest version that anything was reported of.
pub(in super::super) async fn newest_in_use(conn: &mut Conn, id: PromptId) -> Result<Option<i64>> {
    let (version,): (Option<i64>,) = conn.fetch_one(NEWEST_IN_USE, params![id]).await?;
    Ok(version)
}
