//! At the edges: whatever the counts, an answer or nothing, never a number that is none, and never for long.
use std::time::{Duration, Instant};

use shared::stats::{
    bayes::{Beta, standings_of_shares},
    corrections, distances, guardrails, means,
    means::Status,
    normal::{self, Normal},
    power::{self, Design},
    proportions::{self, Proportion},
    quantiles,
    ratios::RatioSums,
    samples::{self, Sample},
    sequential, srm,
};

const COUNTS: [u64; 9] = [0, 1, 2, 5, 99, 100, 10_000, 2_000_000_000, 4_500_000_000_000_000];
/// For all pairs of everything, in a build without optimisation.
const PATIENCE: Duration = Duration::from_mins(1);

fn shares() -> Vec<Proportion> {
    let of = |trials: u64| {
        let mut successes = vec![0, trials.min(1), trials / 2, trials.saturating_sub(1), trials];
        successes.dedup();
        successes.into_iter().map(move |successes| Proportion { successes, trials })
    };
    COUNTS.into_iter().flat_map(of).collect()
}

#[track_caller]
fn finite(what: &str, values: impl IntoIterator<Item = f64>) {
    for value in values {
        assert!(value.is_finite(), "{what}: {value}");
    }
}

#[track_caller]
fn probability(what: &str, p: f64) {
    assert!((0.0..=1.0).contains(&p), "{what}: {p}");
}

#[test]
fn shares_of_any_counts_have_an_answer() {
    let began = Instant::now();
    let shares = shares();
    for a in &shares {
        if let Some(ci) = a.wilson(0.05) {
            assert!(0.0 <= ci[0] && ci[0] <= ci[1] && ci[1] <= 1.0, "{a:?}: {ci:?}");
        }
        for b in &shares {
            let what = format!("{a:?} {b:?}");
            if let Some(found) = proportions::compare(*a, *b, 0.05) {
                finite(&what, [found.diff, found.pooled, found.z].into_iter().chain(found.diff_ci));
                finite(&what, found.relative_lift.into_iter().chain(found.relative_ci.into_iter().flatten()));
                probability(&what, found.p_value);
            } else {
                assert_eq!(a.trials.min(b.trials), 0, "{what}");
            }
            if proportions::is_sparse(*a, *b)
                && let Some(p) = proportions::fisher(*a, *b)
            {
                probability(&what, p);
            }
            if let Some(look) = sequential::look_at_proportions(*a, *b, 1000.0, 0.05) {
                finite(&what, [look.log_e_value, look.half_width].into_iter().chain(look.ci));
                probability(&what, look.p_value);
            }
            let split = srm::chi_square(&[a.trials, b.trials], &[0.5, 0.5], srm::THRESHOLD);
            split.test.iter().for_each(|test| probability(&what, test.p_value));
            let sequential = srm::sequential(&[a.trials, b.trials], &[0.5, 0.5], srm::CONCENTRATION);
            probability(&what, sequential.p_value);
            assert!(began.elapsed() < PATIENCE, "{what}");
        }
    }
}

#[test]
fn no_interval_of_shares_is_without_width_where_the_data_leave_room() {
    let some: Vec<Proportion> = shares().into_iter().filter(|share| (1..1_000_000).contains(&share.trials)).collect();
    let mut intervals = 0;
    for (a, b) in some.iter().flat_map(|a| some.iter().map(move |b| (*a, *b))) {
        let found = proportions::compare(a, b, 0.05).unwrap();
        let always = sequential::Evidence::of_shares(a.into(), b.into(), 1000.0, 0.05).unwrap();
        let believed = [a, b].map(|arm| Beta::after(Beta { a: 1.0, b: 1.0 }, arm).credible(0.05));
        let all = [a.wilson(0.05), b.wilson(0.05), Some(found.diff_ci), found.relative_ci, Some(always.ci)];
        for [low, high] in all.into_iter().flatten().chain(believed) {
            assert!(low < high, "{a:?} {b:?}: {low} to {high}");
            intervals += 1;
        }
        assert!(always.ci[0] <= found.diff && found.diff <= always.ci[1], "{a:?} {b:?}: {always:?}");
        assert_eq!(found.relative_ci.is_some(), a.successes > 0 && b.successes > 0, "{a:?} {b:?}");
    }
    assert!(intervals > 3000, "{intervals}");
}

#[test]
fn beliefs_about_shares_sum_up_to_one() {
    let began = Instant::now();
    let prior = Beta { a: 1.0, b: 1.0 };
    let some: Vec<Proportion> = shares().into_iter().filter(|share| share.trials < 1_000_000_000_000).collect();
    for (place, a) in some.iter().enumerate() {
        for b in some.iter().skip(place % 3).step_by(3) {
            let arms = [Beta::after(prior, *a), Beta::after(prior, *b)];
            for lower_is_better in [false, true] {
                let found = standings_of_shares(&arms, lower_is_better);
                let sum: f64 = found.iter().map(|standing| standing.prob_best).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{a:?} {b:?}: {found:?}");
                assert!(
                    found.iter().all(|it| it.expected_loss >= 0.0 && it.expected_loss <= 1.0),
                    "{a:?} {b:?}: {found:?}"
                );
            }
            assert!(began.elapsed() < PATIENCE, "{a:?} {b:?}");
        }
    }
}

