//! The beta distribution and the incomplete beta function, right also where shapes are in the billions.
use std::f64::consts::PI;

use super::special::{count, deviance, nodes, root, stirling_error};

/// Up to this shape the continued fraction is quick and loses no digits.
const SHAPE_FRACTION: f64 = 3000.0;
/// From this shape on both ends of the density are so flat that its tails can be integrated.
const SHAPE_BELL: f64 = 50.0;
/// A tail is cut where the density has fallen by e to this power.
const DROP: f64 = 36.0;
/// A probability that misses what is asked by this part of it only missed it by rounding.
const ROUNDING: f64 = 1e-13;

/// Both tails of a distribution at a point. The smaller one has full relative precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// P(X <= x).
    pub below: f64,
    /// P(X > x).
    pub above: f64,
}

impl Tails {
    fn from_below(below: f64) -> Self {
        Self { below, above: 1.0 - below }
    }

    /// Those of the other direction.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self { below: self.above, above: self.below }
    }
}

/// The density of the logarithm of the odds x / y, which is that of Beta(a, b) at x times x y: Loader's saddle point,
/// which keeps its digits for any shapes. For x and y above 0.
pub fn beta_logit(a: f64, b: f64) -> impl Fn(f64, f64) -> f64 {
    let total = a + b;
    // By halves, so that neither a huge nor a tiny shape overflows.
    let scale = (a / total).sqrt() * (b / (2.0 * PI)).sqrt();
    let missed = stirling_error(total) - stirling_error(a) - stirling_error(b);
    move |x, y| scale * (missed - deviance(a, total * x) - deviance(b, total * y)).exp()
}

/// The regularised incomplete beta function `I_x(a, b)` and its complement, for a, b > 0 and y = 1 - x.
///
/// A continued fraction (modified Lentz) where a shape is small or both are moderate, else the integral of the
/// density over the smaller tail. Takes a few microseconds whatever the shapes.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> Tails {
    if x <= 0.0 {
        return Tails { below: 0.0, above: 1.0 };
    }
    if y <= 0.0 {
        return Tails { below: 1.0, above: 0.0 };
    }
    tails_with(beta_logit(a, b)(x, y), (a, b), (x, y))
}

/// The same where the density of the log odds is known, for x and y above 0.
#[must_use]
pub fn tails_with(logit: f64, (a, b): (f64, f64), (x, y): (f64, f64)) -> Tails {
    if a.max(b) > SHAPE_FRACTION && b < a && b < SHAPE_BELL {
        return tails_with(logit, (b, a), (y, x)).swapped();
    }
    let is_below = x <= (a + 1.0) / (a + b + 2.0);
    if a.max(b) <= SHAPE_FRACTION {
        return if is_below { fraction(logit, (a, b), x) } else { fraction(logit, (b, a), y).swapped() };
    }
    match (is_below, a < SHAPE_BELL) {
        (true, true) => fraction(logit, (a, b), x),
        (true, false) => upper_tail(logit, (b, a), (y, x)).swapped(),
        (false, _) => upper_tail(logit, (a, b), (x, y)),
    }
}

/// P(X <= x) by the continued fraction, which converges for x below the mean.
#[expect(clippy::many_single_char_names, reason = "as in the literature")]
fn fraction(logit: f64, (a, b): (f64, f64), x: f64) -> Tails {
    let prefactor = logit / a;
    if prefactor <= 0.0 {
        return Tails { below: 0.0, above: 1.0 };
    }
    let tiny = 1e-300;
    let away = |value: f64| if value.abs() < tiny { tiny } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut result = d;
    // The cap is beyond what any shapes need that come here.
    for m in (1_u32..4000).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    Tails::from_below((prefactor * result).clamp(0.0, 1.0))
}

/// P(X > x) for x above the mean: the density, integrated from x to where it has vanished.
fn upper_tail(logit: f64, (a, b): (f64, f64), (x, y): (f64, f64)) -> Tails {
    let at_x = logit / x / y;
    if at_x <= 0.0 {
        return Tails { below: 1.0, above: 0.0 };
    }
    // How far the logarithm of the density falls between x and x + t.
    let drop = |t: f64| -(a - 1.0) * (t / x).ln_1p() - (b - 1.0) * (-t / y).ln_1p();
    let mut reach = (x * y / (a + b)).sqrt().min(y);
    while reach < y && drop(reach) < DROP {
        reach = (reach * 1.25).min(y);
    }
    while drop(reach / 1.25) > DROP {
        reach /= 1.25;
    }
    let integral: f64 = nodes(0.0, reach).map(|(t, weight)| weight * (-drop(t)).exp()).sum();
    Tails::from_below((at_x * integral).clamp(0.0, 1.0)).swapped()
}

