//! Tests that deal units by how likely each arm is the best.
use std::time::Duration;

use super::{
    Allocation,
    findings::{ArmFindings, Decision, DecisionState},
    model::{Plan, TestRow},
    report::AbTestResults,
};
use crate::{
    clock::Timestamp,
    stats::{bandit, sequential, special::count},
};

/// Every arm gets at least so much, so that one that had bad luck is seen again.
const FLOOR: f64 = 0.05;
/// So often units are dealt anew.
const EVERY: Duration = Duration::from_mins(15);
const SURE: f64 = 0.99;
/// What a test cares about that does not say so: this share of the control's estimate.
const CARING: f64 = 0.01;

/// Takes away what adaptively collected means cannot say.
pub(super) fn without_tests(arms: &mut [ArmFindings]) {
    for arm in arms {
        (arm.fixed, arm.sequential, arm.diff_ci, arm.relative_ci) = (None, None, None, None);
    }
}

/// What follows from beliefs alone: the best arm is surely so, and it would cost next to nothing if it were not.
pub(super) fn decide(arms: &[ArmFindings], plan: &Plan) -> Decision {
    let Some(control) = arms.first().filter(|_| arms.iter().all(is_enough)) else {
        return Decision::new(DecisionState::Collecting, "burn_in", None);
    };
    let caring = plan.mde.unwrap_or(CARING * control.estimate.unwrap_or(0.0).abs());
    let believed = |arm: &ArmFindings| arm.bayes.as_ref().map(|it| (it.prob_best, it.expected_loss));
    let sure = arms.iter().find(|arm| believed(arm).is_some_and(|(best, loss)| best > SURE && loss < caring));
    match sure {
        Some(arm) if arm.name == control.name => {
            Decision::new(DecisionState::Winner, "control_better", Some(&arm.name))
        }
        Some(arm) => Decision::new(DecisionState::Winner, "treatment_better", Some(&arm.name)),
        None => Decision::new(DecisionState::Undecided, "not_sure", None),
    }
}

fn is_enough(arm: &ArmFindings) -> bool {
    arm.n >= sequential::UNITS_MIN
}

/// What units in arms other than the best have cost so far, in the metric's unit.
pub(super) fn regret(arms: &[ArmFindings], lower_is_better: bool) -> Option<f64> {
    let turned = |estimate: f64| if lower_is_better { -estimate } else { estimate };
    let best = arms.iter().filter_map(|arm| arm.estimate).map(turned).max_by(f64::total_cmp)?;
    Some(arms.iter().filter_map(|arm| Some((best - turned(arm.estimate?)) * count(arm.n))).sum())
}

/// How units are to be dealt from now on, if it is time.
pub(super) fn weights(row: &TestRow, found: &AbTestResults, now: Timestamp) -> Option<Vec<u16>> {
    if row.plan().allocation != Allocation::Bandit {
        return None;
    }
    let since = found.phases.last()?.began_at;
    let arms = &found.metrics.first()?.arms;
    if now.since(since) < EVERY || !arms.iter().all(is_enough) {
        return None;
    }
    let best: Option<Vec<f64>> = arms.iter().map(|arm| Some(arm.bayes.as_ref()?.prob_best)).collect();
    bandit::basis_points(&bandit::thompson_weights(&best?, FLOOR)?)
}
