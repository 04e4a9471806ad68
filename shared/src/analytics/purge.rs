//! Old events go; what they add up to stays.
use std::time::Duration;

use super::{repository, rollups};
use crate::{app::App, caller::Caller, error::Result, id::UsageBatchId};

/// Roll-ups by the hour are kept so long, those by the day for good.
pub(super) const HOURS_KEPT: Duration = Duration::from_hours(24 * 90);

/// As far as a report looks back.
const READS_KEPT: Duration = Duration::from_hours(24 * 400);

/// Deletes some of the events that were kept long enough and are rolled up, and of the hours.
pub async fn purge(app: &App, caller: &Caller, most: i64) -> Result<()> {
    let now = app.clock.now();
    let events_kept = Duration::from_hours(24) * app.settings.usage_days;
    let mut tx = app.begin(caller).await?;
    repository::purge_events(&mut tx, UsageBatchId::first_at(now - events_kept), most).await?;
    rollups::purge_hours(&mut tx, now - HOURS_KEPT, most).await?;
    repository::purge_reads(&mut tx, now - READS_KEPT, most).await?;
    tx.commit().await
}
