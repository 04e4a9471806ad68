//! What the roll-ups say about all prompts, and about one.
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    figures::{Figures, success_rate, usd},
    repository,
    roll_up::{DAY, HOUR},
    rollups,
    standings::{Standing, categories, standings},
    tally::Tally,
};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    prompts,
};

const TOP: usize = 10;
const CATEGORIES: usize = 20;
/// The most days a report looks back.
pub const DAYS_MAX: i64 = 400;
/// From this share of calls that went well on, all is well; and from this one on, it is not hopeless.
const HEALTHY: f64 = 0.95;
const DEGRADED: f64 = 0.8;

/// How all prompts were used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Summary {
    /// So many days, today among them.
    pub days_back: i64,
    /// When the first of them began, in UTC.
    pub from: Timestamp,
    /// Until now.
    pub to: Timestamp,
    /// What all calls add up to.
    pub totals: Figures,
    /// How often prompts were served by name.
    pub reads: i64,
    /// Those that were used most.
    pub top_prompts: Vec<PromptUsage>,
    /// Every day, also those without a call.
    pub daily_usage: Vec<DailyUsage>,
    /// The categories that were used most.
    pub categories: Vec<CategoryUsage>,
    /// How it stands now.
    pub health: UsageHealth,
}

/// How one prompt among many was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptUsage {
    /// `prm_…`
    pub prompt_id: String,
    /// Where it belongs.
    pub category: String,
    /// What it is called.
    pub name: String,
    /// How many calls were reported.
    pub events: i64,
    /// The share of those that went well.
    pub success_rate: Option<f64>,
    /// How long an answer took, in milliseconds: the mean.
    pub mean_response_time_ms: Option<f64>,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
}

/// How the prompts of a category were used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CategoryUsage {
    /// Which category.
    pub category: String,
    /// So many of its prompts were used.
    pub prompts: i64,
    /// How many calls were reported.
    pub events: i64,
    /// The share of those that went well.
    pub success_rate: Option<f64>,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
}

/// A day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DailyUsage {
    /// When it began, in UTC.
    pub start: Timestamp,
    /// How often prompts were served by name.
    pub reads: i64,
    /// What its calls add up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How it stands now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UsageHealth {
    /// `healthy` from 95 % of the calls of the last 24 hours on, `degraded` from 80 % on, else `unhealthy`; `unknown` where
    /// none said how it went.
    pub status: UsageStatus,
    /// That share.
    pub success_rate_24h: Option<f64>,
    /// How many reported calls are not in these figures yet. It takes a second or two.
    pub waiting_events: i64,
}

/// Whether calls go well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageStatus {
    /// Nearly all do.
    Healthy,
    /// Most do.
    Degraded,
    /// Too many do not.
    Unhealthy,
    /// Nobody said.
    Unknown,
}

/// How one prompt was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptAnalytics {
    /// Which prompt.
    pub prompt_id: PromptId,
    /// So many days, today among them.
    pub days_back: i64,
    /// When the first of them began, in UTC.
    pub from: Timestamp,
    /// Until now.
    pub to: Timestamp,
    /// What all its calls add up to.
    pub totals: Figures,
    /// How often it was served by name.
    pub reads: i64,
    /// The mean score of the last 30 days; null under 20 scored calls.
    pub performance_score: Option<f64>,
    /// By version, the newest first.
    pub by_version: Vec<VersionUsage>,
    /// By model, the most used first.
    pub by_model: Vec<NamedUsage>,
    /// By service, the most used first.
    pub by_service: Vec<NamedUsage>,
    /// Every day, also those without a call.
    pub daily_usage: Vec<DailyUsage>,
}

/// How a version was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VersionUsage {
    /// Which version.
    pub version: i64,
    /// What its calls add up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How something was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedUsage {
    /// What it is called; null, where calls did not say.
    pub name: Option<String>,
    /// What its calls add up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The beginning of the first of so many days, of which today is the last; and now.
fn window(app: &App, days_back: i64) -> Result<(Timestamp, Timestamp)> {
    if !(1..=DAYS_MAX).contains(&days_back) {
        return Err(Error::invalid("/days_back", "out-of-range", format!("`days_back` must be from 1 to {DAYS_MAX}")));
    }
    let now = app.clock.now().millis();
    let today = now - now.rem_euclid(DAY);
    Ok((Timestamp::from_millis(today - (days_back - 1) * DAY), Timestamp::from_millis(now)))
}

