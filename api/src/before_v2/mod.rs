//! The paths of the first version, for integrations that have not moved: unprefixed, in the envelope they expect, and
//! each a call of what `/api/v1` does. No rule of the store lives here.
mod collection;

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    App, Error,
    ab_testing::{self, NewAbTest, Subject},
    analytics::{self, UsageEvent},
    clock::Timestamp,
    id::{AbTestId, PromptId},
    page::PageRequest,
    prompts::{self, NewPrompt, Prompt, PromptFilter, PromptPatch, Selector, Show, Sort},
    serving::{self, Reader, Served},
    templates::Given,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{AnyQuery, Caller, IfMatch, Json, Path, Query},
    problem::Problem,
};

const LIMIT: i64 = 100;

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create_prompt, list_prompts))
        .routes(routes!(get_prompt))
        .routes(routes!(update_prompt, delete_prompt))
        .routes(routes!(create_ab_test))
        .routes(routes!(select_variant))
        .routes(routes!(usage_summary))
        .routes(routes!(record_usage))
        .merge(collection::router())
}

/// What every answer of the first version looks like. Where `success` is false, the other members of a problem stand
/// beside it.
#[derive(Serialize, ToSchema)]
struct Envelope {
    success: bool,
    /// For people.
    message: &'static str,
    /// What was asked for.
    data: Value,
    timestamp: Timestamp,
}

type Answer = Result<(StatusCode, Json<Envelope>), Refusal>;

fn answer(app: &App, status: StatusCode, message: &'static str, data: impl Serialize) -> Answer {
    let data = serde_json::to_value(data).map_err(|error| Error::Internal(error.into()))?;
    Ok((status, Json(Envelope { success: true, message, data, timestamp: app.clock.now() })))
}

/// A problem that the first version's integrations understand.
struct Refusal(Problem);

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.before_v2(shared::clock::Clock::System.now()).into_response()
    }
}

