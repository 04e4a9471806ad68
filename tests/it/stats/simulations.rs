//! Seeded simulations: what is promised about many tests, counted.
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use shared::{
    ab_testing::assign::{BUCKETS, assign},
    stats::{
        corrections,
        proportions::Share,
        sequential::{self, Method, UNITS_MIN},
        special::{chi_square_above, count},
        srm,
    },
};
use support::figure;

const ALPHA: f64 = 0.05;
const N_STAR: f64 = 1000.0;

/// One arm of a running test, to which `units` more come.
fn grow(arm: &mut Share, units: u32, chance: f64, random: &mut SmallRng) {
    arm.trials += f64::from(units);
    arm.successes += (0..units).map(|_| f64::from(u8::from(random.random::<f64>() < chance))).sum::<f64>();
}

const NOBODY: Share = Share { successes: 0.0, trials: 0.0 };

/// How a test runs: the shares of its arms, and how many units come to each between two looks.
#[derive(Clone, Copy)]
struct Run {
    chances: [f64; 2],
    units: [u32; 2],
}

/// At which of so many looks an effect is called found, by which method.
fn found_at(looks: u64, run: Run, random: &mut SmallRng) -> Option<(u64, Method)> {
    let mut arms = [NOBODY; 2];
    (0..looks).find_map(|look| {
        for ((arm, chance), units) in arms.iter_mut().zip(run.chances).zip(run.units) {
            grow(arm, units, chance, random);
        }
        let [a, b] = arms;
        let is_ready = a.trials.min(b.trials) >= count(UNITS_MIN);
        let is_found = is_ready && sequential::log_evidence(a, b, N_STAR, ALPHA).is_some_and(|it| it > -ALPHA.ln());
        is_found.then(|| (look, Method::of(a, b)))
    })
}

#[test]
fn two_hundred_looks_at_equal_arms_find_a_winner_in_one_test_of_twenty_at_most() {
    const TESTS: u32 = 400;
    let mut random = SmallRng::seed_from_u64(1);
    for (chance, units) in [
        (0.001, [100, 100]),
        (0.01, [20, 20]),
        (0.1, [10, 10]),
        (0.5, [10, 10]),
        (0.99, [20, 20]),
        (0.999, [100, 100]),
        // Where one arm gets far fewer units, what it lacks is no evidence.
        (0.001, [180, 20]),
        (0.01, [36, 4]),
        (0.99, [4, 36]),
        (0.999, [20, 180]),
    ] {
        let run = Run { chances: [chance; 2], units };
        let found: Vec<Method> = (0..TESTS).filter_map(|_| found_at(200, run, &mut random)).map(|(_, by)| by).collect();
        let exact = found.iter().filter(|by| **by == Method::Exact).count();
        figure(
            "A/A",
            format_args!(
                "{} of {TESTS} equal pairs at {chance}, {units:?} units a look, called different in 200 looks ({exact} by the exact test)",
                found.len()
            ),
        );
        assert!(found.len() <= 20, "{} of {TESTS} at {chance}", found.len());
        // The test is not simply blind.
        assert!(!(0.1..=0.5).contains(&chance) || !found.is_empty(), "none of {TESTS} at {chance}");
    }
}

#[test]
fn an_arm_that_never_fails_is_found_better() {
    let mut random = SmallRng::seed_from_u64(6);
    for (chances, most) in [([0.95, 1.0], 200), ([0.98, 1.0], 200), ([0.0, 0.05], 200)] {
        let run = Run { chances, units: [10, 10] };
        let mut looks: Vec<u64> =
            (0..50).filter_map(|_| found_at(most, run, &mut random)).map(|(look, _)| look).collect();
        assert!(looks.len() >= 49, "{chances:?}: {} of 50", looks.len());
        looks.sort_unstable();
        let median = 10 * (looks[looks.len() / 2] + 1);
        figure("A/B", format_args!("{chances:?}: {} of 50 found, half of them by {median} units per arm", looks.len()));
    }
}

