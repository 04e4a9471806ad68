//! How prompts are used: what callers report, and what it adds up to.
use axum::{extract::State, http::StatusCode, response::IntoResponse};
use serde::Deserialize;
use shared::{
    App, Error,
    analytics::{
        self, Granularity, GroupBy, PromptAnalytics, Receipt, SeriesRequest, Summary, UsageEvent, UsageSeries,
    },
    clock::Timestamp,
    id::PromptId,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, OneOrMany, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(record, series)).routes(routes!(summary)).routes(routes!(of_prompt))
}

/// Report calls: one, or a list of up to 1000. They are on disk when the answer comes.
///
/// A call that names an A/B test counts for it only where it is about what the arm shows and the key reaches the whole test; see
/// `ab_test_id`. Every call counts for its prompt.
#[utoipa::path(
    post, path = "/usage", tag = "analytics", operation_id = "recordUsage",
    security((), ("key" = ["analytics"])),
    request_body(content = UsageEvent, description = "An event, or a list of up to 1000."),
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = Receipt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn record(
    State(app): State<App>,
    caller: Caller,
    Json(events): Json<OneOrMany<UsageEvent>>,
) -> Result<impl IntoResponse, Problem> {
    let receipt = analytics::record(&app, &caller.0, events.items, events.is_one).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// How far a report looks back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// So many days, today among them: 1 to 400.
    #[param(minimum = 1, maximum = 400, default = 30)]
    days_back: Option<i64>,
}

/// Get how all prompts were used.
#[utoipa::path(
    get, path = "/summary", tag = "analytics", operation_id = "getUsageSummary",
    security((), ("key" = ["analytics"])),
    params(DaysQuery),
    responses((status = 200, body = Summary), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn summary(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<DaysQuery>,
) -> Result<Json<Summary>, Problem> {
    Ok(Json(analytics::summary(&app, &caller.0, query.days_back.unwrap_or(30)).await?))
}

/// Get how a prompt was used, by version, model and service.
#[utoipa::path(
    get, path = "/prompts/{id}", tag = "analytics", operation_id = "getPromptUsage",
    security((), ("key" = ["analytics"])),
    params(("id" = PromptId, Path), DaysQuery),
    responses((status = 200, body = PromptAnalytics), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn of_prompt(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<DaysQuery>,
) -> Result<Json<PromptAnalytics>, Problem> {
    Ok(Json(analytics::of_prompt(&app, &caller.0, id, query.days_back.unwrap_or(30)).await?))
}

/// Which time, and how it is cut.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// The first moment, or the first day; 29 days before the last day, unless said.
    #[param(example = "2026-11-01")]
    start_date: Option<String>,
    /// The moment that the time ends with, and which is not part of it, or the last day, to its end; unless said, all until
    /// now. So the figures of a time that is cut in two add up to those of the whole. A time that ends within an hour is
    /// counted event by event, as long as events are kept: 422 `too-old` after that.
    #[param(example = "2026-11-30T12:00:00Z")]
    end_date: Option<String>,
    /// How long the time of a point is.
    granularity: Option<Granularity>,
    /// So many minutes east of UTC days and weeks begin: `60` in Berlin in winter, `-300` in New York. A day that is not one in
    /// UTC is made of hours, which are kept for 90 days: 422 `too-old` after that.
    #[param(minimum = -840, maximum = 840, default = 0)]
    utc_offset_minutes: Option<i64>,
    /// A series for each prompt, version, model or service, of which the 20 most used are shown.
    group_by: Option<GroupBy>,
    /// Only the calls with this prompt.
    prompt_id: Option<PromptId>,
}

/// Get usage over time, with a point for every hour, day or week.
#[utoipa::path(
    get, path = "/usage", tag = "analytics", operation_id = "getUsageSeries",
    security((), ("key" = ["analytics"])),
    params(SeriesQuery),
    responses((status = 200, body = UsageSeries), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn series(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SeriesQuery>,
) -> Result<Json<UsageSeries>, Problem> {
    let utc_offset_minutes = query.utc_offset_minutes.unwrap_or(0);
    let at = |text: &Option<String>, name, edge| {
        text.as_deref().map(|text| moment(text, name, edge, utc_offset_minutes)).transpose()
    };
    let request = SeriesRequest {
        start: at(&query.start_date, "start_date", Edge::Start)?,
        end: at(&query.end_date, "end_date", Edge::End)?,
        granularity: query.granularity.unwrap_or_default(),
        utc_offset_minutes,
        group_by: query.group_by,
        prompt_id: query.prompt_id,
    };
    Ok(Json(analytics::series(&app, &caller.0, &request).await?))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

/// Reads a moment, or the edge of a day so many minutes east of UTC. Years that no usage has are refused.
fn moment(text: &str, name: &str, edge: Edge, minutes: i64) -> Result<Timestamp, Error> {
    let day = || {
        let midnight = format!("{text}T00:00:00Z").parse::<Timestamp>()?;
        let days = if edge == Edge::End { 24 * 60 } else { 0 };
        let offset = (days - minutes.clamp(-24 * 60, 24 * 60)) * 60_000;
        Ok::<_, anyhow::Error>(Timestamp::from_millis(midnight.millis() + offset))
    };
    let at = text.parse::<Timestamp>().or_else(|_| day());
    let years = "2000-01-01T00:00:00Z".parse::<Timestamp>()..="2200-01-01T00:00:00Z".parse::<Timestamp>();
    match (at, years.into_inner()) {
        (Ok(at), (Ok(first), Ok(last))) if (first..=last).contains(&at) => Ok(at),
        _ => {
            let detail = format!(
                "`{name}` must be a day like `2026-11-01` or a moment like `2026-11-01T12:00:00Z`, from 2000 to 2199"
            );
            Err(Error::invalid(format!("/{name}"), "invalid", detail))
        }
    }
}
