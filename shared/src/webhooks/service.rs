//! Making webhooks, changing them, and telling how they are.
use std::time::Duration;

use super::{
    NewWebhook, Payload, Stats, Webhook, WebhookPatch, model::WebhookRow, repository, signature::Secret, telling,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    clock::Timestamp,
    db::{Json, Tx},
    error::{Error, Result},
    id::WebhookId,
    notifications,
    page::{Page, PageRequest, Position, SortKey},
    secret,
};

/// Every event is held against every webhook, so there are not too many.
const WEBHOOKS_MAX: i64 = 1000;
/// After a change of the secret, receivers have this long to learn the new one.
const OVERLAP: Duration = Duration::from_hours(24);
const RECENT: i64 = 20;
/// Tests are kept as long as events.
const TESTS_KEPT: Duration = Duration::from_hours(30 * 24);
/// What secrets are encrypted for.
pub(super) const SECRETS: &str = secret::WEBHOOKS;

/// Makes a webhook. Its secret is in this answer, and in no other: also a repeated request is answered without it.
pub async fn create(app: &App, caller: &Caller, new: NewWebhook) -> Result<Webhook> {
    app.http.read_url(&new.url)?;
    let secret = match &new.secret {
        Some(text) => Secret::read(text).map_err(|violation| Error::from_violations(vec![violation]))?,
        None => Secret::generate(),
    };
    let now = app.clock.now();
    let mut row = WebhookRow {
        id: WebhookId::generate(now),
        name: new.name,
        url: new.url,
        events: Json(new.events),
        payload: new.payload,
        is_active: new.is_active,
        active_after: 0,
        retry_count: new.retry_count,
        timeout_seconds: new.timeout_seconds,
        secret: app.secret.seal(SECRETS, secret.text().as_bytes()),
        previous_secret: None,
        previous_secret_until: None,
        failures: 0,
        failing_since: None,
        paused_until: None,
        disabled_reason: None,
        created_by: caller.actor.to_string(),
        created_at: now,
        updated_at: now,
    };
    row.check()?;
    let mut tx = begin!(app, caller);
    if repository::count(&mut tx).await? >= WEBHOOKS_MAX {
        return Err(Error::conflict("webhook-limit", format!("there are {WEBHOOKS_MAX} webhooks; delete one first")));
    }
    keep_objects(&mut tx, &row).await?;
    row.active_after = telling::tell(&mut tx).await?;
    repository::insert(&mut tx, &row).await?;
    let webhook = row.show();
    audit::record_state(&mut tx, "webhook.created", webhook.id, None, &webhook).await?;
    tx.commit_with(&webhook).await?;
    Ok(Webhook { secret: Some(secret.text()), ..webhook })
}

/// A webhook.
pub async fn get(app: &App, id: WebhookId) -> Result<Webhook> {
    let row = repository::find(&mut app.db.read().await?, id).await?;
    Ok(row.ok_or_else(|| missing(id))?.show())
}

/// All webhooks, the newest first.
pub async fn list(app: &App, request: &PageRequest) -> Result<Page<Webhook>> {
    let after = request.after(&app.secret, "webhooks")?;
    let before = match &after {
        Some(Position { key: SortKey::Number(at), id }) => (*at, id.as_str()),
        _ => (i64::MAX, ""),
    };
    let (rows, total) = repository::list(&mut app.db.read().await?, before, request).await?;
    let rows = rows.into_iter().map(WebhookRow::show).collect();
    let position = |row: &Webhook| Position { key: SortKey::Number(row.created_at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, "webhooks", total, rows, position))
}

/// Changes what the patch says. Switched off, what waits for it is not sent; switched on, it begins anew.
pub async fn update(app: &App, caller: &Caller, id: WebhookId, patch: WebhookPatch) -> Result<Webhook> {
    if let Some(url) = &patch.url {
        app.http.read_url(url)?;
    }
    let mut tx = begin!(app, caller);
    let mut row = hold(&mut tx, id).await?;
    let was_active = row.is_active;
    // Whoever answers elsewhere now has not failed there yet.
    if patch.url.is_some() || patch.is_active == Some(true) {
        (row.failures, row.failing_since, row.paused_until) = (0, None, None);
    }
    row.name = patch.name.unwrap_or(row.name);
    row.url = patch.url.unwrap_or(row.url);
    row.events = patch.events.map_or(row.events, Json);
    row.payload = patch.payload.unwrap_or(row.payload);
    row.is_active = patch.is_active.unwrap_or(row.is_active);
    row.retry_count = patch.retry_count.unwrap_or(row.retry_count);
    row.timeout_seconds = patch.timeout_seconds.unwrap_or(row.timeout_seconds);
    row.updated_at = tx.now();
    if row.is_active && !was_active {
        (row.active_after, row.disabled_reason) = (telling::tell(&mut tx).await?, None);
    }
    row.check()?;
    keep_objects(&mut tx, &row).await?;
    repository::update(&mut tx, &row).await?;
    if was_active && !row.is_active {
        repository::end_all(&mut tx, id).await?;
    }
    let webhook = row.show();
    audit::record_state(&mut tx, "webhook.updated", id, None, &webhook).await?;
    tx.commit_with(&webhook).await?;
    Ok(webhook)
}

