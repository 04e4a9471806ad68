//! A worker's part: asks the model, reads its answer, and writes down what it led to.
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Refined, answer,
    calls::{self, Asking},
    counts,
    delivery::StoreDocument,
    indexing,
    instruction::instruction,
    model::{RefinementError, SessionRow},
    report, repository, service,
};
use crate::{
    access,
    app::App,
    audit,
    caller::{Caller, Scope},
    db::{Conn, Tx},
    error::{Error, Result},
    id::RefinementId,
    jobs::{Claim, Job, Outcome, Queue},
    lint,
    llm::{Ask, Said},
    notifications::EventType,
    prompts::{self, Selector},
    suggestions,
    telemetry::LLM_SECONDS,
    versions::{self, Body},
};

/// Refine a prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefinePrompt {
    /// The refinement.
    pub session_id: RefinementId,
}

impl Job for RefinePrompt {
    const QUEUE: Queue = Queue::RefinementSessions;

    fn unique_key(&self) -> Option<String> {
        Some(self.session_id.to_string())
    }
}

/// What a refinement starts from.
struct Start {
    session: SessionRow,
    body: Body,
    context: Vec<String>,
    options: lint::Options,
    title: String,
}

/// Refines a prompt, or goes on where a lost worker was.
pub async fn refine(app: &App, claim: &Claim, caller: &Caller, id: RefinementId) -> Result<Outcome> {
    let Some(start) = load(app, caller, id).await? else { return Ok(Outcome::Done) };
    let answered = repository::answer(&mut app.db.read().await?, id).await?;
    let said = match answered {
        Some(said) => said,
        None => match ask(app, claim, caller, &start).await? {
            Answered::Said(said) => said,
            Answered::Ended(outcome) => return Ok(outcome),
        },
    };
    let (base, model) = (start.body.clone(), said.model.clone());
    match answer::read(&said, &base) {
        Err(error) => fail(app, claim, caller, id, &error).await,
        Ok(body) => complete(app, claim, caller, start, body, model).await,
    }
}

/// Everything it takes; nothing, if there is nothing to do.
async fn load(app: &App, caller: &Caller, id: RefinementId) -> Result<Option<Start>> {
    let mut conn = app.db.read_at_once().await?;
    let Some(session) = repository::find(&mut conn, id).await?.filter(SessionRow::is_processing) else {
        return Ok(None);
    };
    let body = base(&mut conn, &session).await?;
    let mut context = Vec::new();
    for document in &session.context.0 {
        let found = match document.parse() {
            Ok(id) => repository::document(&mut conn, id, None).await?,
            Err(_) => None,
        };
        context.push(found.map_or_else(|| document.clone(), |row| row.report));
    }
    let options = suggestions::options(&mut conn, session.prompt_id).await?;
    let prompt = prompts::find_in(&mut conn, caller, session.prompt_id, &Selector::Latest).await?;
    let title = prompt.map_or_else(String::new, |prompt| format!("{}/{}", prompt.category, prompt.name));
    Ok(Some(Start { session, body, context, options, title }))
}

/// What is refined: the version that was the newest, or the result of another refinement.
pub(super) async fn base(conn: &mut Conn, session: &SessionRow) -> Result<Body> {
    let lost = || Error::internal("a refinement without what it refines");
    match session.parent_id {
        Some(parent) => Ok(repository::result(conn, parent).await?.ok_or_else(lost)?.body),
        None => Ok(versions::find(conn, session.prompt_id, session.base_version).await?.ok_or_else(lost)?.body),
    }
}

enum Answered {
    Said(Said),
    Ended(Outcome),
}

