//! How good a ranking is, by what people wanted of it: 0 nothing, 1 a little, 2 well, 3 exactly this.
use std::collections::BTreeMap;

/// How much each prompt is wanted. What is not in it is not.
pub(crate) type Wanted = BTreeMap<String, u8>;

/// How far people look.
pub(super) const DEPTH: usize = 10;

fn gain(grade: u8) -> f64 {
    f64::from((1_u32 << grade) - 1)
}

fn discounted(grades: impl Iterator<Item = u8>) -> f64 {
    let discounts = (2_u32..).map(|place| f64::from(place).log2());
    grades.take(DEPTH).zip(discounts).map(|(grade, discount)| gain(grade) / discount).sum()
}

fn grade(wanted: &Wanted, key: &str) -> u8 {
    wanted.get(key).copied().unwrap_or(0)
}

/// Normalised discounted cumulative gain: 1 is the best order there can be.
pub(crate) fn ndcg(ranking: &[&str], wanted: &Wanted) -> f64 {
    let mut best: Vec<u8> = wanted.values().copied().collect();
    best.sort_unstable_by_key(|grade| std::cmp::Reverse(*grade));
    let ideal = discounted(best.into_iter());
    if ideal == 0.0 {
        return 0.0;
    }
    discounted(ranking.iter().map(|key| grade(wanted, key))) / ideal
}

/// One over the place of the first that is wanted at all.
pub(crate) fn reciprocal_rank(ranking: &[&str], wanted: &Wanted) -> f64 {
    let found = (1_u32..).zip(ranking.iter().take(DEPTH)).find(|(_, key)| grade(wanted, key) > 0);
    found.map_or(0.0, |(place, _)| 1.0 / f64::from(place))
}

/// The share of what is wanted that is among the first.
pub(crate) fn recall(ranking: &[&str], wanted: &Wanted) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap());
    let all = wanted.values().filter(|grade| **grade > 0).count();
    let met = ranking.iter().take(DEPTH).filter(|key| grade(wanted, key) > 0).count();
    if all == 0 { 0.0 } else { count(met) / count(all) }
}

fn judged(grades: &[(&str, u8)]) -> Wanted {
    grades.iter().map(|(key, grade)| ((*key).to_owned(), *grade)).collect()
}

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn grades_count_by_what_they_gain_and_how_early_they_come() {
    let wanted = judged(&[("d1", 3), ("d2", 2), ("d3", 0), ("d4", 1)]);
    let ranking = ["d3", "d1", "d7", "d2"];
    close(ndcg(&ranking, &wanted), 0.607_757_481_912);
    close(reciprocal_rank(&ranking, &wanted), 0.5);
    close(recall(&ranking, &wanted), 2.0 / 3.0);
}

#[test]
fn a_ranking_without_anything_wanted_is_worth_nothing() {
    for (ranking, wanted) in
        [(&["d9", "d8"][..], judged(&[("d1", 1)])), (&[], judged(&[("d1", 1)])), (&["d1"], judged(&[]))]
    {
        close(ndcg(ranking, &wanted), 0.0);
        close(reciprocal_rank(ranking, &wanted), 0.0);
        close(recall(ranking, &wanted), 0.0);
    }
}

#[test]
fn the_best_order_is_worth_one() {
    let wanted = judged(&[("a", 1), ("b", 3), ("c", 2)]);
    close(ndcg(&["b", "c", "a", "x"], &wanted), 1.0);
    close(reciprocal_rank(&["b", "c", "a", "x"], &wanted), 1.0);
    close(recall(&["b", "c", "a", "x"], &wanted), 1.0);
}

#[test]
fn what_comes_eleventh_is_not_seen() {
    let wanted = judged(&[("a", 3)]);
    let ranking = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "a"];
    close(ndcg(&ranking, &wanted), 0.0);
    close(reciprocal_rank(&ranking, &wanted), 0.0);
    close(recall(&ranking, &wanted), 0.0);
}
