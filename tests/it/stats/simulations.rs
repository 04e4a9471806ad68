//! Seeded simulations: what is promised about many tests, counted.
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use shared::{
    ab_testing::assign::{BUCKETS, assign},
    stats::{
        corrections,
        proportions::Proportion,
        sequential::{self, OUTCOMES_MIN, UNITS_MIN},
        special::chi_square_above,
        srm,
    },
};
use support::figure;

const ALPHA: f64 = 0.05;
const N_STAR: f64 = 1000.0;

/// One arm of a running test, to which `units` more come.
fn grow(arm: &mut Proportion, units: u64, chance: f64, random: &mut SmallRng) {
    arm.trials += units;
    arm.successes += (0..units).filter(|_| random.random::<f64>() < chance).count() as u64;
}

/// At which of so many looks, 10 units per arm each, an effect is called found.
fn found_at(looks: u64, chances: [f64; 2], random: &mut SmallRng) -> Option<u64> {
    let mut arms = [Proportion { successes: 0, trials: 0 }; 2];
    (0..looks).find(|_| {
        for (arm, chance) in arms.iter_mut().zip(chances) {
            grow(arm, 10, chance, random);
        }
        let [a, b] = arms;
        sequential::is_ready(a, b, UNITS_MIN, OUTCOMES_MIN)
            && sequential::look_at_proportions(a, b, N_STAR, ALPHA).is_some_and(|look| look.p_value < ALPHA)
    })
}

#[test]
fn two_hundred_looks_at_equal_arms_find_a_winner_in_one_test_of_twenty_at_most() {
    for (seed, chance) in [(1, 0.1), (2, 0.5)] {
        let mut random = SmallRng::seed_from_u64(seed);
        let found = (0..1000).filter(|_| found_at(200, [chance; 2], &mut random).is_some()).count();
        assert!(found <= 50, "{found} of 1000 at {chance}");
        figure("A/A", format_args!("{found} of 1000 equal pairs at {chance} called different in 200 looks"));
        // The test is not simply blind.
        assert!(found > 0, "none of 1000 at {chance}");
    }
}

#[test]
fn three_treatments_that_do_nothing_are_called_winners_as_seldom() {
    let mut random = SmallRng::seed_from_u64(3);
    let wins = (0..200).filter(|_| {
        let mut arms = [Proportion { successes: 0, trials: 0 }; 4];
        (0..100).any(|_| {
            for arm in &mut arms {
                grow(arm, 10, 0.3, &mut random);
            }
            let p_values: Vec<Option<f64>> = arms[1..]
                .iter()
                .map(|arm| sequential::look_at_proportions(arms[0], *arm, N_STAR, ALPHA).map(|look| look.p_value))
                .collect();
            let ready = arms.iter().all(|arm| sequential::is_ready(arms[0], *arm, UNITS_MIN, OUTCOMES_MIN));
            ready && corrections::holm_of_known(&p_values).iter().flatten().any(|p| *p < ALPHA)
        })
    });
    let wins = wins.count();
    assert!(wins <= 10, "{wins} of 200");
}

#[test]
fn a_true_effect_is_found_and_sooner_than_planned() {
    let mut random = SmallRng::seed_from_u64(4);
    let mut looks: Vec<u64> = (0..200).filter_map(|_| found_at(200, [0.5, 0.6], &mut random)).collect();
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
