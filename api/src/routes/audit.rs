//! Who did what, for administrators.
use axum::extract::State;
use serde::Deserialize;
use shared::{
    App,
    audit::{self, AuditFilter, AuditRow},
    clock::Timestamp,
    page::Page,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Door,
    extract::{Json, PageQuery, Query},
    problem::Problem,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What `GET /audit` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Done by them: the id of a key, `admin`.
    actor: Option<String>,
    /// This was done: `prompt.updated`.
    action: Option<String>,
    /// Done to this: the id of a prompt, a webhook, a key.
    object_id: Option<String>,
    /// Done by this request.
    request_id: Option<String>,
    /// Not before.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    cursor: Option<String>,
}

/// List what was done, the last first. `prompt-store audit verify` shows that nobody has changed it since.
#[utoipa::path(
    get, path = "", tag = "access", operation_id = "listAudit",
    security((), ("key" = ["admin"])),
    params(ListQuery),
    responses((status = 200, body = Page<AuditRow>), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Page<AuditRow>>, Problem> {
    let page = PageQuery { limit: query.limit, offset: query.offset, cursor: query.cursor }.request()?;
    let ListQuery { actor, action, object_id, request_id, since, until, .. } = query;
    let filter = AuditFilter { actor, action, object_id, request_id, since, until };
    Ok(Json(audit::list(&app, &filter, &page).await?))
}
