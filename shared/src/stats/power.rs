//! How many units a test needs, and what effect it can find: for two shares and for two means, with one planned look or
//! with as many as one likes.
use super::{
    exact,
    proportions::Share,
    sequential::{OUTCOMES_MIN, UNITS_MIN, multiplier, rho_squared},
    special::{count, finite, nodes, normal_below, normal_critical, root, t_critical},
};

/// Beyond so many units nobody plans.
pub const UNITS_MAX: f64 = 9e15;

/// What a test is to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Two-sided level, in (0, 1).
    pub alpha: f64,
    /// The chance to find the effect, in (0, 1).
    pub power: f64,
    /// Units of b for each unit of a, above 0.
    pub ratio: f64,
}

impl Design {
    fn quantiles(self) -> (f64, f64) {
        (normal_critical(self.alpha / 2.0), -normal_critical(self.power))
    }

    /// Units of the control: `n` of both arms.
    fn share_a(self) -> f64 {
        1.0 / (1.0 + self.ratio)
    }
}

/// What two shares vary: pooled and by themselves, for one unit of a.
fn variances(baseline: f64, target: f64, ratio: f64) -> (f64, f64) {
    let pooled = (baseline + ratio * target) / (1.0 + ratio);
    let own = baseline * (1.0 - baseline) + target * (1.0 - target) / ratio;
    (pooled * (1.0 - pooled) * (1.0 + 1.0 / ratio), own)
}

/// Units of the control, not rounded, to tell two shares apart (Fleiss, without correction for continuity). Nothing
/// where they are equal or the number is beyond all plans.
#[must_use]
pub fn units_for_proportions(baseline: f64, target: f64, design: Design) -> Option<f64> {
    let (z, z_power) = design.quantiles();
    let (pooled, own) = variances(baseline, target, design.ratio);
    let needed = ((z * pooled.sqrt() + z_power * own.sqrt()) / (target - baseline)).powi(2);
    finite(needed).filter(|units| *units <= UNITS_MAX)
}

/// The chance to tell two shares apart with so many units, on either side; nothing without units or with equal shares of 0 or 1.
#[must_use]
pub fn power_of_proportions(baseline: f64, target: f64, n_a: f64, n_b: f64, alpha: f64) -> Option<f64> {
    let (pooled, own) = variances(baseline, target, n_b / n_a);
    let z = normal_critical(alpha / 2.0);
    let side = |effect: f64| normal_below((effect * n_a.sqrt() - z * pooled.sqrt()) / own.sqrt());
    finite(side(target - baseline) + side(baseline - target))
}

/// The smallest rise of a share that `n_a` units of the control find. Nothing where even a rise to 1 is not enough.
#[must_use]
pub fn effect_for_proportions(baseline: f64, n_a: f64, design: Design) -> Option<f64> {
    let is_found = |target: f64| units_for_proportions(baseline, target, design).is_some_and(|units| units <= n_a);
    (baseline < 1.0 && is_found(1.0))
        .then(|| root(0.0, 1.0 - baseline, |effect| is_found((baseline + effect).min(1.0))))
}

/// Units of the control to tell two means apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitsForMeans {
    /// By the normal distribution.
    pub normal: f64,
    /// With Guenther's correction z^2 / 4 for t: what is used.
    pub guenther: f64,
}

/// Units of the control, not rounded, for a difference of means with a common standard deviation. Nothing where the
/// difference is 0 or the number is beyond all plans.
#[must_use]
pub fn units_for_means(sd: f64, difference: f64, design: Design) -> Option<UnitsForMeans> {
    let (z, z_power) = design.quantiles();
    let normal = (1.0 + 1.0 / design.ratio) * (sd * (z + z_power) / difference).powi(2);
    let guenther = finite(normal + z * z / 4.0).filter(|units| *units <= UNITS_MAX)?;
    Some(UnitsForMeans { normal, guenther })
}

/// The same by the t test's own power, with the noncentral t distribution. Nothing beyond a million units.
#[must_use]
pub fn units_for_means_exact(sd: f64, difference: f64, design: Design) -> Option<f64> {
    let start = units_for_means(sd, difference, design)?.guenther;
    let is_enough = |n_a: f64| {
        let (n_b, effect) = (design.ratio * n_a, (difference / sd).abs());
        let df = n_a + n_b - 2.0;
        df > 0.0 && power_of_t(effect * (n_a * n_b / (n_a + n_b)).sqrt(), df, design.alpha) >= design.power
    };
    (start < 1e6).then(|| root(0.0, 2.0 * start + 10.0, is_enough))
}

