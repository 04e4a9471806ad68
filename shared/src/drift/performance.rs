//! How far a version has moved in use: two times compared, metric by metric. Pure.
use std::collections::BTreeMap;

use super::model::{DriftSeverity, DriftStatus, MetricDrift, Summary, Thresholds};
use crate::{
    analytics::{Profile, Quantity},
    stats::{corrections, distances, means, proportions, special::count},
};

/// Fewer events say nothing.
pub(super) const REFERENCE_MIN: u64 = 200;
pub(super) const CURRENT_MIN: u64 = 100;
/// Below, distributions are held against fifths, else against tenths.
const TENTHS_MIN: u64 = 500;
/// Added to every bin, so that an empty one does not decide alone.
const PSEUDO_COUNT: f64 = 0.5;
/// A bin must expect so many.
const EXPECTED_MIN: f64 = 5.0;
/// Adjusted p-values below: something may have moved.
const WARNING: f64 = 0.01;
/// Below, and so on two days in a row: it has.
const DRIFT: f64 = 0.001;
const QUANTITIES: [(&str, Quantity); 3] =
    [("response_time", Quantity::ResponseTime), ("token_usage", Quantity::Tokens), ("cost_usd", Quantity::Cost)];

/// Compares a time with the reference. `before` says of which metrics it was sure how many evaluations in a row.
pub(super) fn compare(reference: &Profile, current: &Profile, before: &BTreeMap<String, i64>) -> Vec<MetricDrift> {
    let mut metrics: Vec<MetricDrift> = [success(reference, current), score(reference, current)]
        .into_iter()
        .chain(QUANTITIES.map(|(name, quantity)| distribution(name, quantity, reference, current)))
        .chain([models(reference, current)])
        .flatten()
        .collect();
    let p_values: Vec<f64> = metrics.iter().map(|metric| metric.p_value).collect();
    for (metric, p_adjusted) in metrics.iter_mut().zip(corrections::benjamini_hochberg(&p_values)) {
        metric.p_adjusted = p_adjusted;
        let is_large = metric.effect.abs() >= metric.thresholds.alert;
        if is_large && p_adjusted < DRIFT {
            metric.consecutive = 1 + before.get(&metric.metric).copied().unwrap_or(0);
        }
        metric.status = match (is_large, metric.consecutive) {
            (true, 2..) => DriftStatus::Drift,
            (true, _) if p_adjusted < WARNING => DriftStatus::Warning,
            _ => DriftStatus::Stable,
        };
        let is_high = metric.effect.abs() >= metric.thresholds.high;
        metric.severity = (metric.status != DriftStatus::Stable).then_some(if is_high {
            DriftSeverity::High
        } else {
            DriftSeverity::Moderate
        });
    }
    metrics
}

/// The worst of all.
pub(super) fn status(metrics: &[MetricDrift]) -> DriftStatus {
    metrics.iter().map(|metric| metric.status).max().unwrap_or(DriftStatus::InsufficientData)
}

fn metric(name: &str, test: &str, p_value: f64, effect: f64, (alert, high): (f64, f64)) -> MetricDrift {
    MetricDrift {
        metric: name.to_owned(),
        test: test.to_owned(),
        statistic: None,
        p_value,
        p_adjusted: p_value,
        effect,
        thresholds: Thresholds { alert, high, critical_001: None },
        bins: None,
        reference_summary: Summary::default(),
        current_summary: Summary::default(),
        direction: None,
        consecutive: 0,
        status: DriftStatus::Stable,
        severity: None,
    }
}

fn better_or_worse(gain: f64) -> Option<String> {
    (gain != 0.0).then(|| if gain > 0.0 { "better" } else { "worse" }.to_owned())
}

fn enough(reference: u64, current: u64) -> bool {
    reference >= REFERENCE_MIN && current >= CURRENT_MIN
}

fn success(reference: &Profile, current: &Profile) -> Option<MetricDrift> {
    let (a, b) = (reference.success(), current.success());
    if !enough(a.trials, b.trials) {
        return None;
    }
    let found = proportions::compare(a, b, 0.05)?;
    let exact = proportions::is_sparse(a, b).then(|| proportions::fisher(a, b)).flatten();
    let test = if exact.is_some() { "fisher_exact" } else { "two_proportion_z" };
    let summary = |mean: Option<f64>, n| Summary { n, mean, ..Summary::default() };
    Some(MetricDrift {
        statistic: exact.is_none().then_some(found.z),
        reference_summary: summary(a.estimate(), a.trials),
        current_summary: summary(b.estimate(), b.trials),
        direction: better_or_worse(found.diff),
        ..metric("success_rate", test, exact.unwrap_or(found.p_value), found.diff, (0.05, 0.10))
    })
}

