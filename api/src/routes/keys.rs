//! Keys of the API, for administrators.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use shared::{
    App,
    access::{self, Key, MadeKey, NewKey, Rotation},
    id::KeyId,
    page::Page,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, OptionalJson, PageQuery, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, revoke)).routes(routes!(rotate))
}

/// Make a key. Its text is shown this once.
#[utoipa::path(
    post, path = "", tag = "access", operation_id = "createKey",
    security((), ("key" = ["admin"])),
    request_body = NewKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 201, body = MadeKey), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(State(app): State<App>, caller: Caller, Json(new): Json<NewKey>) -> Result<impl IntoResponse, Problem> {
    let made = access::create(&app, &caller.0, new).await?;
    let location = format!("/api/v1/keys/{}", made.key.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(made)))
}

/// List keys, newest first, also those that have ended.
#[utoipa::path(
    get, path = "", tag = "access", operation_id = "listKeys",
    security((), ("key" = ["admin"])),
    params(PageQuery),
    responses((status = 200, body = Page<Key>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(page): Query<PageQuery>) -> Result<Json<Page<Key>>, Problem> {
    Ok(Json(access::list(&app, &page.request()?).await?))
}

/// Get what there is to know of a key.
#[utoipa::path(
    get, path = "/{id}", tag = "access", operation_id = "getKey",
    security((), ("key" = ["admin"])),
    params(("id" = KeyId, Path)),
    responses((status = 200, body = Key), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(State(app): State<App>, Path(id): Path<KeyId>) -> Result<Json<Key>, Problem> {
    Ok(Json(access::get(&app, id).await?))
}

/// Take a key back. Within a second nobody takes it any more.
#[utoipa::path(
    delete, path = "/{id}", tag = "access", operation_id = "revokeKey",
    security((), ("key" = ["admin"])),
    params(("id" = KeyId, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<KeyId>) -> Result<StatusCode, Problem> {
    access::revoke(&app, &caller.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a key that may do the same. The old one works for another day, or as long as is said.
#[utoipa::path(
    post, path = "/{id}/rotate", tag = "access", operation_id = "rotateKey",
    security((), ("key" = ["admin"])),
    request_body = Option<Rotation>, params(("id" = KeyId, Path)),
    responses((status = 201, body = MadeKey), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KeyId>,
    OptionalJson(rotation): OptionalJson<Rotation>,
) -> Result<impl IntoResponse, Problem> {
    let made = access::rotate(&app, &caller.0, id, &rotation).await?;
    let location = format!("/api/v1/keys/{}", made.key.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(made)))
}
