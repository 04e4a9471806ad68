//! What is believed of few units, against values that are known exactly or computed another way.
use shared::stats::bayes::{Beta, Standing, standings_of_shares};
use support::figure;

const TRIALS_MAX: u64 = 20;
const ERROR_MAX: f64 = 1e-9;

/// Beta with whole shapes: which of so many uniform numbers, in their order, and how many there are.
#[derive(Clone, Copy)]
struct Order {
    place: u64,
    of: u64,
}

fn choose(n: u64, k: u64) -> i128 {
    (0..k).fold(1, |product, i| product * i128::from(n - i) / i128::from(i + 1))
}

/// P(a < b) as a fraction of whole numbers: of all orders of both sets of uniform numbers, those in which a comes first.
fn first(a: Order, b: Order) -> (i128, i128) {
    let orders =
        |before: u64| choose(a.place - 1 + before, before) * choose(a.of - a.place + b.of - before, b.of - before);
    ((0..b.place).map(orders).sum(), choose(a.of + b.of, a.of))
}

#[expect(clippy::cast_precision_loss, reason = "rounded once, at the very end")]
fn divided(top: i128, bottom: i128) -> f64 {
    top as f64 / bottom as f64
}

/// E max(b - a, 0) = mean(b) P(a < b with a success more) - mean(a) P(a with a success more < b), as one fraction.
fn shortfall(a: Order, b: Order) -> f64 {
    let more = |it: Order| Order { place: it.place + 1, of: it.of + 1 };
    let ((b_top, b_bottom), (a_top, a_bottom)) = (first(a, more(b)), first(more(a), b));
    let (mean_b, mean_a) = ((b.place, b.of + 1), (a.place, a.of + 1));
    let (left_top, left_bottom) = (i128::from(mean_b.0) * b_top, i128::from(mean_b.1) * b_bottom);
    let (right_top, right_bottom) = (i128::from(mean_a.0) * a_top, i128::from(mean_a.1) * a_bottom);
    divided(left_top * right_bottom - right_top * left_bottom, left_bottom * right_bottom)
}

#[expect(clippy::cast_precision_loss, reason = "at most 21")]
fn beta(it: Order) -> Beta {
    Beta { a: it.place as f64, b: (it.of + 1 - it.place) as f64 }
}

#[test]
fn all_pairs_of_up_to_twenty_trials_are_as_exact_as_numbers_are() {
    let arms: Vec<Order> = (0..=TRIALS_MAX)
        .flat_map(|trials| (0..=trials).map(move |successes| Order { place: successes + 1, of: trials + 1 }))
        .collect();
    let (mut prob_best, mut expected_loss, mut pairs) = (0.0_f64, 0.0_f64, 0);
    for (place, a) in arms.iter().enumerate() {
        for b in &arms[..=place] {
            let found = standings_of_shares(&[beta(*a), beta(*b)], false);
            let (top, bottom) = first(*a, *b);
            prob_best = prob_best.max((found[1].prob_best - divided(top, bottom)).abs());
            for (standing, exact) in [(found[0], shortfall(*a, *b)), (found[1], shortfall(*b, *a))] {
                expected_loss = expected_loss.max((standing.expected_loss - exact).abs());
            }
            pairs += 1;
        }
    }
    figure(
        "small samples",
        format_args!(
            "{pairs} pairs of up to {TRIALS_MAX} trials: prob_best within {prob_best:.0e}, expected_loss within {expected_loss:.0e}"
        ),
    );
    assert_eq!(arms.len(), 231);
    assert!(prob_best <= ERROR_MAX && expected_loss <= ERROR_MAX, "{prob_best} {expected_loss}");
}

