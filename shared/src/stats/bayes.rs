//! Which arm is best, how sure that is, and what choosing it may cost: by quadrature, without chance and without
//! subtracting numbers that are nearly equal.
use super::{
    Interval,
    beta::{Tails, beta_density, beta_quantile, incomplete_beta},
    proportions::Proportion,
    special::{count, nodes},
};

/// Where panels begin and end, in standard deviations from the mean of each arm.
const STEPS: [f64; 14] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0];
/// Panels are not narrower than this, in standard deviations of the narrowest arm.
const NARROW: f64 = 0.4;

/// What is believed of an arm.
pub trait Posterior {
    /// The density at x.
    fn density(&self, x: f64) -> f64;
    /// Both tails at x.
    fn tails(&self, x: f64) -> Tails;
    /// The mean.
    fn mean(&self) -> f64;
    /// The standard deviation, above 0.
    fn sd(&self) -> f64;
    /// Where x may be.
    fn support(&self) -> Interval;
}

/// Beta(a, b): what is believed of a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    /// Successes, with those of the prior.
    pub a: f64,
    /// Failures, with those of the prior.
    pub b: f64,
}

impl Beta {
    /// A prior, above 0 both, and what was seen since.
    #[must_use]
    pub fn after(prior: Self, seen: Proportion) -> Self {
        Self { a: prior.a + count(seen.successes), b: prior.b + count(seen.trials.saturating_sub(seen.successes)) }
    }

    /// The interval that leaves out alpha / 2 on either side.
    #[must_use]
    pub fn credible(self, alpha: f64) -> Interval {
        let high = |it: Self| beta_quantile(it.a, it.b, alpha / 2.0);
        [high(self), 1.0 - high(self.mirrored())]
    }

    /// The same of failures.
    fn mirrored(self) -> Self {
        Self { a: self.b, b: self.a }
    }
}

impl Posterior for Beta {
    fn density(&self, x: f64) -> f64 {
        beta_density(self.a, self.b, x, 1.0 - x)
    }

    fn tails(&self, x: f64) -> Tails {
        incomplete_beta(self.a, self.b, x, 1.0 - x)
    }

    fn mean(&self) -> f64 {
        self.a / (self.a + self.b)
    }

    fn sd(&self) -> f64 {
        let total = self.a + self.b;
        (self.a / total * (self.b / total) / (total + 1.0)).sqrt()
    }

    fn support(&self) -> Interval {
        [0.0, 1.0]
    }
}

/// How an arm stands among others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The probability that it is the best; over all arms these sum up to 1.
    pub prob_best: f64,
    /// How far it is expected to be behind the best, in the metric's unit.
    pub expected_loss: f64,
}

/// How arms stand. Best is highest, or lowest. With densities f and, towards the worse side, probabilities F:
/// P(i best) is the integral of f(i) times all other F, the expected loss that of F(i) (1 - all other F).
#[must_use]
pub fn standings<P: Posterior>(arms: &[P], lower_is_better: bool) -> Vec<Standing> {
    let mut found = vec![Standing { prob_best: 0.0, expected_loss: 0.0 }; arms.len()];
    let points = breakpoints(arms);
    let mut tails = vec![Tails { below: 0.0, above: 0.0 }; arms.len()];
    for panel in points.windows(2) {
        for (x, weight) in nodes(panel[0], panel[1]) {
            for (arm, tails) in arms.iter().zip(&mut tails) {
                let at = arm.tails(x);
                *tails = if lower_is_better { Tails { below: at.above, above: at.below } } else { at };
            }
            for (place, standing) in found.iter_mut().enumerate() {
                let (mut all_below, mut any_above) = (1.0, 0.0);
                for (_, other) in tails.iter().enumerate().filter(|(other, _)| *other != place) {
                    all_below *= other.below;
                    any_above += other.above * (1.0 - any_above);
                }
                if all_below > 0.0 {
                    standing.prob_best += weight * arms[place].density(x) * all_below;
                }
                standing.expected_loss += weight * tails[place].below * any_above;
            }
        }
    }
    let sum: f64 = found.iter().map(|standing| standing.prob_best).sum();
    if sum > 0.0 {
        for standing in &mut found {
            standing.prob_best /= sum;
        }
    }
    found
}

/// How shares stand.
#[must_use]
pub fn standings_of_shares(arms: &[Beta], lower_is_better: bool) -> Vec<Standing> {
    // Numbers near 0 have more digits than those near 1, so that shares are looked at from where they are.
    if arms.iter().all(|arm| arm.mean() > 0.5) {
        let mirrored: Vec<Beta> = arms.iter().map(|arm| arm.mirrored()).collect();
        return standings(&mirrored, !lower_is_better);
    }
    standings(arms, lower_is_better)
}

/// Where panels begin and end: around the mean of every arm, and close to ends where densities may be infinite.
fn breakpoints<P: Posterior>(arms: &[P]) -> Vec<f64> {
    let Some([first, last]) = arms.first().map(Posterior::support) else { return Vec::new() };
    let mut points = Vec::new();
    let mut narrowest = f64::INFINITY;
    for arm in arms {
        let (mean, sd) = (arm.mean(), arm.sd());
        narrowest = narrowest.min(sd);
        for step in STEPS {
            points.push((mean - step * sd).max(first));
            points.push((mean + step * sd).min(last));
        }
    }
    points.sort_unstable_by(f64::total_cmp);
    let mut kept: Vec<f64> = Vec::with_capacity(points.len());
    for point in points {
        if kept.last().is_none_or(|before| point - before > NARROW * narrowest) {
            kept.push(point);
        }
    }
    let reach = |kept: &[f64]| kept.get(1).zip(kept.first()).map_or(0.0, |(next, first)| next - first);
    let (low, high) = (reach(&kept), reach(&kept.iter().rev().map(|point| -point).collect::<Vec<f64>>()));
    let ends = [0.25, 0.05, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10];
    if first.is_finite() && kept.first() == Some(&first) {
        kept.extend(ends.map(|share| first + share * low));
    }
    if last.is_finite() && kept.last().is_some_and(|point| *point >= last - 2.0 * high) {
        kept.extend(ends.map(|share| last - share * high));
        kept.push(last);
    }
    kept.sort_unstable_by(f64::total_cmp);
    kept.dedup();
    kept
}
