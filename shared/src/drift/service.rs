//! Finding drift, and choosing what it is measured against.
use super::{
    Baseline, ContentDrift, Drift, DriftStatus, Performance,
    content::{self, Side},
    evaluate, repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    clock::Timestamp,
    computing,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    lifecycle,
    prompts::{self, Selector, Show},
    suggestions,
    versions::{self, Version},
};

const WINDOW_DAYS_MAX: i64 = 30;

/// How far a prompt has moved; at its newest version, unless another is asked for. How it does in use is that of the last
/// `window_days`, 1 to 30.
pub async fn get(
    app: &App,
    caller: &Caller,
    id: PromptId,
    version: Option<i64>,
    window_days: Option<i64>,
) -> Result<Drift> {
    let window_days = window_days.unwrap_or(evaluate::WINDOW_DAYS);
    if !(1..=WINDOW_DAYS_MAX).contains(&window_days) {
        let detail = format!("`window_days` must be 1 to {WINDOW_DAYS_MAX}");
        return Err(Error::invalid("/window_days", "out-of-range", detail));
    }
    let selector = version.map_or(Selector::Latest, Selector::Version);
    let show = Show { content: false, usage_since: None };
    let version = prompts::get(app, caller, id, &selector, show).await?.version;
    let content = if version == 1 { None } else { Some(content_drift(app, id, version).await?) };
    let name = |severity| serde_json::to_value(severity).ok().and_then(|name| name.as_str().map(str::to_owned));
    let mut explanation = Vec::new();
    if let Some(content) = &content {
        explanation.extend(name(content.step.severity).map(|severity| format!("content-{severity}")));
        explanation.extend(name(content.cumulative.severity).map(|severity| format!("cumulative-{severity}")));
    }
    let now = app.clock.now();
    let mut conn = app.db.read_at_once().await?;
    let performance = evaluate::performance(&mut conn, id, version, now, window_days).await?;
    let moved = performance.metrics.iter().filter(|metric| metric.status > DriftStatus::Stable);
    explanation.extend(moved.map(|metric| {
        let direction = metric.direction.as_deref().unwrap_or("other");
        format!("{}-{}-{direction}", metric.status, metric.metric.replace('_', "-"))
    }));
    let warned = performance.early_warnings.iter();
    explanation.extend(warned.map(|it| format!("early-{}-{}", it.metric.replace('_', "-"), it.direction)));
    let status = performance.status;
    Ok(Drift { prompt_id: id, version, status, evaluated_at: now, performance, content, explanation })
}

/// How a version does in use, for a caller who has seen the prompt.
pub async fn performance_of(app: &App, id: PromptId, version: i64) -> Result<Performance> {
    let mut conn = app.db.read_at_once().await?;
    evaluate::performance(&mut conn, id, version, app.clock.now(), evaluate::WINDOW_DAYS).await
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
    computing::run(move || {
        let after = Side::read(&after, &options);
        let since = |version: &Version| content::compare(&Side::read(version, &options), &after);
        let step = since(&before);
        let cumulative = first.as_ref().map_or_else(|| step.clone(), since);
        ContentDrift { step, cumulative }
    })
    .await
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

/// Chooses the version that later ones are compared with, and the time, if one is given.
pub async fn pin_baseline(
    app: &App,
    caller: &Caller,
    id: PromptId,
    version: i64,
    (reference_from, reference_to): (Option<Timestamp>, Option<Timestamp>),
) -> Result<Baseline> {
    match (reference_from, reference_to) {
        (Some(from), Some(to)) if from >= to => {
            let detail = "`reference_from` must come before `reference_to`";
            return Err(Error::invalid("/reference_from", "reversed", detail));
        }
        (Some(_), None) => return Err(Error::invalid("/reference_to", "required", "say where the time ends")),
        (None, Some(_)) => return Err(Error::invalid("/reference_from", "required", "say where the time begins")),
        _ => {}
    }
    let mut tx = begin!(app, caller);
    prompts::hold_existing(&mut tx, id).await?;
    if versions::find(&mut tx, id, version).await?.is_none() {
        return Err(Error::invalid("/version", "unknown-version", format!("the prompt has no version {version}")));
    }
    let pinned_by = tx.caller().actor.to_string();
    let baseline = Baseline { prompt_id: id, version, reference_from, reference_to, pinned_by, pinned_at: tx.now() };
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
