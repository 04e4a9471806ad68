//! Many prompts at once.
use std::fmt;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use shared::{
    App,
    bulk::{self, BulkCreate, BulkFilter, BulkItem, BulkLifecycle, BulkOperation, OperationStatus, OperationType},
    id::OperationId,
    page::Page,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, PageQuery, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(change_lifecycle))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(items))
}

/// `{prompts: [...], …}`, or the bare list.
struct ObjectOrList(BulkCreate);

impl<'de> Deserialize<'de> for ObjectOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BulkCreate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `prompts`, or a list of prompts")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BulkCreate, A::Error> {
                BulkCreate::deserialize(MapAccessDeserializer::new(map))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<BulkCreate, A::Error> {
                let prompts = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(BulkCreate { prompts, ..BulkCreate::default() })
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

/// Create many prompts. A worker does it; poll the operation.
#[utoipa::path(
    post, path = "/prompts", tag = "bulk", operation_id = "bulkCreatePrompts", request_body = BulkCreate,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(ObjectOrList(new)): Json<ObjectOrList>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::create(&app, &caller.0, new).await?))
}

/// Publish, deprecate or archive many prompts, or bring them back. A worker does it; poll the operation.
#[utoipa::path(
    put, path = "/prompts/lifecycle", tag = "bulk", operation_id = "bulkChangeLifecycle", request_body = BulkLifecycle,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn change_lifecycle(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<BulkLifecycle>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::change_lifecycle(&app, &caller.0, new).await?))
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
    get, path = "/operations", tag = "bulk", operation_id = "listBulkOperations", params(ListQuery),
    responses((status = 200, body = Page<BulkOperation>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Page<BulkOperation>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let filter = BulkFilter { status: query.status, operation_type: query.operation_type };
    Ok(Json(bulk::list(&app, &filter, &page).await?))
}

/// Get a bulk operation: how far it is.
#[utoipa::path(
    get, path = "/operations/{id}", tag = "bulk", operation_id = "getBulkOperation", params(("id" = OperationId, Path)),
    responses((status = 200, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(State(app): State<App>, Path(id): Path<OperationId>) -> Result<Json<BulkOperation>, Problem> {
    Ok(Json(bulk::get(&app, id).await?))
}

/// List the items of a bulk operation, and what became of each.
#[utoipa::path(
    get, path = "/operations/{id}/items", tag = "bulk", operation_id = "listBulkItems",
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
