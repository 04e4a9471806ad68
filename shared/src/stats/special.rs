//! The normal, t, chi-square and gamma functions that tests need. The only file that calls `statrs`, whose
//! distributions are wrong or endless for large counts and whose erfc ends at eleven digits; what is used of it here
//! is exact.
use std::{
    f64::consts::{LN_2, PI, SQRT_2},
    sync::LazyLock,
};

use libm::erfc;
use statrs::function::{erf::erfc_inv, gamma};

use super::beta::incomplete_beta;

/// Above so many degrees of freedom t is computed from the normal distribution.
const DF_MANY: f64 = 1e4;
/// Halvings that pin a root down to the last bit.
const HALVINGS: u32 = 200;
/// ln(sqrt(2 pi)).
const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// A count as a number. Exact up to 2^53.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are refused at the door")]
pub fn count(number: u64) -> f64 {
    number as f64
}

/// The length of a list as a number.
#[must_use]
pub fn length<T>(list: &[T]) -> f64 {
    count(list.len() as u64)
}

/// A value, unless it is infinite or no number.
#[must_use]
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// P(Z <= z) of a standard normal.
#[must_use]
pub fn normal_below(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

/// P(Z > z) of a standard normal, also where it is tiny.
#[must_use]
pub fn normal_above(z: f64) -> f64 {
    erfc(z / SQRT_2) / 2.0
}

/// P(|Z| > |z|): the two-sided p-value of a z statistic.
#[must_use]
pub fn normal_beyond(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// The density of a standard normal.
#[must_use]
pub fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0 - LN_SQRT_TWO_PI).exp()
}

/// The z that a standard normal exceeds with probability `tail`, which is in (0, 1). Exact for small tails.
#[must_use]
pub fn normal_critical(tail: f64) -> f64 {
    let mut z = SQRT_2 * erfc_inv(2.0 * tail);
    // One step of Newton mends the last digits.
    let step = (normal_above(z) - tail) / normal_density(z);
    if step.is_finite() && step.abs() < 1.0 {
        z += step;
    }
    z
}

/// P(|T| > |t|) with `df` degrees of freedom: the two-sided p-value of a t statistic. With many degrees of freedom
/// by Hill's transformation to a normal (Algorithm 396).
#[must_use]
#[expect(clippy::many_single_char_names, reason = "as in the algorithm")]
pub fn t_beyond(t: f64, df: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    if df > DF_MANY {
        let (a, b) = (df - 0.5, 48.0 * (df - 0.5) * (df - 0.5));
        let w = (a * (square / df).ln_1p()).sqrt();
        let y = w * w;
        let last = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b);
        let mended = w * (1.0 + (y + 3.0 + last) / b);
        return normal_beyond(mended);
    }
    incomplete_beta(df / 2.0, 0.5, df / (df + square), square / (df + square)).below
}

/// The t that is exceeded with probability `tail`, which is in (0, 0.5]. With many degrees of freedom by the expansion
/// of Cornish and Fisher, else by halving.
#[must_use]
pub fn t_critical(tail: f64, df: f64) -> f64 {
    let z = normal_critical(tail);
    if df > DF_MANY {
        let (z3, z5) = (z * z * z, z * z * z * z * z);
        return z + (z3 + z) / (4.0 * df) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * df * df);
    }
    let mut high = z.max(1.0);
    while t_beyond(high, df) > 2.0 * tail && high.is_finite() {
        high *= 2.0;
    }
    if high.is_infinite() {
        return high;
    }
    root(0.0, high, |t| t_beyond(t, df) <= 2.0 * tail)
}

/// P(X > x) of a chi-square with `df` degrees of freedom.
#[must_use]
pub fn chi_square_above(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    gamma::checked_gamma_ur(df / 2.0, x / 2.0).unwrap_or(0.0)
}

/// The x that a chi-square with `df` degrees of freedom exceeds with probability `tail`, which is in (0, 1).
#[must_use]
pub fn chi_square_critical(tail: f64, df: f64) -> f64 {
    let mut high = df.max(1.0);
    while chi_square_above(high, df) > tail && high < 1e300 {
        high *= 2.0;
    }
    root(0.0, high, |x| chi_square_above(x, df) <= tail)
}

/// P(D sqrt(n) > x) of Kolmogorov's limit distribution.
#[must_use]
pub fn kolmogorov_above(x: f64) -> f64 {
    if x <= 0.05 {
        return 1.0;
    }
    if x < 1.0 {
        let power = |k: f64| (-(2.0 * k - 1.0).powi(2) * PI * PI / (8.0 * x * x)).exp();
        let below: f64 = [1.0, 2.0, 3.0, 4.0].into_iter().map(power).sum();
        return 1.0 - (2.0 * PI).sqrt() / x * below;
    }
    let mut sign = -1.0;
    let mut term = |k: f64| {
        sign = -sign;
        sign * (-2.0 * k * k * x * x).exp()
    };
    2.0 * [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].into_iter().map(&mut term).sum::<f64>()
}

/// The natural logarithm of the gamma function, for x > 0.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    gamma::ln_gamma(x)
}

