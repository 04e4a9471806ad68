//! Prompts: keep one, change it, list them.
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shared::{
    App,
    clock::Timestamp,
    id::PromptId,
    page::Page,
    prompts::{
        self, CategoryCount, ContentPatch, Fork, LifecycleStatus, NewPrompt, Prompt, PromptFilter, PromptPatch,
        Selector, Show, Sort, TagCount,
    },
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, IfMatch, Json, OptionalJson, PageQuery, Path, Query, etag, tagged},
    problem::Problem,
    routes::Nothing,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(categories))
        .routes(routes!(tags))
        .routes(routes!(get, update, delete))
        .routes(routes!(update_content))
        .routes(routes!(restore))
        .routes(routes!(fork))
}

/// Create a prompt.
#[utoipa::path(
    post, path = "", tag = "prompts", operation_id = "createPrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = NewPrompt,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 201, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(State(app): State<App>, caller: Caller, Json(new): Json<NewPrompt>) -> Result<Response, Problem> {
    Ok(created(prompts::create(&app, &caller.0, new).await?))
}

/// What `GET /prompts` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Exactly this one; or `folder/*` for everything below it.
    category: Option<String>,
    /// They have this tag; repeated, all of them.
    tag: Vec<String>,
    /// They stand here in their life.
    lifecycle_status: Option<LifecycleStatus>,
    /// They have this label.
    label: Option<String>,
    /// They were made by this actor.
    created_by: Option<String>,
    /// They are to be filled, or not.
    is_template: Option<bool>,
    /// They were written to at this moment or later.
    updated_since: Option<Timestamp>,
    /// Deleted ones too.
    include_deleted: Option<bool>,
    /// The order; `-` turns it round. Names go by code point on every engine: `Z` before `a`, `a` before `Ä`.
    #[param(inline)]
    sort: Option<Sort>,
    /// `content`: with content and messages; `usage`: with `usage_count`. Repeat it for both.
    #[param(inline)]
    include: Vec<Include>,
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    cursor: Option<String>,
}

impl ListQuery {
    fn filter(self, caller: &shared::Caller, now: Timestamp) -> PromptFilter {
        let query = self;
        let show = Show { content: query.include.contains(&Include::Content), ..Show::PROMPT };
        PromptFilter {
            within: caller.grant.folders.clone(),
            category: query.category,
            tags: query.tag,
            lifecycle_status: query.lifecycle_status,
            label: query.label,
            created_by: query.created_by,
            is_template: query.is_template,
            updated_since: query.updated_since,
            include_deleted: query.include_deleted.unwrap_or_default(),
            show: show.usage(query.include.contains(&Include::Usage), now),
            sort: query.sort.unwrap_or_default(),
        }
    }
}

/// What a list shows only when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    Content,
    Usage,
}

/// List prompts.
#[utoipa::path(
    get, path = "", tag = "prompts", operation_id = "listPrompts",
    security((), ("key" = ["prompts:read"])),
    params(ListQuery),
    responses((status = 200, body = Page<Prompt>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Prompt>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor.clone() }.request()?;
    Ok(Json(prompts::list(&app, &query.filter(&caller.0, app.clock.now()), &page).await?))
}

/// List the categories there are, with counts.
#[utoipa::path(
    get, path = "/categories", tag = "prompts", operation_id = "listCategories",
    security((), ("key" = ["prompts:read"])),
    params(PageQuery),
    responses((status = 200, body = Page<CategoryCount>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn categories(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CategoryCount>>, Problem> {
    Ok(Json(prompts::categories(&app, &caller.0, &page.request()?).await?))
}

/// List the tags there are, with counts.
#[utoipa::path(
    get, path = "/tags", tag = "prompts", operation_id = "listTags",
    security((), ("key" = ["prompts:read"])),
    params(PageQuery),
    responses((status = 200, body = Page<TagCount>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn tags(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TagCount>>, Problem> {
    Ok(Json(prompts::tags(&app, &caller.0, &page.request()?).await?))
}

/// Which version of a prompt is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct GetQuery {
    /// This version.
    version: Option<i64>,
    /// The version this label points at.
    label: Option<String>,
    /// `usage`: with `usage_count`, and without an `ETag`, since it changes without a write.
    #[param(inline)]
    include: Vec<Include>,
}

/// Get a prompt.
#[utoipa::path(
    get, path = "/{id}", tag = "prompts", operation_id = "getPrompt",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), GetQuery),
    responses((status = 200, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<GetQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let selector = Selector::new(query.version, query.label, Selector::Latest)?;
    let show = Show::PROMPT.usage(query.include.contains(&Include::Usage), app.clock.now());
    let prompt = prompts::get(&app, &caller.0, id, &selector, show).await?;
    Ok(if show.usage_since.is_some() {
        Json(prompt).into_response()
    } else {
        tagged(&headers, &etag(prompt.revision), || Json(&prompt).into_response())
    })
}

/// Change a prompt.
#[utoipa::path(
    put, path = "/{id}", tag = "prompts", operation_id = "updatePrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = PromptPatch,
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(patch): Json<PromptPatch>,
) -> Result<Response, Problem> {
    Ok(changed(prompts::update(&app, &caller.0, id, &precondition, patch).await?))
}

/// Change the content of a prompt: one version up.
#[utoipa::path(
    put, path = "/{id}/content", tag = "prompts", operation_id = "updatePromptContent",
    security((), ("key" = ["prompts:write"])),
    request_body = ContentPatch,
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update_content(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(patch): Json<ContentPatch>,
) -> Result<Response, Problem> {
    Ok(changed(prompts::update_content(&app, &caller.0, id, &precondition, patch).await?))
}

/// Delete a prompt. It can be restored.
///
/// One that a protected label points at is deleted by a key with `prompts:publish`.
#[utoipa::path(
    delete, path = "/{id}", tag = "prompts", operation_id = "deletePrompt",
    security((), ("key" = ["prompts:write"])),
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    prompts::delete(&app, &caller.0, id, &precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bring a deleted prompt back, with its labels.
///
/// Its labels serve it again at once, so one that has a protected label is brought back by a key with `prompts:publish`, as it
/// is deleted by one.
#[utoipa::path(
    post, path = "/{id}/restore", tag = "prompts", operation_id = "restorePrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = Option<Nothing>,
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn restore(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    Ok(changed(prompts::restore(&app, &caller.0, id, &precondition).await?))
}

/// Copy a prompt to a new one, which remembers where it came from.
#[utoipa::path(
    post, path = "/{id}/fork", tag = "prompts", operation_id = "forkPrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = Fork,
    params(("id" = PromptId, Path)),
    responses((status = 201, body = Prompt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn fork(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Json(fork): Json<Fork>,
) -> Result<Response, Problem> {
    Ok(created(prompts::fork(&app, &caller.0, id, fork).await?))
}

fn created(prompt: Prompt) -> Response {
    let location = format!("/api/v1/prompts/{}", prompt.id);
    let headers = [(header::LOCATION, location), (header::ETAG, etag(prompt.revision))];
    (StatusCode::CREATED, headers, Json(prompt)).into_response()
}

/// A prompt that was written to, with the tag for the next write.
pub(super) fn changed(prompt: Prompt) -> Response {
    ([(header::ETAG, etag(prompt.revision))], Json(prompt)).into_response()
}
