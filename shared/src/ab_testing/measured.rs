//! What was observed of the units of a test, in short: by metric, phase and arm.
use super::{
    arms::Arm,
    metrics::{Metric, MetricKind},
    repository::{self, PhaseRow, UnitRow},
};
use crate::{
    db::Conn,
    error::Result,
    id::AbTestId,
    stats::{
        proportions::{Proportion, Share},
        ratios::RatioSums,
        samples::{self, Sample},
        special::count,
    },
};

/// So many values of an arm are kept for what needs each of them: quantiles, geometric means, outliers.
const VALUES_MAX: usize = 1_000_000;
/// Values above this quantile of all arms count as it.
const WINSOR: f64 = 0.999;
/// So many trials draw the rate of a phase towards that of all.
const DRAWN: f64 = 4.0;

/// Who was exposed, by phase and arm.
pub(super) struct Units {
    /// As often as there are phases, each with a count for every arm.
    pub(super) by_phase: Vec<Vec<u64>>,
    /// How many were in two arms, and are left out.
    pub(super) in_two: u64,
}

impl Units {
    pub(super) async fn read(conn: &mut Conn, id: AbTestId, phases: &[PhaseRow], arms: usize) -> Result<Self> {
        let mut units = Self { by_phase: vec![vec![0; arms]; phases.len()], in_two: 0 };
        for (phase, arm, exposed, in_two) in repository::units(conn, id).await? {
            units.in_two += unsigned(in_two);
            if let Some(counted) = place(phases, phase, arm, &mut units.by_phase) {
                *counted += unsigned(exposed - in_two);
            }
        }
        Ok(units)
    }

    /// Of each arm, over all phases.
    pub(super) fn of_arms(&self) -> Vec<u64> {
        let arms = self.by_phase.first().map_or(0, Vec::len);
        (0..arms).map(|arm| self.by_phase.iter().map(|phase| phase[arm]).sum()).collect()
    }

    /// All together.
    pub(super) fn total(&self) -> u64 {
        self.by_phase.iter().flatten().sum()
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn place<'p, T>(phases: &[PhaseRow], phase: i64, arm: i64, places: &'p mut [Vec<T>]) -> Option<&'p mut T> {
    let phase = phases.iter().position(|row| row.phase == phase)?;
    places.get_mut(phase)?.get_mut(usize::try_from(arm).ok()?)
}

/// What was observed of the units of an arm in a phase.
#[derive(Clone, Default)]
struct Cell {
    sums: RatioSums,
    /// Of units that were observed once each: how many values were 1.
    ones: u64,
    /// Was a unit observed several times?
    is_repeated: bool,
    /// One for each unit: its mean.
    values: Vec<f64>,
}

impl Cell {
    fn take(&mut self, row: &UnitRow) {
        let n = count(unsigned(row.n));
        self.sums.units += 1;
        self.sums.y += row.total;
        self.sums.n += n;
        self.sums.yy += row.total * row.total;
        self.sums.nn += n * n;
        self.sums.yn += row.total * n;
        self.ones += u64::from(row.total >= 1.0);
        self.is_repeated |= row.n > 1;
        if self.values.len() < VALUES_MAX && n > 0.0 {
            self.values.push(row.total / n);
        }
    }

    /// Units of which nothing was heard count as 0.
    fn fill_up(&mut self, units: u64) {
        let missing = units.saturating_sub(self.sums.units);
        self.sums.units += missing;
        self.sums.n += count(missing);
        self.sums.nn += count(missing);
        let room = VALUES_MAX.saturating_sub(self.values.len()) as u64;
        self.values.extend(std::iter::repeat_n(0.0, usize::try_from(missing.min(room)).unwrap_or(0)));
    }

    fn arm(&self, kind: MetricKind) -> Arm {
        match kind {
            MetricKind::Binary => Arm::Share { share: self.share(), units: self.sums.units },
            MetricKind::Continuous => Arm::Mean(self.mean()),
        }
    }

