//! Many prompts at once.
mod orders;
mod transfer;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    App,
    bulk::{self, BulkFilter, BulkItem, BulkOperation, OperationStatus, OperationType},
    id::OperationId,
    page::Page,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, OptionalJson, PageQuery, Path, Query},
    follow,
    problem::Problem,
    routes::Nothing,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .merge(orders::router())
        .merge(transfer::router())
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(items))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(events))
}

fn accepted(operation: BulkOperation) -> impl IntoResponse {
    let location = format!("/api/v1/bulk/operations/{}", operation.id);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(operation))
}

/// What `GET /bulk/operations` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// They stand here.
    status: Option<OperationStatus>,
    /// They are of this type.
    operation_type: Option<OperationType>,
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    cursor: Option<String>,
}

/// List bulk operations, newest first.
#[utoipa::path(
    get, path = "/operations", tag = "bulk", operation_id = "listBulkOperations",
    security((), ("key" = ["bulk"])),
    params(ListQuery),
    responses((status = 200, body = Page<BulkOperation>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Page<BulkOperation>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let filter = BulkFilter { status: query.status, operation_type: query.operation_type };
    Ok(Json(bulk::list(&app, &filter, &page).await?))
}

/// Get a bulk operation: how far it is.
#[utoipa::path(
    get, path = "/operations/{id}", tag = "bulk", operation_id = "getBulkOperation",
    security((), ("key" = ["bulk"])),
    params(("id" = OperationId, Path)),
    responses((status = 200, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(State(app): State<App>, Path(id): Path<OperationId>) -> Result<Json<BulkOperation>, Problem> {
    Ok(Json(bulk::get(&app, id).await?))
}

/// List the items of a bulk operation, and what became of each.
#[utoipa::path(
    get, path = "/operations/{id}/items", tag = "bulk", operation_id = "listBulkItems",
    security((), ("key" = ["bulk"])),
    params(("id" = OperationId, Path), PageQuery),
    responses((status = 200, body = Page<BulkItem>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn items(
    State(app): State<App>,
    Path(id): Path<OperationId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BulkItem>>, Problem> {
    Ok(Json(bulk::items(&app, id, &page.request()?).await?))
}

/// Stop a bulk operation. What is done stays done.
#[utoipa::path(
    put, path = "/operations/{id}/cancel", tag = "bulk", operation_id = "cancelBulkOperation",
    security((), ("key" = ["bulk"])),
    request_body = Option<Nothing>,
    params(("id" = OperationId, Path)),
    responses((status = 200, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn cancel(
    State(app): State<App>,
    Path(id): Path<OperationId>,
    caller: Caller,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Json<BulkOperation>, Problem> {
    Ok(Json(bulk::cancel(&app, &caller.0, id).await?))
}

/// Try the refused items of a bulk operation again.
#[utoipa::path(
    post, path = "/operations/{id}/retry", tag = "bulk", operation_id = "retryBulkOperation",
    security((), ("key" = ["bulk"])),
    request_body = Option<Nothing>,
    params(("id" = OperationId, Path)),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn retry(
    State(app): State<App>,
    Path(id): Path<OperationId>,
    caller: Caller,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::retry(&app, &caller.0, id).await?))
}

/// Follow a bulk operation: a `progress` event whenever something is done, and `done` at its end.
#[utoipa::path(
    get, path = "/operations/{id}/events", tag = "bulk", operation_id = "followBulkOperation",
    security((), ("key" = ["bulk"])),
    params(("id" = OperationId, Path)),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "Each event's data is the operation."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn events(
    State(door): State<Door>,
    Path(id): Path<OperationId>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    follow::operation(&door, &caller.0, bulk::get(&door.app, id).await?)
}
