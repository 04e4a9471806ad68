//! Beginning refinements, and looking at them.
use serde_json::{Value, json};

use super::{
    NewRefinement, RefinePrompt, Refinement, RefinementStatus,
    model::{RefinementError, SessionRow},
    repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    db::{Conn, Json, Tx},
    error::{Error, Result},
    id::{DocumentId, PromptId, RefinementId},
    llm::LlmService,
    notifications::{self, EventType},
    page::{Page, PageRequest, Position, SortKey},
    prompts::{self, Precondition},
    text,
};

/// Of what a list shows of a refinement: its instructions and the documents beside them.
const ROW_BYTES_MAX: i64 = 2 * 1024 * 1024;

/// Which refinements are wanted.
#[derive(Clone, Debug, Default)]
pub struct RefinementFilter {
    /// Of this prompt.
    pub prompt_id: Option<PromptId>,
    /// Those that stand there.
    pub status: Option<RefinementStatus>,
    /// On behalf of this user.
    pub user_id: Option<String>,
}

impl RefinementFilter {
    fn name(&self) -> String {
        let Self { prompt_id, status, user_id } = self;
        let prompt_id = prompt_id.map(|id| id.to_string());
        format!("refinements {prompt_id:?} {status:?} {user_id:?}")
    }
}

/// Begins to refine a prompt. A worker asks; the prompt stays as it is, until somebody applies the result.
pub async fn start(app: &App, caller: &Caller, id: PromptId, new: NewRefinement) -> Result<Refinement> {
    new.check()?;
    let llm_service = service(app, new.llm_service.as_deref())?;
    let mut tx = begin!(app, caller);
    let prompt = prompts::hold(&mut tx, id, &Precondition::default()).await?;
    let now = tx.now();
    let document_id = match new.parent_session_id {
        None => DocumentId::generate(now),
        Some(parent) => continued(&mut tx, id, parent).await?,
    };
    check_context(&mut tx, &new.context_documents).await?;
    let row = SessionRow {
        id: RefinementId::generate(now),
        prompt_id: id,
        base_version: prompt.version,
        parent_id: new.parent_session_id,
        status: RefinementStatus::Processing,
        llm_service,
        model: app.llm.get(llm_service).and_then(|llm| llm.model()).map(str::to_owned),
        instructions: new.refinement_instructions,
        context: Json(new.context_documents),
        user_id: new.user_id.map(text::sought),
        error_code: None,
        error_detail: None,
        spent_nanos: 0,
        document_id,
        document_version: None,
        applied_version: None,
        created_by: caller.actor.to_string(),
        created_at: now,
        finished_at: None,
        applied_at: None,
    };
    repository::insert(&mut tx, &row).await?;
    audit::record(&mut tx, "refinement.created", row.id, Some(format!("{id} by {llm_service}"))).await?;
    tx.enqueue(&RefinePrompt { session_id: row.id }).await?;
    let refinement = row.show();
    tx.commit_with(&refinement).await?;
    Ok(refinement)
}

/// Who is asked. 422 with those that are configured, if it is none of them.
fn service(app: &App, name: Option<&str>) -> Result<LlmService> {
    let wanted = name.unwrap_or("interpreter");
    let found = wanted.parse().ok().filter(|service| app.llm.get(*service).is_some());
    found.ok_or_else(|| {
        let names: Vec<String> = app.llm.names().map(|name| format!("`{name}`")).collect();
        let detail = format!(
            "`llm_service` must be one that is configured: {}. Without one, `interpreter` is meant",
            names.join(", ")
        );
        Error::invalid("/llm_service", "unknown-service", detail)
    })
}

