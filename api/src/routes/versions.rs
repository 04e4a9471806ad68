//! Versions and labels.
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use shared::{
    App,
    id::PromptId,
    page::Page,
    prompts::{self, Prompt},
    versions::{Diff, Label, LabelMove, Version},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::prompts::changed;
use crate::{
    Door,
    extract::{Caller, IfMatch, Json, OptionalJson, PageQuery, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(rollback))
        .routes(routes!(diff))
        .routes(routes!(labels))
        .routes(routes!(label_history))
        .routes(routes!(set_label, delete_label))
}

/// List the versions of a prompt, newest first.
#[utoipa::path(
    get, path = "/{id}/versions", tag = "versions", operation_id = "listVersions",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), PageQuery),
    responses((status = 200, body = Page<Version>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Version>>, Problem> {
    Ok(Json(prompts::versions(&app, &caller.0, id, &page.request()?).await?))
}

/// Get one version of a prompt.
#[utoipa::path(
    get, path = "/{id}/versions/{version}", tag = "versions", operation_id = "getVersion",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), ("version" = i64, Path)),
    responses((status = 200, body = Version), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path((id, version)): Path<(PromptId, i64)>,
    caller: Caller,
) -> Result<Json<Version>, Problem> {
    Ok(Json(prompts::version(&app, &caller.0, id, version).await?))
}

/// Why something is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Reason {
    /// For those who ask later.
    reason: Option<String>,
}

/// Bring the content of an earlier version back, as a new version.
#[utoipa::path(
    post, path = "/{id}/versions/{version}/rollback", tag = "versions", operation_id = "rollbackPrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = Option<Reason>,
    params(("id" = PromptId, Path), ("version" = i64, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn rollback(
    State(app): State<App>,
    Path((id, version)): Path<(PromptId, i64)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    OptionalJson(body): OptionalJson<Reason>,
) -> Result<Response, Problem> {
    Ok(changed(prompts::rollback(&app, &caller.0, id, version, &precondition, body.reason).await?))
}

/// Which versions are compared.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DiffQuery {
    /// The first; the one before `to`, unless said.
    from: Option<i64>,
    /// The second; the newest, unless said.
    to: Option<i64>,
}

/// Compare two versions of a prompt.
#[utoipa::path(
    get, path = "/{id}/diff", tag = "versions", operation_id = "diffVersions",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), DiffQuery),
    responses((status = 200, body = Diff), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn diff(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<DiffQuery>,
) -> Result<Json<Diff>, Problem> {
    Ok(Json(prompts::diff(&app, &caller.0, id, query.from, query.to).await?))
}

/// List the labels of a prompt.
#[utoipa::path(
    get, path = "/{id}/labels", tag = "versions", operation_id = "listLabels",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), PageQuery),
    responses((status = 200, body = Page<Label>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn labels(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Label>>, Problem> {
    Ok(Json(prompts::labels(&app, &caller.0, id, &page.request()?).await?))
}

/// List where the labels of a prompt pointed, newest move first.
#[utoipa::path(
    get, path = "/{id}/labels/history", tag = "versions", operation_id = "listLabelHistory",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), PageQuery),
    responses((status = 200, body = Page<LabelMove>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn label_history(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LabelMove>>, Problem> {
    Ok(Json(prompts::label_history(&app, &caller.0, id, &page.request()?).await?))
}

/// Where a label shall point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// At this version.
    version: i64,
    /// For those who ask later.
    reason: Option<String>,
}

/// Point a label at a version.
#[utoipa::path(
    put, path = "/{id}/labels/{label}", tag = "versions", operation_id = "setLabel",
    security((), ("key" = ["prompts:write"])),
    request_body = Target,
    params(("id" = PromptId, Path), ("label" = String, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Label), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn set_label(
    State(app): State<App>,
    Path((id, label)): Path<(PromptId, String)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(target): Json<Target>,
) -> Result<Json<Label>, Problem> {
    let target = (target.version, target.reason);
    Ok(Json(prompts::set_label(&app, &caller.0, id, &label, &precondition, target).await?))
}

/// Take a label away.
#[utoipa::path(
    delete, path = "/{id}/labels/{label}", tag = "versions", operation_id = "deleteLabel",
    security((), ("key" = ["prompts:write"])),
    params(("id" = PromptId, Path), ("label" = String, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete_label(
    State(app): State<App>,
    Path((id, label)): Path<(PromptId, String)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    prompts::delete_label(&app, &caller.0, id, &label, &precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}