#[test]
fn means_of_any_size_have_an_answer_with_a_reason() {
    let mut samples = Vec::new();
    for n in COUNTS {
        for mean in [0.0, -1.0, 1e-300, 1e150, -1e150] {
            for variance in [0.0, 1e-300, 1.0, 1e150] {
                samples.push(Sample { n, mean, variance });
            }
        }
    }
    for a in samples.iter().step_by(3) {
        for b in &samples {
            let what = format!("{a:?} {b:?}");
            let found = means::welch(*a, *b, 0.05);
            finite(&what, found.t.into_iter().chain(found.df).chain(found.ci.into_iter().flatten()));
            finite(&what, found.relative_lift.into_iter().chain(found.relative_ci.into_iter().flatten()));
            found.p_value.iter().for_each(|p| probability(&what, *p));
            match found.status {
                Status::Ok => assert!(found.p_value.is_some(), "{what}"),
                Status::ZeroVarianceEqual => assert_eq!(found.p_value, Some(1.0), "{what}"),
                _ => assert_eq!(found.p_value, None, "{what}"),
            }
            if let Some(se) = found.se
                && let Some(look) = sequential::look(found.diff, se, a.n.saturating_add(b.n), 1000.0, 0.05)
            {
                finite(&what, look.ci.into_iter().chain([look.log_e_value]));
                probability(&what, look.p_value);
                let bounds =
                    guardrails::while_running((found.diff, se), 1.0, true, (a.n.saturating_add(b.n), 1000.0), 0.05);
                assert!(bounds.is_none_or(|it| it.lower <= it.upper), "{what}");
            }
        }
    }
}

#[test]
fn what_is_no_number_leads_to_no_answer() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let sample = Sample { n: 100, mean: bad, variance: 1.0 };
        let other = Sample { n: 100, mean: 1.0, variance: 1.0 };
        let found = means::welch(sample, other, 0.05);
        assert_eq!((found.status, found.p_value), (Status::OutOfRange, None), "{bad}");
        assert!(sequential::look(bad, 1.0, 100, 1000.0, 0.05).is_none_or(|look| look.log_e_value.is_finite()), "{bad}");
        assert!(sequential::rho_squared(bad, 0.05).is_none(), "{bad}");
        assert!(
            normal::standings_of_means(&[Normal { mean: bad, sd: 1.0 }, Normal { mean: 0.0, sd: 1.0 }], false)
                .is_none()
        );
        assert!(normal::effect_posterior(bad, 1.0, None, true).is_none(), "{bad}");
        assert!(guardrails::non_inferiority(bad, 1.0, 1.0, true, 0.05).is_none(), "{bad}");
    }
}

#[test]
fn lists_of_nothing_of_one_and_of_equals_have_an_answer() {
    for values in [vec![], vec![1.0], vec![1.0; 50], vec![0.0; 3]] {
        let sorted = samples::sorted(&values);
        assert_eq!(quantiles::quantile_of_sorted(&sorted, 0.95), values.first().copied());
        assert_eq!(quantiles::quantile(&values, 0.5, 0.05).is_some(), !values.is_empty());
        let ranks = samples::mann_whitney(&values, &values);
        assert!(
            ranks.is_none_or(|it| (it.p_value - 1.0).abs() < 1e-12 && (it.common_language_effect - 0.5).abs() < 1e-12)
        );
        assert!(distances::kolmogorov_smirnov(&values, &values).is_none_or(|it| it.d < 1e-12 && it.p_value > 0.99));
        assert_eq!(corrections::holm(&values).len(), values.len());
        assert_eq!(corrections::benjamini_hochberg(&values).len(), values.len());
    }
    assert!(distances::binned(&[0, 0], &[1, 1], 0.5).is_none() && distances::binned(&[5], &[5], 0.5).is_none());
    assert!(distances::binned(&[5, 5], &[5, 5], 0.5).is_some_and(|it| it.psi.abs() < 1e-12 && it.p_value > 0.999));
    assert!(proportions::homogeneity(&[vec![0, 0], vec![0, 0]]).is_none() && proportions::homogeneity(&[]).is_none());
    assert!(RatioSums::default().ratio().is_none());
}

#[test]
fn a_plan_that_no_number_fulfils_is_none() {
    let design = Design { alpha: 0.05, power: 0.8, ratio: 1.0 };
    assert!(power::units_for_proportions(0.5, 0.5, design).is_none());
    assert!(power::units_for_means(1.0, 0.0, design).is_none());
    assert!(power::effect_for_proportions(0.999, 2.0, design).is_none());
    assert!(power::effect_for_means(1.0, 0.0, design).is_none());
    assert!(power::sequential_units(0.0, 1.0, 1000.0, design).is_none());
    for (baseline, target) in [(1e-9, 2e-9), (0.5, 0.500_001), (0.0, 1.0)] {
        let units = power::units_for_proportions(baseline, target, design);
        assert!(units.is_none_or(|units| units.is_finite() && units > 0.0), "{baseline} {target}: {units:?}");
    }
}
