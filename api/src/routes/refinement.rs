//! Refinements: begun, looked at, compared, applied; and the documents they lead to.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    App,
    id::{DocumentId, PromptId, RefinementId},
    page::Page,
    refinement::{
        self, Applied, ApplyRequest, Comparison, Document, DocumentHit, DocumentSearch, NewRefinement, Refinement,
        RefinementFilter, RefinementStatus, SessionComparison,
    },
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Caller, IfMatch, Json, OptionalJson, PageQuery, Path, Query},
    problem::Problem,
};

pub(crate) fn of_prompts() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(compare)).routes(routes!(apply)).routes(routes!(history))
}

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(compare_sessions))
}

pub(crate) fn documents() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list_documents)).routes(routes!(search)).routes(routes!(get_document))
}

/// Begin to refine a prompt. A worker asks the model; the prompt stays as it is until a result is applied.
#[utoipa::path(
    post, path = "/{id}/refine", tag = "refinement", operation_id = "refinePrompt",
    security((), ("key" = ["prompts:write"])),
    request_body = NewRefinement,
    params(
        ("id" = PromptId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect."),
    ),
    responses((status = 202, body = Refinement), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn start(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Json(new): Json<NewRefinement>,
) -> Result<impl IntoResponse, Problem> {
    let begun = refinement::start(&app, &caller.0, id, new).await?;
    let location = format!("/api/v1/refinement/sessions/{}", begun.session_id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(begun)))
}

/// What is compared.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct CompareQuery {
    /// What comes before the other, unless said.
    version_a: Option<i64>,
    /// The newest result that nobody has applied, or else the newest version, unless said.
    version_b: Option<i64>,
}

/// Compare a prompt with the newest result that nobody has applied, or two of its versions.
#[utoipa::path(
    get, path = "/{id}/refinement/compare", tag = "refinement", operation_id = "compareRefinement",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), CompareQuery),
    responses((status = 200, body = Comparison), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn compare(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(query): Query<CompareQuery>,
) -> Result<Json<Comparison>, Problem> {
    Ok(Json(refinement::compare(&app, &caller.0, id, query.version_a, query.version_b).await?))
}

/// Make the result of a refinement the newest version of its prompt, once.
#[utoipa::path(
    post, path = "/{id}/refinement/apply/{session}", tag = "refinement", operation_id = "applyRefinement",
    security((), ("key" = ["prompts:write"])),
    request_body(content = Option<ApplyRequest>),
    params(
        ("id" = PromptId, Path), ("session" = RefinementId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of the prompt as you know it."),
    ),
    responses((status = 200, body = Applied), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn apply(
    State(app): State<App>,
    Path((id, session)): Path<(PromptId, RefinementId)>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    OptionalJson(request): OptionalJson<ApplyRequest>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(refinement::apply(&app, &caller.0, id, session, &precondition, request).await?))
}

/// List the refinements of a prompt, the newest first, and what became of them.
#[utoipa::path(
    get, path = "/{id}/refinement/history", tag = "refinement", operation_id = "listRefinementHistory",
    security((), ("key" = ["prompts:read"])),
    params(("id" = PromptId, Path), PageQuery),
    responses((status = 200, body = Page<Refinement>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn history(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Refinement>>, Problem> {
    let filter = RefinementFilter { prompt_id: Some(id), ..RefinementFilter::default() };
    Ok(Json(refinement::list(&app, &caller.0, filter, &page.request()?).await?))
}

/// Which refinements are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those that stand there.
    status: Option<RefinementStatus>,
    /// Only those on behalf of this user.
    user_id: Option<String>,
    /// The most on this page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Where the last page ended, in place of `offset`.
    cursor: Option<String>,
}

/// List refinements, the newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "refinement", operation_id = "listRefinements",
    security((), ("key" = ["prompts:read"])),
    params(ListQuery),
    responses((status = 200, body = Page<Refinement>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Refinement>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let filter = RefinementFilter { prompt_id: None, status: query.status, user_id: query.user_id };
    Ok(Json(refinement::list(&app, &caller.0, filter, &page).await?))
}

/// Get a refinement: where it stands, its result with what changed, and the calls that were made for it.
#[utoipa::path(
    get, path = "/sessions/{id}", tag = "refinement", operation_id = "getRefinement",
    security((), ("key" = ["prompts:read"])),
    params(("id" = RefinementId, Path)),
    responses((status = 200, body = Refinement), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(
    State(app): State<App>,
    Path(id): Path<RefinementId>,
    caller: Caller,
) -> Result<Json<Refinement>, Problem> {
    Ok(Json(refinement::get(&app, &caller.0, id).await?))
}

/// Compare the results of two refinements.
#[utoipa::path(
    get, path = "/compare/{a}/{b}", tag = "refinement", operation_id = "compareRefinements",
    security((), ("key" = ["prompts:read"])),
    params(("a" = RefinementId, Path), ("b" = RefinementId, Path)),
    responses((status = 200, body = SessionComparison), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn compare_sessions(
    State(app): State<App>,
    Path((a, b)): Path<(RefinementId, RefinementId)>,
    caller: Caller,
) -> Result<Json<SessionComparison>, Problem> {
    Ok(Json(refinement::compare_sessions(&app, &caller.0, a, b).await?))
}

/// Which documents are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DocumentsQuery {
    /// Only those of this prompt.
    prompt_id: Option<PromptId>,
    /// The most on this page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Where the last page ended, in place of `offset`.
    cursor: Option<String>,
}

/// List the documents that refinements led to, the newest first.
#[utoipa::path(
    get, path = "", tag = "refinement", operation_id = "listDocuments",
    security((), ("key" = ["prompts:read"])),
    params(DocumentsQuery),
    responses((status = 200, body = Page<Document>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list_documents(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<DocumentsQuery>,
) -> Result<Json<Page<Document>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    Ok(Json(refinement::documents(&app, &caller.0, query.prompt_id, &page).await?))
}

/// Which version of a document is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DocumentQuery {
    /// This one; the newest, unless said.
    version: Option<i64>,
}

/// Get a document, with its report.
#[utoipa::path(
    get, path = "/{id}", tag = "refinement", operation_id = "getDocument",
    security((), ("key" = ["prompts:read"])),
    params(("id" = DocumentId, Path), DocumentQuery),
    responses((status = 200, body = Document), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get_document(
    State(app): State<App>,
    Path(id): Path<DocumentId>,
    caller: Caller,
    Query(query): Query<DocumentQuery>,
) -> Result<Json<Document>, Problem> {
    Ok(Json(refinement::document(&app, &caller.0, id, query.version).await?))
}

/// Find documents by their words.
#[utoipa::path(
    post, path = "/search", tag = "refinement", operation_id = "searchDocuments",
    security((), ("key" = ["prompts:read"])),
    request_body = DocumentSearch,
    responses((status = 200, body = Page<DocumentHit>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn search(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<DocumentSearch>,
) -> Result<Json<Page<DocumentHit>>, Problem> {
    Ok(Json(refinement::search_documents(&app, &caller.0, &request).await?))
}