/// The document that a further refinement continues.
async fn continued(tx: &mut Tx, id: PromptId, parent: RefinementId) -> Result<DocumentId> {
    let wrong = |code, detail: String| Err(Error::invalid("/parent_session_id", code, detail));
    match repository::find(tx, parent).await?.filter(|session| session.prompt_id == id) {
        None => wrong("unknown-session", format!("prompt `{id}` has no refinement `{parent}`")),
        Some(session) if session.document_version.is_none() => {
            wrong("no-result", format!("refinement `{parent}` has no result to go on from; it is {}", session.status))
        }
        Some(session) => Ok(session.document_id),
    }
}

/// What looks like the id of a document must be one, and of a prompt that the caller may see.
async fn check_context(tx: &mut Tx, documents: &[String]) -> Result<()> {
    let folders = tx.caller().grant.folders.clone();
    for (index, document) in documents.iter().enumerate() {
        let Ok(id) = document.parse() else { continue };
        let is_seen = match repository::document(tx, id, None).await? {
            Some(document) => prompts::is_in_reach(tx, &folders, document.prompt_id).await?,
            None => false,
        };
        if !is_seen {
            let detail = format!("there is no document `{id}`");
            return Err(Error::invalid(format!("/context_documents/{index}"), "unknown-document", detail));
        }
    }
    Ok(())
}

/// A refinement, with its result and its calls.
pub async fn get(app: &App, caller: &Caller, id: RefinementId) -> Result<Refinement> {
    caller.must_see_every_version()?;
    let mut conn = app.db.read_at_once().await?;
    let row = known(&mut conn, id).await?;
    if !prompts::is_in_reach(&mut conn, &caller.grant.folders, row.prompt_id).await? {
        return Err(missing(id));
    }
    let result = repository::result(&mut conn, id).await?;
    let calls = repository::calls(&mut conn, id).await?;
    Ok(Refinement { result, calls: Some(calls), ..row.show() })
}

/// Refinements, the newest first, without results.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: RefinementFilter,
    request: &PageRequest,
) -> Result<Page<Refinement>> {
    caller.must_see_every_version()?;
    let filter = RefinementFilter { user_id: filter.user_id.map(text::sought), ..filter };
    let name = filter.name();
    let after = request.after(&app.secret, &name)?;
    let mut conn = app.db.read().await?;
    match filter.prompt_id {
        Some(id) => prompts::check_existing(&mut conn, caller, id).await?,
        None => caller.must_reach_everything("the refinements of all prompts")?,
    }
    let lengths = repository::lengths(&mut conn, &filter, after.as_ref(), request);
    let request = request.within_bytes(ROW_BYTES_MAX, lengths).await?;
    let (rows, total) = repository::list(&mut conn, &filter, after.as_ref(), &request).await?;
    let rows = rows.into_iter().map(SessionRow::show).collect();
    let position =
        |row: &Refinement| Position { key: SortKey::Number(row.created_at.millis()), id: row.session_id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// 404, unless it is there.
pub(super) async fn known(conn: &mut Conn, id: RefinementId) -> Result<SessionRow> {
    repository::find(conn, id).await?.ok_or_else(|| missing(id))
}

fn missing(id: RefinementId) -> Error {
    Error::not_found("refinement", id)
}

/// A refinement ends without a result, as part of the caller's transaction.
pub(super) async fn fail(tx: &mut Tx, id: RefinementId, error: &RefinementError) -> Result<()> {
    if !repository::fail(tx, id, error).await? {
        return Ok(());
    }
    audit::record(tx, "refinement.failed", id, Some(error.code.clone())).await?;
    let session = known(tx, id).await?;
    announce(tx, EventType::RefinementFailed, &session, json!({ "error_code": error.code })).await
}

/// Tells others what happens to a refinement.
pub(super) async fn announce(tx: &mut Tx, event_type: EventType, session: &SessionRow, more: Value) -> Result<()> {
    let mut data = json!({
        "id": session.id,
        "prompt_id": session.prompt_id,
        "base_version": session.base_version,
        "llm_service": session.llm_service,
        "status": session.status,
    });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    notifications::announce(tx, event_type, session.id, data, &session.clone().show()).await
}
