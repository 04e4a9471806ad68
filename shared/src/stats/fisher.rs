//! Fisher's exact test, summed from the observed table outwards, so that its cost does not grow with the counts.
use super::{beta::binomial_probability, proportions::Proportion, special::count};

/// So many tables are summed on either side.
const STEPS_MAX: u32 = 100_000;
/// Tables whose chances differ by less are equally likely.
const TIE: f64 = 1.0 + 1e-9;

/// The tables with the margins of an observed one, by the successes of arm a.
struct Tables {
    trials_a: u64,
    trials_b: u64,
    /// Of both.
    successes: u64,
}

/// The two-sided p-value; nothing where there are more tables near the observed one than can be summed.
pub(super) fn fisher_exact(a: Proportion, b: Proportion) -> Option<f64> {
    let tables = Tables { trials_a: a.trials, trials_b: b.trials, successes: a.successes.checked_add(b.successes)? };
    if a.trials.checked_add(b.trials)? == 0 {
        return None;
    }
    let is_up = tables.falls_from(a.successes);
    let own = tables.tail(a.successes, is_up)?;
    let other = match tables.opposite(a.successes, is_up) {
        Some(k) => tables.tail(k, !is_up)?,
        None => 0.0,
    };
    Some((own + other).min(1.0))
}

impl Tables {
    fn first(&self) -> u64 {
        self.successes.saturating_sub(self.trials_b)
    }

    fn last(&self) -> u64 {
        self.trials_a.min(self.successes)
    }

    /// Loader's form of the hypergeometric chance: three binomials, none of which cancels another.
    fn chance(&self, k: u64) -> f64 {
        let all = self.trials_a + self.trials_b;
        if self.successes == 0 || self.successes == all {
            return 1.0;
        }
        let share = count(self.successes) / count(all);
        binomial_probability(k, self.trials_a, share) * binomial_probability(self.successes - k, self.trials_b, share)
            / binomial_probability(self.successes, all, share)
    }

    /// chance(k + 1) / chance(k), for k below the last.
    fn step_up(&self, k: u64) -> f64 {
        let left = count(self.trials_b - (self.successes - k)) + 1.0;
        count(self.trials_a - k) / (count(k) + 1.0) * (count(self.successes - k) / left)
    }

    /// Is the next table up no likelier than this one? Chances rise and then fall.
    fn falls_from(&self, k: u64) -> bool {
        k == self.last() || self.step_up(k) <= 1.0
    }

    /// The chances of a table and of those farther out on its side, until they no longer count.
    fn tail(&self, from: u64, is_up: bool) -> Option<f64> {
        let (mut k, mut chance, mut sum) = (from, self.chance(from), 0.0);
        for _ in 0..STEPS_MAX {
            sum += chance;
            let is_end = k == if is_up { self.last() } else { self.first() };
            if is_end || chance <= sum * 1e-18 {
                return Some(sum);
            }
            if is_up {
                chance *= self.step_up(k);
                k += 1;
            } else {
                k -= 1;
                chance /= self.step_up(k);
            }
        }
        None
    }

    /// The innermost table on the other slope that is no likelier than the observed one, found by halving.
    fn opposite(&self, observed: u64, is_up: bool) -> Option<u64> {
        let bound = self.chance(observed) * TIE;
        let counts = |k: u64| self.falls_from(k) != is_up && self.chance(k) <= bound;
        let (mut outer, mut inner) = (if is_up { self.first() } else { self.last() }, observed);
        if outer == observed || self.chance(outer) > bound {
            return None;
        }
        while outer.abs_diff(inner) > 1 {
            let middle = outer.midpoint(inner);
            if counts(middle) {
                outer = middle;
            } else {
                inner = middle;
            }
        }
        Some(outer)
    }
}
