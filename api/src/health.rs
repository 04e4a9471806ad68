//! How the store is, for load balancers, orchestrators and Prometheus.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use shared::{
    health::{self, Health, Status},
    telemetry,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Door, extract::Json, problem::Problem};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(live)).routes(routes!(ready)).routes(routes!(metrics))
}

/// How the store and everything it depends on is. Degraded is still 200: it answers.
#[utoipa::path(
    get, path = "/health", tag = "operations", operation_id = "getHealth",
    security((), ("key" = ["metrics"])),
    responses((status = 200, body = Health), (status = 503, body = Health), (status = "default", body = Problem)),
)]
async fn show(State(door): State<Door>) -> Response {
    let health = health::check(&door.app).await;
    let status = match health.status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}

/// Does the process run?
#[utoipa::path(
    get, path = "/health/live", tag = "operations", operation_id = "getLiveness",
    security(()),
    responses((status = 200, body = Object)),
)]
async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Shall requests be sent here? `degraded` names what does not work as it should, though requests are answered: `redis`.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "getReadiness",
    security(()),
    responses((status = 200, body = Object), (status = 503, body = Object)),
)]
async fn ready(State(door): State<Door>) -> Response {
    let ready = !door.shutdown.is_cancelled() && health::is_database_well(&door.app).await;
    let (status, word) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (status, Json(json!({ "status": word, "degraded": health::degraded(&door.app).await }))).into_response()
}

/// Numbers for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", operation_id = "getMetrics",
    security((), ("key" = ["metrics"])),
    responses((status = 200, body = String, content_type = "text/plain")),
)]
async fn metrics(State(door): State<Door>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        telemetry::render(&door.app, &door.metrics).await,
    )
}