/// The x below which Beta(a, b) is with probability `tail`, in (0, 1).
#[must_use]
pub fn beta_quantile(a: f64, b: f64, tail: f64) -> f64 {
    root(0.0, 1.0, |x| incomplete_beta(a, b, x, 1.0 - x).below >= tail)
}

/// P(X <= k) of a binomial: `successes` of `trials` at a chance in [0, 1].
#[must_use]
pub fn binomial_below(successes: u64, trials: u64, chance: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    incomplete_beta(count(trials - successes), count(successes) + 1.0, 1.0 - chance, chance).below
}

/// The smallest k with P(X <= k) >= `tail`.
#[must_use]
pub fn binomial_quantile(tail: f64, trials: u64, chance: f64) -> u64 {
    let (mut low, mut high) = (0, trials);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_below(middle, trials, chance) >= tail * (1.0 - ROUNDING) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// P(X = k) of a binomial with a chance in (0, 1), by Loader's saddle point.
#[must_use]
pub fn binomial_probability(successes: u64, trials: u64, chance: f64) -> f64 {
    let (k, n, q) = (count(successes), count(trials), 1.0 - chance);
    if successes > trials {
        return 0.0;
    }
    if successes == 0 {
        return (n * (-chance).ln_1p()).exp();
    }
    if successes == trials {
        return (n * chance.ln()).exp();
    }
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(k, n * chance)
        - deviance(n - k, n * q);
    exponent.exp() * (n / (2.0 * PI * k * (n - k))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, relative: f64) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} is not {expected}");
    }

    fn below(a: f64, b: f64, x: f64) -> f64 {
        incomplete_beta(a, b, x, 1.0 - x).below
    }

    #[test]
    fn closed_forms_are_met() {
        near(below(1.0, 3.0, 0.2), 1.0 - 0.8_f64.powi(3), 1e-14);
        near(below(2.0, 3.0, 0.5), 11.0 / 16.0, 1e-14);
        near(below(0.5, 0.5, 0.5), 0.5, 1e-14);
        // One shape is one, so that the other may be anything: 1 - (1 - x)^b.
        for b in [1e4, 1e9, 1e15] {
            for x in [0.01 / b, 1.0 / b, 3.0 / b, 40.0 / b] {
                let tails = incomplete_beta(1.0, b, x, 1.0 - x);
                near(tails.above, (b * (-x).ln_1p()).exp(), 1e-9);
                near(tails.below, -(b * (-x).ln_1p()).exp_m1(), 1e-9);
            }
        }
    }

    #[test]
    fn huge_symmetrical_shapes_are_even_at_the_middle() {
        for shape in [60.0, 2_999.0, 3_001.0, 1e5, 1e6, 1e9, 1e15] {
            let tails = incomplete_beta(shape, shape, 0.5, 0.5);
            near(tails.below, 0.5, 1e-9);
            near(tails.above, 0.5, 1e-9);
        }
    }

    #[test]
    fn all_ways_agree_where_one_takes_over_from_another() {
        for (a, b) in
            [(40.0, 2_999.999), (49.999, 2_999.999), (60.0, 2_999.999), (2_999.999, 2_000.0), (2_999.999, 7.5)]
        {
            let (mean, sd) = (a / (a + b), f64::sqrt(a * b / (a + b + 1.0)) / (a + b));
            for z in [-6.0, -2.0, -0.3, 0.3, 2.0, 6.0_f64] {
                let x = (mean + z * sd).max(mean * 0.01).min(1.0 - 0.01 * (1.0 - mean));
                let quick = incomplete_beta(a, b, x, 1.0 - x);
                let (logit, point) = (beta_logit(a, b)(x, 1.0 - x), (x, 1.0 - x));
                let lower = fraction(logit, (a, b), x);
                let upper = upper_tail(logit, (a, b), point);
                let below = if z < 0.0 { lower.below } else { upper.below };
                near(quick.below, below, 1e-9);
                if z > 0.0 {
                    near(quick.above, upper.above, 1e-9);
                }
            }
        }
    }

    #[test]
    fn quantiles_lead_back() {
        for (a, b) in [(1.0, 1.0), (0.5, 3.0), (101.0, 901.0), (25_001.0, 475_001.0), (1e9, 1e9), (3.0, 2e9)] {
            for tail in [0.025, 0.5, 0.975] {
                near(below(a, b, beta_quantile(a, b, tail)), tail, 1e-7);
            }
        }
    }

    #[test]
    fn binomials_are_counted_right() {
        near(binomial_below(1, 3, 0.5), 0.5, 1e-14);
        near(binomial_probability(1, 3, 0.5), 0.375, 1e-13);
        assert_eq!(binomial_quantile(0.5, 3, 0.5), 1);
        assert_eq!(binomial_quantile(0.5, 2_000_000_000, 0.5), 1_000_000_000);
        assert_eq!((binomial_below(5, 5, 0.3), binomial_probability(9, 5, 0.3)), (1.0, 0.0));
    }
}
