//! Many tests at once: p-values adjusted so that they can be compared with one level.

/// Every p-value times their number (Bonferroni), at most 1.
#[must_use]
pub fn bonferroni(p_values: &[f64]) -> Vec<f64> {
    let tests = super::special::length(p_values);
    p_values.iter().map(|p| (p * tests).min(1.0)).collect()
}

/// Holm's step-down: as strict about any false alarm as Bonferroni, and never weaker. In the order given.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let (mut adjusted, mut largest, mut left) = (vec![1.0; p_values.len()], 0.0_f64, super::special::length(p_values));
    for place in order {
        largest = largest.max((p_values[place] * left).min(1.0));
        adjusted[place] = largest;
        left -= 1.0;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up: bounds the share of false alarms among all alarms. In the order given.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let tests = super::special::length(p_values);
    let (mut adjusted, mut smallest, mut rank) = (vec![1.0; p_values.len()], 1.0_f64, tests);
    for place in ascending(p_values).into_iter().rev() {
        smallest = smallest.min(p_values[place] * tests / rank);
        adjusted[place] = smallest;
        rank -= 1.0;
    }
    adjusted
}

/// Holm where some tests could not be made: they count as tests, and stay unknown.
#[must_use]
pub fn holm_of_known(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let all: Vec<f64> = p_values.iter().map(|p| p.unwrap_or(1.0)).collect();
    holm(&all).into_iter().zip(p_values).map(|(adjusted, p)| p.map(|_| adjusted)).collect()
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    order
}
