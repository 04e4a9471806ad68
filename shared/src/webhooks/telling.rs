//! From events to deliveries: gives events their order, and writes down who is to be told of them.
use std::collections::BTreeSet;

use super::{DeliverWebhooks, repository};
use crate::{
    app::App,
    caller::Caller,
    db::Tx,
    error::Result,
    id::WebhookId,
    jobs,
    notifications::{self, Event},
    retry,
};

/// The events of one transaction.
const BATCH: i64 = 100;
/// So many batches of a turn: whoever calls has other things to do as well.
const BATCHES: usize = 20;

/// Tells of everything that has happened since the last time, and orders jobs for the webhooks that something is due
/// for. Anybody may call it at any time: whoever comes second finds nothing to do.
pub async fn publish(app: &App, caller: &Caller) -> Result<()> {
    for _ in 0..BATCHES {
        if !notifications::announced(app).await? {
            break;
        }
        retry::races(|| publish_batch(app, caller)).await?;
    }
    wake(app, caller).await
}

async fn publish_batch(app: &App, caller: &Caller) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    tell_batch(&mut tx).await?;
    tx.commit().await
}

/// Tells those who listen now of what has happened until now, and answers the sequence of the last event: whoever begins to
/// listen in this transaction is told of what comes after it.
pub(super) async fn tell(tx: &mut Tx) -> Result<i64> {
    while tell_batch(tx).await? > 0 {}
    notifications::last(tx).await
}

/// Sequence, deliveries and jobs are one transaction: an event that has a sequence has been told. Answers how many they were.
async fn tell_batch(tx: &mut Tx) -> Result<usize> {
    let events = notifications::seal(tx, BATCH).await?;
    for webhook in fan_out(tx, &events).await? {
        tx.enqueue(&DeliverWebhooks { webhook_id: webhook }).await?;
    }
    Ok(events.len())
}

async fn fan_out(tx: &mut Tx, events: &[Event]) -> Result<BTreeSet<WebhookId>> {
    let mut told = BTreeSet::new();
    if events.is_empty() {
        return Ok(told);
    }
    for webhook in repository::active(tx).await? {
        let after = webhook.active_after;
        for event in events.iter().filter(|event| event.sequence > after && webhook.wants(event)) {
            let event_type = event.event_type.to_string();
            repository::insert_delivery(tx, webhook.id, Some(event.id), &event_type).await?;
            told.insert(webhook.id);
        }
    }
    Ok(told)
}

/// Retries that are due, receivers that were left alone for long enough, and jobs that ended in the moment in which
/// something came: all of them are found here.
async fn wake(app: &App, caller: &Caller) -> Result<()> {
    let mut waiting = Vec::new();
    {
        let mut conn = app.db.read().await?;
        for webhook_id in repository::with_due(&mut conn, app.clock.now()).await? {
            let job = DeliverWebhooks { webhook_id };
            if !jobs::is_ordered(&mut conn, &job, app.clock.now()).await? {
                waiting.push(job);
            }
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let mut tx = app.begin(caller).await?;
    for job in &waiting {
        tx.enqueue(job).await?;
    }
    tx.commit().await
}
