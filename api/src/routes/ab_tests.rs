//! A/B tests: made, dealt out, told of, ended.
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    App,
    ab_testing::{
        self, AbTest, AbTestPatch, AbTestResults, AbTestStatus, Analysis, AnalyzeRequest, Context, NewAbTest, Outcome,
        OutcomeReceipt, PowerPlan, PowerRequest, Selection, Subject,
    },
    id::AbTestId,
    page::Page,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{AnyQuery, Caller, Json, OneOrMany, OptionalJson, PageQuery, Path, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update))
        .routes(routes!(start))
        .routes(routes!(pause))
        .routes(routes!(complete))
        .routes(routes!(select))
        .routes(routes!(record_outcomes))
        .routes(routes!(results))
        .routes(routes!(analyze))
        .routes(routes!(power))
}

/// Make an A/B test of two prompts, or of some variants. It runs at once, unless it is to be a draft.
///
/// Whoever makes it must reach every prompt that it shows. From then on readers of the label that it is behind are served the
/// arms whole, also those in folders that their own keys are not for.
#[utoipa::path(
    post, path = "", tag = "ab-tests", operation_id = "createAbTest",
    security((), ("key" = ["experiments"])),
    request_body = NewAbTest,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 201, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewAbTest>,
) -> Result<impl IntoResponse, Problem> {
    let test = ab_testing::create(&app, &caller.0, new).await?;
    let location = format!("/api/v1/ab-tests/{}", test.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(test)))
}

/// Which tests are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those that stand there.
    status: Option<AbTestStatus>,
    /// The most on this page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Where the last page ended, in place of `offset`.
    cursor: Option<String>,
}

/// List A/B tests, the newest first.
#[utoipa::path(
    get, path = "", tag = "ab-tests", operation_id = "listAbTests",
    security((), ("key" = ["experiments"])),
    params(ListQuery),
    responses((status = 200, body = Page<AbTest>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<AbTest>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    Ok(Json(ab_testing::list(&app, &caller.0, query.status, &page).await?))
}

/// Get an A/B test.
#[utoipa::path(
    get, path = "/{id}", tag = "ab-tests", operation_id = "getAbTest",
    security((), ("key" = ["experiments"])),
    params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get(State(app): State<App>, Path(id): Path<AbTestId>, caller: Caller) -> Result<Json<AbTest>, Problem> {
    Ok(Json(ab_testing::get(&app, &caller.0, id).await?))
}

/// Change the name of an A/B test, or how it deals traffic, which begins a new phase. Who has an arm keeps it.
#[utoipa::path(
    put, path = "/{id}", tag = "ab-tests", operation_id = "updateAbTest",
    security((), ("key" = ["experiments"])),
    request_body = AbTestPatch,
    params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    caller: Caller,
    Json(patch): Json<AbTestPatch>,
) -> Result<Json<AbTest>, Problem> {
    Ok(Json(ab_testing::update(&app, &caller.0, id, patch).await?))
}

/// Begin a draft, or go on with a test that was paused.
#[utoipa::path(
    post, path = "/{id}/start", tag = "ab-tests", operation_id = "startAbTest",
    security((), ("key" = ["experiments"])),
    params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn start(State(app): State<App>, Path(id): Path<AbTestId>, caller: Caller) -> Result<Json<AbTest>, Problem> {
    Ok(Json(ab_testing::start(&app, &caller.0, id).await?))
}

/// Stop dealing arms out; who has one keeps it.
#[utoipa::path(
    post, path = "/{id}/pause", tag = "ab-tests", operation_id = "pauseAbTest",
    security((), ("key" = ["experiments"])),
    params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn pause(State(app): State<App>, Path(id): Path<AbTestId>, caller: Caller) -> Result<Json<AbTest>, Problem> {
    Ok(Json(ab_testing::pause(&app, &caller.0, id).await?))
}

/// How a test is to end.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CompleteRequest {
    /// The variant that won, if one did.
    winner: Option<String>,
    /// Does the label move to it? As the test says, unless said here.
    promote: Option<bool>,
}

/// End an A/B test.
#[utoipa::path(
    post, path = "/{id}/complete", tag = "ab-tests", operation_id = "completeAbTest",
    security((), ("key" = ["experiments"])),
    request_body = Option<CompleteRequest>, params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTest), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn complete(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    caller: Caller,
    OptionalJson(request): OptionalJson<CompleteRequest>,
) -> Result<Json<AbTest>, Problem> {
    Ok(Json(ab_testing::complete(&app, &caller.0, id, request.winner, request.promote).await?))
}