fn score(reference: &Profile, current: &Profile) -> Option<MetricDrift> {
    let (a, b) = (reference.score(), current.score());
    if !enough(a.n, b.n) {
        return None;
    }
    let found = means::welch(a, b, 0.05);
    // What never varied has no scale to be measured by: any change is more than can be told.
    let effect = if a.variance > 0.0 {
        found.diff / a.variance.sqrt()
    } else {
        found.diff.signum() * f64::from(found.diff != 0.0)
    };
    let p_value = found.p_value.unwrap_or(if found.diff == 0.0 { 1.0 } else { 0.0 });
    let summary =
        |sample: crate::stats::samples::Sample| Summary { n: sample.n, mean: Some(sample.mean), ..Summary::default() };
    Some(MetricDrift {
        statistic: found.t,
        reference_summary: summary(a),
        current_summary: summary(b),
        direction: better_or_worse(found.diff),
        ..metric("score", "welch_t", p_value, effect, (0.2, 0.5))
    })
}

fn distribution(name: &str, quantity: Quantity, reference: &Profile, current: &Profile) -> Option<MetricDrift> {
    let (n, m) = (reference.count(quantity), current.count(quantity));
    if !enough(n, m) {
        return None;
    }
    let bins = if n.min(m) < TENTHS_MIN { 5 } else { 10 };
    let mut edges: Vec<f64> =
        (1..bins).filter_map(|bin| reference.quantile(quantity, f64::from(bin) / f64::from(bins))).collect();
    edges.dedup();
    let (mut expected, mut seen) = (reference.split(quantity, &edges), current.split(quantity, &edges));
    merge_small(&mut expected, &mut seen, n, m);
    let summary = |profile: &Profile, n| Summary {
        n,
        mean: None,
        p50: profile.quantile(quantity, 0.5),
        p95: profile.quantile(quantity, 0.95),
    };
    let (before, now) = (summary(reference, n), summary(current, m));
    let ratio = before.p95.zip(now.p95).filter(|(before, _)| *before > 0.0).map(|(before, now)| now / before);
    // Of one bin there is nothing to tell: everything was and is the same.
    let found = distances::binned(&expected, &seen, PSEUDO_COUNT);
    let (psi, p_value) = found.as_ref().map_or((0.0, 1.0), |found| (found.psi, found.p_value));
    let mut drift = metric(name, "psi_chi_square", p_value, psi, (0.1, 0.25));
    drift.thresholds.critical_001 = found.as_ref().map(|found| found.psi_critical_001);
    drift.bins = Some(expected.len());
    drift.statistic = found.map(|found| found.psi);
    drift.direction = ratio.and_then(|ratio| better_or_worse(1.0 - ratio));
    (drift.reference_summary, drift.current_summary) = (before, now);
    Some(drift)
}

/// Joins bins that expect too few with the next.
fn merge_small(reference: &mut Vec<u64>, current: &mut Vec<u64>, n: u64, m: u64) {
    let expects = |reference: u64, current: u64| {
        let share = count(reference + current) / count(n + m);
        share * count(n.min(m)) >= EXPECTED_MIN
    };
    let mut bin = 0;
    while reference.len() > 1 && bin < reference.len() {
        if expects(reference[bin], current[bin]) {
            bin += 1;
            continue;
        }
        let into = if bin + 1 < reference.len() { bin + 1 } else { bin - 1 };
        let (more, also) = (reference[bin], current[bin]);
        reference[into] += more;
        current[into] += also;
        reference.remove(bin);
        current.remove(bin);
        bin = bin.min(into).min(reference.len() - 1);
        if into < bin {
            bin = into;
        }
    }
}

fn models(reference: &Profile, current: &Profile) -> Option<MetricDrift> {
    let names: std::collections::BTreeSet<&String> =
        reference.models().keys().chain(current.models().keys()).filter(|name| !name.is_empty()).collect();
    let counts = |profile: &Profile| -> Vec<u64> {
        names.iter().map(|name| profile.models().get(*name).copied().unwrap_or(0)).collect()
    };
    let (before, now) = (counts(reference), counts(current));
    let (n, m) = (before.iter().sum(), now.iter().sum());
    if names.len() < 2 || !enough(n, m) {
        return None;
    }
    let distance = distances::binned(&before, &now, 0.0)?.jensen_shannon_distance;
    let found = proportions::homogeneity(&[before, now])?;
    Some(MetricDrift {
        statistic: Some(found.statistic),
        bins: Some(names.len()),
        reference_summary: Summary { n, ..Summary::default() },
        current_summary: Summary { n: m, ..Summary::default() },
        ..metric("model", "chi_square", found.p_value, distance, (0.1, 0.2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_that_expect_too_few_are_joined_and_nothing_is_lost() {
        for (mut reference, mut current) in [
            (vec![100, 1, 1, 100], vec![100, 0, 0, 100]),
            (vec![1, 1, 1], vec![0, 0, 1]),
            (vec![0, 0, 200], vec![0, 0, 200]),
            (vec![200, 0], vec![200, 0]),
        ] {
            let (n, m): (u64, u64) = (reference.iter().sum(), current.iter().sum());
            merge_small(&mut reference, &mut current, n, m);
            assert_eq!((reference.iter().sum::<u64>(), current.iter().sum::<u64>()), (n, m));
            assert_eq!(reference.len(), current.len());
            assert!(!reference.is_empty());
        }
    }
}