#[test]
fn three_treatments_that_do_nothing_are_called_winners_as_seldom() {
    let mut random = SmallRng::seed_from_u64(3);
    let wins = (0..200).filter(|_| {
        let mut arms = [NOBODY; 4];
        (0..100).any(|_| {
            for arm in &mut arms {
                grow(arm, 10, 0.3, &mut random);
            }
            let p_values: Vec<Option<f64>> = arms[1..]
                .iter()
                .map(|arm| {
                    sequential::log_evidence(arms[0], *arm, N_STAR, ALPHA).map(|evidence| (-evidence).exp().min(1.0))
                })
                .collect();
            arms.iter().all(|arm| arm.trials >= count(UNITS_MIN))
                && corrections::holm_of_known(&p_values).iter().flatten().any(|p| *p < ALPHA)
        })
    });
    let wins = wins.count();
    assert!(wins <= 10, "{wins} of 200");
}

#[test]
fn a_true_effect_is_found_and_sooner_than_planned() {
    let mut random = SmallRng::seed_from_u64(4);
    let run = Run { chances: [0.5, 0.6], units: [10, 10] };
    let mut looks: Vec<u64> = (0..200).filter_map(|_| found_at(200, run, &mut random)).map(|(look, _)| look).collect();
    assert!(looks.len() >= 195, "{} of 200", looks.len());
    looks.sort_unstable();
    let median = 10 * (looks[looks.len() / 2] + 1);
    figure("A/B", format_args!("0.5 and 0.6: {} of 200 found, half of them by {median} units per arm", looks.len()));
    assert!((250..=600).contains(&median), "{median} units per arm");
}

#[test]
fn sixty_to_forty_is_not_half_and_half() {
    let mut random = SmallRng::seed_from_u64(5);
    let mut split = |share: f64| {
        let first = (0..2000).filter(|_| random.random::<f64>() < share).count() as u64;
        let observed = [first, 2000 - first];
        let at_once = srm::chi_square(&observed, &[0.5, 0.5], srm::THRESHOLD).status;
        (at_once, srm::sequential(&observed, &[0.5, 0.5], srm::CONCENTRATION).is_mismatch)
    };
    for _ in 0..50 {
        assert_eq!(split(0.6), (srm::Status::Mismatch, true));
        assert_eq!(split(0.5), (srm::Status::Ok, false));
    }
}

/// The p-value of counts that should all be alike.
fn evenness(counts: &[u64], expected: f64) -> f64 {
    let statistic: f64 =
        counts.iter().map(|count| (f64::from(u32::try_from(*count).unwrap()) - expected).powi(2)).sum();
    chi_square_above(statistic / expected, f64::from(u32::try_from(counts.len() - 1).unwrap()))
}

#[test]
fn a_million_units_are_dealt_evenly_independently_and_for_good() {
    const UNITS: u32 = 1_000_000;
    let halves = [BUCKETS / 2, BUCKETS / 2];
    let (mut exposures, mut variants) = (vec![0_u64; 100], vec![0_u64; 100]);
    let (mut table, mut moved) = (vec![0_u64; 100], 0);
    for unit in 0..UNITS {
        let unit = format!("user-{unit}");
        let found = assign("5a0f", &unit, BUCKETS, &halves);
        let (exposure, variant) = (usize::from(found.exposure_bucket), usize::from(found.variant_bucket));
        exposures[exposure / 100] += 1;
        variants[variant / 100] += 1;
        table[exposure / 1000 * 10 + variant / 1000] += 1;
        // Of those who are in from the first percent on nobody changes arms, nor is anybody put out.
        if found.exposure_bucket < 100 {
            let ramp = [100, 1000, 5000].map(|coverage| assign("5a0f", &unit, coverage, &halves));
            moved += ramp.iter().filter(|it| !it.exposed || it.variant != found.variant).count();
        }
    }
    assert_eq!(moved, 0);
    for (what, counts) in [("exposure", &exposures), ("variant", &variants), ("both", &table)] {
        let p_value = evenness(counts, f64::from(UNITS) / 100.0);
        figure("assignment", format_args!("{what} buckets of {UNITS} units: p = {p_value:.3}; {moved} moved"));
        assert!((0.001..0.999).contains(&p_value), "{what}: {p_value}");
    }
    let first: u64 = variants[..50].iter().sum();
    let split = srm::chi_square(&[first, u64::from(UNITS) - first], &[1.0, 1.0], srm::THRESHOLD);
    assert!((0.001..0.999).contains(&split.test.unwrap().p_value));
}
