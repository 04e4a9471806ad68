//! Finding prompts: by their words, and while somebody types.
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::{
    App,
    prompts::{self, SearchRequest, SearchResults},
    search::{self, SUGGESTIONS_MAX, Suggestion},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, Json, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(find)).routes(routes!(suggest))
}

/// Search prompts.
#[utoipa::path(
    post, path = "/search", tag = "search", operation_id = "searchPrompts",
    security((), ("key" = ["prompts:read"])),
    request_body = SearchRequest,
    responses((status = 200, body = SearchResults), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn find(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<SearchRequest>,
) -> Result<Json<SearchResults>, Problem> {
    Ok(Json(prompts::search(&app, &caller.0, &request).await?))
}

/// What was typed so far.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SuggestQuery {
    /// At most 512 bytes.
    #[param(required)]
    q: Option<String>,
    /// The most suggestions, 1 to 10.
    #[param(minimum = 1, maximum = 10, default = 10)]
    limit: Option<i64>,
}

/// What may be meant.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchSuggestions)]
struct Suggestions {
    /// Names, then tags, then words.
    suggestions: Vec<Suggestion>,
}

/// Suggest what somebody who is typing may want.
#[utoipa::path(
    get, path = "/suggest", tag = "search", operation_id = "suggestPrompts",
    security((), ("key" = ["prompts:read"])),
    params(SuggestQuery),
    responses((status = 200, body = Suggestions), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn suggest(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SuggestQuery>,
) -> Result<Json<Suggestions>, Problem> {
    let limit = query.limit.unwrap_or(SUGGESTIONS_MAX);
    Ok(Json(Suggestions { suggestions: search::suggest(&app, &caller.0, query.q.as_deref(), limit).await? }))
}
