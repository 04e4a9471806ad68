//! What is kept of reads.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use shared::{
    App,
    cache::CacheStats,
    serving::{self, WarmUp, WarmUpOrder},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, OptionalJson},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(invalidate)).routes(routes!(warm_up))
}

/// How the cache of this process does, and the one in Redis behind it.
#[utoipa::path(
    get, path = "/stats", tag = "operations", operation_id = "getCacheStats",
    security((), ("key" = ["metrics"])),
    responses((status = 200, body = CacheStats), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn stats(State(app): State<App>) -> Json<CacheStats> {
    Json(app.cache.stats().await)
}

/// What is to be forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invalidation {
    /// Of `category/name`: `*` is any number of characters, `/` among them. `*` alone is everything.
    #[serde(default = "everything")]
    #[schema(default = "*", max_length = 512)]
    pattern: String,
}

fn everything() -> String {
    "*".to_owned()
}

impl Default for Invalidation {
    fn default() -> Self {
        Self { pattern: everything() }
    }
}

/// What was forgotten.
#[derive(Debug, Serialize, ToSchema)]
struct Invalidated {
    /// How many answers this process kept of it. Redis and the other processes forget theirs.
    invalidated_count: u64,
}

/// Forget what is kept of reads, in every process. Changes to prompts do that by themselves.
#[utoipa::path(
    post, path = "/invalidate", tag = "operations", operation_id = "invalidateCache",
    security((), ("key" = ["admin"])),
    request_body = Option<Invalidation>,
    responses((status = 200, body = Invalidated), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn invalidate(
    State(app): State<App>,
    OptionalJson(Invalidation { pattern }): OptionalJson<Invalidation>,
) -> Result<Json<Invalidated>, Problem> {
    Ok(Json(Invalidated { invalidated_count: app.cache.invalidate(&pattern).await? }))
}

/// Have prompts read by a worker before anybody asks for them: the most used ones, unless told which.
#[utoipa::path(
    post, path = "/warmup", tag = "operations", operation_id = "warmCacheUp",
    security((), ("key" = ["admin"])),
    request_body = Option<WarmUp>,
    responses((status = 202, body = WarmUpOrder), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn warm_up(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(what): OptionalJson<WarmUp>,
) -> Result<Response, Problem> {
    let order = serving::order_warm_up(&app, &caller.0, what).await?;
    let location = [(header::LOCATION, order.status_url.clone())];
    Ok((StatusCode::ACCEPTED, location, Json(order)).into_response())
}