async fn ask(app: &App, claim: &Claim, caller: &Caller, start: &Start) -> Result<Answered> {
    let session = &start.session;
    let Some(llm) = app.llm.get(session.llm_service) else {
        // It was configured where it was ordered.
        let detail = format!("the worker has no `{}`; give it the same settings as the API", session.llm_service);
        let error = RefinementError { code: "service-not-configured".to_owned(), detail };
        return fail(app, claim, caller, session.id, &error).await.map(Answered::Ended);
    };
    if !access::grant_of(app, &session.created_by).await?.allows(Scope::PromptsWrite) {
        let detail = "the key that began this has ended, or was taken back".to_owned();
        let error = RefinementError { code: "forbidden".to_owned(), detail };
        return fail(app, claim, caller, session.id, &error).await.map(Answered::Ended);
    }
    let instruction = instruction(session, &start.body, &start.context);
    let paid = match calls::begin(app, caller, claim, session.id, &instruction).await? {
        Asking::Ask(paid) => paid,
        Asking::Over => return Ok(Answered::Ended(Outcome::Done)),
        Asking::Refused(error) => {
            return fail(app, claim, caller, session.id, &error).await.map(Answered::Ended);
        }
    };
    let text = suggestions::text(&start.body);
    let ask = Ask {
        system: &instruction.system,
        query: &instruction.query,
        user_id: session.user_id.as_deref(),
        prompt: &text,
        now: app.clock.now(),
    };
    let began = Instant::now();
    let outcome = llm.ask(ask).await;
    let service = session.llm_service.to_string();
    metrics::histogram!(LLM_SECONDS, "service" => service).record(began.elapsed());
    counts::call(session.llm_service, &outcome);
    calls::end(app, caller, claim, session, paid, &outcome).await?;
    match outcome {
        Ok(said) => Ok(Answered::Said(said)),
        Err(fault) => {
            if let Some(wait) = calls::again_after(paid, &fault) {
                Ok(Answered::Ended(Outcome::Later(wait)))
            } else {
                let (code, detail) = (fault.code.to_string(), fault.code.detail().to_owned());
                let error = RefinementError { code, detail };
                fail(app, claim, caller, session.id, &error).await.map(Answered::Ended)
            }
        }
    }
}

async fn fail(app: &App, claim: &Claim, caller: &Caller, id: RefinementId, error: &RefinementError) -> Result<Outcome> {
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    service::fail(&mut tx, id, error).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

async fn complete(
    app: &App,
    claim: &Claim,
    caller: &Caller,
    start: Start,
    body: Body,
    model: Option<String>,
) -> Result<Outcome> {
    let (session, title, base, options) = (start.session, start.title, start.body, start.options);
    let compared = tokio::task::spawn_blocking(move || compare(&base, body, &options)).await;
    let refined = compared.map_err(|error| Error::Internal(error.into()))??;
    let report = report::markdown(&title, &session, &refined);
    let result = serde_json::to_value(&refined).map_err(|error| Error::Internal(error.into()))?;
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    if repository::hold(&mut tx, session.id).await?.is_none_or(|now| !now.is_processing()) {
        return Ok(Outcome::Done);
    }
    let version = repository::insert_document(&mut tx, &session, &title, &report, &result).await?;
    repository::complete(&mut tx, session.id, model, version).await?;
    indexing::put(&mut tx, session.document_id).await?;
    audit::record(&mut tx, "refinement.completed", session.id, Some(format!("{} {version}", session.document_id)))
        .await?;
    let done = service::known(&mut tx, session.id).await?;
    let more = json!({ "document": done.document() });
    service::announce(&mut tx, EventType::RefinementCompleted, &done, more).await?;
    if app.doc_store.is_some() {
        tx.enqueue(&StoreDocument { document_id: session.document_id, version }).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

fn compare(base: &Body, body: Body, options: &lint::Options) -> Result<Refined> {
    let before = lint::tally(&suggestions::text(base), options);
    let delta = lint::tally(&suggestions::text(&body), options).since(&before);
    let lint = serde_json::to_value(delta).map_err(|error| Error::Internal(error.into()))?;
    let diff = versions::changes(("before", base), ("after", &body));
    Ok(Refined { body, diff, lint })
}

/// The job was given up: so is the refinement.
pub async fn gave_up(tx: &mut Tx, job: &RefinePrompt) -> Result<()> {
    let detail =
        "workers were lost over this refinement, or had an error of their own; try again, and tell who runs them";
    let error = RefinementError { code: "worker-lost".to_owned(), detail: detail.to_owned() };
    service::fail(tx, job.session_id, &error).await
}

/// Somebody has the job tried again: so the refinement goes on.
pub async fn revive(tx: &mut Tx, job: &RefinePrompt) -> Result<()> {
    repository::revive(tx, job.session_id).await
}
