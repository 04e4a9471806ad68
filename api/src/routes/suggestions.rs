//! What could be better about a prompt.
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{
    App,
    advice::{self, UsageFinding},
    id::PromptId,
    lint::{Report, Rule, Suppression},
    prompts::Selector,
    suggestions::{self, LintRequest},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, IfMatch, Json, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(lint)).routes(routes!(get)).routes(routes!(suppress, delete_suppression))
}

/// Check a text without storing it.
#[utoipa::path(
    post, path = "/lint", tag = "suggestions", operation_id = "lintPrompt",
    security((), ("key" = ["prompts:read"])),
    request_body = LintRequest,
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

/// What could be better about a prompt.
#[derive(Serialize, ToSchema)]
struct Suggestions {
    /// What its text says.
    #[serde(flatten)]
    report: Report,
    /// What its use says.
    usage: Vec<UsageFinding>,
}

/// Get what could be better about a prompt, by its text and by its use.
#[utoipa::path(
    get, path = "/{id}/suggestions", tag = "suggestions", operation_id = "getSuggestions",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), VersionQuery),
    responses((status = 200, body = Suggestions), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Suggestions>, Problem> {
    let selector = Selector::new(query.version, query.label, Selector::Latest)?;
    let report = suggestions::get(&app, &caller.0, id, &selector).await?;
    Ok(Json(Suggestions { report, usage: advice::of_use(&app, &caller.0, id, &selector).await? }))
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SuppressionReason {
    /// For those who ask later.
    reason: String,
}

/// Make a rule not count for a prompt.
#[utoipa::path(
    put, path = "/{id}/suggestions/{rule}/suppression", tag = "suggestions", operation_id = "suppressRule",
    security((), ("key" = ["prompts:write"])),
    request_body = SuppressionReason,
    params(("id" = PromptId, Path), ("rule" = Rule, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Suppression), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn suppress(
    State(app): State<App>,
    Path((id, rule)): Path<(PromptId, String)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(new): Json<SuppressionReason>,
) -> Result<Json<Suppression>, Problem> {
    Ok(Json(suggestions::suppress(&app, &caller.0, id, &rule, &precondition, new.reason).await?))
}

/// Make a rule count again.
#[utoipa::path(
    delete, path = "/{id}/suggestions/{rule}/suppression", tag = "suggestions", operation_id = "deleteSuppression",
    security((), ("key" = ["prompts:write"])),
    params(("id" = PromptId, Path), ("rule" = Rule, Path),
           ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete_suppression(
    State(app): State<App>,
    Path((id, rule)): Path<(PromptId, String)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    suggestions::delete_suppression(&app, &caller.0, id, &rule, &precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}