/// P(|T| > critical) with a noncentrality: the normal, over the distribution of the estimated standard deviation.
fn power_of_t(noncentrality: f64, df: f64, alpha: f64) -> f64 {
    let critical = t_critical(alpha / 2.0, df);
    // s = sqrt(chi-square / df); its density is known up to a factor, which the sum of weights gives.
    let spread = 1.0 / (2.0 * df).sqrt();
    let (mut found, mut whole) = (0.0, 0.0);
    for step in -4_i32..4 {
        let edge = |step: i32| (1.0 + 2.5 * spread * f64::from(step)).max(0.0);
        for (s, weight) in nodes(edge(step), edge(step + 1)) {
            let density = weight * ((df - 1.0) * s.ln() - df * (s * s - 1.0) / 2.0).exp();
            whole += density;
            found +=
                density * (normal_below(noncentrality - critical * s) + normal_below(-noncentrality - critical * s));
        }
    }
    found / whole
}

/// The smallest difference of means that `n_a` units of the control find. Nothing for too few units.
#[must_use]
pub fn effect_for_means(sd: f64, n_a: f64, design: Design) -> Option<f64> {
    let (z, z_power) = design.quantiles();
    let left = n_a - z * z / 4.0;
    finite(sd * (z + z_power).abs() * ((1.0 + 1.0 / design.ratio) / left).sqrt())
}

/// The units that an always-valid test needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SequentialUnits {
    /// Units of both arms at which the effect is found with the wanted power, at the latest; not rounded.
    pub total: f64,
    /// Units of both arms with a single planned look.
    pub fixed: f64,
    /// total / fixed.
    pub inflation: f64,
}

/// Units of both arms for an always-valid test tuned to `n_star`: where (multiplier(n) + `z_power`) se(n) is the effect.
/// `variance` is that of the effect with one unit of both arms together: se(n)^2 = variance / n. Nothing where no number
/// is enough.
#[must_use]
pub fn sequential_units(effect: f64, variance: f64, n_star: f64, design: Design) -> Option<SequentialUnits> {
    let rho_squared = rho_squared(n_star, design.alpha)?;
    let (z, z_power) = design.quantiles();
    let effect = finite(effect.abs()).filter(|effect| *effect > 0.0)?;
    let is_enough = |n: f64| (multiplier(n, rho_squared, design.alpha) + z_power) * (variance / n).sqrt() <= effect;
    let fixed = ((z + z_power) / effect).powi(2) * variance;
    let high = finite(fixed * 64.0 + 64.0).filter(|high| *high <= UNITS_MAX && is_enough(*high))?;
    let total = root(0.0, high, is_enough);
    Some(SequentialUnits { total, fixed, inflation: total / fixed })
}

/// Units of both arms at which a test that is decided while it runs finds a difference of means: no less than the burn-in
/// asks for of each.
#[must_use]
pub fn running_units_for_means(sd: f64, difference: f64, n_star: f64, design: Design) -> Option<f64> {
    let planned = sequential_units(difference, variance_of_means(sd, design), n_star, design)?.total;
    Some(planned.max(burn_in(design)))
}

/// The same of shares: by the normal approximation once both arms have enough outcomes for it, or before by the exact test.
#[must_use]
pub fn running_units_for_proportions(baseline: f64, target: f64, n_star: f64, design: Design) -> Option<f64> {
    let (z, share) = (-normal_critical(design.power), design.share_a());
    // Counts that are reached with the wanted chance.
    let surely = |expected: f64| expected - z.max(0.0) * expected.sqrt();
    let rarest = [(baseline, share), (target, 1.0 - share)]
        .map(|(rate, share)| rate.min(1.0 - rate) * share)
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    let has_outcomes = |n: f64| surely(rarest * n) >= count(OUTCOMES_MIN);
    let is_found = |n: f64| {
        let arm = |rate: f64, share: f64| Share::of_rate(rate, n * share);
        exact::log_evidence_at(arm(baseline, share), arm(target, 1.0 - share), z) >= -design.alpha.ln()
    };
    let (burn_in, bounded) = (burn_in(design), |is_enough: &dyn Fn(f64) -> bool| {
        is_enough(UNITS_MAX).then(|| root(0.0, UNITS_MAX, is_enough))
    });
    let planned =
        sequential_units(target - baseline, variance_of_proportions(baseline, target, design), n_star, design);
    let by_normal = planned.zip(bounded(&has_outcomes)).map(|(planned, outcomes)| planned.total.max(outcomes));
    let by_exact = bounded(&is_found);
    Some(by_normal.into_iter().chain(by_exact).reduce(f64::min)?.max(burn_in))
}

/// Units of both arms without which nothing is decided.
fn burn_in(design: Design) -> f64 {
    let share = design.share_a();
    count(UNITS_MIN) / share.min(1.0 - share)
}

/// The variance of a difference of means with one unit of both arms together.
#[must_use]
pub fn variance_of_means(sd: f64, design: Design) -> f64 {
    let share = design.share_a();
    sd * sd * (1.0 / share + 1.0 / (1.0 - share))
}

/// The same of shares.
#[must_use]
pub fn variance_of_proportions(baseline: f64, target: f64, design: Design) -> f64 {
    let share = design.share_a();
    baseline * (1.0 - baseline) / share + target * (1.0 - target) / (1.0 - share)
}