/// How all prompts were used in the last days.
pub async fn summary(app: &App, caller: &Caller, days_back: i64) -> Result<Summary> {
    caller.must_reach_everything("the use of all prompts")?;
    let (from, to) = window(app, days_back)?;
    let standings = standings(app, from, to).await?;
    let mut conn = app.db.read_at_once().await?;
    let days = rollups::tallies(&mut conn, "day", "", from, to).await?;
    let reads = repository::reads_by_day(&mut conn, "", from, to).await?;
    let health = health(&mut conn, to).await?;
    Ok(Summary {
        days_back,
        from,
        to,
        totals: Figures::from(&total(days.values())),
        reads: reads.values().sum(),
        top_prompts: standings.iter().take(TOP).map(PromptUsage::from).collect(),
        daily_usage: daily(from, to, &days, &reads),
        categories: categories(&standings, CATEGORIES)
            .into_iter()
            .map(|(category, prompts, sums)| CategoryUsage {
                category: category.to_owned(),
                prompts,
                events: sums.events,
                success_rate: success_rate(sums.successes, sums.failures),
                cost_usd: usd(sums.cost_nanos),
            })
            .collect(),
        health,
    })
}

/// How one prompt was used in the last days.
pub async fn of_prompt(app: &App, caller: &Caller, id: PromptId, days_back: i64) -> Result<PromptAnalytics> {
    let (from, to) = window(app, days_back)?;
    let show = prompts::Show::PROMPT.usage(true, to);
    let scored = prompts::get(app, caller, id, &prompts::Selector::Latest, show).await?;
    let mut conn = app.db.read_at_once().await?;
    let prompt_id = id.to_string();
    let days = rollups::tallies(&mut conn, "day", &prompt_id, from, to).await?;
    let reads = repository::reads_by_day(&mut conn, &prompt_id, from, to).await?;
    let (mut versions, mut models, mut services) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    rollups::parts(&mut conn, "day", Some(prompt_id), (from, to), |part| {
        versions.entry(part.version).or_insert_with(Tally::default).merge(&part.tally);
        models.entry(part.model).or_insert_with(Tally::default).merge(&part.tally);
        services.entry(part.service_name).or_insert_with(Tally::default).merge(&part.tally);
    })
    .await?;
    Ok(PromptAnalytics {
        prompt_id: id,
        days_back,
        from,
        to,
        totals: Figures::from(&total(days.values())),
        reads: reads.values().sum(),
        performance_score: scored.performance_score,
        by_version: versions
            .iter()
            .rev()
            .map(|(version, tally)| VersionUsage { version: *version, figures: Figures::from(tally) })
            .collect(),
        by_model: named(&models),
        by_service: named(&services),
        daily_usage: daily(from, to, &days, &reads),
    })
}

impl From<&Standing> for PromptUsage {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn from(Standing { prompt_id, category, name, sums }: &Standing) -> Self {
        Self {
            prompt_id: prompt_id.clone(),
            category: category.clone(),
            name: name.clone(),
            events: sums.events,
            success_rate: success_rate(sums.successes, sums.failures),
            mean_response_time_ms: (sums.latency_n > 0)
                .then(|| sums.latency_us as f64 / 1000.0 / sums.latency_n as f64),
            cost_usd: usd(sums.cost_nanos),
        }
    }
}

pub(super) fn total<'t>(tallies: impl Iterator<Item = &'t Tally>) -> Tally {
    tallies.fold(Tally::default(), |mut total, tally| {
        total.merge(tally);
        total
    })
}

/// The most used first.
fn named(tallies: &BTreeMap<String, Tally>) -> Vec<NamedUsage> {
    let mut named: Vec<_> = tallies
        .iter()
        .map(|(name, tally)| NamedUsage {
            name: Some(name.clone()).filter(|name| !name.is_empty()),
            figures: Figures::from(tally),
        })
        .collect();
    named.sort_by_key(|one| -one.figures.events);
    named
}

fn daily(
    from: Timestamp,
    to: Timestamp,
    days: &BTreeMap<Timestamp, Tally>,
    reads: &BTreeMap<Timestamp, i64>,
) -> Vec<DailyUsage> {
    let nothing = Tally::default();
    let starts = (from.millis()..=to.millis()).step_by(usize::try_from(DAY).unwrap_or(usize::MAX));
    starts
        .map(|start| {
            let start = Timestamp::from_millis(start);
            let figures = Figures::from(days.get(&start).unwrap_or(&nothing));
            DailyUsage { start, reads: reads.get(&start).copied().unwrap_or(0), figures }
        })
        .collect()
}

async fn health(conn: &mut Conn, now: Timestamp) -> Result<UsageHealth> {
    let hour = now.millis() - now.millis().rem_euclid(HOUR);
    let hours = rollups::tallies(conn, "hour", "", Timestamp::from_millis(hour - 23 * HOUR), now).await?;
    let last = total(hours.values());
    let success_rate_24h = success_rate(last.successes, last.failures);
    let status = match success_rate_24h {
        None => UsageStatus::Unknown,
        Some(share) if share >= HEALTHY => UsageStatus::Healthy,
        Some(share) if share >= DEGRADED => UsageStatus::Degraded,
        Some(_) => UsageStatus::Unhealthy,
    };
    Ok(UsageHealth { status, success_rate_24h, waiting_events: repository::waiting(conn).await? })
}