/// A prompt as the first version took it.
#[derive(Deserialize, ToSchema)]
struct OldPrompt {
    category: String,
    name: String,
    content: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    variables: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl From<OldPrompt> for NewPrompt {
    fn from(old: OldPrompt) -> Self {
        Self {
            template_format: Some(prompts::format_before_v2(&old.content)),
            category: old.category,
            name: old.name,
            description: old.description,
            kind: None,
            content: Some(old.content),
            messages: None,
            is_template: None,
            variables: old.variables,
            input_schema: None,
            tags: old.tags,
            config: None,
            change_summary: None,
        }
    }
}

/// Before v2: create a prompt.
#[utoipa::path(
    post, path = "/prompts", tag = "before-v2", operation_id = "createPromptBeforeV2",
    security((), ("key" = ["prompts:write"])), request_body = OldPrompt,
    responses((status = 201, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create_prompt(State(app): State<App>, caller: Caller, Json(old): Json<OldPrompt>) -> Answer {
    let prompt = prompts::create(&app, &caller.0, old.into()).await?;
    answer(&app, StatusCode::CREATED, "Prompt created", prompt)
}

/// Which prompts are wanted.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    category: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
}

/// Before v2: list prompts.
#[utoipa::path(
    get, path = "/prompts", tag = "before-v2", operation_id = "listPromptsBeforeV2",
    security((), ("key" = ["prompts:read"])), params(ListQuery),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list_prompts(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Answer {
    let within = caller.0.grant.folders.clone();
    let filter = PromptFilter { within, category: query.category, ..PromptFilter::all(Show::PROMPT, Sort::default()) };
    let page = PageRequest::new(query.limit.or(Some(LIMIT)), query.offset, None)?;
    answer(&app, StatusCode::OK, "Prompts", prompts::list(&app, &filter, &page).await?.items)
}

/// Before v2: get a prompt, filled with the parameters as `/api/v1` fills it: by its format, its types and its defaults.
/// In the formats `simple` and `simple_fstring`, which the first version made, what has no value stays as it stands.
#[utoipa::path(
    get, path = "/prompts/search/{category}/{name}", tag = "before-v2", operation_id = "getFilledPromptBeforeV2",
    security((), ("key" = ["prompts:read"])), params(("category" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn get_prompt(
    State(app): State<App>,
    Path((category, name)): Path<(String, String)>,
    AnyQuery(query): AnyQuery,
    caller: Caller,
) -> Answer {
    let (subject, values) = read_query(query);
    let reader = Reader { caller: caller.0, subject };
    let given = Some(Given::Partial(values.into_iter().collect()));
    let served = serving::get(&app, &reader, (&category, &name), &Selector::Production, Show::PROMPT, given).await?;
    answer(&app, StatusCode::OK, "Prompt", as_before(served))
}

fn as_before(served: Served) -> Value {
    let text = served.filled_messages.map_or_else(|| json!(served.filled_content), |messages| json!(messages));
    let prompt = served.prompt;
    json!({
        "id": prompt.id,
        "category": prompt.category,
        "name": prompt.name,
        "version": prompt.version,
        "prompt": text,
        "variables": prompt.body.variables,
    })
}

/// The unit of a test, and every other parameter.
fn read_query(query: Vec<(String, String)>) -> (Subject, BTreeMap<String, String>) {
    let mut values: BTreeMap<String, String> = query.into_iter().collect();
    let subject = Subject { user_id: values.remove("user_id"), session_id: values.remove("session_id") };
    (subject, values)
}

/// A change as the first version took it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct OldPatch {
    category: Option<String>,
    name: Option<String>,
    content: Option<String>,
    description: Option<String>,
    variables: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

impl OldPatch {
    /// The change of a prompt, if it is there.
    fn of(self, prompt: Option<&Prompt>) -> PromptPatch {
        let format = prompt.zip(self.content.as_deref()).map(|(prompt, content)| prompts::format_kept(prompt, content));
        PromptPatch {
            template_format: format.into(),
            category: self.category.into(),
            name: self.name.into(),
            content: self.content.into(),
            description: self.description.into(),
            variables: self.variables.into(),
            tags: self.tags.into(),
            ..PromptPatch::default()
        }
    }
}

/// Before v2: change a prompt.
#[utoipa::path(
    put, path = "/prompts/{id}", tag = "before-v2", operation_id = "updatePromptBeforeV2",
    security((), ("key" = ["prompts:write"])), request_body = OldPatch,
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn update_prompt(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
    Json(old): Json<OldPatch>,
) -> Answer {
    let there = prompts::get(&app, &caller.0, id, &Selector::Latest, Show::PROMPT).await.ok();
    let prompt = prompts::update(&app, &caller.0, id, &precondition, old.of(there.as_ref())).await?;
    answer(&app, StatusCode::OK, "Prompt updated", prompt)
}

/// Before v2: delete a prompt.
#[utoipa::path(
    delete, path = "/prompts/{id}", tag = "before-v2", operation_id = "deletePromptBeforeV2",
    security((), ("key" = ["prompts:write"])),
    params(("id" = PromptId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read.")),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn delete_prompt(
    State(app): State<App>,
    Path(id): Path<PromptId>,
    IfMatch(precondition): IfMatch,
    caller: Caller,
) -> Answer {
    prompts::delete(&app, &caller.0, id, &precondition).await?;
    answer(&app, StatusCode::OK, "Prompt deleted", json!({ "id": id }))
}

/// Before v2: make an A/B test. Here `traffic_split` is the share of B.
#[utoipa::path(
    post, path = "/ab-tests", tag = "before-v2", operation_id = "createAbTestBeforeV2",
    security((), ("key" = ["experiments"])), request_body = NewAbTest,
    responses((status = 201, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn create_ab_test(State(app): State<App>, caller: Caller, Json(old): Json<NewAbTest>) -> Answer {
    let new = NewAbTest { traffic_split: old.traffic_split.map(|of_b| 1.0 - of_b), ..old };
    let test = ab_testing::create(&app, &caller.0, new).await?;
    let mut data = serde_json::to_value(&test).map_err(|error| Error::Internal(error.into()))?;
    data["traffic_split"] = json!(test.variants.get(1).map(|of_b| of_b.weight));
    answer(&app, StatusCode::CREATED, "A/B test created", data)
}

/// Before v2: get the arm of a unit.
#[utoipa::path(
    get, path = "/ab-tests/{id}/select", tag = "before-v2", operation_id = "selectAbTestVariantBeforeV2",
    security((), ("key" = ["prompts:read"])), params(("id" = AbTestId, Path), ("user_id" = Option<String>, Query)),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn select_variant(
    State(app): State<App>,
    Path(id): Path<AbTestId>,
    AnyQuery(query): AnyQuery,
    caller: Caller,
) -> Answer {
    let (subject, context) = read_query(query);
    let selection = ab_testing::select(&app, &caller.0, id, &subject, &context, None).await?;
    answer(&app, StatusCode::OK, "Variant", selection)
}

/// How far back, and of which prompt.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
    prompt_id: Option<PromptId>,
    /// So many days; 30, unless said.
    days: Option<i64>,
}

/// Before v2: how prompts are used.
#[utoipa::path(
    get, path = "/analytics", tag = "before-v2", operation_id = "getAnalyticsBeforeV2",
    security((), ("key" = ["analytics"])), params(UsageQuery),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn usage_summary(State(app): State<App>, caller: Caller, Query(query): Query<UsageQuery>) -> Answer {
    let (caller, days) = (&caller.0, query.days.unwrap_or(30));
    match query.prompt_id {
        Some(id) => answer(&app, StatusCode::OK, "Analytics", analytics::of_prompt(&app, caller, id, days).await?),
        None => answer(&app, StatusCode::OK, "Analytics", analytics::summary(&app, caller, days).await?),
    }
}

/// A call as the first version reported it.
#[derive(Deserialize, ToSchema)]
struct OldUsage {
    prompt_id: PromptId,
    /// The newest, unless said.
    #[serde(default)]
    version: Option<i64>,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    response_time_ms: Option<f64>,
    #[serde(default)]
    input_tokens: Option<i64>,
    #[serde(default)]
    output_tokens: Option<i64>,
    #[serde(default)]
    cost_usd: Option<f64>,
    #[serde(default)]
    score: Option<f64>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    service_name: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    ab_test_id: Option<String>,
    #[serde(default)]
    variant: Option<String>,
}

/// Before v2: report a call.
#[utoipa::path(
    post, path = "/usage", tag = "before-v2", operation_id = "recordUsageBeforeV2",
    security((), ("key" = ["analytics"])), request_body = OldUsage,
    responses((status = 202, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn record_usage(State(app): State<App>, caller: Caller, Json(old): Json<OldUsage>) -> Answer {
    let version = match old.version {
        Some(version) => version,
        None => prompts::get(&app, &caller.0, old.prompt_id, &Selector::Latest, Show::PROMPT).await?.version,
    };
    let event = UsageEvent {
        prompt_id: old.prompt_id,
        version,
        event_id: None,
        success: old.success,
        failure_kind: None,
        response_time_ms: old.response_time_ms,
        input_tokens: old.input_tokens,
        output_tokens: old.output_tokens,
        cost_usd: old.cost_usd,
        score: old.score,
        model: old.model,
        service_name: old.service_name,
        user_id: old.user_id,
        session_id: old.session_id,
        ab_test_id: old.ab_test_id,
        variant: old.variant,
        occurred_at: None,
    };
    let receipt = analytics::record(&app, &caller.0, vec![event], true).await?;
    answer(&app, StatusCode::ACCEPTED, "Usage recorded", receipt)
}
