//! What a webhook was sent: the log, a test, and sending it again.
use super::{
    DeliverWebhooks, Delivery, DeliveryFilter, DeliveryLog, Range, Replayed,
    model::WebhookRow,
    repository,
    service::{hold, missing},
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    db::{Conn, Tx},
    error::{Error, Result},
    id::{DeliveryId, WebhookId},
    notifications,
    page::{Page, PageRequest, Position, SortKey},
};

/// The type of the message that a test sends. No event has it.
pub(super) const TEST: &str = "webhook.test";
/// So many events are sent again at once.
const REPLAYED_MOST: i64 = 10_000;

/// What a webhook was sent and is to be sent, the newest first.
pub async fn deliveries(
    app: &App,
    id: WebhookId,
    filter: &DeliveryFilter,
    request: &PageRequest,
) -> Result<Page<Delivery>> {
    let name = format!("deliveries {id} {filter:?}");
    let after = request.after(&app.secret, &name)?;
    let mut conn = app.db.read().await?;
    repository::find(&mut conn, id).await?.ok_or_else(|| missing(id))?;
    let (rows, total) = repository::deliveries(&mut conn, id, filter, after.as_ref(), request).await?;
    let position = |row: &Delivery| Position { key: SortKey::Number(row.created_at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// One delivery and its attempts.
pub async fn delivery(app: &App, webhook: WebhookId, id: DeliveryId) -> Result<DeliveryLog> {
    let mut conn = app.db.read().await?;
    let delivery = existing(&mut conn, webhook, id).await?;
    Ok(DeliveryLog { delivery, log: repository::attempts(&mut conn, id).await? })
}

/// Sends a webhook a message that tells of nothing.
pub async fn test(app: &App, caller: &Caller, id: WebhookId) -> Result<Delivery> {
    let mut tx = begin!(app, caller);
    begin_anew(&mut tx, id).await?;
    let delivery = repository::insert_delivery(&mut tx, id, None, TEST).await?;
    let delivery = delivery.ok_or_else(|| Error::internal("the id of a new delivery was taken"))?;
    order(&mut tx, id).await?;
    audit::record(&mut tx, "webhook.tested", id, None).await?;
    let delivery = existing(&mut tx, id, delivery).await?;
    tx.commit_with(&delivery).await?;
    Ok(delivery)
}

/// Sends what is over once more, under the id it had. 409 `delivery-pending`, if it is on its way.
pub async fn replay(app: &App, caller: &Caller, webhook: WebhookId, id: DeliveryId) -> Result<Delivery> {
    let mut tx = begin!(app, caller);
    begin_anew(&mut tx, webhook).await?;
    existing(&mut tx, webhook, id).await?;
    if !repository::replay(&mut tx, webhook, id).await? {
        return Err(Error::conflict("delivery-pending", "this delivery is on its way; `next_attempt_at` says when"));
    }
    order(&mut tx, webhook).await?;
    audit::record(&mut tx, "webhook.replayed", webhook, Some(id.to_string())).await?;
    let delivery = existing(&mut tx, webhook, id).await?;
    tx.commit_with(&delivery).await?;
    Ok(delivery)
}

/// Sends a webhook everything of a time that it wants, what it has taken and what it was never sent included.
pub async fn replay_range(app: &App, caller: &Caller, id: WebhookId, range: Range) -> Result<Replayed> {
    let mut tx = begin!(app, caller);
    let webhook = begin_anew(&mut tx, id).await?;
    let until = range.until.unwrap_or(tx.now());
    if until <= range.since {
        return Err(Error::invalid("/until", "out-of-range", "`until` must be after `since`"));
    }
    let events = notifications::between(&mut tx, range.since, until, REPLAYED_MOST + 1).await?;
    if i64::try_from(events.len()).unwrap_or(i64::MAX) > REPLAYED_MOST {
        let detail = format!("more than {REPLAYED_MOST} events are of this time; replay it in parts");
        return Err(Error::invalid("/since", "out-of-range", detail));
    }
    let mut replayed_count = 0;
    for event in events.iter().filter(|event| webhook.wants(event)) {
        let event_type = event.event_type.to_string();
        let again = repository::replay_event(&mut tx, id, event.id).await?
            || repository::insert_delivery(&mut tx, id, Some(event.id), &event_type).await?.is_some();
        replayed_count += i64::from(again);
    }
    order(&mut tx, id).await?;
    let detail = format!("{} to {until}: {replayed_count}", range.since);
    audit::record(&mut tx, "webhook.replayed", id, Some(detail)).await?;
    let replayed = Replayed { replayed_count };
    tx.commit_with(&replayed).await?;
    Ok(replayed)
}

/// Whoever sends something by hand wants to see what becomes of it, also from a receiver that was being left alone.
async fn begin_anew(tx: &mut Tx, id: WebhookId) -> Result<WebhookRow> {
    let mut row = hold(tx, id).await?;
    if !row.is_active {
        return Err(Error::conflict("webhook-inactive", "the webhook is switched off; switch it on first"));
    }
    if row.paused_until.take().is_some() {
        repository::update(tx, &row).await?;
    }
    Ok(row)
}

async fn order(tx: &mut Tx, webhook_id: WebhookId) -> Result<()> {
    tx.enqueue(&DeliverWebhooks { webhook_id }).await
}

async fn existing(conn: &mut Conn, webhook: WebhookId, id: DeliveryId) -> Result<Delivery> {
    if let Some(delivery) = repository::delivery(conn, webhook, id).await? {
        return Ok(delivery);
    }
    repository::find(conn, webhook).await?.ok_or_else(|| missing(webhook))?;
    Err(Error::not_found("delivery", id))
}
