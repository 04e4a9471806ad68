//! Sending what is due to one receiver, and what follows from how it answers.
use std::time::{Duration, Instant};

use futures::{StreamExt, stream::FuturesUnordered};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::json;

use super::{
    Attempt, DeliverWebhooks, DeliveryState, Payload, counts,
    deliveries::TEST,
    model::WebhookRow,
    repository::{self, Due},
    schedule,
    service::SECRETS,
    signature::{self, Secret},
};
use crate::{
    app::App,
    audit,
    caller::Caller,
    clock::Timestamp,
    db::{Conn, Tx},
    error::{Error, Result},
    http::{self, Answer, Failure},
    id::{DeliveryId, WebhookId},
    jobs::{Claim, Outcome, Queue},
    notifications::{self, EventType},
    retry,
};

/// So many requests a receiver has to answer at once.
const IN_FLIGHT: usize = 4;
/// So many requests of one process wait for answers at once, however many receivers hang.
const WAITING_MOST: usize = 64;
const _: () = assert!(Queue::WebhookDeliveries.concurrency() * IN_FLIGHT <= WAITING_MOST);
/// Whoever takes longer to answer is sent the next before.
const QUICK: Duration = Duration::from_millis(100);
/// So many deliveries are read at once.
const BATCH: i64 = 10;
/// After this a job gives its place back, so that a receiver of much does not keep others waiting.
const TURN: Duration = Duration::from_secs(2);
/// So much of an answer is read; more is nobody's acknowledgement.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// So much of it is kept, for a person to look at.
const ANSWER_CHARS_KEPT: usize = 4 * 1024;
/// A job that ended in an error of ours is not tried again before.
const AFTER_ERROR: Duration = Duration::from_hours(1);

/// The receiver has said that it is there no more.
pub(super) const GONE: &str = "gone";
/// The receiver has answered with another status than success.
pub(super) const STATUS: &str = "status";
/// The receiver has failed for too long.
pub(super) const FAILING: &str = "failing";

/// A message, as it goes out at every attempt.
struct Message {
    id: DeliveryId,
    event_type: String,
    body: Vec<u8>,
}

/// What is due, and what it takes to send it.
struct Batch {
    webhook: WebhookRow,
    secrets: Vec<Secret>,
    due: Vec<(Due, Message)>,
}

/// How an attempt ended.
struct Ended {
    attempt: Attempt,
    failure: Option<Failure>,
    retry_after: Option<Duration>,
}

/// Sends what is due to a webhook. What became of an attempt is written down at once, under the fence: a worker that dies
/// leaves only those in doubt that it had in hand.
pub async fn deliver(app: &App, claim: &Claim, id: WebhookId) -> Result<Outcome> {
    let (began, caller) = (Instant::now(), Caller::system("worker"));
    loop {
        let Some(batch) = retry::races(|| take(app, &caller, claim, id)).await? else { return Ok(Outcome::Done) };
        let Batch { webhook, secrets, due } = batch;
        let (webhook, secrets) = (&webhook, &secrets);
        let (mut waiting, mut sent) = (due.into_iter(), FuturesUnordered::new());
        loop {
            if sent.len() < IN_FLIGHT
                && began.elapsed() < TURN
                && let Some((due, message)) = waiting.next()
            {
                sent.push(async move {
                    let ended = send(app, webhook, secrets, &due, &message).await;
                    (due, ended)
                });
            }
            // One at a time to whoever is quick, so that little is in doubt; side by side to whoever is not.
            match tokio::time::timeout(QUICK, sent.next()).await {
                Err(_) => {}
                Ok(Some((due, ended))) => retry::races(|| record(app, &caller, claim, id, &due, &ended)).await?,
                Ok(None) => break,
            }
        }
        if began.elapsed() >= TURN {
            return Ok(Outcome::Again);
        }
    }
}

/// The next few deliveries; only one, if it is not known whether anybody is there. None, if there is nothing to do.
async fn take(app: &App, caller: &Caller, claim: &Claim, id: WebhookId) -> Result<Option<Batch>> {
    let mut tx = app.begin(caller).await?;
    // Progress is an answer that was written down: a delivery whose worker is lost each time is poison.
    claim.keep(&mut tx, app.settings.lease).await?;
    let now = tx.now();
    let due = due(&mut tx, id, now).await?;
    tx.commit().await?;
    let Some((webhook, due)) = due else { return Ok(None) };
    let secrets = secrets(app, &webhook, now)?;
    Ok(Some(Batch { webhook, secrets, due }))
}

