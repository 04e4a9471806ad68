//! Finding drift, and choosing what it is measured against.
use super::{
    Baseline, ContentDrift, Drift, DriftStatus,
    content::{self, Side},
    repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    lifecycle,
    prompts::{self, Selector, Show},
    suggestions,
    versions::{self, Version},
};

/// How far a prompt has moved; at its newest version, unless another is asked for.
pub async fn get(app: &App, id: PromptId, version: Option<i64>) -> Result<Drift> {
    let selector = version.map_or(Selector::Latest, Selector::Version);
    let version = prompts::get(app, id, &selector, Show { content: false, usage: false }).await?.version;
    let content = if version == 1 { None } else { Some(content_drift(app, id, version).await?) };
    let name = |severity| serde_json::to_value(severity).ok().and_then(|name| name.as_str().map(str::to_owned));
    let mut explanation = Vec::new();
    if let Some(content) = &content {
        explanation.extend(name(content.step.severity).map(|severity| format!("content-{severity}")));
        explanation.extend(name(content.cumulative.severity).map(|severity| format!("cumulative-{severity}")));
    }
    let (status, evaluated_at) = (DriftStatus::InsufficientData, app.clock.now());
    Ok(Drift { prompt_id: id, version, status, evaluated_at, content, explanation })
}

async fn content_drift(app: &App, id: PromptId, version: i64) -> Result<ContentDrift> {
    let mut conn = app.db.read().await?;
    let baseline = baseline(&mut conn, id).await?.min(version - 1);
    let after = known(&mut conn, id, version).await?;
    let before = known(&mut conn, id, version - 1).await?;
    let first = if baseline == before.version { None } else { Some(known(&mut conn, id, baseline).await?) };
    let options = suggestions::options(&mut conn, id).await?;
    // Long texts take a while, and others want to read.
    drop(conn);
    let compared = tokio::task::spawn_blocking(move || {
        let after = Side::read(&after, &options);
        let since = |version: &Version| content::compare(&Side::read(version, &options), &after);
        let step = since(&before);
        let cumulative = first.as_ref().map_or_else(|| step.clone(), since);
        ContentDrift { step, cumulative }
    });
    compared.await.map_err(|error| Error::Internal(error.into()))
}

/// The pinned version, or the first that was published, or the first.
async fn baseline(conn: &mut Conn, id: PromptId) -> Result<i64> {
    if let Some(pinned) = repository::find(conn, id).await? {
        return Ok(pinned.version);
    }
    Ok(lifecycle::first_published(conn, id).await?.unwrap_or(1))
}

async fn known(conn: &mut Conn, id: PromptId, version: i64) -> Result<Version> {
    versions::find(conn, id, version).await?.ok_or_else(|| Error::not_found("version", version))
}

/// Chooses the version that later ones are compared with.
pub async fn pin_baseline(app: &App, caller: &Caller, id: PromptId, version: i64) -> Result<Baseline> {
    let mut tx = begin!(app, caller);
    prompts::hold_existing(&mut tx, id).await?;
    if versions::find(&mut tx, id, version).await?.is_none() {
        return Err(Error::invalid("/version", "unknown-version", format!("the prompt has no version {version}")));
    }
    let pinned_by = tx.caller().actor.to_string();
    let baseline = Baseline { prompt_id: id, version, pinned_by, pinned_at: tx.now() };
    repository::pin(&mut tx, &baseline).await?;
    audit::record(&mut tx, "prompt.baseline_pinned", id, Some(version.to_string())).await?;
    tx.commit_with(&baseline).await?;
    Ok(baseline)
}

/// Lets the baseline follow the life of the prompt again.
pub async fn unpin_baseline(app: &App, caller: &Caller, id: PromptId) -> Result<()> {
    let mut tx = begin!(app, caller);
    prompts::hold_existing(&mut tx, id).await?;
    if !repository::unpin(&mut tx, id).await? {
        return Err(Error::not_found("baseline", id));
    }
    audit::record(&mut tx, "prompt.baseline_unpinned", id, None).await?;
    tx.commit_with(&()).await
}
