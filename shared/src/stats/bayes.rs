//! Which arm is best, how sure that is, and what choosing it may cost: by quadrature, without chance and without
//! subtracting numbers that are nearly equal.
use super::{
    Interval,
    beta::{Tails, beta_logit, beta_quantile, tails_with},
    proportions::Share,
    special::nodes,
};

/// Where panels begin and end, in widths of each posterior from its mode.
const STEPS: [f64; 5] = [0.0, 5.0, 12.0, 24.0, 40.0];
/// Panels are not narrower than this, in widths of the narrowest posterior.
const NARROW: f64 = 3.0;
/// A density has vanished where it has fallen by e to this power.
const DROP: f64 = 44.0;

/// What is believed of an arm, as a density over a coordinate that runs from minus to plus infinity. Panels of 40 nodes
/// integrate it exactly, wherever in its support it lies: what is infinite at an end of the support only falls
/// exponentially in the coordinate.
pub trait Posterior {
    /// Panels end at these coordinates as well.
    const MARKS: &'static [f64];

    /// The density over the coordinate, and both tails.
    fn curve(&self) -> impl Fn(f64) -> (f64, Tails);
    /// How much the metric grows with the coordinate.
    fn stretch(coordinate: f64) -> f64;
    /// Where the density is highest, and how wide it is there: the standard deviation of a normal one of that curvature.
    fn peak(&self) -> (f64, f64);
    /// How far below and above its mode the density has vanished.
    fn reach(&self) -> [f64; 2];
}

/// Beta(a, b): what is believed of a share. Its coordinate is the logarithm of the odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    /// Successes, with those of the prior.
    pub a: f64,
    /// Failures, with those of the prior.
    pub b: f64,
}

/// Log odds beyond are those of shares that are too close to 0 or 1 for a number.
const ODDS_MAX: f64 = 600.0;
/// The width of a posterior that is flat, or highest at both ends: the logistic function turns within it.
const TURN: f64 = 2.0;

/// A share and what is left to 1, both exact.
fn of_odds(coordinate: f64) -> (f64, f64) {
    let small = (-coordinate.abs()).exp();
    let (near, far) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if coordinate < 0.0 { (near, far) } else { (far, near) }
}

impl Beta {
    /// A prior, above 0 both, and what was seen since.
    #[must_use]
    pub fn after(prior: Self, seen: impl Into<Share>) -> Self {
        let seen = seen.into();
        Self { a: prior.a + seen.successes, b: prior.b + seen.failures() }
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

    /// How far the logarithm of the density has fallen from its highest.
    fn drop(self, coordinate: f64) -> f64 {
        let ln_share = |odds: f64| if odds < 0.0 { odds - odds.exp().ln_1p() } else { -(-odds).exp().ln_1p() };
        let total = self.a + self.b;
        self.a * ((self.a / total).ln() - ln_share(coordinate))
            + self.b * ((self.b / total).ln() - ln_share(-coordinate))
    }
}

impl Posterior for Beta {
    const MARKS: &'static [f64] = &[-40.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0];

    fn curve(&self) -> impl Fn(f64) -> (f64, Tails) {
        let (a, b) = (self.a, self.b);
        let density_at = beta_logit(a, b);
        move |coordinate| {
            let inner = coordinate.clamp(-ODDS_MAX, ODDS_MAX);
            let (x, y) = of_odds(inner);
            let density = density_at(x, y);
            let Tails { below, above } = tails_with(density, (a, b), (x, y));
            // Out there the density and its tail are one exponential.
            let beyond = coordinate - inner;
            if beyond < 0.0 {
                let fallen = (a * beyond).exp();
                return (density * fallen, Tails { below: below * fallen, above: 1.0 - below * fallen });
            }
            if beyond > 0.0 {
                let fallen = (-b * beyond).exp();
                return (density * fallen, Tails { below: 1.0 - above * fallen, above: above * fallen });
            }
            (density, Tails { below, above })
        }
    }

    fn stretch(coordinate: f64) -> f64 {
        let (x, y) = of_odds(coordinate);
        x * y
    }

    fn peak(&self) -> (f64, f64) {
        ((self.a / self.b).ln(), (1.0 / self.a + 1.0 / self.b).sqrt().min(TURN))
    }

    fn reach(&self) -> [f64; 2] {
        let (mode, width) = self.peak();
        [-1.0, 1.0].map(|side| {
            let mut reach = width;
            while self.drop(mode + side * reach) < DROP && reach < 1e9 {
                reach *= 1.25;
            }
            reach
        })
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
    let curves: Vec<_> = arms.iter().map(Posterior::curve).collect();
    let mut seen = vec![(0.0, Tails { below: 0.0, above: 0.0 }); arms.len()];
    for panel in panels(arms).windows(2) {
        for (coordinate, weight) in nodes(panel[0], panel[1]) {
            let stretch = P::stretch(coordinate);
            for (curve, seen) in curves.iter().zip(&mut seen) {
                let (density, tails) = curve(coordinate);
                *seen = (density, if lower_is_better { tails.swapped() } else { tails });
            }
            for (place, standing) in found.iter_mut().enumerate() {
                let (mut all_below, mut any_above) = (1.0, 0.0);
                for (_, (_, other)) in seen.iter().enumerate().filter(|(other, _)| *other != place) {
                    all_below *= other.below;
                    any_above += other.above * (1.0 - any_above);
                }
                let (density, own) = seen[place];
                standing.prob_best += weight * density * all_below;
                standing.expected_loss += weight * stretch * own.below * any_above;
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

/// Where panels begin and end: around the mode of every arm, from where the first of them begins to where the last ends.
fn panels<P: Posterior>(arms: &[P]) -> Vec<f64> {
    let (mut first, mut last, mut narrowest) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
    let mut points = P::MARKS.to_vec();
    for arm in arms {
        let ((mode, width), [below, above]) = (arm.peak(), arm.reach());
        (first, last, narrowest) = (first.min(mode - below), last.max(mode + above), narrowest.min(width));
        points.extend([mode - below, mode + above]);
        points.extend(STEPS.iter().flat_map(|step| [mode - step * width, mode + step * width]));
    }
    points.retain(|point| (first..last).contains(point));
    points.sort_unstable_by(f64::total_cmp);
    let mut kept: Vec<f64> = Vec::with_capacity(points.len() + 1);
    for point in points {
        if kept.last().is_none_or(|before| point - before > NARROW * narrowest) {
            kept.push(point);
        }
    }
    kept.extend(last.is_finite().then_some(last));
    kept
}

/// How shares stand.
#[must_use]
pub fn standings_of_shares(arms: &[Beta], lower_is_better: bool) -> Vec<Standing> {
    standings(arms, lower_is_better)
}
