//! What happens in the store.
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use shared::{
    App,
    notifications::{self, EventKind},
    webhooks::{self, Stats},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json},
    follow,
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(catalogue))
}

pub(crate) fn stream() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Get what has been told, and to whom.
#[utoipa::path(
    get, path = "/stats", tag = "notifications", operation_id = "getNotificationStats",
    security((), ("key" = ["webhooks"])),
    responses((status = 200, body = Stats), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn stats(State(app): State<App>) -> Result<Json<Stats>, Problem> {
    Ok(Json(webhooks::stats(&app).await?))
}

/// List every type of events, and what it tells of.
#[utoipa::path(
    get, path = "/events", tag = "notifications", operation_id = "listEventTypes",
    security((), ("key" = ["webhooks"])),
    responses((status = 200, body = [EventKind]), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn catalogue() -> Json<Vec<EventKind>> {
    Json(notifications::catalogue())
}

/// Follow events as they happen, as server-sent events.
///
/// The `id` of each is its sequence. `Last-Event-ID` goes on after it, without gap or repetition; without one the
/// stream begins with what happens next, and with 0 at the oldest event that is kept.
#[utoipa::path(
    get, path = "/events", tag = "notifications", operation_id = "followEvents",
    security((), ("key" = ["webhooks"])),
    params(("Last-Event-ID" = Option<i64>, Header, description = "The id of the last event that was seen.")),
    responses(
        (status = 200, body = notifications::Event, content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn events(State(door): State<Door>, caller: Caller, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    let after = notifications::position(&door.app, last_event_id(&headers)?).await?;
    follow::events(&door, &caller.0, after)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let id = id.to_str().ok().and_then(|id| id.parse().ok()).filter(|id| *id >= 0);
    id.map(Some).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "bad-cursor", "`Last-Event-ID` must be the id of an event: a number")
    })
}
