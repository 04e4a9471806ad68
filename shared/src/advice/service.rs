//! Gathering what is known of the use of a prompt.
use std::time::Duration;

use super::{
    rules::{self, UsageFinding},
    similar,
};
use crate::{
    analytics::{self, Profile},
    app::App,
    caller::Caller,
    drift,
    error::Result,
    id::PromptId,
    lint::Severity,
    prompts::{self, LifecycleStatus, Prompt, Selector, Show},
};

/// What nobody used for so long may go.
const UNUSED_DAYS: u32 = 90;

/// What the use of a prompt says about one of its versions.
pub async fn of_use(app: &App, caller: &Caller, id: PromptId, selector: &Selector) -> Result<Vec<UsageFinding>> {
    let prompt = prompts::get(app, caller, id, selector, Show::PROMPT).await?;
    let version = prompt.version;
    let performance = drift::performance_of(app, id, version).await?;
    let (now, before, uses, last_used) = {
        let mut conn = app.db.read_at_once().await?;
        let now = summed(&mut conn, id, version).await?;
        let before = if version > 1 { summed(&mut conn, id, version - 1).await? } else { Profile::default() };
        let uses = analytics::variables(&mut conn, id, version).await?;
        (now, before, uses, analytics::last_used(&mut conn, id).await?)
    };
    let mut findings = rules::variables(&uses);
    findings.extend(rules::size(&now, &app.settings.prices));
    findings.extend(rules::worse(&before, &now));
    findings.extend(rules::drifted(&performance));
    findings.extend(rules::unreadable(&now));
    findings.extend(unused(app, &prompt, last_used));
    findings.extend(Box::pin(similar::duplicate(app, caller, &prompt)).await?);
    Ok(findings)
}

async fn summed(conn: &mut crate::db::Conn, id: PromptId, version: i64) -> Result<Profile> {
    let mut sum = Profile::default();
    analytics::profiles(conn, id, version).await?.values().for_each(|day| sum.merge(day));
    Ok(sum)
}

/// D07: nobody uses it.
fn unused(app: &App, prompt: &Prompt, last_used: Option<crate::clock::Timestamp>) -> Option<UsageFinding> {
    let is_served = matches!(prompt.lifecycle_status, LifecycleStatus::Draft | LifecycleStatus::Published);
    let idle = app.clock.now().since(last_used.unwrap_or(prompt.created_at).max(prompt.created_at));
    let days = idle.as_secs() / 86_400;
    (is_served && idle > Duration::from_hours(24) * UNUSED_DAYS).then(|| {
        let message = format!("nobody has used it for {days} days");
        let mut finding =
            UsageFinding::new(("D07", "unused"), Severity::Info, message, "deprecate or archive it", days);
        finding.window_days = Some(UNUSED_DAYS.into());
        finding
    })
}
