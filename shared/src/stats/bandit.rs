//! How much traffic each arm gets when traffic follows what is known: Thompson sampling by matching probabilities.

/// The parts that the whole of the traffic has.
const BASIS_POINTS: u16 = 10_000;

/// floor + (1 - k floor) P(best). Nothing unless floor >= 0 and k floor < 1.
#[must_use]
pub fn thompson_weights(prob_best: &[f64], floor: f64) -> Option<Vec<f64>> {
    let rest = 1.0 - super::special::length(prob_best) * floor;
    (floor >= 0.0 && rest > 0.0).then(|| prob_best.iter().map(|p| floor + rest * p).collect())
}

/// Weights as whole basis points that sum up to exactly 10,000: what is left after rounding down goes to the largest
/// remainders, of equals to the first. Nothing unless the weights are finite, at least 0 and not all 0.
#[must_use]
pub fn basis_points(weights: &[f64]) -> Option<Vec<u16>> {
    let sum: f64 = weights.iter().sum();
    if !sum.is_finite() || sum <= 0.0 || weights.iter().any(|weight| *weight < 0.0) {
        return None;
    }
    let exact: Vec<f64> = weights.iter().map(|weight| weight / sum * f64::from(BASIS_POINTS)).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at most 10,000")]
    let mut points: Vec<u16> = exact.iter().map(|exact| exact.floor() as u16).collect();
    let given: u32 = points.iter().copied().map(u32::from).sum();
    let left = usize::try_from(u32::from(BASIS_POINTS).saturating_sub(given)).unwrap_or(0);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|one, other| exact[*other].fract().total_cmp(&exact[*one].fract()));
    order.into_iter().take(left).for_each(|place| points[place] += 1);
    Some(points)
}
