//! Usage over time: a point for every hour, day or week, also where nothing was reported.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    figures::Figures,
    roll_up::{DAY, HOUR},
    rollups,
    standings::standings,
    tally::Tally,
};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::Conn,
    error::{Error, Result, Violation},
    id::PromptId,
    prompts,
};

/// The most points of a series, and the most series.
const POINTS_MAX: i64 = 1000;
const SERIES_MAX: usize = 20;
/// 1970-01-01 was a Thursday; weeks begin on Monday.
const FIRST_MONDAY: i64 = 4 * DAY;

/// How long the time of a point is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// An hour. Kept for 90 days.
    Hour,
    /// A day, in UTC.
    #[default]
    Day,
    /// A week that begins on Monday, in UTC.
    Week,
}

impl Granularity {
    fn length(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }

    /// The roll-ups it is made of.
    fn grain(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day | Self::Week => "day",
        }
    }

    /// When the hour, day or week of a moment began.
    fn start(self, at: Timestamp) -> Timestamp {
        let offset = if self == Self::Week { FIRST_MONDAY } else { 0 };
        Timestamp::from_millis(at.millis() - (at.millis() - offset).rem_euclid(self.length()))
    }
}

/// What tells one series from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The prompt.
    Prompt,
    /// The version of the one prompt that is asked for.
    Version,
    /// The model.
    Model,
    /// The service that asked.
    Service,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct SeriesRequest {
    /// The first moment; 30 days before the last, unless said.
    pub start: Option<Timestamp>,
    /// The last moment; now, unless said.
    pub end: Option<Timestamp>,
    /// How long the time of a point is.
    pub granularity: Granularity,
    /// One series, unless said.
    pub group_by: Option<GroupBy>,
    /// Only the calls with this prompt.
    pub prompt_id: Option<PromptId>,
}

/// Usage over time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UsageSeries {
    /// When the first point begins.
    pub start: Timestamp,
    /// When the last point begins.
    pub end: Timestamp,
    /// How long the time of a point is.
    pub granularity: Granularity,
    /// What tells one series from the other.
    pub group_by: Option<GroupBy>,
    /// The series, the most used first.
    pub series: Vec<Series>,
    /// Are there more series than are shown?
    pub truncated: bool,
}

/// One of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Series {
    /// Which prompt, version, model or service; null where calls did not say, or nothing was asked to tell them apart.
    pub group: Option<String>,
    /// What all its points add up to.
    pub totals: Figures,
    /// The points, without a gap.
    pub points: Vec<Point>,
}

/// A time, and what was reported of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Point {
    /// When it began.
    pub start: Timestamp,
    /// What its calls add up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Usage over time, in one series or several. Whoever may see some prompts only must say which.
pub async fn series(app: &App, caller: &Caller, request: &SeriesRequest) -> Result<UsageSeries> {
    let (start, end) = check(app, request)?;
    match request.prompt_id {
        Some(id) => prompts::check_reach(&mut app.db.read().await?, &caller.grant.folders, id).await?,
        None => caller.must_reach_everything("the use of all prompts; say `prompt_id=`")?,
    }
    if let Some(id) = request.prompt_id {
        prompts::get(app, id, &prompts::Selector::Latest, prompts::Show::PROMPT).await?;
    }
    let until = end + last(request.granularity);
    let most_used = match (request.group_by, request.prompt_id) {
        (Some(GroupBy::Prompt), None) => standings(app, start, until).await?,
        _ => Vec::new(),
    };
    let most_used = most_used.into_iter().take(SERIES_MAX + 1).map(|standing| standing.prompt_id).collect();
    let mut groups = gather(&mut app.db.read_at_once().await?, request, most_used, start, until).await?;
    groups.sort_by_key(|(group, points)| (-points.values().map(|tally| tally.events).sum::<i64>(), group.clone()));
    let truncated = groups.len() > SERIES_MAX;
    groups.truncate(SERIES_MAX);
    let nothing = Tally::default();
    let step = usize::try_from(request.granularity.length()).unwrap_or(usize::MAX);
    let series = groups.into_iter().map(|(group, points)| Series {
        group,
        totals: Figures::from(&super::reports::total(points.values())),
        points: (start.millis()..=end.millis())
            .step_by(step)
            .map(Timestamp::from_millis)
            .map(|start| Point { start, figures: Figures::from(points.get(&start).unwrap_or(&nothing)) })
            .collect(),
    });
    Ok(UsageSeries {
        start,
        end,
        granularity: request.granularity,
        group_by: request.group_by,
        series: series.collect(),
        truncated,
    })
}

