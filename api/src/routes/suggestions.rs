//! What could be better about a prompt.
use axum::extract::State;
use serde::Deserialize;
use shared::{
    App,
    id::PromptId,
    lint::Report,
    prompts::Selector,
    suggestions::{self, LintRequest},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Json, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(lint)).routes(routes!(get))
}

/// Check a text without storing it.
#[utoipa::path(
    post, path = "/lint", tag = "suggestions", operation_id = "lintPrompt", request_body = LintRequest,
    responses((status = 200, body = Report), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn lint(Json(request): Json<LintRequest>) -> Result<Json<Report>, Problem> {
    Ok(Json(suggestions::lint(request).await?))
}

/// Which version is checked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// This version; the newest, unless said.
    version: Option<i64>,
    /// The version this label points at.
    label: Option<String>,
}

/// Get what could be better about a prompt.
#[utoipa::path(
    get, path = "/{id}/suggestions", tag = "suggestions", operation_id = "getSuggestions",
    params(("id" = PromptId, Path), VersionQuery),
    responses((status = 200, body = Report), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Report>, Problem> {
    let selector = Selector::new(query.version, query.label, Selector::Latest)?;
    Ok(Json(suggestions::get(&app, id, &selector).await?))
}
