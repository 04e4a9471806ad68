//! Whole stores in and out, as lines of JSON.
use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use serde::Deserialize;
use shared::{
    App,
    bulk::{self, BulkOperation, Import, OnConflict},
    caller::Scope,
    clock::Timestamp,
    prompts::{LifecycleStatus, PromptFilter, Show, Sort},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::accepted;
use crate::{
    Door,
    access::Watched,
    extract::{Caller, Query},
    lines::{ExportPlace, Lines},
    problem::Problem,
};

const NDJSON: &str = "application/x-ndjson";

pub(super) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(import)).routes(routes!(export))
}

/// What `POST /bulk/import` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// What happens to a line whose prompt is there already.
    on_conflict: Option<OnConflict>,
    /// Say what would happen, and change nothing.
    dry_run: Option<bool>,
}

/// Import prompts from lines of JSON, each a new prompt or a line of an export. A worker does it when all lines have
/// come; poll the operation.
///
/// A line of an export must be possible: versions, moves of labels and changes of status follow each other, and nothing
/// was done in the future. Authors are kept as they were; the audit log says who imported. A version that was edited is
/// taken without its `content_hash`, which is computed then.
#[utoipa::path(
    post, path = "/import", tag = "bulk", operation_id = "importPrompts",
    security((), ("key" = ["bulk"])),
    request_body(content = String, content_type = "application/x-ndjson", description = "A JSON object a line, of at most 1 MiB."),
    params(ImportQuery, ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    responses((status = 202, body = BulkOperation), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn import(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    mut lines: Lines,
) -> Result<impl IntoResponse, Problem> {
    let (on_conflict, dry_run) = (query.on_conflict.unwrap_or_default(), query.dry_run.unwrap_or_default());
    let watched = Watched::begin(&app, &caller.0, Scope::Bulk);
    let mut import = Import::begin(&app, &caller.0, on_conflict, dry_run).await?;
    if let Err(problem) = receive(&watched, &mut lines, &mut import).await {
        import.abandon(problem.detail()).await?;
        return Err(problem);
    }
    let caller = lines.fingerprinted(&caller.0);
    Ok(accepted(import.finish(&caller).await?))
}

async fn receive(watched: &Watched, lines: &mut Lines, import: &mut Import) -> Result<(), Problem> {
    while let Some(line) = lines.next().await? {
        watched.check()?;
        import.take(line.number, line.bytes, line.object).await?;
    }
    Ok(())
}

/// What `GET /bulk/export` may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
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
}

impl From<ExportQuery> for PromptFilter {
    fn from(query: ExportQuery) -> Self {
        Self {
            category: query.category,
            tags: query.tag,
            lifecycle_status: query.lifecycle_status,
            label: query.label,
            created_by: query.created_by,
            is_template: query.is_template,
            updated_since: query.updated_since,
            include_deleted: query.include_deleted.unwrap_or_default(),
            ..Self::all(Show { content: false, usage_since: None }, Sort::Oldest)
        }
    }
}

/// Export prompts as lines of JSON, as of one moment: with their versions, labels, lives and relationships.
///
/// Nothing in it points at prompts that are not in it. A prompt with a damaged version is left out, and a line of the kind
/// `left_out` names it.
#[utoipa::path(
    get, path = "/export", tag = "bulk", operation_id = "exportPrompts",
    security((), ("key" = ["bulk"])),
    params(ExportQuery),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson", description = "What an import makes the same prompts of."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn export(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
    place: ExportPlace,
) -> Result<Response, Problem> {
    let watched = Watched::begin(&app, &caller.0, Scope::Bulk);
    let lines = bulk::export(&app, query.into()).await?;
    let lines = lines.map(move |line| {
        let ExportPlace(_held) = &place;
        let line = line.map_err(|error| error.for_log());
        let line = watched.check().map_err(|_| "the key was taken back".to_owned()).and(line);
        // The connection breaks off, so that nobody takes it for the whole.
        line.inspect_err(|error| tracing::error!(error, "an export ended early"))
    });
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}