/// What Stirling's formula misses: ln gamma(x) - ((x - 1/2) ln x - x + ln sqrt(2 pi)), for x > 0.
#[must_use]
pub fn stirling_error(x: f64) -> f64 {
    if x < 16.0 {
        return ln_gamma(x) - ((x - 0.5) * x.ln() - x + LN_SQRT_TWO_PI);
    }
    let square = x * x;
    let series = 1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0 - 691.0 / 360_360.0 / square) / square) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - series / square) / square) / x
}

/// Loader's deviance x ln(x/m) + m - x, without cancellation where x is near m. For x >= 0 and m > 0.
#[must_use]
pub fn deviance(x: f64, mean: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() + mean - x;
    }
    let v = difference / (x + mean);
    let (mut sum, mut power) = (difference * v, 2.0 * x * v);
    for odd in (1_u32..60).map(|j| f64::from(2 * j + 1)) {
        power *= v * v;
        let next = sum + power / odd;
        if next.to_bits() == sum.to_bits() {
            break;
        }
        sum = next;
    }
    sum
}

/// ln(1 - exp(x)) for x < 0, exact at both ends.
#[must_use]
pub fn ln_one_minus_exp(x: f64) -> f64 {
    if x > -LN_2 { (-x.exp_m1()).ln() } else { (-x.exp()).ln_1p() }
}

/// Where `beyond` turns from false to true between two bounds, found by halving. `beyond` must turn once.
pub fn root(mut low: f64, mut high: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if beyond(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// How many points the rule of Gauss and Legendre takes.
const POINTS: usize = 40;

/// Nodes in (-1, 1) and weights, found by Newton's method on the Legendre polynomial.
static RULE: LazyLock<[(f64, f64); POINTS]> = LazyLock::new(|| {
    let points = count(POINTS as u64);
    let mut rule = [(0.0, 0.0); POINTS];
    for (place, entry) in (0_u32..).zip(rule.iter_mut()) {
        let mut x = (PI * (f64::from(place) + 0.75) / (points + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut last, mut value) = (1.0, x);
            for degree in (2_u32..).map(f64::from).take(POINTS - 1) {
                (last, value) = (value, ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * last) / degree);
            }
            slope = points * (x * value - last) / (x * x - 1.0);
            x -= value / slope;
        }
        *entry = (x, 2.0 / ((1.0 - x * x) * slope * slope));
    }
    rule
});

/// The 40 nodes and weights that integrate a smooth function from `low` to `high`.
pub fn nodes(low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> {
    let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0);
    RULE.iter().map(move |(x, weight)| (middle + half * x, half * weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, relative: f64) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} is not {expected}");
    }

    #[test]
    fn quantiles_of_the_normal_are_exact_far_out() {
        near(normal_critical(0.025), 1.959_963_984_540_054, 1e-14);
        near(normal_critical(1e-10), 6.361_340_902_404_056, 1e-13);
        near(normal_above(normal_critical(1e-200)), 1e-200, 1e-11);
        assert!(normal_critical(0.5).abs() < 1e-15);
    }

    #[test]
    fn quantiles_of_t_are_right_whatever_the_degrees_of_freedom() {
        near(t_critical(0.025, 1.0), 12.706_204_736_174_7, 1e-12);
        near(t_critical(0.025, 10.0), 2.228_138_851_986_27, 1e-12);
        near(t_critical(0.025, 1e5), 1.959_987_707_5, 1e-9);
        near(t_critical(0.025, 1e16), 1.959_963_984_540_054, 1e-12);
        near(t_beyond(t_critical(0.025, 9_999.0), 9_999.0), 0.05, 1e-11);
        near(t_beyond(t_critical(0.025, 10_001.0), 10_001.0), 0.05, 1e-11);
        near(t_beyond(1.0, 1.0), 0.5, 1e-13);
    }

    #[test]
    fn both_ways_to_t_meet_where_one_takes_over() {
        for t in [0.01, 0.5, 1.96, 5.0, 12.0] {
            near(t_beyond(t, DF_MANY + 1e-6), t_beyond(t, DF_MANY), 1e-9);
        }
    }

    #[test]
    fn the_limit_of_kolmogorov_is_one_function() {
        near(kolmogorov_above(0.999_999_999), kolmogorov_above(1.0), 1e-7);
        near(kolmogorov_above(1.358_098_639_3), 0.05, 1e-6);
        assert!((kolmogorov_above(0.051) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn chi_square_and_its_inverse_agree() {
        near(chi_square_critical(0.001, 9.0), 27.877_164_871_256_57, 1e-12);
        near(chi_square_above(chi_square_critical(1e-30, 1.0), 1.0), 1e-30, 1e-9);
        assert_eq!((chi_square_above(f64::INFINITY, 3.0), chi_square_above(0.0, 3.0)), (0.0, 1.0));
    }

    #[test]
    fn the_rule_integrates_what_it_should() {
        let sum: f64 = nodes(0.0, 3.0).map(|(x, weight)| weight * x.exp()).sum();
        near(sum, 3.0_f64.exp() - 1.0, 1e-14);
    }

    #[test]
    fn deviances_do_not_cancel() {
        near(deviance(1e15 + 1.0, 1e15), 5e-16, 1e-6);
        near(deviance(10.0, 20.0), 10.0 * 0.5_f64.ln() + 10.0, 1e-14);
        near(deviance(0.0, 3.0), 3.0, 0.0);
    }
}