async fn due(conn: &mut Conn, id: WebhookId, now: Timestamp) -> Result<Option<(WebhookRow, Vec<(Due, Message)>)>> {
    let Some(webhook) = repository::find(conn, id).await? else { return Ok(None) };
    if !webhook.is_active || webhook.paused_until.is_some_and(|until| until > now) {
        return Ok(None);
    }
    let most = if webhook.failures >= schedule::FAILURES_MAX { 1 } else { BATCH };
    let mut due = Vec::new();
    for row in repository::due(conn, id, now, most).await? {
        let message = message(conn, &webhook, &row).await?;
        due.push((row, message));
    }
    Ok(if due.is_empty() { None } else { Some((webhook, due)) })
}

/// The same bytes at every attempt.
async fn message(conn: &mut Conn, webhook: &WebhookRow, due: &Due) -> Result<Message> {
    let lost = || Error::internal("a delivery whose event is not there");
    let (event_type, body) = match due.event_id {
        None => {
            let data = json!({ "webhook_id": webhook.id, "name": webhook.name });
            let body =
                json!({ "id": due.id, "type": TEST, "timestamp": due.created_at, "sequence": null, "data": data });
            (TEST.to_owned(), body)
        }
        Some(id) => {
            let (mut event, object) = notifications::event(conn, id).await?.ok_or_else(lost)?;
            if webhook.payload == Payload::Full
                && let Some(data) = event.data.as_object_mut()
            {
                match object.map(|object| serde_json::from_str(&object)) {
                    Some(Ok(object)) => data.insert("object".to_owned(), object),
                    _ => data.insert("truncated".to_owned(), true.into()),
                };
            }
            (event.event_type.to_string(), json!(event))
        }
    };
    Ok(Message { id: due.id, event_type, body: body.to_string().into_bytes() })
}

/// What messages are signed with now: the secret, and for a while the one before it.
fn secrets(app: &App, webhook: &WebhookRow, now: Timestamp) -> Result<Vec<Secret>> {
    let previous = webhook.previous_secret.as_ref();
    let previous = previous.filter(|_| webhook.previous_secret_until.is_some_and(|until| until > now));
    let open = |sealed: &String| {
        let text = app.secret.open(SECRETS, sealed).and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| Secret::read(&text).ok()).ok_or_else(|| {
            Error::internal("a webhook's secret was encrypted with another PROMPT_STORE_SECRET_KEY; rotate it")
        })
    };
    let mut secrets = vec![open(&webhook.secret)?];
    // The one before it may be of a secret of the store that was lost.
    secrets.extend(previous.and_then(|sealed| open(sealed).ok()));
    Ok(secrets)
}

