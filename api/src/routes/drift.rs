//! How far prompts have moved from what they were.
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use shared::{
    App,
    clock::Timestamp,
    drift::{self, Baseline, Drift},
    id::PromptId,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(pin, unpin))
}

/// Which version is looked at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DriftQuery {
    /// This one; the newest, unless said.
    version: Option<i64>,
    /// How long the time is that is compared with the reference, 1 to 30 days.
    #[param(minimum = 1, maximum = 30, default = 7)]
    window_days: Option<i64>,
}

/// Get how far a prompt has moved: its text against the version before it and against its baseline, and how it does in use
/// against its first days.
#[utoipa::path(
    get, path = "/{id}/drift", tag = "drift", operation_id = "getDrift",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), DriftQuery),
    responses((status = 200, body = Drift), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<DriftQuery>,
) -> Result<Json<Drift>, Problem> {
    Ok(Json(drift::get(&app, &caller.0, id, query.version, query.window_days).await?))
}

/// Which version becomes the baseline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pin {
    /// This one.
    version: i64,
    /// The time that later ones are compared with begins here, in place of the version's first days.
    #[serde(default)]
    reference_from: Option<Timestamp>,
    /// And ends before this moment.
    #[serde(default)]
    reference_to: Option<Timestamp>,
}

/// Pin the version that later ones are compared with.
#[utoipa::path(
    put, path = "/{id}/drift/baseline", tag = "drift", operation_id = "pinBaseline",
    security((), ("key" = ["prompts:write"])),
    request_body = Pin,
    params(("id" = PromptId, Path)),
    responses((status = 200, body = Baseline), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn pin(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Json(pin): Json<Pin>,
) -> Result<Json<Baseline>, Problem> {
    Ok(Json(drift::pin_baseline(&app, &caller.0, id, pin.version, (pin.reference_from, pin.reference_to)).await?))
}

/// Let the baseline be the first published version again.
#[utoipa::path(
    delete, path = "/{id}/drift/baseline", tag = "drift", operation_id = "unpinBaseline",
    security((), ("key" = ["prompts:write"])),
    params(("id" = PromptId, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn unpin(State(app): State<App>, Path(id): Path<PromptId>, caller: Caller) -> Result<StatusCode, Problem> {
    drift::unpin_baseline(&app, &caller.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
