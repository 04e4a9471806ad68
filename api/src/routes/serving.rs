//! Give me my prompt, filled.
use std::time::Duration;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::{
    App, Error,
    ab_testing::Subject,
    cache::Source,
    prompts::{Selector, Show},
    serving::{self, BatchItem, Deprecation, Reader, Reading, RenderRequest, Rendered, Served},
    templates::Given,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{AnyQuery, Caller, Json, OptionalJson, Path, named_etag, tagged},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(get_filled, fill)).routes(routes!(batch_get)).routes(routes!(render))
}

/// Get a prompt by name, filled with the variables in the query.
///
/// Every parameter but `version`, `label`, `include`, `user_id` and `session_id` is a variable. A variable of
/// such a name, or more than an address can hold, goes by POST. A value is text, and is read as the type that the schema
/// declares for it; an integer is filled without a fraction, whether it was sent as `5`, `5.0` or `5e0`.
#[utoipa::path(
    get, path = "/search/{category}/{name}", tag = "serving", operation_id = "getFilledPrompt",
    security((), ("key" = ["prompts:read"])),
    params(("category" = String, Path, description = "`/` is written `%2F`"), ("name" = String, Path),
           ("version" = Option<i64>, Query), ("label" = Option<String>, Query),
           ("user_id" = Option<String>, Query, description = "The same user gets the same arm of a test behind the label."),
           ("session_id" = Option<String>, Query, description = "The same, where there is no user."),
           ("include" = Option<String>, Query, description = "`usage`: with `usage_count`, and without an `ETag`")),
    responses((status = 200, body = Served), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get_filled(
    State(app): State<App>,
    Path((category, name)): Path<(String, String)>,
    AnyQuery(query): AnyQuery,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (mut wanted, mut variables) = (Wanted::default(), Vec::new());
    for (key, value) in query {
        match &*key {
            "version" => wanted.version = Some(number(&value)?),
            "label" => wanted.label = Some(value),
            "include" => wanted.usage |= value == "usage",
            "user_id" => wanted.subject.user_id = Some(value),
            "session_id" => wanted.subject.session_id = Some(value),
            _ => variables.push((key, value)),
        }
    }
    let given = if variables.is_empty() { None } else { Some(Given::Query(variables)) };
    respond(&app, caller, (&category, &name), wanted, given, &headers).await
}

fn number(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::invalid("/version", "wrong-type", "`version` must be a whole number"))
}

/// What to fill a prompt with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct FillRequest {
    /// The values, by name. Given but empty, the prompt is filled with its defaults.
    #[schema(value_type = Option<Object>)]
    variables: Option<Map<String, Value>>,
    /// This version.
    version: Option<i64>,
    /// The version this label points at.
    label: Option<String>,
    /// For whom: the same user gets the same arm of a test behind the label.
    user_id: Option<String>,
    /// In which session, where there is no user.
    session_id: Option<String>,
}