    /// The share of values that are 1. Where units were observed several times, with as many independent trials as give its
    /// variance by the delta method (Rao and Scott), at most one for each value.
    fn share(&self) -> Share {
        if !self.is_repeated {
            return Proportion { successes: self.ones, trials: self.sums.units }.into();
        }
        let (rate, units) = (self.sums.y / self.sums.n, count(self.sums.units));
        let variance = self.sums.ratio().map_or(0.0, |ratio| ratio.variance);
        let spread = rate * (1.0 - rate);
        let trials = if spread > 0.0 && variance > 0.0 { 1.0 + spread / variance } else { units };
        Share::of_rate(rate, trials.min(self.sums.n))
    }

    /// The mean of units; where they were observed several times, or are more than are kept, that of values, with its variance
    /// by the delta method.
    fn mean(&self) -> Sample {
        if !self.is_repeated
            && self.sums.units == self.values.len() as u64
            && let Some(sample) = samples::sample(&self.values)
        {
            return sample;
        }
        let n = self.sums.units;
        let variance = self.sums.ratio().map_or(0.0, |ratio| ratio.variance * count(n));
        Sample { n, mean: if self.sums.n > 0.0 { self.sums.y / self.sums.n } else { 0.0 }, variance }
    }
}

/// What was observed by one metric.
pub(super) struct Measured {
    /// Each arm, all phases together.
    pub(super) arms: Vec<Arm>,
    /// The control as each treatment is to be compared with it.
    pub(super) controls: Vec<Arm>,
    /// Each arm's values, one for each unit, as they were.
    pub(super) values: Vec<Vec<f64>>,
    /// How many values were cut down to the 99.9th percentile of all.
    pub(super) clipped: u64,
}

/// Reads what was observed by a metric.
pub(super) async fn measure(
    conn: &mut Conn,
    id: AbTestId,
    metric: &Metric,
    phases: &[PhaseRow],
    units: &Units,
) -> Result<Measured> {
    let arms = units.by_phase.first().map_or(0, Vec::len);
    let mut cells = vec![vec![Cell::default(); arms]; phases.len()];
    repository::each_observed(conn, id, &metric.name, |row| {
        if let Some(cell) = place(phases, row.phase, row.variant, &mut cells) {
            cell.take(&row);
        }
    })
    .await?;
    if metric.missing_is_zero {
        for (cell, exposed) in cells.iter_mut().flatten().zip(units.by_phase.iter().flatten()) {
            cell.fill_up(*exposed);
        }
    }
    let of_arm = |arm: usize| cells.iter().flat_map(move |phase| phase[arm].values.iter().copied()).collect();
    let values: Vec<Vec<f64>> = (0..arms).map(of_arm).collect();
    let clipped = if metric.has_tail() { winsorise(&mut cells) } else { 0 };
    let (arms, controls) = combine(&cells, metric.kind);
    Ok(Measured { arms, controls, values, clipped })
}

impl Metric {
    /// Can a few units be worth as much as all others: times, tokens, money?
    pub(super) fn has_tail(&self) -> bool {
        matches!(&*self.name, "response_time" | "token_usage" | "cost_usd")
    }
}

/// Cuts what is above the 99.9th percentile of all units down to it. Units that were observed several times stay.
fn winsorise(cells: &mut [Vec<Cell>]) -> u64 {
    if cells.iter().flatten().any(|cell| cell.is_repeated) {
        return 0;
    }
    let mut all: Vec<f64> = cells.iter().flatten().flat_map(|cell| cell.values.iter().copied()).collect();
    samples::winsorise(&mut all, &mut [], WINSOR).map_or(0, |cut| {
        for value in cells.iter_mut().flatten().flat_map(|cell| &mut cell.values).filter(|value| **value > cut.cap) {
            *value = cut.cap;
        }
        cut.clipped
    })
}

