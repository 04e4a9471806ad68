//! What can be ordered of many prompts.
use std::{fmt, marker::PhantomData};

use axum::{extract::State, response::IntoResponse};
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::Value;
use shared::{
    App,
    bulk::{self, BulkCreate, BulkDelete, BulkLifecycle, BulkOperation, BulkTags, BulkUpdate},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::accepted;
use crate::{
    Door,
    extract::{Caller, Json},
    problem::Problem,
};

pub(super) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create, update, delete))
        .routes(routes!(change_tags))
        .routes(routes!(change_lifecycle))
}

/// An object that holds a list and more, or the bare list.
struct ObjectOrList<T>(T);

impl<'de, T: Deserialize<'de> + From<Vec<Value>>> Deserialize<'de> for ObjectOrList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + From<Vec<Value>>> Visitor<'de> for Either<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a list, or the list")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(T::from)
            }
        }
        deserializer.deserialize_any(Either(PhantomData)).map(Self)
    }
}

/// Create many prompts. A worker does it; poll the operation.
#[utoipa::path(
    post, path = "/prompts", tag = "bulk", operation_id = "bulkCreatePrompts",
    security((), ("key" = ["bulk"])),
    request_body = BulkCreate,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(ObjectOrList(new)): Json<ObjectOrList<BulkCreate>>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::create(&app, &caller.0, new).await?))
}

/// Change many prompts. A worker does it; poll the operation.
#[utoipa::path(
    put, path = "/prompts", tag = "bulk", operation_id = "bulkUpdatePrompts",
    security((), ("key" = ["bulk"])),
    request_body = BulkUpdate,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Json(ObjectOrList(new)): Json<ObjectOrList<BulkUpdate>>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::update(&app, &caller.0, new).await?))
}

/// Delete many prompts. A worker does it; poll the operation.
#[utoipa::path(
    delete, path = "/prompts", tag = "bulk", operation_id = "bulkDeletePrompts",
    security((), ("key" = ["bulk"])),
    request_body = BulkDelete,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Json(ObjectOrList(new)): Json<ObjectOrList<BulkDelete>>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::delete(&app, &caller.0, new).await?))
}

/// Give tags to many prompts, and take tags away. A worker does it; poll the operation.
#[utoipa::path(
    put, path = "/prompts/tags", tag = "bulk", operation_id = "bulkChangeTags",
    security((), ("key" = ["bulk"])),
    request_body = BulkTags,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn change_tags(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<BulkTags>,
) -> Result<impl IntoResponse, Problem> {
    Ok(accepted(bulk::change_tags(&app, &caller.0, new).await?))
}

/// Publish, deprecate or archive many prompts, or bring them back. A worker does it; poll the operation.
#[utoipa::path(
    put, path = "/prompts/lifecycle", tag = "bulk", operation_id = "bulkChangeLifecycle",
    security((), ("key" = ["bulk"])),
    request_body = BulkLifecycle,
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