/// The same figures by Runge and Kutta, with steps of a 400th of the log odds: nothing of it is shared with what it checks.
fn by_small_steps(arms: &[Beta], lower_is_better: bool) -> Vec<Standing> {
    const STEP: f64 = 1.0 / 400.0;
    let smallest = arms.iter().flat_map(|arm| [arm.a, arm.b]).fold(1.0, f64::min);
    let reach = 44.0 / smallest;
    let turned: Vec<Beta> =
        arms.iter().map(|arm| if lower_is_better { Beta { a: arm.b, b: arm.a } } else { *arm }).collect();
    let ln_1p_exp = |u: f64| if u > 0.0 { u + (-u).exp().ln_1p() } else { u.exp().ln_1p() };
    let raw = |arm: &Beta, u: f64| (arm.a * u - (arm.a + arm.b) * ln_1p_exp(u)).exp();
    let steps = {
        let mut steps = 0_u32;
        while f64::from(steps) * STEP < 2.0 * reach {
            steps += 1;
        }
        steps
    };
    let whole: Vec<f64> = turned
        .iter()
        .map(|arm| (0..=steps).map(|step| raw(arm, f64::from(step) * STEP - reach)).sum::<f64>() * STEP)
        .collect();
    let k = arms.len();
    // Of each arm: its distribution, the chance to be best, the loss.
    let slopes = |u: f64, state: &[f64]| -> Vec<f64> {
        let stretch = (-ln_1p_exp(u) - ln_1p_exp(-u)).exp();
        let density: Vec<f64> = turned.iter().zip(&whole).map(|(arm, whole)| raw(arm, u) / whole).collect();
        let others = |arm: usize| (0..k).filter(|other| *other != arm).map(|other| state[other]).product::<f64>();
        let best = (0..k).map(|arm| density[arm] * others(arm));
        let loss = (0..k).map(|arm| state[arm] * (1.0 - others(arm)) * stretch);
        density.iter().copied().chain(best).chain(loss).collect()
    };
    let mut state = vec![0.0; 3 * k];
    for step in 0..steps {
        let u = f64::from(step) * STEP - reach;
        let moved = |by: f64, slope: &[f64]| -> Vec<f64> {
            state.iter().zip(slope).map(|(at, slope)| at + by * slope).collect()
        };
        let one = slopes(u, &state);
        let two = slopes(u + STEP / 2.0, &moved(STEP / 2.0, &one));
        let three = slopes(u + STEP / 2.0, &moved(STEP / 2.0, &two));
        let four = slopes(u + STEP, &moved(STEP, &three));
        for (place, at) in state.iter_mut().enumerate() {
            *at += STEP / 6.0 * (one[place] + 2.0 * two[place] + 2.0 * three[place] + four[place]);
        }
    }
    (0..k).map(|arm| Standing { prob_best: state[k + arm], expected_loss: state[2 * k + arm] }).collect()
}

#[test]
fn several_arms_and_any_prior_are_as_exact() {
    let arms = |shapes: &[(f64, f64)]| -> Vec<Beta> { shapes.iter().map(|(a, b)| Beta { a: *a, b: *b }).collect() };
    let mut worst = 0.0_f64;
    for (shapes, lower_is_better) in [
        (arms(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]), false),
        (arms(&[(2.5, 0.5), (3.5, 5.5), (9.5, 1.5)]), false),
        (arms(&[(6.0, 3.0), (5.0, 2.0), (3.0, 1.0), (1.0, 3.0)]), false),
        (arms(&[(0.5, 0.5), (0.5, 5.5), (20.5, 0.5)]), true),
        (arms(&[(0.25, 0.25), (3.25, 0.25), (0.25, 4.25)]), false),
        (arms(&[(0.1, 10.1), (0.1, 10.1), (1.1, 9.1)]), true),
        (arms(&[(40.0, 1.0), (38.0, 1.0), (50.0, 2.0), (1.0, 1.0), (30.0, 12.0)]), false),
    ] {
        let (found, expected) =
            (standings_of_shares(&shapes, lower_is_better), by_small_steps(&shapes, lower_is_better));
        for (found, expected) in found.iter().zip(&expected) {
            let errors = [found.prob_best - expected.prob_best, found.expected_loss - expected.expected_loss];
            worst = errors.into_iter().map(f64::abs).fold(worst, f64::max);
            assert!(worst <= ERROR_MAX, "{shapes:?}: {found:?} instead of {expected:?}");
        }
    }
    figure("small samples", format_args!("three to five arms, priors from 0.1: within {worst:.0e} of small steps"));
}

#[test]
fn nobody_seen_yet_is_a_sixth_or_a_quarter_from_the_best() {
    let unseen = Beta { a: 1.0, b: 1.0 };
    for (arms, loss) in [(2_u8, 1.0 / 6.0), (3, 0.25)] {
        let found = standings_of_shares(&vec![unseen; usize::from(arms)], false);
        for standing in found {
            assert!((standing.expected_loss - loss).abs() < 1e-13, "{standing:?}");
            assert!((standing.prob_best - 1.0 / f64::from(arms)).abs() < 1e-13, "{standing:?}");
        }
    }
    let (none, all) = (Beta { a: 1.0, b: 6.0 }, Beta { a: 6.0, b: 1.0 });
    assert!((standings_of_shares(&[none, all], false)[0].prob_best - 1.0 / 924.0).abs() < 1e-13);
}
