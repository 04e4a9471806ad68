//! Which prompts were used most. What each adds up to on each day is known by heart: before it is asked, a process reads what
//! has changed since it last was. So a summary of many prompts and a long time costs no more than adding up.
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use tokio::sync::Mutex;

use super::{
    roll_up::DAY,
    rollups::{self, PromptDay, Sums},
};
use crate::{
    app::App,
    clock::Timestamp,
    db::Conn,
    error::Result,
    search::{self, Kind},
};

/// How a prompt was used in a time.
pub(super) struct Standing {
    pub(super) prompt_id: String,
    pub(super) category: String,
    pub(super) name: String,
    pub(super) sums: Sums,
}

/// The days that are known, since one.
#[derive(Default)]
struct Known {
    since: Option<Timestamp>,
    stamp: i64,
    prompts: HashMap<String, BTreeMap<Timestamp, Sums>>,
}

impl Known {
    async fn follow(&mut self, conn: &mut Conn, from: Timestamp) -> Result<()> {
        let stamp = rollups::stamp(conn).await?;
        if let Some(since) = self.since
            && stamp > self.stamp
        {
            let changed = rollups::changed_days(conn, self.stamp).await?;
            self.take(changed.into_iter().filter(|day| day.bucket >= since));
        }
        let until = self.since.unwrap_or(Timestamp::from_millis(i64::MAX));
        if from < until {
            self.take(rollups::prompt_days(conn, from, until).await?.into_iter());
            self.since = Some(from);
        }
        self.stamp = stamp;
        Ok(())
    }

    fn take(&mut self, days: impl Iterator<Item = PromptDay>) {
        for day in days {
            self.prompts.entry(day.prompt_id).or_default().insert(day.bucket, day.sums);
        }
    }
}

/// Every prompt that was used in a time, the one that was used most first.
pub(super) async fn standings(app: &App, from: Timestamp, to: Timestamp) -> Result<Vec<Standing>> {
    let from = Timestamp::from_millis(from.millis() - from.millis().rem_euclid(DAY));
    let known = app.memory.of::<Mutex<Known>>();
    let mut known = known.lock().await;
    // Begun while nobody else reads, so that what is known never runs ahead of who asks.
    known.follow(&mut app.db.read_at_once().await?, from).await?;
    let mut standings = Vec::new();
    search::each(app, Kind::Prompt, |id, category, name| {
        let days = known.prompts.get(id).into_iter().flat_map(|days| days.range(from..=to));
        let sums = days.fold(Sums::default(), |sum, (_, day)| sum.and(day));
        if sums.events > 0 {
            let (prompt_id, category, name) = (id.to_owned(), category.to_owned(), name.to_owned());
            standings.push(Standing { prompt_id, category, name, sums });
        }
    })
    .await?;
    drop(known);
    standings.sort_unstable_by(|one, other| {
        (Reverse(one.sums.events), &one.prompt_id).cmp(&(Reverse(other.sums.events), &other.prompt_id))
    });
    Ok(standings)
}

/// The categories that were used most, with how many of their prompts were.
pub(super) fn categories(standings: &[Standing], most: usize) -> Vec<(&str, i64, Sums)> {
    let mut sums: BTreeMap<&str, (i64, Sums)> = BTreeMap::new();
    for standing in standings {
        let (prompts, sum) = sums.entry(&standing.category).or_default();
        *prompts += 1;
        *sum = sum.and(&standing.sums);
    }
    let mut categories: Vec<_> = sums.into_iter().map(|(category, (prompts, sum))| (category, prompts, sum)).collect();
    categories.sort_by_key(|(_, _, sums)| Reverse(sums.events));
    categories.truncate(most);
    categories
}

impl Sums {
    fn and(self, other: &Self) -> Self {
        Self {
            events: self.events.saturating_add(other.events),
            successes: self.successes.saturating_add(other.successes),
            failures: self.failures.saturating_add(other.failures),
            cost_nanos: self.cost_nanos.saturating_add(other.cost_nanos),
            latency_n: self.latency_n.saturating_add(other.latency_n),
            latency_us: self.latency_us.saturating_add(other.latency_us),
        }
    }
}
