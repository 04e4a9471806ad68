//! What is added up of events: exact counts and sums, moments of scores, and sketches of what has percentiles.
use super::{model::Event, sketch::Sketch};

/// Number, mean and sum of squared differences from it, which lose nothing where the mean is large.
///
/// Chan, Golub and `LeVeque`: Updating formulae and a pairwise algorithm for computing sample variances, 1979.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) n: i64,
    pub(super) mean: f64,
    pub(super) m2: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
impl Moments {
    pub(super) fn add(&mut self, value: f64) {
        self.merge(Self { n: 1, mean: value, m2: 0.0 });
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.n == 0 {
            return;
        }
        let (n, delta) = (self.n.saturating_add(other.n), other.mean - self.mean);
        self.m2 += other.m2 + delta * delta * self.n as f64 * other.n as f64 / n as f64;
        self.mean += delta * other.n as f64 / n as f64;
        self.n = n;
    }
}

/// How a failure is called whose answer could not be read.
const PARSE: &str = "parse";

/// Events, added up.
#[derive(Clone, Default)]
pub(super) struct Tally {
    pub(super) events: i64,
    pub(super) successes: i64,
    pub(super) failures: i64,
    /// Of them, those whose answer could not be read.
    pub(super) parse_failures: i64,
    pub(super) latency_n: i64,
    pub(super) latency_us: i64,
    pub(super) tokens_n: i64,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) cost_n: i64,
    pub(super) cost_nanos: i64,
    pub(super) score: Moments,
    /// In milliseconds.
    pub(super) latency: Sketch,
    /// Of input and output together.
    pub(super) tokens: Sketch,
    /// In US dollars.
    pub(super) cost: Sketch,
}

impl Tally {
    #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53")]
    pub(super) fn add(&mut self, event: &Event) {
        self.events += 1;
        self.successes += i64::from(event.success == Some(1));
        self.failures += i64::from(event.success == Some(0));
        self.parse_failures += i64::from(event.failure_kind.as_deref() == Some(PARSE));
        if let Some(us) = event.response_time_us {
            self.latency_n += 1;
            raise(&mut self.latency_us, us);
            self.latency.add(us as f64 / 1000.0);
        }
        if event.input_tokens.or(event.output_tokens).is_some() {
            let (input, output) = (event.input_tokens.unwrap_or(0), event.output_tokens.unwrap_or(0));
            self.tokens_n += 1;
            raise(&mut self.input_tokens, input);
            raise(&mut self.output_tokens, output);
            self.tokens.add(input.saturating_add(output) as f64);
        }
        if let Some(nanos) = event.cost_nanos {
            self.cost_n += 1;
            raise(&mut self.cost_nanos, nanos);
            self.cost.add(nanos as f64 / 1e9);
        }
        if let Some(score) = event.score {
            self.score.add(score);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, more) in self.sums().into_iter().zip(other.clone().sums()) {
            raise(sum, *more);
        }
        self.score.merge(other.score);
        self.latency.merge(&other.latency);
        self.tokens.merge(&other.tokens);
        self.cost.merge(&other.cost);
    }

    fn sums(&mut self) -> [&mut i64; 11] {
        [
            &mut self.events,
            &mut self.successes,
            &mut self.failures,
            &mut self.parse_failures,
            &mut self.latency_n,
            &mut self.latency_us,
            &mut self.tokens_n,
            &mut self.input_tokens,
            &mut self.output_tokens,
            &mut self.cost_n,
            &mut self.cost_nanos,
        ]
    }
}

/// Adds to a sum of what is never negative. One that would be larger than a number can be stays the largest there is.
pub(super) fn raise(sum: &mut i64, more: i64) {
    *sum = sum.saturating_add(more);
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    fn tally(sums: &[i64]) -> Tally {
        let mut tally = Tally::default();
        tally.sums().into_iter().zip(sums).for_each(|(sum, value)| *sum = *value);
        tally
    }

    #[test]
    fn sums_never_wrap_around_in_whichever_order_they_are_added() {
        let mut random = StdRng::seed_from_u64(8);
        for _ in 0..500 {
            let parts: Vec<Vec<i64>> = (0..random.random_range(1..6))
                .map(|_| (0..11).map(|_| random.random_range(0..=i64::MAX) >> random.random_range(0..63)).collect())
                .collect();
            let (mut all, mut reversed) = (Tally::default(), Tally::default());
            for (part, other) in parts.iter().zip(parts.iter().rev()) {
                all.merge(&tally(part));
                reversed.merge(&tally(other));
            }
            for (index, (sum, other)) in all.sums().into_iter().zip(reversed.sums()).enumerate() {
                let exact: i128 = parts.iter().map(|part| i128::from(part[index])).sum();
                assert_eq!(i128::from(*sum), exact.min(i128::from(i64::MAX)), "{parts:?}");
                assert_eq!(sum, other, "{parts:?}");
            }
        }
    }

    #[test]
    fn moments_lose_nothing_where_the_mean_is_large() {
        let (mut one, mut two, mut all) = (Moments::default(), Moments::default(), Moments::default());
        for n in 0..1000 {
            let value = 1e9 + f64::from(n % 10);
            if n % 3 == 0 {
                one.add(value);
            } else {
                two.add(value);
            }
            all.add(value);
        }
        one.merge(two);
        assert!((one.m2 / 999.0 - 8.258_258_258).abs() < 1e-3, "{one:?}");
        assert!((one.m2 - all.m2).abs() < 1e-3 && (one.mean - all.mean).abs() < 1e-6);
    }
}
