//! Reading what will be asked for before anybody asks.
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kept;
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    error::{Error, Result, Violation},
    id::PromptId,
    jobs::{Claim, Job, Outcome, Queue},
    prompts::{self, Selector},
};

/// The most prompts of one warm-up.
pub const WARM_UP_MAX: i64 = 10_000;
/// What was used since counts as use.
const USED_DAYS: u64 = 7;
/// So many are read before the job says that it is alive.
const CHUNK: usize = 50;

/// Which prompts are to be read: these, or the most used ones of the last seven days.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WarmUp {
    /// These, 1 to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_ids: Option<Vec<PromptId>>,
    /// The most used ones of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many of the most used ones, 1 to 10,000; 100 unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_n: Option<i64>,
}

/// Where to look how a warm-up goes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WarmUpOrder {
    /// The list of such jobs, the newest first.
    pub status_url: String,
}

/// Read prompts by their names, so that they are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WarmCacheUp(WarmUp);

impl Job for WarmCacheUp {
    const QUEUE: Queue = Queue::CacheWarmups;
}

impl WarmUp {
    fn check(&self) -> Result<()> {
        let mut violations = Vec::new();
        let most = usize::try_from(WARM_UP_MAX).unwrap_or(usize::MAX);
        if self.prompt_ids.as_ref().is_some_and(|ids| !(1..=most).contains(&ids.len())) {
            let detail = format!("give 1 to {WARM_UP_MAX} prompts at once");
            violations.push(Violation::new("/prompt_ids", "out-of-range", detail));
        }
        if self.top_n.is_some_and(|top_n| !(1..=WARM_UP_MAX).contains(&top_n)) {
            let detail = format!("`top_n` must be 1 to {WARM_UP_MAX}");
            violations.push(Violation::new("/top_n", "out-of-range", detail));
        }
        if self.prompt_ids.is_some() && (self.category.is_some() || self.top_n.is_some()) {
            let detail = "give `prompt_ids`, or `category` and `top_n`, not both";
            violations.push(Violation::new("/prompt_ids", "not-together", detail));
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
    }
}

/// Orders prompts to be read by a worker, so that whoever asks for them next finds them kept.
pub async fn order_warm_up(app: &App, caller: &Caller, what: WarmUp) -> Result<WarmUpOrder> {
    what.check()?;
    let mut tx = begin!(app, caller);
    tx.enqueue(&WarmCacheUp(what)).await?;
    audit::record(&mut tx, "cache.warm_up_ordered", Queue::CacheWarmups, None).await?;
    let order = WarmUpOrder { status_url: format!("/api/v1/jobs?queue={}", Queue::CacheWarmups) };
    tx.commit_with(&order).await?;
    Ok(order)
}

/// Reads them one after the other, so that whoever asks for a prompt meanwhile does not wait for many.
pub async fn warm_up(app: &App, claim: &Claim, caller: &Caller, job: WarmCacheUp) -> Result<Outcome> {
    let WarmCacheUp(what) = job;
    let names = if let Some(ids) = &what.prompt_ids {
        prompts::names_of(app, ids).await?
    } else {
        let since = app.clock.now() - Duration::from_hours(24 * USED_DAYS);
        let category = what.category.as_deref().map(prompts::sought);
        prompts::most_used(app, category.as_deref(), since, what.top_n.unwrap_or(100)).await?
    };
    for chunk in names.chunks(CHUNK) {
        for (category, name) in chunk {
            match kept::find(app, (category, name), &Selector::Production).await {
                // An archived prompt is not served, and that is kept as well.
                Err(error) if !error.fails_alone() => return Err(error),
                _ => tokio::task::yield_now().await,
            }
        }
        let mut tx = app.begin(caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        tx.commit().await?;
    }
    Ok(Outcome::Done)
}