/// The last moment of a point, from its beginning.
fn last(granularity: Granularity) -> std::time::Duration {
    std::time::Duration::from_millis(granularity.length().unsigned_abs() - 1)
}

/// When the first and the last point begin; or what is wrong with what was asked.
fn check(app: &App, request: &SeriesRequest) -> Result<(Timestamp, Timestamp)> {
    let now = app.clock.now();
    let end = request.end.unwrap_or(now);
    let start = request.start.unwrap_or(end - std::time::Duration::from_hours(24 * 29));
    let mut violations = Vec::new();
    if start > end {
        let detail = "`start_date` must not be after `end_date`";
        violations.push(Violation::new("/start_date", "reversed", detail));
    }
    let (start, end) = (request.granularity.start(start), request.granularity.start(end));
    if (end.millis() - start.millis()) / request.granularity.length() >= POINTS_MAX {
        let detail = format!("there would be more than {POINTS_MAX} points; ask for a shorter time, or longer points");
        violations.push(Violation::new("/start_date", "too-long", detail));
    }
    if request.group_by == Some(GroupBy::Version) && request.prompt_id.is_none() {
        let detail = "versions are those of one prompt: give its `prompt_id`";
        violations.push(Violation::new("/prompt_id", "required", detail));
    }
    if violations.is_empty() { Ok((start, end)) } else { Err(Error::from_violations(violations)) }
}

type Groups = Vec<(Option<String>, BTreeMap<Timestamp, Tally>)>;

async fn gather(
    conn: &mut Conn,
    request: &SeriesRequest,
    most_used: Vec<String>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Groups> {
    let grain = request.granularity.grain();
    let prompt_id = request.prompt_id.map(|id| id.to_string());
    let by_start = |points: BTreeMap<Timestamp, Tally>| {
        let mut by_start = BTreeMap::<Timestamp, Tally>::new();
        for (bucket, tally) in points {
            by_start.entry(request.granularity.start(bucket)).or_default().merge(&tally);
        }
        by_start
    };
    match request.group_by {
        None => {
            let points = rollups::tallies(conn, grain, &prompt_id.unwrap_or_default(), from, to).await?;
            Ok(vec![(None, by_start(points))])
        }
        Some(GroupBy::Prompt) => {
            let ids = prompt_id.map_or(most_used, |id| vec![id]);
            let mut groups = Vec::with_capacity(ids.len());
            for id in ids {
                let points = rollups::tallies(conn, grain, &id, from, to).await?;
                groups.push((Some(id), by_start(points)));
            }
            Ok(groups)
        }
        Some(by) => {
            let mut groups = BTreeMap::<Option<String>, BTreeMap<Timestamp, Tally>>::new();
            rollups::parts(conn, grain, prompt_id, (from, to), |part| {
                let group = match by {
                    GroupBy::Version => part.version.to_string(),
                    GroupBy::Model => part.model,
                    GroupBy::Service | GroupBy::Prompt => part.service_name,
                };
                let points = groups.entry(Some(group).filter(|group| !group.is_empty())).or_default();
                points.entry(request.granularity.start(part.bucket)).or_default().merge(&part.tally);
            })
            .await?;
            Ok(groups.into_iter().collect())
        }
    }
}
