//! What is believed of means: normal posteriors.
use super::{
    Interval,
    bayes::{Posterior, Standing, standings},
    beta::Tails,
    special::{finite, normal_above, normal_below, normal_critical, normal_density},
};

/// So many standard deviations from its mean a density has vanished.
const VANISHED: f64 = 40.0;

/// A normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, above 0.
    pub sd: f64,
}

impl Normal {
    /// The interval that leaves out alpha / 2 on either side.
    #[must_use]
    pub fn credible(self, alpha: f64) -> Interval {
        let half = normal_critical(alpha / 2.0) * self.sd;
        [self.mean - half, self.mean + half]
    }
}

impl Posterior for Normal {
    const MARKS: &'static [f64] = &[];

    fn curve(&self) -> impl Fn(f64) -> (f64, Tails) {
        let Self { mean, sd } = *self;
        move |x| {
            let z = (x - mean) / sd;
            (normal_density(z) / sd, Tails { below: normal_below(z), above: normal_above(z) })
        }
    }

    fn stretch(_: f64) -> f64 {
        1.0
    }

    fn peak(&self) -> (f64, f64) {
        (self.mean, self.sd)
    }

    fn reach(&self) -> [f64; 2] {
        [VANISHED * self.sd; 2]
    }
}

/// How means stand. Nothing unless every arm has a finite mean and a finite standard deviation above 0.
#[must_use]
pub fn standings_of_means(arms: &[Normal], lower_is_better: bool) -> Option<Vec<Standing>> {
    // Far from zero a mean has no digits left for what is around it, so that all are moved and scaled first.
    let origin = arms.first()?.mean;
    let scale = arms.iter().map(|arm| arm.sd).fold(0.0, f64::max);
    let moved = |arm: &Normal| -> Option<Normal> {
        let mean = finite((arm.mean - origin) / scale)?;
        let sd = finite(arm.sd / scale).filter(|sd| *sd > 0.0)?;
        finite(arm.sd)?;
        // The panels around it must be wider than its digits.
        (mean.abs() < sd * 1e12).then_some(Normal { mean, sd })
    };
    let moved: Option<Vec<Normal>> = arms.iter().map(moved).collect();
    let mut found = standings(&moved?, lower_is_better);
    for standing in &mut found {
        standing.expected_loss *= scale;
    }
    found.iter().all(|standing| standing.expected_loss.is_finite()).then_some(found)
}

/// What is believed of the effect b - a.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectPosterior {
    /// Mean and standard deviation, drawn towards the prior.
    pub posterior: Normal,
    /// The probability that b is better.
    pub prob_b_better: f64,
    /// What choosing b is expected to cost, in the unit of the effect.
    pub expected_loss_choose_b: f64,
    /// What staying with a is expected to cost.
    pub expected_loss_choose_a: f64,
    /// With 95 % probability the effect is in here.
    pub credible_95: Interval,
}

/// The posterior of an effect with a normal prior, or a flat one. Nothing unless se > 0 and finite.
#[must_use]
pub fn effect_posterior(diff: f64, se: f64, prior: Option<Normal>, higher_is_better: bool) -> Option<EffectPosterior> {
    finite(diff)?;
    finite(se).filter(|se| *se > 0.0)?;
    let posterior = prior.map_or(Normal { mean: diff, sd: se }, |prior| {
        let share = prior.sd * prior.sd / (prior.sd * prior.sd + se * se);
        Normal { mean: prior.mean + share * (diff - prior.mean), sd: se * share.sqrt() }
    });
    let Normal { mean, sd } = posterior;
    let gain = if higher_is_better { mean } else { -mean };
    let loss = |gain: f64| expected_shortfall(gain / sd) * sd;
    Some(EffectPosterior {
        posterior,
        prob_b_better: normal_below(gain / sd),
        expected_loss_choose_b: loss(gain),
        expected_loss_choose_a: loss(-gain),
        credible_95: posterior.credible(0.05),
    })
}

/// phi(z) - z Phi(-z): how far a standard normal around z is below 0 on average. For large z, where the two terms are
/// nearly equal, by the asymptotic series.
fn expected_shortfall(z: f64) -> f64 {
    if z > 12.0 {
        let square = z * z;
        return normal_density(z) / square * (1.0 - 3.0 / square * (1.0 - 5.0 / square * (1.0 - 7.0 / square)));
    }
    normal_density(z) - z * normal_above(z)
}