/// Get the arm of a unit: always the same for the same user, or the same session where there is no user.
///
/// Every other parameter is context, which the audience of the test is held against. Without user and session a unit is
/// made up; give its `unit_id` with outcomes.
#[utoipa::path(
    get, path = "/{id}/select", tag = "ab-tests", operation_id = "selectAbTestVariant",
    security((), ("key" = ["prompts:read"])),
    params(("id" = AbTestId, Path),
           ("user_id" = Option<String>, Query, description = "The unit."),
           ("session_id" = Option<String>, Query, description = "The unit, where there is no user."),
           ("force" = Option<String>, Query, description = "A variant to look at without taking part.")),
    responses((status = 200, body = Selection), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn select(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    AnyQuery(query): AnyQuery,
    caller: Caller,
) -> Result<Json<Selection>, Problem> {
    let (mut subject, mut force, mut context) = (Subject::default(), None, Context::new());
    for (key, value) in query {
        match &*key {
            "user_id" => subject.user_id = Some(value),
            "session_id" => subject.session_id = Some(value),
            "force" => force = Some(value),
            _ => drop(context.insert(key, value)),
        }
    }
    Ok(Json(ab_testing::select(&app, &caller.0, id, &subject, &context, force.as_deref()).await?))
}

/// Tell what became of units: one outcome, or a list of up to 1000.
///
/// One that comes before its unit's exposure is kept, and counts once that is known.
#[utoipa::path(
    post, path = "/{id}/outcomes", tag = "ab-tests", operation_id = "recordAbTestOutcomes",
    security((), ("key" = ["analytics"])),
    request_body(content = Outcome, description = "An outcome, or a list of up to 1000."),
    params(("id" = AbTestId, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = OutcomeReceipt), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn record_outcomes(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    caller: Caller,
    Json(outcomes): Json<OneOrMany<Outcome>>,
) -> Result<impl IntoResponse, Problem> {
    let receipt = ab_testing::record_outcomes(&app, &caller.0, id, outcomes.items, outcomes.is_one).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}
/// Get what an A/B test shows so far: every metric of every arm, three ways, and what follows.
#[utoipa::path(
    get, path = "/{id}/results", tag = "ab-tests", operation_id = "getAbTestResults",
    security((), ("key" = ["experiments"])),
    params(("id" = AbTestId, Path)),
    responses((status = 200, body = AbTestResults), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn results(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    caller: Caller,
) -> Result<Json<AbTestResults>, Problem> {
    Ok(Json(ab_testing::results(&app, &caller.0, id).await?))
}

/// Analyse summary numbers of a test that is kept elsewhere. Nothing is stored.
#[utoipa::path(
    post, path = "/analyze", tag = "ab-tests", operation_id = "analyzeAbTest",
    security((), ("key" = ["experiments"])),
    request_body = AnalyzeRequest,
    responses((status = 200, body = Analysis), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn analyze(Json(request): Json<AnalyzeRequest>) -> Result<Json<Analysis>, Problem> {
    Ok(Json(ab_testing::analyze(&request)?))
}

/// What is planned.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct PowerQuery {
    /// Of shares: the share of the control.
    baseline: Option<f64>,
    /// Of means: the common standard deviation.
    sd: Option<f64>,
    /// The effect that is to be found, in the metric's unit.
    mde: Option<f64>,
    /// Or the units of the control that there are.
    n: Option<f64>,
    /// The two-sided level.
    #[param(default = 0.05)]
    alpha: Option<f64>,
    /// The chance to find the effect.
    #[param(default = 0.8)]
    power: Option<f64>,
    /// Units of each treatment for each unit of the control.
    #[param(default = 1)]
    ratio: Option<f64>,
    /// How many treatments there are.
    #[param(minimum = 1, maximum = 99, default = 1)]
    treatments: Option<u32>,
    /// How many units come in a day.
    units_per_day: Option<f64>,
    /// Units at which the sequential intervals are tightest.
    #[param(default = 1000)]
    n_star: Option<f64>,
}

/// Calculate how many units a test needs for an effect, or which effect it finds with so many.
#[utoipa::path(
    get, path = "/power", tag = "ab-tests", operation_id = "planAbTest",
    security((), ("key" = ["experiments"])),
    params(PowerQuery),
    responses((status = 200, body = PowerPlan), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn power(Query(query): Query<PowerQuery>) -> Result<Json<PowerPlan>, Problem> {
    let PowerQuery { baseline, sd, mde, n, alpha, power, ratio, treatments, units_per_day, n_star } = query;
    let request = PowerRequest { baseline, sd, mde, n, alpha, power, ratio, treatments, units_per_day, n_star };
    Ok(Json(ab_testing::power(&request)?))
}
