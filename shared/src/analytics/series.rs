//! Usage over time: a point for every hour, day or week, also where nothing was reported.
use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    figures::Figures,
    roll_up::{DAY, HOUR},
    standings::standings,
    tally::Tally,
    windows::{self, Offset, Part, Span, Window},
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
/// So many prompts that were used most on the days of a time are looked at for those that were used most in the time itself.
const CANDIDATES_MAX: usize = 100;
/// No zone is farther from UTC, in minutes.
const OFFSET_MAX: i64 = 14 * 60;
/// 1970-01-01 was a Thursday; weeks begin on Monday.
const FIRST_MONDAY: i64 = 4 * DAY;

/// How long the time of a point is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// An hour. Kept for 90 days.
    Hour,
    /// A day, in UTC or in the zone that is asked for.
    #[default]
    Day,
    /// A week that begins on Monday, as days do.
    Week,
}

impl Granularity {
    pub(super) fn length(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }

    /// When one of them began, counted from 1970 on.
    pub(super) fn first(self) -> i64 {
        if self == Self::Week { FIRST_MONDAY } else { 0 }
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
    /// The first moment; the beginning of the point 29 days before now, or before the end, unless said.
    pub start: Option<Timestamp>,
    /// The end, which is not part of the time; the end of the present point, unless said.
    pub end: Option<Timestamp>,
    /// How long the time of a point is.
    pub granularity: Granularity,
    /// So many minutes east of UTC days and weeks begin.
    pub utc_offset_minutes: i64,
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
    /// When it ends: what was reported of that moment is not in it. Two times, one of which begins where the other ends, add
    /// up to the time of both.
    pub until: Timestamp,
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

/// A time, and what was reported of it. The first and the last point are shorter where the time that was asked for begins or
/// ends within them.
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
    let (from, to) = check(app, request)?;
    let window = Window::cut((from, to), request.granularity, request.offset());
    match request.prompt_id {
        Some(id) => prompts::check_existing(&mut app.db.read().await?, caller, id).await?,
        None => caller.must_reach_everything("the use of all prompts; say `prompt_id=`")?,
    }
    let candidates = match (request.group_by, request.prompt_id) {
        (Some(GroupBy::Prompt), None) => standings(app, from, to - Duration::from_millis(1)).await?,
        _ => Vec::new(),
    };
    let candidates = candidates.into_iter().take(CANDIDATES_MAX).map(|standing| standing.prompt_id).collect();
    let mut conn = app.db.read_at_once().await?;
    window.check(&mut conn, &request.prompt(), app.clock.now()).await?;
    let mut groups = gather(&mut conn, request, candidates, &window).await?;
    groups.sort_by_key(|(group, points)| (-points.values().map(|tally| tally.events).sum::<i64>(), group.clone()));
    let truncated = groups.len() > SERIES_MAX;
    groups.truncate(SERIES_MAX);
    let nothing = Tally::default();
    let series = groups.into_iter().map(|(group, points)| Series {
        group,
        totals: Figures::from(&super::reports::total(points.values())),
        points: (window.starts().iter())
            .map(|start| Point { start: *start, figures: Figures::from(points.get(start).unwrap_or(&nothing)) })
            .collect(),
    });
    Ok(UsageSeries {
        start: from,
        end: window.starts().last().copied().unwrap_or(from),
        until: to,
        granularity: request.granularity,
        group_by: request.group_by,
        series: series.collect(),
        truncated,
    })
}

impl SeriesRequest {
    fn offset(&self) -> Offset {
        self.utc_offset_minutes * 60_000
    }

    /// The one prompt; empty: all of them.
    fn prompt(&self) -> String {
        self.prompt_id.map(|id| id.to_string()).unwrap_or_default()
    }
}

/// The time that is asked for; or what is wrong with it.
fn check(app: &App, request: &SeriesRequest) -> Result<Span> {
    let mut violations = Vec::new();
    let minutes = request.utc_offset_minutes;
    if !(-OFFSET_MAX..=OFFSET_MAX).contains(&minutes) || minutes % 15 != 0 {
        let detail = format!("`utc_offset_minutes` must be a multiple of 15 from -{OFFSET_MAX} to {OFFSET_MAX}");
        return Err(Error::invalid("/utc_offset_minutes", "out-of-range", detail));
    }
    let length = Duration::from_millis(request.granularity.length().unsigned_abs());
    let start_of = |at: Timestamp| windows::start_of(request.granularity, at, request.offset());
    let now = app.clock.now();
    let to = request.end.unwrap_or_else(|| start_of(now) + length);
    let from = request.start.unwrap_or_else(|| start_of(to.min(now) - Duration::from_hours(24 * 29)));
    if from >= to {
        let detail = "`start_date` must be before `end_date`";
        violations.push(Violation::new("/start_date", "reversed", detail));
    }
    if (to.millis() - start_of(from).millis()) / request.granularity.length() >= POINTS_MAX {
        let detail = format!("there would be more than {POINTS_MAX} points; ask for a shorter time, or longer points");
        violations.push(Violation::new("/start_date", "too-long", detail));
    }
    if request.group_by == Some(GroupBy::Version) && request.prompt_id.is_none() {
        let detail = "versions are those of one prompt: give its `prompt_id`";
        violations.push(Violation::new("/prompt_id", "required", detail));
    }
    if violations.is_empty() { Ok((from, to)) } else { Err(Error::from_violations(violations)) }
}

type Groups = Vec<(Option<String>, BTreeMap<Timestamp, Tally>)>;

async fn gather(conn: &mut Conn, request: &SeriesRequest, candidates: Vec<String>, window: &Window) -> Result<Groups> {
    match request.group_by {
        None => {
            let points = points(conn, window, &request.prompt()).await?;
            Ok(vec![(None, points)])
        }
        Some(GroupBy::Prompt) => {
            let ids = request.prompt_id.map_or(candidates, |id| vec![id.to_string()]);
            let mut groups = Vec::with_capacity(ids.len());
            for id in ids {
                let points = points(conn, window, &id).await?;
                if !points.is_empty() || request.prompt_id.is_some() {
                    groups.push((Some(id), points));
                }
            }
            Ok(groups)
        }
        Some(by) => {
            let mut groups = BTreeMap::<Option<String>, BTreeMap<Timestamp, Tally>>::new();
            let see = |at, part: Part<'_>, tally: &Tally| {
                let group = match by {
                    GroupBy::Version => part.version.to_string(),
                    GroupBy::Model => part.model.to_owned(),
                    GroupBy::Service | GroupBy::Prompt => part.service_name.to_owned(),
                };
                let points = groups.entry(Some(group).filter(|group| !group.is_empty())).or_default();
                points.entry(window.point(at)).or_default().merge(tally);
            };
            window.parts(conn, &request.prompt(), see).await?;
            Ok(groups.into_iter().collect())
        }
    }
}

async fn points(conn: &mut Conn, window: &Window, prompt_id: &str) -> Result<BTreeMap<Timestamp, Tally>> {
    let mut points = BTreeMap::<Timestamp, Tally>::new();
    let see = |at, tally: &Tally| points.entry(window.point(at)).or_default().merge(tally);
    window.sums(conn, prompt_id, see).await?;
    Ok(points)
}
