//! A test of two shares that is exact whatever they are, and may be looked at as often as one likes.
//!
//! The evidence is how likely the outcomes are where each arm has a share of its own, by Jeffreys' prior, over how likely
//! they are at best where the shares differ by what is to be refuted. If they do differ by that, it stays below a
//! martingale that begins at 1, so that it ever exceeds 1 / alpha with a probability of alpha at most (Ville): at all looks
//! together, for every share, however units are split between the arms, from the first unit on.
use std::f64::consts::PI;

use super::{
    Interval,
    beta::beta_logit,
    proportions::Share,
    special::{deviance, root},
};

/// The logarithm of the evidence against equal shares. Nothing where an arm has no trials.
#[must_use]
pub fn log_evidence(a: impl Into<Share>, b: impl Into<Share>) -> Option<f64> {
    let (a, b) = (a.into(), b.into());
    let (pooled, n) = (a.successes + b.successes, a.trials + b.trials);
    let (share, rest) = (pooled / n, (a.failures() + b.failures()) / n);
    (a.trials > 0.0 && b.trials > 0.0).then(|| own(a) + own(b) + missed(a, (share, rest)) + missed(b, (share, rest)))
}

/// The same, of which so many standard deviations are taken away: what is exceeded with the chance that belongs to `z`.
pub(super) fn log_evidence_at(a: Share, b: Share, z: f64) -> f64 {
    let Some(evidence) = log_evidence(a, b) else { return 0.0 };
    let prior = own(a) + own(b);
    // The root of twice the likelihood ratio is normal around where it is expected, with a standard deviation of 1.
    let root = (2.0 * (evidence - prior)).max(0.0).sqrt();
    prior + (root - z).max(0.0).powi(2) / 2.0
}

/// The differences b - a that are not refuted at any look with probability 1 - alpha. Nothing where an arm has no trials.
#[must_use]
pub fn interval(a: impl Into<Share>, b: impl Into<Share>, alpha: f64) -> Option<Interval> {
    let (a, b) = (a.into(), b.into());
    let (p_a, p_b) = (a.estimate()?, b.estimate()?);
    // Numbers near 0 have more digits than those near 1.
    if p_a + p_b > 1.0 {
        let [low, high] = below(failures_of(a), failures_of(b), alpha, p_a - p_b);
        return Some([-high, -low]);
    }
    Some(below(a, b, alpha, p_b - p_a))
}

fn failures_of(arm: Share) -> Share {
    Share { successes: arm.failures(), trials: arm.trials }
}

fn below(a: Share, b: Share, alpha: f64, diff: f64) -> Interval {
    let slack = -alpha.ln() - own(a) - own(b);
    let is_refuted = |diff: f64| least_missed(a, b, diff) > slack;
    let down = root(0.0, 1.0 + diff, |step| is_refuted(diff - step));
    let up = root(0.0, 1.0 - diff, |step| is_refuted(diff + step));
    [(diff - down).max(-1.0), (diff + up).min(1.0)]
}

/// How much less likely outcomes are by the prior than by the share that fits them best, as a logarithm.
fn own(arm: Share) -> f64 {
    let (a, b) = (arm.successes + 0.5, arm.failures() + 0.5);
    let (x, y) = (a / (a + b), b / (a + b));
    (x * y).ln() / 2.0 - beta_logit(a, b)(x, y).ln() - PI.ln() - missed(arm, (x, y))
}

/// How much less likely outcomes are by a share than by the one that fits them best, as a logarithm.
fn missed(arm: Share, (share, rest): (f64, f64)) -> f64 {
    deviance(arm.successes, arm.trials * share) + deviance(arm.failures(), arm.trials * rest)
}

/// The same of both arms, by the shares that fit best of those with a difference.
fn least_missed(a: Share, b: Share, diff: f64) -> f64 {
    let (low, high) = ((-diff).max(0.0), (1.0 - diff).min(1.0));
    let slope = |arm: Share, share: f64| {
        let rest = 1.0 - share;
        let pull = arm.trials * share - arm.successes;
        if pull == 0.0 { 0.0 } else { pull / (share.max(0.0) * rest.max(0.0)) }
    };
    let share = root(low, high, |share| slope(a, share) + slope(b, share + diff) >= 0.0);
    let of = |arm: Share, share: f64| missed(arm, (share.clamp(0.0, 1.0), (1.0 - share).clamp(0.0, 1.0)));
    of(a, share) + of(b, share + diff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::proportions::Proportion;

    fn arm(successes: u64, trials: u64) -> Proportion {
        Proportion { successes, trials }
    }

    #[test]
    fn the_evidence_is_that_of_its_definition() {
        // Of three of three, Jeffreys' prior expects 1/2 * 3/4 * 5/6, of none of two 1/2 * 3/4; at best 3/5 for all.
        let expected = (0.3125_f64 * 0.375 / (0.6_f64.powi(3) * 0.4_f64.powi(2))).ln();
        let found = log_evidence(arm(3, 3), arm(0, 2)).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        assert_eq!(log_evidence(arm(0, 0), arm(1, 2)), None);
    }

    #[test]
    fn the_interval_leaves_out_nothing_exactly_where_the_evidence_refutes_it() {
        for (a, b) in [
            (arm(0, 120), arm(12, 120)),
            (arm(0, 120), arm(11, 120)),
            (arm(980, 1000), arm(1000, 1000)),
            (arm(1000, 1000), arm(1000, 1000)),
            (arm(0, 500), arm(0, 500)),
            (arm(99_000, 100_000), arm(100_000, 100_000)),
            (arm(0, 1), arm(1, 1)),
            (arm(5, 1_000_000_000), arm(40, 1_000_000_000)),
        ] {
            let evidence = log_evidence(a, b).unwrap();
            let [low, high] = interval(a, b, 0.05).unwrap();
            let diff = b.estimate().unwrap() - a.estimate().unwrap();
            assert!(
                -1.0 <= low && low < high && high <= 1.0 && low <= diff && diff <= high,
                "{a:?} {b:?}: {low} {high}"
            );
            assert_eq!(evidence > 20.0_f64.ln(), low > 0.0 || high < 0.0, "{a:?} {b:?}: {evidence} {low} {high}");
        }
    }

    #[test]
    fn both_directions_and_both_outcomes_are_alike() {
        let (a, b) = (arm(3, 100), arm(17, 140));
        let [low, high] = interval(a, b, 0.05).unwrap();
        let [back_low, back_high] = interval(b, a, 0.05).unwrap();
        let [lost_low, lost_high] = interval(arm(97, 100), arm(123, 140), 0.05).unwrap();
        for (one, other) in [(low, -back_high), (high, -back_low), (low, -lost_high), (high, -lost_low)] {
            assert!((one - other).abs() < 1e-12, "{one} is not {other}");
        }
    }
}