/// Deletes a webhook, with everything it was sent.
pub async fn delete(app: &App, caller: &Caller, id: WebhookId) -> Result<()> {
    let mut tx = begin!(app, caller);
    let wanted = repository::others_want_objects(&mut tx, id).await?;
    notifications::keep_objects(&mut tx, wanted).await?;
    if !repository::delete(&mut tx, id).await? {
        return Err(missing(id));
    }
    audit::record(&mut tx, "webhook.deleted", id, None).await?;
    tx.commit_with(&()).await
}

/// Makes a new secret. For a day deliveries are signed with the one before it, too. Like [`create`], it tells the
/// secret once.
pub async fn rotate_secret(app: &App, caller: &Caller, id: WebhookId) -> Result<Webhook> {
    let secret = Secret::generate();
    let mut tx = begin!(app, caller);
    let mut row = hold(&mut tx, id).await?;
    let sealed = app.secret.seal(SECRETS, secret.text().as_bytes());
    row.previous_secret = Some(std::mem::replace(&mut row.secret, sealed));
    row.previous_secret_until = Some(tx.now() + OVERLAP);
    row.updated_at = tx.now();
    repository::update(&mut tx, &row).await?;
    audit::record(&mut tx, "webhook.secret_rotated", id, None).await?;
    let webhook = row.show();
    tx.commit_with(&webhook).await?;
    Ok(Webhook { secret: Some(secret.text()), ..webhook })
}

/// What has been told, and to whom.
pub async fn stats(app: &App) -> Result<Stats> {
    let mut conn = app.db.read().await?;
    let (webhook_stats, states) = repository::stats(&mut conn).await?;
    let events = notifications::counts(&mut conn).await?;
    Ok(Stats {
        status_counts: states.into_iter().map(|(state, count)| (state.to_string(), count)).collect(),
        total_notifications: events.iter().map(|event| event.count).sum(),
        event_counts: events.into_iter().map(|event| (event.event_type.to_string(), event.count)).collect(),
        recent_events: notifications::recent(&mut conn, RECENT).await?,
        webhook_stats,
    })
}

/// Throws away at most `most` tests that are old enough.
pub async fn purge(app: &App, caller: &Caller, most: i64) -> Result<u64> {
    let mut tx = app.begin(caller).await?;
    let before = tx.now() - TESTS_KEPT;
    let purged = repository::purge_tests(&mut tx, before, most).await?;
    tx.commit().await?;
    Ok(purged)
}

pub(super) async fn hold(tx: &mut Tx, id: WebhookId) -> Result<WebhookRow> {
    repository::hold(tx, id).await?.ok_or_else(|| missing(id))
}

pub(super) fn missing(id: WebhookId) -> Error {
    Error::not_found("webhook", id)
}

/// Objects are kept with events for as long as anybody wants them whole.
async fn keep_objects(tx: &mut Tx, row: &WebhookRow) -> Result<()> {
    let wanted = row.is_active && row.payload == Payload::Full;
    let wanted = wanted || repository::others_want_objects(tx, row.id).await?;
    notifications::keep_objects(tx, wanted).await
}

/// The clock was set back by so much: what waits to be sent does so no longer for it. Part of the caller's transaction.
pub async fn bring_forward(tx: &mut Tx, by: Duration) -> Result<()> {
    repository::bring_forward(tx, i64::try_from(by.as_millis()).unwrap_or(i64::MAX)).await
}

/// How many deliveries are not made yet, and when the first of them was to be made.
pub async fn backlog(app: &App) -> Result<(i64, Option<Timestamp>)> {
    repository::backlog(&mut app.db.read().await?).await
}
