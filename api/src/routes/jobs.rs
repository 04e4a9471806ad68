//! Background jobs, for administrators.
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use shared::{
    App, administration,
    id::JobId,
    jobs::{JobFilter, JobRow, JobState, Queue},
    page::Page,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, OptionalJson, PageQuery, Path, Query},
    problem::Problem,
    routes::Nothing,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(forget)).routes(routes!(retry))
}

/// What `GET /jobs` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// They stand here.
    state: Option<JobState>,
    /// They are of this kind: `bulk-operations`, `webhook-deliveries`.
    #[param(value_type = Option<String>)]
    queue: Option<Queue>,
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    cursor: Option<String>,
}

/// List background jobs, newest first: with `state=dead` those that were given up.
#[utoipa::path(
    get, path = "", tag = "operations", operation_id = "listJobs",
    security((), ("key" = ["admin"])),
    params(ListQuery),
    responses((status = 200, body = Page<JobRow>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Page<JobRow>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let filter = JobFilter { state: query.state, queue: query.queue };
    Ok(Json(administration::list_jobs(&app, &filter, &page).await?))
}

/// Forget a dead job that nobody wants tried again.
#[utoipa::path(
    delete, path = "/{id}", tag = "operations", operation_id = "forgetJob",
    security((), ("key" = ["admin"])),
    params(("id" = JobId, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn forget(State(app): State<App>, caller: Caller, Path(id): Path<JobId>) -> Result<StatusCode, Problem> {
    administration::forget_job(&app, &caller.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a dead job again.
#[utoipa::path(
    post, path = "/{id}/retry", tag = "operations", operation_id = "retryJob",
    security((), ("key" = ["admin"])),
    request_body = Option<Nothing>,
    params(("id" = JobId, Path)),
    responses((status = 200, body = JobRow), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<JobId>,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Json<JobRow>, Problem> {
    Ok(Json(administration::retry_job(&app, &caller.0, id).await?))
}
