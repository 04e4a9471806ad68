//! Who was shown what: written once for each unit, and remembered by the process that wrote it.
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use super::repository;
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::Tx,
    error::Result,
    group_commit::{self, Grouped},
    id::AbTestId,
};

/// So many units are remembered.
const KNOWN_MAX: usize = 100_000;

/// A unit was shown an arm.
#[derive(Clone, Debug)]
pub(super) struct Exposure {
    pub(super) test_id: AbTestId,
    pub(super) unit_id: String,
    pub(super) variant: i64,
    pub(super) phase: i64,
    pub(super) at: Timestamp,
}

/// The arm a unit has, if it was exposed before.
pub(super) async fn arm_of(app: &App, test_id: AbTestId, unit_id: &str) -> Result<Option<i64>> {
    let known = app.memory.of::<Known>();
    let unit = (test_id, unit_id.to_owned());
    if let Some(arm) = known.arms().get(&unit).copied() {
        return Ok(Some(arm));
    }
    let assigned = repository::assigned(&mut app.db.read().await?, test_id, unit_id).await?;
    if let Some(arm) = assigned {
        known.remember(unit, arm);
    }
    Ok(assigned)
}

/// Writes an exposure down. Answers the arm the unit has: another, if another process was faster with a later phase.
pub(super) async fn expose(app: &App, caller: &Caller, exposure: Exposure) -> Result<i64> {
    let unit = (exposure.test_id, exposure.unit_id.clone());
    let arm = group_commit::write(app, caller, First(exposure)).await?;
    app.memory.of::<Known>().remember(unit, arm);
    Ok(arm)
}

/// Exposures of this process: where the unit has an arm, that one stays, and nothing is held against it.
struct First(Exposure);

impl Grouped for First {
    type Answer = i64;

    fn weight(&self) -> usize {
        1
    }

    async fn write(tx: &mut Tx, exposures: &[Self]) -> Result<Vec<i64>> {
        let mut arms = Vec::with_capacity(exposures.len());
        let mut order: Vec<usize> = (0..exposures.len()).collect();
        // Transactions that meet at the same units meet in the same order.
        order.sort_by_key(|index| (exposures[*index].0.test_id, &exposures[*index].0.unit_id));
        for index in order {
            arms.push((index, repository::expose_first(tx, &exposures[index].0).await?));
        }
        arms.sort_unstable();
        Ok(arms.into_iter().map(|(_, arm)| arm).collect())
    }
}

/// The arms of units this process has met.
#[derive(Default)]
struct Known(Mutex<HashMap<(AbTestId, String), i64>>);

impl Known {
    fn arms(&self) -> MutexGuard<'_, HashMap<(AbTestId, String), i64>> {
        self.0.lock().expect("nobody panics while looking")
    }

    fn remember(&self, unit: (AbTestId, String), arm: i64) {
        let mut arms = self.arms();
        if arms.len() >= KNOWN_MAX {
            arms.clear();
        }
        arms.insert(unit, arm);
    }
}
