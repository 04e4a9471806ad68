//! Where prompts stand in their life.
use axum::extract::State;
use serde::Deserialize;
use shared::{
    App,
    id::PromptId,
    lifecycle::{self, LifecycleChange, NewStatus, Rules, StatusCounts},
    page::Page,
    prompts::{self, LifecycleStatus, Prompt},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, IfMatch, Json, PageQuery, Path, Query},
    problem::Problem,
};

/// Below `/prompts`.
pub(crate) fn of_prompts() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(change)).routes(routes!(history)).routes(routes!(list))
}

/// Below `/lifecycle`.
pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(counts)).routes(routes!(rules))
}

/// Publish, deprecate or archive a prompt, or bring it back.
#[utoipa::path(
    put, path = "/{id}/lifecycle", tag = "lifecycle", operation_id = "changeLifecycle",
    security((), ("key" = ["prompts:publish"])),
    request_body = NewStatus,
    params(("id" = PromptId, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = LifecycleChange), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn change(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(new): Json<NewStatus>,
) -> Result<Json<LifecycleChange>, Problem> {
    Ok(Json(lifecycle::change(&app, &caller.0, id, &precondition, new).await?))
}

/// List what became of a prompt, the last change first.
#[utoipa::path(
    get, path = "/{id}/lifecycle/history", tag = "lifecycle", operation_id = "listLifecycleHistory",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), PageQuery),
    responses((status = 200, body = Page<LifecycleChange>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn history(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LifecycleChange>>, Problem> {
    Ok(Json(lifecycle::history(&app, &caller.0, id, &page.request()?).await?))
}

/// What stands in a path for a status.
#[derive(Debug, Deserialize)]
struct Status(String);

/// List the prompts that stand at one point of their life, newest first.
#[utoipa::path(
    get, path = "/lifecycle/{status}", tag = "lifecycle", operation_id = "listByLifecycle",
    security((), ("key" = ["prompts:read"])),
    params(("status" = LifecycleStatus, Path), PageQuery),
    responses((status = 200, body = Page<Prompt>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    Path(Status(status)): Path<Status>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Prompt>>, Problem> {
    let filter = prompts::PromptFilter::of_status(&caller.0, &status)?;
    Ok(Json(prompts::list(&app, &filter, &page.request()?).await?))
}

/// Count the prompts by where they stand.
#[utoipa::path(
    get, path = "/counts", tag = "lifecycle", operation_id = "countLifecycle",
    security((), ("key" = ["prompts:read"])),
    responses((status = 200, body = StatusCounts), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn counts(State(app): State<App>, caller: Caller) -> Result<Json<StatusCounts>, Problem> {
    Ok(Json(lifecycle::counts(&app, &caller.0).await?))
}

/// Get what may follow what, and what publishing takes.
#[utoipa::path(
    get, path = "/rules", tag = "lifecycle", operation_id = "getLifecycleRules",
    security((), ("key" = ["prompts:read"])),
    responses((status = 200, body = Rules), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn rules() -> Json<Rules> {
    Json(lifecycle::rules())
}