/// Get a prompt by name, filled with variables of any name and size.
#[utoipa::path(
    post, path = "/search/{category}/{name}", tag = "serving", operation_id = "fillPrompt",
    security((), ("key" = ["prompts:read"])),
    request_body = Option<FillRequest>,
    params(("category" = String, Path, description = "`/` is written `%2F`"), ("name" = String, Path)),
    responses((status = 200, body = Served), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn fill(
    State(app): State<App>,
    Path((category, name)): Path<(String, String)>,
    caller: Caller,
    OptionalJson(request): OptionalJson<FillRequest>,
) -> Result<Response, Problem> {
    let given = request.variables.map(Given::Json);
    let subject = Subject { user_id: request.user_id, session_id: request.session_id };
    let wanted = Wanted { version: request.version, label: request.label, usage: false, subject };
    // What is filled depends on the body, of which the tag knows nothing: no `If-None-Match`.
    respond(&app, caller, (&category, &name), wanted, given, &HeaderMap::new()).await
}

/// Which version, and what of it.
#[derive(Default)]
struct Wanted {
    version: Option<i64>,
    label: Option<String>,
    usage: bool,
    subject: Subject,
}

async fn respond(
    app: &App,
    caller: Caller,
    (category, name): (&str, &str),
    wanted: Wanted,
    given: Option<Given>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let selector = Selector::new(wanted.version, wanted.label, Selector::Production)?;
    let show = Show::PROMPT.usage(wanted.usage, app.clock.now());
    let reader = Reader { caller: caller.0, subject: wanted.subject };
    let reading = serving::read(app, &reader, (category, name), &selector, show, given).await?;
    let (served, warning) = (reading.served(), reading.served().deprecation.as_ref().map(warning));
    let successor = served.deprecation.as_ref().and_then(|deprecation| deprecation.successor_id);
    let etag = || named_etag(served.prompt.id, served.prompt.revision, successor);
    let mut response = match &reading {
        // How it is used changes without a write to it, and an arm is not the prompt's alone: no tag.
        _ if show.usage_since.is_some() || served.served.experiment.is_some() => Json(&reading).into_response(),
        Reading::Made(served) => tagged(headers, &etag(), || axum::Json(served).into_response()),
        Reading::Kept(kept, age, source) => {
            let mut response = tagged(headers, &etag(), || json_bytes(kept.json.clone()));
            response.headers_mut().extend(freshness(*age, *source));
            response
        }
    };
    response.headers_mut().extend(warning.unwrap_or_default());
    Ok(response)
}

fn json_bytes(json: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// RFC 9111 and RFC 9211: how long ago it was read, and who had it.
fn freshness(age: Duration, source: Source) -> [(HeaderName, HeaderValue); 2] {
    let status = match source {
        Source::Memory => "prompt-store; hit",
        Source::Redis => "prompt-store; fwd=miss; detail=redis",
        Source::Database => "prompt-store; fwd=miss",
    };
    let status = (HeaderName::from_static("cache-status"), HeaderValue::from_static(status));
    [(header::AGE, HeaderValue::from(age.as_secs())), status]
}

/// RFC 9745 and RFC 8594: since when, until when, and where to go.
fn warning(deprecation: &Deprecation) -> HeaderMap {
    let since = deprecation.since.millis() / 1000;
    let mut headers = vec![("deprecation", format!("@{since}"))];
    headers.extend(deprecation.sunset_at.map(|at| ("sunset", at.http_date())));
    let successor = deprecation.successor_id;
    headers.extend(successor.map(|id| ("link", format!("</api/v1/prompts/{id}>; rel=\"successor-version\""))));
    let header = |(name, value): (&'static str, String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
    };
    headers.into_iter().filter_map(header).collect()
}

/// Prompts to get at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchRequest {
    /// 1 to 100.
    items: Vec<BatchItem>,
    /// For whom: the same user gets the same arms of tests behind the labels.
    #[serde(default)]
    user_id: Option<String>,
}

/// What became of the items of a batch, in their order.
#[derive(Serialize, ToSchema)]
struct BatchAnswer {
    results: Vec<BatchResult>,
}

/// A prompt, or why there is none.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum BatchResult {
    /// As `GET /prompts/search/{category}/{name}` answers it.
    Served(Reading),
    /// Why it was refused.
    Problem { problem: Box<Problem> },
}

/// Get many prompts by name, each filled.
///
/// Once the prompts before it hold 8 MiB together, an item is answered with the problem `batch-too-long`: ask for it in
/// another batch.
#[utoipa::path(
    post, path = "/batch-get", tag = "serving", operation_id = "batchGetPrompts",
    security((), ("key" = ["prompts:read"])),
    request_body = BatchRequest,
    responses((status = 200, body = BatchAnswer), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn batch_get(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<BatchRequest>,
) -> Result<Json<BatchAnswer>, Problem> {
    let reader = Reader { caller: caller.0, subject: Subject { user_id: request.user_id, session_id: None } };
    let results = serving::batch(&app, &reader, request.items).await?.into_iter().map(|result| match result {
        Ok(reading) => BatchResult::Served(reading),
        Err(error) => BatchResult::Problem { problem: Box::new(error.into()) },
    });
    Ok(Json(BatchAnswer { results: results.collect() }))
}

/// Fill a template without storing it.
#[utoipa::path(
    post, path = "/render", tag = "serving", operation_id = "renderTemplate",
    security((), ("key" = ["prompts:read"])),
    request_body = RenderRequest,
    responses((status = 200, body = Rendered), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn render(Json(request): Json<RenderRequest>) -> Result<Json<Rendered>, Problem> {
    Ok(Json(serving::render(request).await?))
}
