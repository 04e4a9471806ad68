//! A person decides: the result of a refinement becomes a version of its prompt.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refined, RefinementStatus, model::SessionRow, repository};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    error::{Error, Result},
    id::{PromptId, RefinementId},
    prompts::{self, Precondition, Prompt},
    versions::{Body, ChangeType},
};

/// What the person knows and wants all the same.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyRequest {
    /// The prompt has a newer version than the one that was refined: write over it.
    pub force: bool,
    /// Variables come or go, so that whoever fills the prompt has to know.
    pub accept_variable_changes: bool,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    /// Whose version it is.
    pub prompt_id: PromptId,
    /// The version that the result became.
    pub new_version: i64,
    /// Of which refinement.
    pub session_id: RefinementId,
    /// What the rules find now and did not before: a person should look at these.
    #[schema(value_type = Vec<Object>)]
    pub lint_introduced: serde_json::Value,
    /// As it is now.
    pub prompt: Prompt,
}

/// Makes the result of a refinement the newest version of its prompt, once.
pub async fn apply(
    app: &App,
    caller: &Caller,
    id: PromptId,
    session_id: RefinementId,
    precondition: &Precondition,
    request: ApplyRequest,
) -> Result<Applied> {
    let mut tx = begin!(app, caller);
    let prompt = prompts::hold(&mut tx, id, precondition).await?;
    let session = repository::hold(&mut tx, session_id).await?.filter(|session| session.prompt_id == id);
    let session = session.ok_or_else(|| Error::not_found("refinement", session_id))?;
    let Refined { body, lint, .. } = match session.status {
        RefinementStatus::Completed => {
            let found = repository::result(&mut tx, session_id).await?;
            found.ok_or_else(|| Error::internal("a completed refinement without a result"))?
        }
        _ => return Err(not_applicable(&session)),
    };
    check(&prompt, &session, &body, request)?;
    // Settings are not refined: those of the prompt stay, whatever became of them meanwhile.
    let body = Body { config: prompt.body.config.clone(), ..body };
    if body == prompt.body {
        let detail = format!("version {} already holds what the refinement led to", prompt.version);
        return Err(Error::conflict("no-change", detail));
    }
    let prompt = prompts::adopt(&mut tx, prompt, body, summary(&session), ChangeType::Refinement).await?;
    repository::apply(&mut tx, session_id, prompt.version).await?;
    audit::record(&mut tx, "refinement.applied", session_id, Some(format!("{id} {}", prompt.version))).await?;
    let lint_introduced = lint.get("appeared").cloned().unwrap_or_default();
    let applied = Applied { prompt_id: id, new_version: prompt.version, session_id, lint_introduced, prompt };
    tx.commit_with(&applied).await?;
    Ok(applied)
}

fn not_applicable(session: &SessionRow) -> Error {
    let id = session.id;
    match session.status {
        RefinementStatus::Applied => {
            let version = session.applied_version.unwrap_or_default();
            Error::conflict("already-applied", format!("refinement `{id}` was applied before, as version {version}"))
        }
        RefinementStatus::Failed => {
            Error::conflict("not-completed", format!("refinement `{id}` failed and has no result; begin another"))
        }
        _ => {
            Error::conflict("not-completed", format!("refinement `{id}` is not completed yet; look at it again later"))
        }
    }
}

fn check(prompt: &Prompt, session: &SessionRow, body: &Body, request: ApplyRequest) -> Result<()> {
    if prompt.version != session.base_version && !request.force {
        let detail = format!(
            "version {} was refined, and the prompt is at version {} by now; refine that, or apply with `force`",
            session.base_version, prompt.version
        );
        return Err(Error::conflict("base-changed", detail));
    }
    let only_in = |a: &[String], b: &[String]| {
        let names: Vec<String> = a.iter().filter(|name| !b.contains(name)).map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let (dropped, added) =
        (only_in(&prompt.body.variables, &body.variables), only_in(&body.variables, &prompt.body.variables));
    if request.accept_variable_changes || (dropped.is_empty() && added.is_empty()) {
        return Ok(());
    }
    let mut what = Vec::new();
    if !dropped.is_empty() {
        what.push(format!("drops {dropped}"));
    }
    if !added.is_empty() {
        what.push(format!("adds {added}"));
    }
    let detail = format!(
        "the refinement {} of the prompt's variables, which whoever fills the prompt has to know; apply with \
         `accept_variable_changes`, or refine again",
        what.join(" and ")
    );
    Err(Error::conflict("variables-changed", detail))
}

/// What the version's history says of it.
fn summary(session: &SessionRow) -> String {
    let model = session.model.as_ref().map_or_else(String::new, |model| format!(" ({model})"));
    format!("Refinement {} by {}{model}", session.id, session.llm_service)
}