/// The arms over all phases, and the control as each treatment is to be compared with it.
///
/// Counts of phases with different weights must not be pooled (Simpson): each phase in which both have units is an
/// estimate, and they are weighed by the units of both.
fn combine(cells: &[Vec<Cell>], kind: MetricKind) -> (Vec<Arm>, Vec<Arm>) {
    let is_used = |phase: &&Vec<Cell>| phase.iter().any(|cell| cell.sums.units > 0);
    let of_phase = |phase: &Vec<Cell>| -> Vec<Arm> { phase.iter().map(|cell| cell.arm(kind)).collect() };
    let used: Vec<Vec<Arm>> = cells.iter().filter(is_used).map(of_phase).collect();
    match used.as_slice() {
        [] => alone(&cells.first().map(of_phase).unwrap_or_default()),
        [only] => alone(only),
        several => {
            let arms = 0..several[0].len();
            let control = over_phases(several, 0, None);
            let treatments = arms.clone().skip(1).map(|arm| over_phases(several, arm, Some(0)));
            (
                std::iter::once(control).chain(treatments).collect(),
                arms.skip(1).map(|arm| over_phases(several, 0, Some(arm))).collect(),
            )
        }
    }
}

fn alone(arms: &[Arm]) -> (Vec<Arm>, Vec<Arm>) {
    let control = arms.first().copied();
    (arms.to_vec(), control.into_iter().cycle().take(arms.len().saturating_sub(1)).collect())
}

/// An arm over the phases in which it has units, and another has them too.
fn over_phases(phases: &[Vec<Arm>], arm: usize, other: Option<usize>) -> Arm {
    // One value says nothing about how far others are from it.
    let size = |arm: &Arm| if matches!(arm, Arm::Mean(sample) if sample.n < 2) { 0 } else { arm.n() };
    let weigh = |phase: &&Vec<Arm>| match other {
        Some(other) if size(&phase[arm]).min(size(&phase[other])) == 0 => 0,
        Some(other) => size(&phase[arm]) + size(&phase[other]),
        None => size(&phase[arm]),
    };
    let used = phases.iter().filter(|phase| weigh(phase) > 0);
    let total: f64 = used.clone().map(|phase| count(weigh(&phase))).sum();
    let weighed: Vec<(f64, Arm)> = used.map(|phase| (count(weigh(&phase)) / total, phase[arm])).collect();
    match weighed.as_slice() {
        [] => phases[0][arm].emptied(),
        // As it is, to the last digit.
        [(_, only)] => *only,
        several => together(several),
    }
}

impl Arm {
    /// An arm of this kind without units.
    fn emptied(self) -> Self {
        match self {
            Self::Share { .. } => Self::Share { share: Share { successes: 0.0, trials: 0.0 }, units: 0 },
            Self::Mean(_) => Self::Mean(Sample { n: 0, mean: 0.0, variance: 0.0 }),
        }
    }
}

/// An arm's phases with their weights, which sum up to 1: the weighted sum of the estimates, with the variance of that.
fn together(phases: &[(f64, Arm)]) -> Arm {
    let n = phases.iter().map(|(_, arm)| arm.n()).sum();
    let value: f64 = phases.iter().map(|(weight, arm)| weight * arm.value().unwrap_or(0.0)).sum();
    let shares: Option<Vec<(f64, Share)>> = phases
        .iter()
        .map(|(weight, arm)| if let Arm::Share { share, .. } = arm { Some((*weight, *share)) } else { None })
        .collect();
    if let Some(shares) = shares {
        let rate = value.clamp(0.0, 1.0);
        Arm::Share { share: Share::of_rate(rate, independent_trials(rate, &shares)), units: n }
    } else {
        let part = |(weight, arm): &(f64, Arm)| weight * weight * arm.variance().unwrap_or(0.0);
        Arm::Mean(Sample { n, mean: value, variance: phases.iter().map(part).sum::<f64>() * count(n) })
    }
}

/// As how many independent trials phases let their weighted rate be known. A phase in which nothing varied is not sure of
/// itself: its own rate is drawn towards that of all by as many trials as Agresti and Coull add.
fn independent_trials(rate: f64, phases: &[(f64, Share)]) -> f64 {
    let spread = rate * (1.0 - rate);
    let part = |(weight, share): &(f64, Share)| {
        let drawn = (share.successes + DRAWN * rate) / (share.trials + DRAWN);
        let relative = if spread > 0.0 { drawn * (1.0 - drawn) / spread } else { 1.0 };
        weight * weight * relative / (share.trials - 1.0).max(1.0)
    };
    1.0 + 1.0 / phases.iter().map(part).sum::<f64>()
}
