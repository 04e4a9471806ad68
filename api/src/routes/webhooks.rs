//! Telling others what happens.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    App,
    id::{DeliveryId, WebhookId},
    page::Page,
    webhooks::{
        self, Delivery, DeliveryFilter, DeliveryLog, DeliveryState, NewWebhook, Range, Replayed, Webhook, WebhookPatch,
    },
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
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(test))
        .routes(routes!(rotate_secret))
        .routes(routes!(deliveries))
        .routes(routes!(delivery))
        .routes(routes!(replay))
        .routes(routes!(replay_range))
}

/// Make a webhook. Its secret is shown this once.
#[utoipa::path(
    post, path = "", tag = "webhooks", operation_id = "createWebhook",
    security((), ("key" = ["webhooks"])),
    request_body = NewWebhook,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 201, body = Webhook), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<impl IntoResponse, Problem> {
    let webhook = webhooks::create(&app, &caller.0, new).await?;
    let location = format!("/api/v1/webhooks/{}", webhook.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(webhook)))
}

/// List webhooks, newest first.
#[utoipa::path(
    get, path = "", tag = "webhooks", operation_id = "listWebhooks",
    security((), ("key" = ["webhooks"])),
    params(PageQuery),
    responses((status = 200, body = Page<Webhook>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(page): Query<PageQuery>) -> Result<Json<Page<Webhook>>, Problem> {
    Ok(Json(webhooks::list(&app, &page.request()?).await?))
}

/// Get a webhook.
#[utoipa::path(
    get, path = "/{id}", tag = "webhooks", operation_id = "getWebhook",
    security((), ("key" = ["webhooks"])),
    params(("id" = WebhookId, Path)),
    responses((status = 200, body = Webhook), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(State(app): State<App>, Path(id): Path<WebhookId>) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks::get(&app, id).await?))
}

/// Change a webhook. Switched off, it is sent nothing; switched on, what happens from then on.
#[utoipa::path(
    put, path = "/{id}", tag = "webhooks", operation_id = "updateWebhook",
    security((), ("key" = ["webhooks"])),
    request_body = WebhookPatch,
    params(("id" = WebhookId, Path)),
    responses((status = 200, body = Webhook), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(patch): Json<WebhookPatch>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks::update(&app, &caller.0, id, patch).await?))
}

/// Delete a webhook, with the log of what it was sent.
#[utoipa::path(
    delete, path = "/{id}", tag = "webhooks", operation_id = "deleteWebhook",
    security((), ("key" = ["webhooks"])),
    params(("id" = WebhookId, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<WebhookId>) -> Result<StatusCode, Problem> {
    webhooks::delete(&app, &caller.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a webhook a message of the type `webhook.test`. Poll the delivery.
#[utoipa::path(
    post, path = "/{id}/test", tag = "webhooks", operation_id = "testWebhook",
    security((), ("key" = ["webhooks"])),
    request_body = Option<Nothing>,
    params(("id" = WebhookId, Path)),
    responses((status = 202, body = Delivery), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    Ok(ordered(webhooks::test(&app, &caller.0, id).await?))
}

/// Make a new secret, shown this once. The one before it is good for another day.
#[utoipa::path(
    post, path = "/{id}/rotate-secret", tag = "webhooks", operation_id = "rotateWebhookSecret",
    security((), ("key" = ["webhooks"])),
    request_body = Option<Nothing>,
    params(("id" = WebhookId, Path)),
    responses((status = 200, body = Webhook), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn rotate_secret(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks::rotate_secret(&app, &caller.0, id).await?))
}

/// What `GET /webhooks/{id}/deliveries` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// They stand here.
    state: Option<DeliveryState>,
    /// They tell of this: `prompt.created`.
    event_type: Option<String>,
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    cursor: Option<String>,
}

/// List what a webhook was sent and is to be sent, newest first.
#[utoipa::path(
    get, path = "/{id}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    security((), ("key" = ["webhooks"])),
    params(("id" = WebhookId, Path), DeliveriesQuery),
    responses((status = 200, body = Page<Delivery>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn deliveries(
    State(app): State<App>,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let filter = DeliveryFilter { state: query.state, event_type: query.event_type };
    Ok(Json(webhooks::deliveries(&app, id, &filter, &page).await?))
}

/// Get a delivery and its last attempts.
#[utoipa::path(
    get, path = "/{id}/deliveries/{delivery_id}", tag = "webhooks", operation_id = "getDelivery",
    security((), ("key" = ["webhooks"])),
    params(("id" = WebhookId, Path), ("delivery_id" = DeliveryId, Path)),
    responses((status = 200, body = DeliveryLog), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delivery(
    State(app): State<App>,
    Path((id, delivery_id)): Path<(WebhookId, DeliveryId)>,
) -> Result<Json<DeliveryLog>, Problem> {
    Ok(Json(webhooks::delivery(&app, id, delivery_id).await?))
}

/// Send what is over once more, under the id it had.
#[utoipa::path(
    post, path = "/{id}/deliveries/{delivery_id}/replay", tag = "webhooks", operation_id = "replayDelivery",
    security((), ("key" = ["webhooks"])),
    request_body = Option<Nothing>,
    params(("id" = WebhookId, Path), ("delivery_id" = DeliveryId, Path)),
    responses((status = 202, body = Delivery), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path((id, delivery_id)): Path<(WebhookId, DeliveryId)>,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    Ok(ordered(webhooks::replay(&app, &caller.0, id, delivery_id).await?))
}

/// Send a webhook every event of a time that it wants, whether it was sent it before or not.
#[utoipa::path(
    post, path = "/{id}/replay", tag = "webhooks", operation_id = "replayWebhook",
    security((), ("key" = ["webhooks"])),
    request_body = Range,
    params(("id" = WebhookId, Path)),
    responses((status = 202, body = Replayed), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn replay_range(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(range): Json<Range>,
) -> Result<impl IntoResponse, Problem> {
    let replayed = webhooks::replay_range(&app, &caller.0, id, range).await?;
    Ok((StatusCode::ACCEPTED, Json(replayed)))
}

fn ordered(delivery: Delivery) -> impl IntoResponse {
    let location = format!("/api/v1/webhooks/{}/deliveries/{}", delivery.webhook_id, delivery.id);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(delivery))
}