async fn send(app: &App, webhook: &WebhookRow, secrets: &[Secret], due: &Due, message: &Message) -> Ended {
    let (at, started) = (app.clock.now(), Instant::now());
    let request = http::Request {
        method: Method::POST,
        url: webhook.url.clone(),
        headers: headers(webhook, secrets, message, at),
        body: message.body.clone(),
        deadline: Duration::from_secs(u64::try_from(webhook.timeout_seconds).unwrap_or(1)),
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let sent = app.http.send(request).await;
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let attempt = Attempt { attempt: due.attempts + 1, at, duration_ms, status: None, error: None, response: None };
    match sent {
        Err(failure) => {
            let attempt = Attempt { error: Some(failure.code().to_owned()), ..attempt };
            Ended { attempt, failure: Some(failure), retry_after: None }
        }
        Ok(answer) => {
            let error = match answer.status {
                status if status.is_success() => None,
                StatusCode::GONE => Some(GONE.to_owned()),
                _ => Some(STATUS.to_owned()),
            };
            let (status, response) = (Some(answer.status.as_u16().into()), Some(readable(&answer)));
            let retry_after = answer.retry_after(at);
            Ended { attempt: Attempt { status, error, response, ..attempt }, failure: None, retry_after }
        }
    }
}

fn headers(webhook: &WebhookRow, secrets: &[Secret], message: &Message, at: Timestamp) -> HeaderMap {
    let signatures = signature::signatures(secrets, &message.id.to_string(), at, &message.body);
    let told = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (HeaderName::from_static("webhook-id"), message.id.to_string()),
        (HeaderName::from_static("webhook-timestamp"), signature::seconds(at).to_string()),
        (HeaderName::from_static("webhook-signature"), signatures),
        (HeaderName::from_static("x-event-type"), message.event_type.clone()),
        (HeaderName::from_static("x-webhook-id"), webhook.id.to_string()),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
}

/// The beginning of an answer, with nothing in it that a terminal would obey or a database refuse.
fn readable(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let plain = |char: char| if char.is_control() && char != '\n' { '\u{fffd}' } else { char };
    text.chars().map(plain).take(ANSWER_CHARS_KEPT).collect()
}

/// Writes down how an attempt ended, and what follows from it for the delivery and for the webhook.
async fn record(app: &App, caller: &Caller, claim: &Claim, id: WebhookId, due: &Due, ended: &Ended) -> Result<()> {
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    // Deleted meanwhile, with everything it was sent.
    let Some(webhook) = repository::hold(&mut tx, id).await? else { return tx.commit().await };
    let (state, next, disabled) = settle(&mut tx, webhook, due, ended).await?;
    repository::record(&mut tx, due.id, &ended.attempt, state, next).await?;
    if let Some(reason) = disabled {
        disable(&mut tx, id, reason).await?;
    }
    tx.commit().await?;
    counts::attempt(ended.attempt.error.as_deref());
    Ok(())
}

/// What an attempt means: how its delivery stands, when it is tried again, and why its webhook is switched off. How the
/// receiver fares is written with it.
async fn settle(
    tx: &mut Tx,
    mut webhook: WebhookRow,
    due: &Due,
    ended: &Ended,
) -> Result<(DeliveryState, Option<Timestamp>, Option<&'static str>)> {
    let now = tx.now();
    if ended.failure == Some(Failure::Blocked) {
        // Nobody was asked, so nobody has failed; and asking again would change nothing.
        return Ok((DeliveryState::Failed, None, None));
    }
    if ended.attempt.error.is_none() {
        if webhook.failures > 0 {
            (webhook.failures, webhook.failing_since, webhook.paused_until) = (0, None, None);
            repository::update(tx, &webhook).await?;
        }
        return Ok((DeliveryState::Delivered, None, None));
    }
    let (failures, since) = (webhook.failures + 1, webhook.failing_since.unwrap_or(now));
    (webhook.failures, webhook.failing_since) = (failures, Some(since));
    webhook.paused_until = schedule::pause(failures).map(|pause| now + pause);
    repository::update(tx, &webhook).await?;
    if ended.attempt.error.as_deref() == Some(GONE) {
        return Ok((DeliveryState::Failed, None, Some(GONE)));
    }
    if schedule::is_given_up(failures, since, now) {
        return Ok((DeliveryState::EndpointDisabled, None, Some(FAILING)));
    }
    let tries = due.tries + 1;
    if tries > webhook.retry_count {
        return Ok((DeliveryState::Failed, None, None));
    }
    if !webhook.is_active {
        return Ok((DeliveryState::EndpointDisabled, None, None));
    }
    let overloaded = matches!(ended.attempt.status, Some(429 | 502 | 504)) || ended.failure == Some(Failure::Timeout);
    let next = now + schedule::wait(tries, overloaded, ended.retry_after);
    Ok((DeliveryState::Pending, Some(next), None))
}

/// Switches a webhook off, tells of it, and ends what waits for it.
async fn disable(tx: &mut Tx, id: WebhookId, reason: &str) -> Result<()> {
    let Some(mut webhook) = repository::find(tx, id).await?.filter(|webhook| webhook.is_active) else { return Ok(()) };
    (webhook.is_active, webhook.disabled_reason) = (false, Some(reason.to_owned()));
    webhook.updated_at = tx.now();
    repository::update(tx, &webhook).await?;
    repository::end_all(tx, id).await?;
    audit::record(tx, "webhook.disabled", id, Some(reason.to_owned())).await?;
    counts::disabled(reason);
    let data = json!({ "id": id, "name": webhook.name, "reason": reason });
    notifications::announce(tx, EventType::WebhookDisabled, id, data, &webhook.show()).await
}

/// The job of a webhook is dead. What waits for it is left alone for a while, and then tried again by another.
pub async fn gave_up(tx: &mut Tx, order: &DeliverWebhooks) -> Result<()> {
    pause(tx, order.webhook_id, Some(AFTER_ERROR)).await
}

/// Somebody wants the job tried again now.
pub async fn revive(tx: &mut Tx, order: &DeliverWebhooks) -> Result<()> {
    pause(tx, order.webhook_id, None).await
}

async fn pause(tx: &mut Tx, id: WebhookId, pause: Option<Duration>) -> Result<()> {
    let Some(mut webhook) = repository::hold(tx, id).await? else { return Ok(()) };
    webhook.paused_until = pause.map(|pause| tx.now() + pause);
    repository::update(tx, &webhook).await
}
