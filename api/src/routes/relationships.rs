//! What prompts have to do with each other.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    App,
    id::{PromptId, RelationshipId},
    relationships::{
        self, Direction, Graph, NewRelationship, RelatedPrompts, Relationship, RelationshipFilter, RelationshipPatch,
        RelationshipType, Relationships, Users,
    },
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, Path, Query},
    problem::Problem,
};

/// Below `/prompts`.
pub(crate) fn of_prompts() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(graph))
        .routes(routes!(related))
        .routes(routes!(used_by))
}

/// Below `/relationships`.
pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(update, delete))
}

/// Relate a prompt to another.
#[utoipa::path(
    post, path = "/{id}/relationships", tag = "relationships", operation_id = "createRelationship",
    security((), ("key" = ["prompts:write"])),
    request_body = NewRelationship,
    params(("id" = PromptId, Path, description = "The prompt it goes out from."),
           ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 201, body = Relationship), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Json(new): Json<NewRelationship>,
) -> Result<impl IntoResponse, Problem> {
    let relationship = relationships::create(&app, &caller.0, id, new).await?;
    let location = format!("/api/v1/relationships/{}", relationship.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(relationship)))
}

/// Which relationships are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `outgoing`, `incoming`, or both.
    #[param(inline)]
    direction: Direction,
    /// Only these.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<RelationshipType>,
    /// At least so strong, 0 to 1.
    #[param(minimum = 0, maximum = 1)]
    min_strength: Option<f64>,
    /// The most of each direction, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
}

/// List the relationships of a prompt, the strongest first.
#[utoipa::path(
    get, path = "/{id}/relationships", tag = "relationships", operation_id = "listRelationships",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), ListQuery),
    responses((status = 200, body = Relationships), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Relationships>, Problem> {
    let ListQuery { direction, kind, min_strength, limit } = query;
    let limit = limit.unwrap_or(100);
    let filter = RelationshipFilter { direction, relationship_type: kind, min_strength, limit };
    Ok(Json(relationships::list(&app, &caller.0, id, &filter).await?))
}

/// Change a relationship.
#[utoipa::path(
    put, path = "/{id}", tag = "relationships", operation_id = "updateRelationship",
    security((), ("key" = ["prompts:write"])),
    request_body = RelationshipPatch,
    params(("id" = RelationshipId, Path)),
    responses((status = 200, body = Relationship), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update(
    State(app): State<App>,
    Path(id): Path<RelationshipId>,
    caller: Caller,
    Json(patch): Json<RelationshipPatch>,
) -> Result<Json<Relationship>, Problem> {
    Ok(Json(relationships::update(&app, &caller.0, id, patch).await?))
}

/// Take a relationship away.
#[utoipa::path(
    delete, path = "/{id}", tag = "relationships", operation_id = "deleteRelationship",
    security((), ("key" = ["prompts:write"])),
    params(("id" = RelationshipId, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete(State(app): State<App>, Path(id): Path<RelationshipId>, caller: Caller) -> Result<StatusCode, Problem> {
    relationships::delete(&app, &caller.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far a graph goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct GraphQuery {
    /// So many steps, 1 to 5.
    #[param(minimum = 1, maximum = 5, default = 1)]
    depth: Option<i64>,
}

/// Get everything within a few steps of a prompt.
#[utoipa::path(
    get, path = "/{id}/relationships/graph", tag = "relationships", operation_id = "getRelationshipGraph",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), GraphQuery),
    responses((status = 200, body = Graph), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn graph(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<GraphQuery>,
) -> Result<Json<Graph>, Problem> {
    Ok(Json(relationships::graph(&app, &caller.0, id, query.depth.unwrap_or(1)).await?))
}

/// How many are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct MostQuery {
    /// The most, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
}

/// List the prompts that have to do with a prompt, the closest first.
#[utoipa::path(
    get, path = "/{id}/related", tag = "relationships", operation_id = "listRelated",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), MostQuery),
    responses((status = 200, body = RelatedPrompts), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn related(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<MostQuery>,
) -> Result<Json<RelatedPrompts>, Problem> {
    Ok(Json(relationships::related(&app, &caller.0, id, query.limit.unwrap_or(50)).await?))
}

/// List what breaks when a prompt changes: what extends it, depends on it or references it.
#[utoipa::path(
    get, path = "/{id}/used-by", tag = "relationships", operation_id = "listUsedBy",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), MostQuery),
    responses((status = 200, body = Users), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn used_by(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<MostQuery>,
) -> Result<Json<Users>, Problem> {
    Ok(Json(relationships::used_by(&app, &caller.0, id, query.limit.unwrap_or(50)).await?))
}
