//! What experiments and drift are decided by: estimates, tests, intervals, sample sizes and distances. Pure functions
//! of summary statistics; none of them fails, hangs or panics, whatever the counts. What cannot be said is `None`.
//!
//! Everywhere: arm a is the control, b the treatment, an effect is b - a, tests are two-sided unless they say
//! otherwise, variances have the divisor n - 1, and `alpha` is in (0, 1).
pub mod bandit;
pub mod bayes;
pub mod beta;
pub mod corrections;
pub mod distances;
pub mod exact;
pub mod fisher;
pub mod guardrails;
pub mod means;
pub mod normal;
pub mod page_hinkley;
pub mod power;
pub mod proportions;
pub mod quantiles;
pub mod ratios;
pub mod samples;
pub mod sequential;
pub mod special;
pub mod srm;

/// The lower and the upper end.
pub type Interval = [f64; 2];
